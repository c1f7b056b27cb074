/** The `like` pattern of conditions as an RE2 pattern. Knows no field. */
import { likeParts } from "@vedette/condition";

const literal = (text: string): string =>
  text.replace(/[^\p{L}\p{N}\s_]/gu, (c) => ((c.codePointAt(0) ?? 0) < 128 ? `\\${c}` : c)).replaceAll("\0", "\\x00");

/** An RE2 pattern for the whole text. */
export function likeRegex(pattern: string): string {
  const parts = likeParts(pattern).map((part) => (typeof part === "string" ? literal(part) : part.wild === "*" ? ".*" : "."));
  return `(?s)${parts.join("")}`;
}
