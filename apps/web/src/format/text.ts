/** Makes hostile text harmless to read: control, bidirectional and invisible characters become visible marks. It does not escape markup; text nodes do that. */

/** A run of text, or one mark that stands for a character nobody could have seen. */
export interface Piece {
  readonly text: string;
  /** Name of the hidden character, e.g. `U+202E`; absent on plain text. */
  readonly hidden?: string;
}

/** C0 and C1 controls, zero-width and bidi controls, line separators, BOM, interlinear marks, variation and tag characters; tab and newline too where asked. */
const hidden =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** Splits text into plain runs and marks. `lines` keeps newlines and tabs as they are, for places that show several lines. */
export function visiblePieces(text: string, lines = false): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const found of text.matchAll(hidden)) {
    const character = found[0];
    if (lines && (character === "\n" || character === "\t")) continue;
    if (found.index > from) pieces.push({ text: text.slice(from, found.index) });
    pieces.push({ text: mark(character), hidden: `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}` });
    from = found.index + character.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}

/** As `\\uXXXX` where it leaves the page: in files, marks of ours would be taken for the text. Line breaks and tabs stay: a quoted cell may hold them. */
export function escapeHidden(text: string): string {
  return text.replace(hidden, (character) =>
    "\n\r\t".includes(character)
      ? character
      : Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`).join(""),
  );
}

/** The same as one string, for titles and attributes. */
export function visibleText(text: string): string {
  return visiblePieces(text)
    .map((piece) => piece.text)
    .join("");
}

/** Names of the C0 controls by code (ECMA-48); few fonts have pictures of them. */
const controls = "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(
  " ",
);

function mark(character: string): string {
  const code = character.codePointAt(0)!;
  if (character === "\n") return "⏎";
  if (character === "\t") return "⇥";
  const name = code === 0x7f ? "DEL" : controls[code];
  if (name !== undefined) return `⟨${name}⟩`;
  return `⟨${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/** Cuts long text at a number of characters, never inside a surrogate pair. */
export function shorten(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const end = /[\ud800-\udbff]/.test(text.charAt(characters - 1)) ? characters - 1 : characters;
  return `${text.slice(0, end)}…`;
}

/** Base64 → text; bytes that are not UTF-8 become the replacement character. Undefined when it is not base64. */
export function decodeBase64(base64: string): { readonly text: string; readonly bytes: number } | undefined {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return { text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), bytes: bytes.length };
  } catch {
    return undefined;
  }
}
