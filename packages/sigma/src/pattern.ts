/** Sigma's string values: wildcards and escapes read into parts, and parts written as the narrowest Condition. Knows no modifiers. */
import type { Condition } from "@vedette/condition";

/** `*` in a value: any run of characters. */
export const anyRun: unique symbol = Symbol("*");
/** `?` in a value: any one character. */
export const anyOne: unique symbol = Symbol("?");
export type Part = string | typeof anyRun | typeof anyOne;
/** A string value: text and wildcards in turn; no two texts are neighbours and none is empty. */
export type Pattern = readonly Part[];

/** Reads Sigma's notation: `\` escapes `*`, `?` and `\`, and stands for itself before anything else (specification, "Escaping"). */
export function parsePattern(text: string): Pattern {
  const parts: Part[] = [];
  let run = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    const next = text[i + 1];
    if (c === "\\" && (next === "*" || next === "?" || next === "\\")) {
      run += next;
      i++;
    } else if (c === "*" || c === "?") {
      if (run !== "") parts.push(run);
      run = "";
      if (c === "?" || parts.at(-1) !== anyRun) parts.push(c === "*" ? anyRun : anyOne);
    } else run += c;
  }
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
  const how = cased ? { cased: true } : {};
  const [first, middle, last] = pattern;
  if (pattern.length === 0) return { op: "eq", field, value: "", ...how };
  if (pattern.length === 1 && typeof first === "string") return { op: "eq", field, value: first, ...how };
  if (pattern.length === 2 && typeof first === "string" && middle === anyRun) return { op: "starts", field, value: first, ...how };
  if (pattern.length === 2 && first === anyRun && typeof middle === "string") return { op: "ends", field, value: middle, ...how };
  if (pattern.length === 3 && first === anyRun && typeof middle === "string" && last === anyRun) {
    return { op: "contains", field, value: middle, ...how };
  }
  return { op: "like", field, value: likeText(pattern), ...how };
}
