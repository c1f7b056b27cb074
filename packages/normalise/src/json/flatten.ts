/** Flattens a JSON document into event fields within bounds, and tells what stands at paths that were asked for. Knows no document's meaning. */
import type { JsonObject, JsonValue } from "@vedette/kit";
import type { Fields, Scalar } from "@vedette/model";
import { type Path, path as pathOf, valueAt } from "./path.ts";

/** Values nested deeper are kept as one JSON text. ECS itself nests 5 deep, the deepest Kubernetes audit documents 12. */
const maxFieldDepth = 16;
/** Fields of one event; the widest Windows and CloudTrail events have about 150. Further ones are counted in `vedette.fields_dropped`. */
export const maxFields = 512;

/** A path longer than this is cut, and what is nested under it kept as one JSON text: long names times many values would take quadratic time. */
export const maxPathLength = 256;

/** Paths are forgotten, after the document, once they come to so many characters together: senders choose the names. */
const maxRemembered = 262_144;
/** Names learnt from one document at most, those of empty objects included: each costs some 300 bytes. What comes under further ones finds no room. */
const maxLearnt = 4 * maxFields;

/** One dotted path: what it is called among the fields, and what else to do with a value there. Names repeat endlessly; joining them each time costs more than all the rest. */
class Name {
  readonly path: string;
  readonly field: string;
  readonly isKept: boolean;
  members: Map<string, Name> | undefined;
  /** Where in `found` its value goes; -1: nobody asked. */
  asked = -1;
  /** What was asked for below it, for where it is a list. */
  below: readonly { readonly slot: number; readonly rest: Path }[] = [];
  /** Values of the list of objects that is being read, if `stamp` is its. */
  list: Scalar[] = [];
  stamp = 0;
  constructor(path: string, isKept: boolean) {
    this.path = path;
    this.field = unreserved(path.length > maxPathLength ? path.slice(0, maxPathLength) : path);
    this.isKept = isKept;
  }
}

// One document at a time: state between the recursive calls lives here instead of in an object per event.
let into: Fields;
let paths: Paths;
let left = 0;
let dropped = 0;
let stamp = 0;
let touched: Name[] = [];
let learnt = 0;
let except: Name | undefined;
/** Of what finds no room anyway. */
const unnamed = new Name("", true);

/**
 * The paths of documents of one kind, remembered.
 *
 * Arrays of scalars are kept; of an array of objects each path becomes an array of its values; nulls, and empty objects, are left out (an absent
 * field equals null in a Condition). A path that comes twice keeps the last value. `vedette.…`, which no client may set, becomes `labels.vedette_…`.
 */
export class Paths {
  readonly #prefix: string;
  readonly #omitted: ReadonlySet<string>;
  readonly #asked = new Map<string, number>();
  readonly #found: (JsonValue | undefined)[] = [];
  #root: Name;
  #known = new Map<string, Name>();
  /** Characters remembered; infinite where what is asked for is not yet known. */
  #size = Number.POSITIVE_INFINITY;

  /**
   * @param prefix put before every path; ends with a dot where it is not empty
   * @param omitted paths, without the prefix, that are not kept as fields
   */
  constructor(prefix = "", omitted: readonly string[] = []) {
    this.#prefix = prefix;
    this.#omitted = new Set(omitted);
    this.#root = new Name(prefix.slice(0, -1), true);
  }

  /** Tells what stood at a path, from the root and without the prefix, in the document flattened last: as `valueAt`, but a path that comes twice gives its last value, and objects are absent. To be asked before the first document. */
  ask(path: string): () => JsonValue | undefined {
    const found = this.#found;
    let slot = this.#asked.get(path);
    if (slot === undefined) {
      slot = found.push(undefined) - 1;
      this.#asked.set(path, slot);
      this.#size = Number.POSITIVE_INFINITY;
    }
    const at = slot;
    return () => found[at];
  }

