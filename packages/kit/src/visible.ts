/** Text that came from outside, for places where it must be only text: characters that nobody sees or that steer a terminal are written as escapes. Knows no markup. */

/**
 * Controls (C0, C1, DEL), soft hyphen, marks of direction (Unicode TR 9, "Trojan Source"), zero-width and line separators, fillers that show as
 * nothing, byte order mark, interlinear marks, tags.
 */
const beyondJson =
  "\\u007f-\\u009f\\u00ad\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb";
const tags = "[\\u{e0000}-\\u{e007f}]";
const hidden = new RegExp(`[\\u0000-\\u001f${beyondJson}]|${tags}`, "gu");
const hiddenInJson = new RegExp(`[${beyondJson}]|${tags}`, "gu");

const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");

/** As plain text, for terminals and lines of a log: one line, nothing hidden. */
export const visible = (text: string): string => text.replace(hidden, escaped);

/** JSON that reads back as the same value; what could harm who looks at it is escaped, as JSON itself does it with line breaks only. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(hiddenInJson, escaped);
}
