/** How enrichers write into an event: what is there stays as it is. Knows no enricher. */
import type { Fields, FieldValue } from "@vedette/model";

/** Sets a field that has no value yet; nothing where there is nothing to say. */
export function give(fields: Fields, name: string, value: FieldValue | undefined): void {
  if (value === undefined || value === null || value === "") return;
  const before = fields[name];
  if (before === undefined || before === null) fields[name] = value;
}

/** The text of a field's value, the first of several; undefined where it has none. */
export function textOf(value: FieldValue | undefined): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  if (!Array.isArray(value)) return undefined;
  return value.find((one): one is string => typeof one === "string" && one !== "");
}

/** Adds values to one of ECS's `related.*`, each once. */
export function relate(fields: Fields, name: "related.hosts" | "related.user" | "related.ip", more: readonly string[]): void {
  if (more.length === 0) return;
  const before = fields[name];
  const known = Array.isArray(before) ? before : before === undefined || before === null ? [] : [before];
  const fresh = more.filter((one) => !known.includes(one));
  if (fresh.length > 0) fields[name] = [...known, ...new Set(fresh)];
}
