/** Flattens a JSON document into event fields within bounds. Knows no document's meaning. */
import type { JsonObject, JsonValue } from "@vedette/kit";
import type { Fields, Scalar } from "@vedette/model";

/** Values nested deeper are kept as one JSON text. ECS itself nests 5 deep, the deepest Kubernetes audit documents 12. */
const maxFieldDepth = 16;
/** Fields of one event; the widest Windows and CloudTrail events have about 150. Further ones are counted in `vedette.fields_dropped`. */
export const maxFields = 512;

/** A path longer than this is cut, and what is nested under it kept as one JSON text: long names times many values would take quadratic time. */
export const maxPathLength = 256;

// One document at a time: state between the recursive calls lives here instead of in an object per event.
let left = 0;
let dropped = 0;

/**
 * Adds every value of `object` to `into` under its dotted path, behind `prefix` (which ends with a dot where it is not empty).
 *
 * Arrays of scalars are kept; of an array of objects each path becomes an array of its values; nulls, and empty objects, are left out (an absent
 * field equals null in a Condition). A path that comes twice keeps the last value. `vedette.…`, which no client may set, becomes `labels.vedette_…`.
 * @returns how many values found no room
 */
export function flatten(object: JsonObject, into: Fields, prefix = ""): number {
  left = maxFields;
  dropped = 0;
  flattenObject(object, into, prefix, 1);
  if (dropped > 0) into["vedette.fields_dropped"] = dropped;
  return dropped;
}

/** As `flatten`, for one member of a document, `path` being its name. */
export function flattenValue(value: JsonValue | undefined, into: Fields, path: string): number {
  left = maxFields;
  dropped = 0;
  flattenMember(value, into, path, 1);
  if (dropped > 0) into["vedette.fields_dropped"] = dropped;
  return dropped;
}

function flattenObject(object: JsonObject, into: Fields, prefix: string, depth: number): void {
  for (const key in object) flattenMember(object[key], into, prefix === "" ? key : prefix + key, depth);
}

function flattenMember(value: JsonValue | undefined, into: Fields, path: string, depth: number): void {
  if (value === null || value === undefined) return;
  if (typeof value !== "object") put(into, path, finite(value));
  else if (depth >= maxFieldDepth || path.length > maxPathLength) put(into, path, JSON.stringify(value));
  else if (Array.isArray(value)) flattenArray(value, into, path, depth);
  else flattenObject(value as JsonObject, into, `${path}.`, depth + 1);
}

function flattenArray(values: readonly JsonValue[], into: Fields, path: string, depth: number): void {
  if (values.every((one) => typeof one !== "object" || one === null)) {
    put(into, path, (values as readonly Scalar[]).filter((one) => one !== null).map(finite));
    return;
  }
  const collected: Collected = new Map();
  for (const one of values) collect(one, path, depth + 1, collected);
  for (const [key, list] of collected) put(into, key, list);
}

type Collected = Map<string, Scalar[]>;

function collect(value: JsonValue | undefined, path: string, depth: number, collected: Collected): void {
  if (value === null || value === undefined) return;
  if (typeof value !== "object" || depth >= maxFieldDepth || path.length > maxPathLength) {
    const one = typeof value === "object" ? JSON.stringify(value) : finite(value as Scalar);
    const list = collected.get(path);
    if (list !== undefined) list.push(one);
    else if (collected.size < left) collected.set(path, [one]);
    else dropped++;
  } else if (Array.isArray(value)) {
    for (const one of value) collect(one, path, depth + 1, collected);
  } else {
    for (const key in value) collect((value as JsonObject)[key], `${path}.${key}`, depth + 1, collected);
  }
}

/** `1e999` is valid JSON and becomes Infinity, which no store can hold. */
const finite = (value: Scalar): Scalar => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value);

function put(into: Fields, path: string, value: Scalar | readonly Scalar[]): void {
  if (left === 0) {
    dropped++;
    return;
  }
  const key = unreserved(path.length > maxPathLength ? path.slice(0, maxPathLength) : path);
  if (into[key] === undefined) left--;
  into[key] = value;
}

/** `vedette.…` is what Vedette itself says about an event: from outside it becomes a label. */
function unreserved(path: string): string {
  return path.charCodeAt(0) === 0x76 && (path.startsWith("vedette.") || path === "vedette") ? `labels.${path.replaceAll(".", "_")}` : path;
}
