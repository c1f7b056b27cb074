/** Finds where JSON values end, byte by byte, before anything is parsed. Linear, without recursion; knows nothing of what the values mean. */

/** The value goes on beyond the given bytes. */
export const incomplete = -1;
/** Not JSON (RFC 8259). */
export const invalid = -2;
/** Nested deeper than allowed. */
export const tooDeep = -3;

/** Deepest nesting taken anywhere: JSON.stringify overflows the stack somewhere between 1,000 and 5,000, real logs stay below 20. */
export const maxJsonDepth = 64;

const value = 0;
const valueOrClose = 1;
const key = 2;
const keyOrClose = 3;
const afterValue = 4;
/** The brackets open around the byte looked at; shared by all calls, as none is ever interrupted. */
const stack = new Uint8Array(maxJsonDepth);

/**
 * The index after the JSON value that starts at `from` (white space before it is skipped), or `incomplete`, `invalid` or `tooDeep`.
 * A number that reaches `to` counts as ended there.
 */
export function scanValue(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  let depth = 0;
  let expect = value;
  for (;;) {
    at = skipSpace(bytes, at, to);
    if (at >= to) return incomplete;
    const byte = bytes[at]!;
    if ((byte === 0x7b || byte === 0x5b) && expect <= valueOrClose) {
      if (depth === maxJsonDepth) return tooDeep;
      stack[depth++] = byte;
      at++;
      expect = byte === 0x7b ? keyOrClose : valueOrClose;
    } else if ((byte === 0x7d || byte === 0x5d) && closes(expect) && byte === stack[depth - 1]! + 2) {
      at++;
      if (--depth === 0) return at;
      expect = afterValue;
    } else if (expect === afterValue) {
      if (byte !== 0x2c) return invalid;
      at++;
      expect = stack[depth - 1] === 0x7b ? key : value;
    } else if (expect === key || expect === keyOrClose) {
      at = scanKey(bytes, at, to);
      if (at < 0) return at;
      expect = value;
    } else {
      at = scanScalar(bytes, at, to);
      if (at < 0 || depth === 0) return at;
      expect = afterValue;
    }
  }
}

/** Whether a closing bracket may stand here. */
const closes = (expect: number) => expect === valueOrClose || expect === keyOrClose || expect === afterValue;

/** Index behind the colon of a member's name. */
function scanKey(bytes: Uint8Array, from: number, to: number): number {
  if (bytes[from] !== 0x22) return invalid;
  const end = scanString(bytes, from, to);
  if (end < 0) return end;
  const colon = skipSpace(bytes, end, to);
  if (colon >= to) return incomplete;
  return bytes[colon] === 0x3a ? colon + 1 : invalid;
}

/** Index of the first byte at or after `from` that is not JSON white space. */
export function skipSpace(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to) {
    const byte = bytes[at]!;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    at++;
  }
  return at;
}

function scanScalar(bytes: Uint8Array, at: number, to: number): number {
  const byte = bytes[at]!;
  if (byte === 0x22) return scanString(bytes, at, to);
  if (byte === 0x74) return scanWord(bytes, at, to, "true");
  if (byte === 0x66) return scanWord(bytes, at, to, "false");
  if (byte === 0x6e) return scanWord(bytes, at, to, "null");
  return scanNumber(bytes, at, to);
}

function scanString(bytes: Uint8Array, from: number, to: number): number {
  let at = from + 1;
  while (at < to) {
    const byte = bytes[at]!;
    if (byte === 0x22) return at + 1;
    if (byte < 0x20) return invalid;
    if (byte !== 0x5c) {
      at++;
      continue;
    }
    if (at + 1 >= to) return incomplete;
    const escaped = bytes[at + 1]!;
    if (escaped === 0x75) {
      for (let digit = at + 2; digit < at + 6; digit++) {
        if (digit >= to) return incomplete;
        if (!isHex(bytes[digit]!)) return invalid;
      }
      at += 6;
    } else {
      if (!isEscape(escaped)) return invalid;
      at += 2;
    }
  }
  return incomplete;
}

const isHex = (byte: number) => (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
/** One of `"\/bfnrt`. */
const isEscape = (byte: number) =>
  byte === 0x22 || byte === 0x5c || byte === 0x2f || byte === 0x62 || byte === 0x66 || byte === 0x6e || byte === 0x72 || byte === 0x74;

function scanWord(bytes: Uint8Array, from: number, to: number, word: string): number {
  for (let i = 0; i < word.length; i++) {
    if (from + i >= to) return incomplete;
    if (bytes[from + i] !== word.charCodeAt(i)) return invalid;
  }
  return from + word.length;
}

const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39;

function scanNumber(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  if (bytes[at] === 0x2d && ++at >= to) return incomplete;
  if (!isDigit(bytes[at])) return invalid;
  const zero = bytes[at] === 0x30;
  at++;
  if (!zero) at = skipDigits(bytes, at, to);
  if (at < to && bytes[at] === 0x2e) {
    if (++at >= to) return incomplete;
    if (!isDigit(bytes[at])) return invalid;
    at = skipDigits(bytes, at, to);
  }
  if (at < to && (bytes[at]! | 0x20) === 0x65) {
    if (++at >= to) return incomplete;
    if ((bytes[at] === 0x2b || bytes[at] === 0x2d) && ++at >= to) return incomplete;
    if (!isDigit(bytes[at])) return invalid;
    at = skipDigits(bytes, at, to);
  }
  return at;
}

function skipDigits(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && isDigit(bytes[at])) at++;
  return at;
}

/** True if brackets outside strings nest deeper than `maxJsonDepth`; looks at nothing else, so it also bounds what is not quite JSON. */
export function nestsTooDeep(bytes: Uint8Array): boolean {
  // Each level costs an opening bracket: almost every text has too few of them, and those are found much sooner than read.
  if (bytes.length <= maxJsonDepth || !hasMore(bytes, 0x7b, 0x5b, maxJsonDepth)) return false;
  const to = bytes.length;
  let depth = 0;
  for (let at = 0; at < to; at++) {
    const byte = bytes[at]!;
    if (byte === 0x22) {
      for (at++; at < to && bytes[at] !== 0x22; at++) if (bytes[at] === 0x5c) at++;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxJsonDepth) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return false;
}

/** Whether either byte is there more than so many times, both together. */
function hasMore(bytes: Uint8Array, one: number, other: number, times: number): boolean {
  let left = times;
  for (const byte of [one, other])
    for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) if (left-- === 0) return true;
  return false;
}

/** Passes over one bracketed value of any size and depth, piece by piece, keeping only counters. */
export class ValueSkipper {
  #depth: number;
  #inString = false;
  #escaped = false;

  /** @param depth brackets already open: 0 to begin at the value, 1 to begin inside it. */
  constructor(depth = 0) {
    this.#depth = depth;
  }

  /** Index after the value's last bracket, or `incomplete` if it goes on beyond `to`. */
  feed(bytes: Uint8Array, from: number, to: number): number {
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === 0x5c) this.#escaped = true;
        else if (byte === 0x22) this.#inString = false;
      } else if (byte === 0x22) this.#inString = true;
      else if (byte === 0x7b || byte === 0x5b) this.#depth++;
      else if ((byte === 0x7d || byte === 0x5d) && --this.#depth <= 0) return at + 1;
    }
    return incomplete;
  }
}

/** What a body that is one JSON document says; undefined where it is none, more than one, or too deep. */
export function oneDocument(body: Buffer): unknown {
  const end = scanValue(body, 0, body.length);
  if (end < 0 || skipSpace(body, end, body.length) < body.length) return undefined;
  return JSON.parse(body.toString());
}
