/** Sigma's string values: wildcards and escapes read into parts, and parts written as the narrowest Condition. Knows no modifiers. */
import type { Condition } from "@vedette/condition";

/** `*` in a value: any run of characters. */
export const anyRun: unique symbol = Symbol("*");
/** `?` in a value: any one character. */
export const anyOne: unique symbol = Symbol("?");
export type Part = string | typeof anyRun | typeof anyOne;
/** A string value: text and wildcards in turn; no two texts are neighbours and none is empty. */
export type Pattern = readonly Part[];

const [backslash, star, question] = [0x5c, 0x2a, 0x3f];

/** Reads Sigma's notation: `\` escapes `*`, `?` and `\`, and stands for itself before anything else (specification, "Escaping"). */
export function parsePattern(text: string): Pattern {
  const parts: Part[] = [];
  let run = "";
  // Pieces are cut out whole: a text put together by the character is a chain of as many objects.
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === backslash) {
      const next = text.charCodeAt(i + 1);
      if (next !== star && next !== question && next !== backslash) continue;
      run += text.slice(from, i++);
      from = i;
    } else if (c === star || c === question) {
      run += text.slice(from, i);
      from = i + 1;
      if (run !== "") parts.push(run);
      run = "";
      if (c === question || parts.at(-1) !== anyRun) parts.push(c === star ? anyRun : anyOne);
    }
  }
  run += text.slice(from);
  if (run !== "") parts.push(run);
  return parts;
}

/** The pattern open at its start, its end or both, as `endswith`, `startswith` and `contains` make it. */
export function open(pattern: Pattern, start: boolean, end: boolean): Pattern {
  const parts = [...pattern];
  if (start && parts[0] !== anyRun) parts.unshift(anyRun);
  if (end && (parts.at(-1) !== anyRun || parts.length === 0)) parts.push(anyRun);
  return parts;
}

/** True when the pattern has no wildcard. */
export function isPlain(pattern: Pattern): boolean {
  return pattern.every((p) => typeof p === "string");
}

/** The pattern's text where it has no wildcard. */
export function textOf(pattern: Pattern): string {
  return pattern.join("");
}

/** Joins neighbouring texts, as after a replacement. */
export function tidy(parts: readonly Part[]): Pattern {
  const out: Part[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (part === "") continue;
    if (typeof part === "string" && typeof last === "string") out[out.length - 1] = last + part;
    else out.push(part);
  }
  return out;
}

/** The pattern in the notation of Condition's `like`. */
export function likeText(pattern: Pattern): string {
  return pattern.map((p) => (p === anyRun ? "*" : p === anyOne ? "?" : p.replace(/[*?\\]/g, "\\$&"))).join("");
}

/** The narrowest comparison that says the same as the pattern. */
export function compare(field: string, pattern: Pattern, cased: boolean): Condition {
  const [first, middle, last] = pattern;
  if (pattern.length === 0) return comparison("eq", field, "", cased);
  if (pattern.length === 1 && typeof first === "string") return comparison("eq", field, first, cased);
  if (pattern.length === 2 && typeof first === "string" && middle === anyRun) return comparison("starts", field, first, cased);
  if (pattern.length === 2 && first === anyRun && typeof middle === "string") return comparison("ends", field, middle, cased);
  if (pattern.length === 3 && first === anyRun && typeof middle === "string" && last === anyRun)
    return comparison("contains", field, middle, cased);
  return comparison("like", field, likeText(pattern), cased);
}

function comparison(op: "eq" | "starts" | "ends" | "contains" | "like", field: string, value: string, cased: boolean): Condition {
  return cased ? { op, field, value, cased } : { op, field, value };
}