  /**
   * Adds every value of `object` to `fields` under its dotted path.
   * @param omitted a member of this document that is not kept, as if it were one of those that never are
   * @returns how many values found no room
   */
  flatten(object: JsonObject, fields: Fields, omitted?: string): number {
    this.#begin(fields);
    if (omitted !== undefined) except = this.#root.members?.get(omitted) ?? this.learn(this.#root, omitted);
    flattenObject(object, this.#root, 1);
    return finish();
  }

  /** As `flatten`, for a value that itself stands at the prefix. */
  flattenValue(value: JsonValue | undefined, fields: Fields): number {
    this.#begin(fields);
    flattenMember(value, this.#root, 1);
    return finish();
  }

  #begin(fields: Fields): void {
    learnt = 0;
    if (this.#size > maxRemembered) this.#startAnew();
    for (let i = 0; i < this.#found.length; i++) this.#found[i] = undefined;
    into = fields;
    paths = this;
    left = maxFields;
    dropped = 0;
    except = undefined;
  }

  /** What is asked for is found however much else there is, so its names come first. */
  #startAnew(): void {
    this.#root = new Name(this.#root.path, true);
    this.#known = new Map();
    this.#size = 0;
    for (const path of this.#asked.keys()) {
      let name = this.#root;
      for (const part of path.split(".")) name = name.members?.get(part) ?? this.learn(name, part);
    }
    learnt = 0;
  }

  /** The name of a member that was not met before under this parent. */
  learn(parent: Name, key: string): Name {
    const path = parent === this.#root ? this.#prefix + key : `${parent.path}.${key}`;
    let name = this.#known.get(path);
    if (name === undefined) {
      const told = path.slice(this.#prefix.length);
      name = new Name(path, !this.#omitted.has(told));
      name.asked = this.#asked.get(told) ?? -1;
      name.below = [...this.#asked].flatMap(([one, slot]) =>
        one.startsWith(`${told}.`) ? [{ slot, rest: pathOf(one.slice(told.length + 1)) }] : [],
      );
      this.#known.set(path, name);
    }
    learnt++;
    this.#size += path.length + key.length;
    parent.members ??= new Map();
    parent.members.set(key, name);
    return name;
  }

  tell(slot: number, value: JsonValue | undefined): void {
    // null is an object too
    this.#found[slot] = typeof value === "object" && !Array.isArray(value) ? undefined : value;
  }
}

const shared = new Map<string, Paths>();
/** More than formats use; some come from documents. */
const maxShared = 256;

function sharedPaths(prefix: string): Paths {
  let found = shared.get(prefix);
  if (found === undefined) {
    found = new Paths(prefix);
    if (shared.size >= maxShared) shared.clear();
    shared.set(prefix, found);
  }
  return found;
}

/** As `Paths.flatten` with the prefix's own paths; it ends with a dot where it is not empty. */
export const flatten = (object: JsonObject, fields: Fields, prefix = ""): number => sharedPaths(prefix).flatten(object, fields);

/** As `flatten`, for one member of a document, `path` being its name. */
export const flattenValue = (value: JsonValue | undefined, fields: Fields, path: string): number =>
  value === undefined || value === null ? 0 : sharedPaths(`${path}.`).flattenValue(value, fields);

function finish(): number {
  if (dropped > 0) into["vedette.fields_dropped"] = dropped;
  return dropped;
}

function flattenObject(object: JsonObject, name: Name, depth: number): void {
  for (const key in object) {
    const value = object[key];
    if (value !== null && value !== undefined) flattenMember(value, memberOf(name, key), depth);
  }
}

/** A name that was met before, or is learnt; whatever finds no room needs none. */
const memberOf = (name: Name, key: string): Name =>
  name.members?.get(key) ?? (touched.length < left && learnt < maxLearnt ? paths.learn(name, key) : unnamed);

function flattenMember(value: JsonValue | undefined, name: Name, depth: number): void {
  if (value === null || value === undefined) return;
  if (typeof value !== "object") {
    if (name.asked >= 0) paths.tell(name.asked, value);
    put(name, finite(value));
  } else if (depth >= maxFieldDepth || name.path.length > maxPathLength) put(name, JSON.stringify(value));
  else if (Array.isArray(value)) flattenArray(value, name, depth);
  else flattenObject(value as JsonObject, name, depth + 1);
}

function flattenArray(values: readonly JsonValue[], name: Name, depth: number): void {
  if (name.asked >= 0) paths.tell(name.asked, values);
  for (const { slot, rest } of name.below) paths.tell(slot, valueAt(values, rest));
  const scalars: Scalar[] = [];
  for (const one of values) {
    if (one === null) continue;
    if (typeof one === "object") {
      flattenObjects(values, name, depth);
      return;
    }
    scalars.push(finite(one));
  }
  put(name, scalars);
}

function flattenObjects(values: readonly JsonValue[], name: Name, depth: number): void {
  stamp++;
  for (const one of values) collect(one, name, depth + 1);
  for (const one of touched) put(one, one.list);
  touched = [];
}

function collect(value: JsonValue | undefined, name: Name, depth: number): void {
  if (value === null || value === undefined) return;
  if (typeof value !== "object" || depth >= maxFieldDepth || name.path.length > maxPathLength) {
    const one = typeof value === "object" ? JSON.stringify(value) : finite(value);
    if (name.stamp === stamp) name.list.push(one);
    else if (touched.length < left && name !== unnamed) {
      name.stamp = stamp;
      name.list = [one];
      touched.push(name);
    } else dropped++;
  } else if (Array.isArray(value)) {
    for (const one of value as readonly JsonValue[]) collect(one, name, depth + 1);
  } else {
    const object = value as JsonObject;
    for (const key in object) {
      const one = object[key];
      if (one !== null && one !== undefined) collect(one, memberOf(name, key), depth + 1);
    }
  }
}

/** `1e999` is valid JSON and becomes Infinity, which no store can hold. */
const finite = (value: Scalar): Scalar => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value);

function put(name: Name, value: Scalar | readonly Scalar[]): void {
  if (!name.isKept || name === except) return;
  if (left === 0 || name === unnamed) {
    dropped++;
    return;
  }
  left--;
  into[name.field] = value;
}

/** `vedette.…` is what Vedette itself says about an event: from outside it becomes a label. */
function unreserved(path: string): string {
  return path.charCodeAt(0) === 0x76 && (path.startsWith("vedette.") || path === "vedette") ? `labels.${path.replaceAll(".", "_")}` : path;
}
