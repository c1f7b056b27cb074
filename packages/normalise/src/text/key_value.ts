/** Takes a line of `key=value` pairs apart; values with blanks stand in double quotes, in which a backslash escapes. Knows no key. */
import type { JsonObject } from "@vedette/kit";

export interface FoundPairs {
  readonly pairs: JsonObject;
  readonly count: number;
  /** What stands before the first pair. */
  readonly before: string;
  /** Whether nothing but pairs stands from the first one on. */
  readonly whole: boolean;
}

/** More pairs than any product writes in a line. */
const maxPairs = 256;
const maxKey = 128;

/** Undefined where the line has no pair. Words between pairs are left out. Linear. */
export function keyValuePairs(line: string): FoundPairs | undefined {
  const pairs: { [key: string]: string } = Object.create(null) as { [key: string]: string };
  let count = 0;
  let before = "";
  let whole = true;
  let at = 0;
  while (at < line.length && count < maxPairs) {
    if (line.charCodeAt(at) === 0x20 || line.charCodeAt(at) === 0x09) {
      at++;
      continue;
    }
    const end = keyEnd(line, at);
    if (end < 0) {
      const blank = line.indexOf(" ", at);
      if (count === 0) before = line.slice(0, blank < 0 ? undefined : blank);
      else whole = false;
      if (blank < 0) break;
      at = blank + 1;
      continue;
    }
    // A syslog priority clings to the first key.
    const key = line.slice(line.charCodeAt(at) === 0x3c ? line.indexOf(">", at) + 1 : at, end);
    const stop = valueEnd(line, end + 1);
    pairs[key] = pairValue(line, end + 1, stop);
    count++;
    at = stop + (line.charCodeAt(stop) === 0x22 ? 1 : 0);
    if (line.charCodeAt(at) === 0x2c || line.charCodeAt(at) === 0x3b) at++;
  }
  return count === 0 ? undefined : { pairs, count, before: before.trim(), whole };
}

/** The `=` that ends a key starting at `at`, or -1. */
function keyEnd(line: string, at: number): number {
  for (let i = at; i < line.length && i - at <= maxKey; i++) {
    const c = line.charCodeAt(i);
    if (c === 0x3d) return i > at ? i : -1;
    const lower = c | 0x20;
    const isName =
      (lower >= 0x61 && lower <= 0x7a) || (c >= 0x30 && c <= 0x39) || c === 0x5f || c === 0x2d || c === 0x2e || c === 0x40 || c === 0x2f;
    const isPriority = i - at < 5 && (c === 0x3c || c === 0x3e);
    if (!isName && !isPriority) return -1;
  }
  return -1;
}

/** The closing quote of a quoted value, else the blank or end behind a plain one. */
function valueEnd(line: string, at: number): number {
  if (line.charCodeAt(at) !== 0x22) {
    let i = at;
    while (i < line.length && line.charCodeAt(i) !== 0x20 && line.charCodeAt(i) !== 0x09) i++;
    return i;
  }
  for (let i = at + 1; i < line.length; i++) {
    const c = line.charCodeAt(i);
    if (c === 0x5c) i++;
    else if (c === 0x22) return i;
  }
  return line.length;
}

function pairValue(line: string, at: number, end: number): string {
  if (line.charCodeAt(at) !== 0x22) {
    const value = line.slice(at, end);
    return value.endsWith(",") || value.endsWith(";") ? value.slice(0, -1) : value;
  }
  const inner = line.slice(at + 1, end);
  return inner.includes("\\") ? inner.replace(/\\(["\\])/g, "$1") : inner;
}
