/** ASN.1's DER as certificates use it (X.690): writing it, and reading what a stranger sent, strictly. Knows no certificate. */
import { BadInputError } from "@vedette/kit";

const lengthOf = (count: number): readonly number[] => {
  if (count < 0x80) return [count];
  const bytes: number[] = [];
  for (let left = count; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return [0x80 | bytes.length, ...bytes];
};
export const value = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
};

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  printable: 0x13,
  utcTime: 0x17,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

export const sequence = (...parts: readonly Uint8Array[]): Buffer => value(tags.sequence, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => value(tags.set, ...parts);
export const octets = (bytes: Uint8Array): Buffer => value(tags.octets, bytes);
export const utf8 = (text: string): Buffer => value(tags.utf8, Buffer.from(text, "utf8"));
export const truth = value(tags.boolean, Buffer.from([0xff]));
/** @param unused how many bits of the last byte do not count */
export const bits = (bytes: Uint8Array, unused = 0): Buffer => value(tags.bits, Buffer.from([unused]), bytes);
/** A number that is not negative, big endian. */
export const integer = (bytes: Uint8Array): Buffer => {
  let at = 0;
  while (at < bytes.length - 1 && bytes[at] === 0) at++;
  const trimmed = bytes.subarray(at);
  return value(tags.integer, ...(trimmed[0]! >= 0x80 ? [Buffer.from([0])] : []), trimmed);
};
/** `[n]` around or instead of another tag. */
export const context = (n: number, constructed: boolean, ...parts: readonly Uint8Array[]): Buffer =>
  value((constructed ? 0xa0 : 0x80) | n, ...parts);

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const base128 = (n: number): number[] => {
    const bytes = [n % 128];
    for (let left = Math.floor(n / 128); left > 0; left = Math.floor(left / 128)) bytes.unshift((left % 128) | 0x80);
    return bytes;
  };
  return value(tags.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** RFC 5280, 4.1.2.5: two digits of the year until 2049. */
export function time(at: Date): Buffer {
  const digits = at.toISOString().replace(/\.\d+/, "").replace(/[-:T]/g, "");
  return at.getUTCFullYear() < 2050 ? value(tags.utcTime, Buffer.from(digits.slice(2))) : value(tags.time, Buffer.from(digits));
}

export interface Value {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag and length too. */
  readonly whole: Buffer;
}

const wrong = (what: string) => new BadInputError("bad_request", `request: expected DER, found ${what}`);

/** The value that begins at `at`. Long tags and lengths without an end are of BER and refused. */
function valueAt(bytes: Buffer, at: number): Value {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw wrong("an end too early");
  if ((tag & 0x1f) === 0x1f || first === 0x80 || first > 0x83) throw wrong("a form that is not DER's");
  let start = at + 2;
  let length = first;
  if (first > 0x80) {
    const count = first - 0x80;
    if (start + count > bytes.length) throw wrong("an end too early");
    length = bytes.readUIntBE(start, count);
    start += count;
    if (length < 0x80 || (count > 1 && length < 2 ** (8 * (count - 1)))) throw wrong("a length that is not DER's");
  }
  if (start + length > bytes.length) throw wrong("an end too early");
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}

/** Most values beside one another: a request has a handful of names and extensions. */
const maxValues = 64;

/** The values that `bytes` are a run of. */
export function valuesOf(bytes: Buffer): readonly Value[] {
  const found: Value[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (found.length >= maxValues) throw wrong(`more than ${maxValues} values`);
    const next = valueAt(bytes, at);
    found.push(next);
    at += next.whole.length;
  }
  return found;
}

/** The members of a value with this tag. */
export function membersOf(of: Value | undefined, tag: number): readonly Value[] {
  if (of?.tag !== tag) throw wrong("another structure");
  return valuesOf(of.content);
}
