/** Reads the `key=value` tails of CEF (values run until the next key) and LEEF (a delimiter ends them). Knows no key's meaning. */

/** More pairs than any product sends; further ones are left to the original. */
const maxPairs = 256;

/** A record's pairs by key; a null prototype, so any key is data. */
export type Pairs = { [key: string]: string };

/** CEF: `\=`, `\\`, `\n` and `\r` are escaped in values, which may hold blanks; a key is a word before an unescaped `=`. Linear. */
export function cefPairs(text: string): Pairs {
  const pairs: Pairs = Object.create(null) as Pairs;
  let key = "";
  let start = 0;
  let count = 0;
  for (let at = text.indexOf("="); at >= 0 && count < maxPairs; at = text.indexOf("=", at + 1)) {
    if (text.charCodeAt(at - 1) === 0x5c) continue;
    const from = keyStart(text, start, at);
    if (from < 0) continue;
    if (key !== "") pairs[key] = unescapeCef(text.slice(start, from).trimEnd());
    key = text.slice(from, at);
    start = at + 1;
    count++;
  }
  if (key !== "") pairs[key] = unescapeCef(text.slice(start).trimEnd());
  return pairs;
}

/** Longest key; ArcSight's dictionary goes to 36. */
const maxKey = 128;

/** Where the key that ends at `end` begins; -1 where what stands there is part of a value. */
function keyStart(text: string, from: number, end: number): number {
  let at = end;
  while (at > from && end - at <= maxKey) {
    const c = text.charCodeAt(at - 1);
    const lower = c | 0x20;
    if (
      !((lower >= 0x61 && lower <= 0x7a) || (c >= 0x30 && c <= 0x39) || c === 0x5f || c === 0x2e || c === 0x2d || c === 0x5b || c === 0x5d)
    )
      break;
    at--;
  }
  return at < end && end - at <= maxKey && (at === 0 || text.charCodeAt(at - 1) === 0x20 || at === from) ? at : -1;
}

const unescapeCef = (text: string): string =>
  text.includes("\\") ? text.replace(/\\([=\\|nr])/g, (_, c: string) => (c === "n" ? "\n" : c === "r" ? "\r" : c)) : text;

/** LEEF: pairs end at the delimiter. */
export function delimitedPairs(text: string, delimiter: string): Pairs {
  const pairs: Pairs = Object.create(null) as Pairs;
  for (const part of text.split(delimiter, maxPairs)) {
    const equals = part.indexOf("=");
    if (equals <= 0 || equals > maxKey) continue;
    pairs[part.slice(0, equals).trim()] = part.slice(equals + 1).trimEnd();
  }
  return pairs;
}
