/** Dotted paths into JSON documents. Knows no document. */
import type { JsonObject, JsonValue } from "@vedette/kit";

/** A path with each of its ends: exporters that flatten documents write `a.b.c` as one key. */
export interface Path {
  readonly parts: readonly string[];
  readonly rests: readonly string[];
}

/** A dotted path, ready for `valueAt`. */
export function path(text: string): Path {
  const parts = text.split(".");
  return { parts, rests: parts.map((_, i) => parts.slice(i).join(".")) };
}

/** Members of an array that a path is followed into; longer lists are kept whole where they are flattened. */
const maxMembers = 256;

/** The value at a path, from its `at`th part on; nulls count as absent. */
export function valueAt(value: JsonValue | undefined, where: Path, at = 0): JsonValue | undefined {
  if (value === null || value === undefined) return undefined;
  if (at === where.parts.length) return value;
  if (typeof value !== "object") return undefined;
  const part = where.parts[at]!;
  if (Array.isArray(value)) {
    const members = value as readonly JsonValue[];
    const index = Number(part);
    if (Number.isInteger(index)) return valueAt(members[index], where, at + 1);
    return membersAt(members, where, at);
  }
  const object = value as JsonObject;
  if (at < where.parts.length - 1) {
    const whole = object[where.rests[at]!];
    if (whole !== undefined && whole !== null) return whole;
  }
  return valueAt(object[part], where, at + 1);
}

function membersAt(members: readonly JsonValue[], where: Path, at: number): JsonValue | undefined {
  const found: JsonValue[] = [];
  for (let i = 0; i < members.length && i < maxMembers; i++) {
    const one = valueAt(members[i], where, at);
    if (one === undefined) continue;
    if (!Array.isArray(one)) found.push(one);
    else for (const member of one as readonly JsonValue[]) if (found.length < maxMembers) found.push(member);
  }
  return found.length === 0 ? undefined : found;
}
