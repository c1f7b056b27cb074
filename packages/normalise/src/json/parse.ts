/** Parses one JSON document whose nesting was bounded by a linear scan first. Knows no document's meaning. */
import type { JsonObject } from "@vedette/kit";
import type { Flaw } from "@vedette/model";

/** Deeper documents are refused: no log we know nests past 20, and `JSON.parse` would recurse on the native stack. */
export const maxDepth = 64;

/** Whether the text starts like a JSON object; blanks in front are allowed. */
export function looksLikeObject(text: string): boolean {
  let i = 0;
  while (i < text.length && text.charCodeAt(i) <= 0x20) i++;
  if (text.charCodeAt(i) !== 0x7b) return false;
  i++;
  while (i < text.length && text.charCodeAt(i) <= 0x20) i++;
  const next = text.charCodeAt(i);
  return next === 0x22 || next === 0x7d;
}

/** Whether brackets outside strings nest deeper than `limit`; stops at the first that does. Linear; jumps over strings by their quotes. */
export function deeperThan(text: string, limit: number): boolean {
  let opened = 0;
  for (const bracket of ["{", "["]) {
    let at = -1;
    while (opened <= limit) {
      at = text.indexOf(bracket, at + 1);
      if (at < 0) break;
      opened++;
    }
  }
  // Most documents hold fewer brackets altogether than they may nest.
  return opened > limit && scanDepth(text, limit);
}

function scanDepth(text: string, limit: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      i++;
      while (i < text.length && text.charCodeAt(i) !== 0x22) i += text.charCodeAt(i) === 0x5c ? 2 : 1;
    } else if (c === 0x7b || c === 0x5b) {
      if (++depth > limit) return true;
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  return false;
}

const tooDeep: Flaw = { code: "too_deep", expected: `a JSON document nested at most ${maxDepth} deep` };
const badJson: Flaw = { code: "bad_json", expected: "one complete JSON object per record" };
const notObject: Flaw = { code: "bad_json", expected: "a JSON object; the record is another JSON value" };

/**
 * The document, or why it is none (tell them apart with `isFlaw`). Of a repeated key the last value counts, as in every common parser; the
 * record's text keeps both. Keys such as `__proto__` come out as own properties.
 */
export function parseObject(text: string): JsonObject | Flaw {
  if (deeperThan(text, maxDepth)) return tooDeep;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return badJson;
  }
  return isObject(value) ? value : notObject;
}

/** By identity: a document may well have keys `code` and `expected`. */
export const isFlaw = (parsed: JsonObject | Flaw): parsed is Flaw => parsed === tooDeep || parsed === badJson || parsed === notObject;

/** Whether a value of a document is an object (not an array, not null). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
