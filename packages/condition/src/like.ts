/** The `like` pattern: `*` any run, `?` any one character, `\` escapes. Matching is linear in the text for a given pattern. Knows no field. */
import { foldCase } from "./text.ts";

/** A pattern's parts: literal text, one-character and any-run wildcards. */
export type LikePart = string | { readonly wild: "?" | "*" };
const anyRun: LikePart = { wild: "*" };
const anyOne: LikePart = { wild: "?" };

/** Splits a pattern; runs of `*` are one, neighbouring literals are one. */
export function likeParts(pattern: string): LikePart[] {
  const parts: LikePart[] = [];
  let text = "";
  // pieces are cut out whole: a text put together by the character is a chain of as many objects
  let from = 0;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === "*" || c === "?") {
      text += pattern.slice(from, i);
      from = i + 1;
      if (text !== "") parts.push(text);
      text = "";
      if (c === "?") parts.push(anyOne);
      else if (parts.at(-1) !== anyRun) parts.push(anyRun);
    } else if (c === "\\" && i + 1 < pattern.length && "*?\\".includes(pattern[i + 1]!)) {
      text += pattern.slice(from, i++);
      from = i;
    }
  }
  text += pattern.slice(from);
  if (text !== "") parts.push(text);
  return parts;
}

/** Text as a pattern that matches just it. */
export function escapeLike(text: string): string {
  return text.replace(/[*?\\]/g, "\\$&");
}

function lengthWithoutBackslashes(pattern: string): number {
  let end = pattern.length;
  while (end > 0 && pattern[end - 1] === "\\") end--;
  return end;
}

/** The pattern for texts that contain a match of `pattern`. */
export function withinLike(pattern: string): string {
  // a lone backslash at the end would escape the star
  const trailing = pattern.length - lengthWithoutBackslashes(pattern);
  return `*${pattern}${trailing % 2 === 1 ? "\\" : ""}*`;
}

/** The plain operator a pattern is equal to, where there is one. */
export type PlainLike = { readonly how: "eq" | "contains" | "starts" | "ends"; readonly text: string };
export function plainLike(parts: readonly LikePart[]): PlainLike | undefined {
  const literal = parts.filter((part) => typeof part === "string");
  if (literal.length > 1 || parts.some((part) => part === anyOne)) return undefined;
  const text = literal[0] ?? "";
  const before = parts[0] === anyRun;
  const after = parts.at(-1) === anyRun;
  return { how: before ? (after ? "contains" : "ends") : after ? "starts" : "eq", text };
}

type Segment = readonly (string | typeof anyOne)[];

const step = (text: string, at: number) => {
  const code = text.charCodeAt(at);
  const next = code >= 0xd800 && code < 0xdc00 ? text.charCodeAt(at + 1) : 0;
  return next >= 0xdc00 && next < 0xe000 ? at + 2 : at + 1;
};

/** Where a segment ends if it begins at `at`, else -1. */
function segmentAt(segment: Segment, text: string, at: number): number {
  let end = at;
  for (const part of segment) {
    if (typeof part === "string") {
      if (!text.startsWith(part, end)) return -1;
      end += part.length;
    } else if (end >= text.length) return -1;
    else end = step(text, end);
  }
  return end;
}

/** First place at or after `at` where a segment matches, as the place after it, else -1. */
function findSegment(segment: Segment, text: string, at: number): number {
  const first = segment[0]!;
  for (let i = at; i <= text.length; i = step(text, i)) {
    if (typeof first === "string") {
      i = text.indexOf(first, i);
      if (i < 0) return -1;
    }
    const end = segmentAt(segment, text, i);
    if (end >= 0) return end;
  }
  return -1;
}

/** Where a segment must begin to end with the text: its characters counted from the back; -1 when the text is too short. */
function lastStart(segment: Segment, text: string): number {
  let at = text.length;
  for (let i = segment.length - 1; i >= 0; i--) {
    const part = segment[i]!;
    if (typeof part === "string") at -= part.length;
    else at -= at >= 2 && step(text, at - 2) === at ? 2 : 1;
    if (at < 0) return -1;
  }
  return at;
}

/** A prepared matcher of whole texts. With `cased` false the caller passes text already folded with `foldCase`. */
export function likeTest(pattern: string, cased: boolean): (text: string) => boolean {
  const parts = likeParts(cased ? pattern : foldCase(pattern));
  const plain = plainLike(parts);
  if (plain !== undefined) {
    const literal = plain.text;
    switch (plain.how) {
      case "eq":
        return (text) => text === literal;
      case "contains":
        return (text) => text.includes(literal);
      case "starts":
        return (text) => text.startsWith(literal);
      case "ends":
        return (text) => text.endsWith(literal);
    }
  }
  const segments: (string | typeof anyOne)[][] = [[]];
  for (const part of parts) part === anyRun ? segments.push([]) : segments.at(-1)!.push(part as string);
  const head = segments[0]!;
  const tail = segments.at(-1)!;
  const middle = segments.slice(1, -1);
  if (segments.length === 1) return (text) => segmentAt(head, text, 0) === text.length;
  return (text) => {
    // leftmost is enough: a segment has a fixed number of characters, so the earliest start leaves the most for the rest
    let at = segmentAt(head, text, 0);
    if (at < 0) return false;
    for (const segment of middle) {
      at = findSegment(segment, text, at);
      if (at < 0) return false;
    }
    const last = lastStart(tail, text);
    return last >= at && segmentAt(tail, text, last) === text.length;
  };
}
