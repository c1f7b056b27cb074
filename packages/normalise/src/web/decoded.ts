/**
 * What a requested URL says once nothing of it is written in code any more: percent signs (also twice), `%u`, nginx's `\x`, HTML entities, comments of
 * SQL in place of blanks. For rules and for reading; what a server made of it may differ.
 */

/** Longer ones are attacks or mistakes, and what they begin with is enough. */
const maxLength = 8_192;
/** As often as proxies, servers and applications behind one another decode. */
const rounds = 3;

const coded = /%u([0-9a-f]{4})|((?:%[0-9a-f]{2})+)|((?:\\x[0-9a-f]{2})+)/gi;
const entity = /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|(lt|gt|quot|apos|amp|colon|tab|newline|lpar|rpar|equals|sol|bsol|nbsp));?/gi;
const named: { readonly [name: string]: string } = {
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  amp: "&",
  colon: ":",
  tab: "\t",
  newline: "\n",
  lpar: "(",
  rpar: ")",
  equals: "=",
  sol: "/",
  bsol: "\\",
  nbsp: " ",
};
/** `/*!50000 union…` is executed by MySQL, any other comment stands for a blank. */
const comment = /\/\*!\d{0,6}|\/\*[^*]{0,200}\*\/|\*\//g;

const utf8 = new TextDecoder();

/** @returns undefined where it says so already */
export function decodedUrl(original: string): string | undefined {
  if (!/[%+\\]|&#|\/\*/.test(original)) return undefined;
  let text = original.slice(0, maxLength);
  const query = text.indexOf("?");
  if (query >= 0) text = text.slice(0, query) + text.slice(query).replaceAll("+", " ");
  for (let round = 0; round < rounds; round++) {
    const next = text.replace(coded, decodedRun);
    if (next === text) break;
    text = next;
  }
  if (text.includes("&")) text = text.replace(entity, decodedEntity);
  if (text.includes("*/") || text.includes("/*!")) text = text.replace(comment, " ");
  text = text.replaceAll("\0", "");
  return text === original ? undefined : text;
}

function decodedRun(_: string, unicode: string | undefined, percent: string | undefined, escaped: string | undefined): string {
  if (unicode !== undefined) return String.fromCharCode(Number.parseInt(unicode, 16));
  const bytes = Buffer.from((percent ?? escaped ?? "").replace(/%|\\x/gi, ""), "hex");
  return utf8.decode(bytes.includes(overlongLead) ? shortened(bytes) : bytes);
}

/** First of two bytes for a character that needs but one: refused by UTF-8, taken by some servers. */
const overlongLead = 0xc0;

function shortened(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (let at = 0; at < bytes.length; at++)
    out.push(bytes[at] === overlongLead && at + 1 < bytes.length ? bytes[++at]! & 0x3f : bytes[at]!);
  return Uint8Array.from(out);
}

function decodedEntity(all: string, hex: string | undefined, decimal: string | undefined, name: string | undefined): string {
  if (name !== undefined) return named[name.toLowerCase()]!;
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  return code > 0 && code <= 0x10_ff_ff ? String.fromCodePoint(code) : all;
}
