/** Reads and writes MessagePack within bounds: where a value ends before anything is made of it, then the value. Knows no message. */
import { incomplete, invalid, maxJsonDepth, tooDeep } from "../json_scan.ts";

/** What the byte at `at` begins: bytes of its head, bytes of content, values inside. Undefined: the head is not all there. */
interface Item {
  readonly head: number;
  readonly content: number;
  readonly values: number;
  readonly map: boolean;
}
const item = (head: number, content = 0, values = 0, map = false): Item => ({ head, content, values, map });
const never = item(0);

/** Content of the types whose head has no length, by first byte: floats, integers, extensions of fixed size. */
const fixed = new Map<number, number>([
  [0xc0, 0],
  [0xc2, 0],
  [0xc3, 0],
  [0xca, 4],
  [0xcb, 8],
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xcf, 8],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
  [0xd3, 8],
  [0xd4, 2],
  [0xd5, 3],
  [0xd6, 5],
  [0xd7, 9],
  [0xd8, 17],
]);
/** Bytes of the length that follows the first byte, by first byte: bin, ext, str, array, map. */
const sized = new Map<number, number>([
  [0xc4, 1],
  [0xc5, 2],
  [0xc6, 4],
  [0xc7, 1],
  [0xc8, 2],
  [0xc9, 4],
  [0xd9, 1],
  [0xda, 2],
  [0xdb, 4],
  [0xdc, 2],
  [0xdd, 4],
  [0xde, 2],
  [0xdf, 4],
]);

function itemAt(bytes: Buffer, at: number): Item | undefined {
  const byte = bytes[at]!;
  if (byte < 0x80 || byte >= 0xe0) return item(1);
  if (byte < 0x90) return item(1, 0, 2 * (byte & 0x0f), true);
  if (byte < 0xa0) return item(1, 0, byte & 0x0f);
  if (byte < 0xc0) return item(1, byte & 0x1f);
  const content = fixed.get(byte);
  if (content !== undefined) return item(1, content);
  const size = sized.get(byte);
  if (size === undefined) return never;
  if (at + 1 + size > bytes.length) return undefined;
  const length = bytes.readUIntBE(at + 1, size);
  if (byte >= 0xde) return item(1 + size, 0, 2 * length, true);
  if (byte >= 0xdc) return item(1 + size, 0, length);
  // An extension's type is its first byte of content.
  return item(1 + size, byte >= 0xc7 && byte <= 0xc9 ? length + 1 : length);
}

/** Finds where a value ends, piece by piece: what was looked at is not looked at again. */
export class ValueScanner {
  /** How many values are still to come at each depth. */
  readonly #left: number[] = [1];
  #at = 0;

  /** Index after the value that begins at 0, or `incomplete`, `invalid` or `tooDeep`. `bytes` are those of the last call with more behind them. */
  scan(bytes: Buffer): number {
    while (this.#left.length > 0) {
      if (this.#at >= bytes.length) return incomplete;
      const next = itemAt(bytes, this.#at);
      if (next === never) return invalid;
      if (next === undefined || this.#at + next.head + next.content > bytes.length) return incomplete;
      this.#at += next.head + next.content;
      this.#left[this.#left.length - 1]!--;
      if (next.values > 0) {
        if (this.#left.length > maxJsonDepth) return tooDeep;
        this.#left.push(next.values);
      }
      while (this.#left.length > 0 && this.#left.at(-1) === 0) this.#left.pop();
    }
    return this.#at;
  }
}

/** Bytes that need not be text; in JSON they are read as UTF-8, as senders that know no other type mean them. */
export class Binary {
  readonly bytes: Buffer;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  toJSON(): string {
    return this.bytes.toString();
  }
}

/** Fluent's time to the nanosecond (extension type 0). */
export class EventTime {
  readonly seconds: number;
  readonly nanos: number;
  constructor(seconds: number, nanos: number) {
    this.seconds = seconds;
    this.nanos = nanos;
  }
  toJSON(): string {
    return `${new Date(this.seconds * 1_000).toISOString().slice(0, 19)}.${String(this.nanos).padStart(9, "0")}Z`;
  }
}

/** Values of one message: a chunk of 8 MB has some 500,000. Each costs memory even if it is a single byte. */
const maxValues = 2_000_000;

/** The bytes are no MessagePack, or too many values. */
export class NotMsgpack extends Error {}

/** Reads values one after another. Maps are objects without a prototype; integers beyond 2^53 are texts. */
export class ValueReader {
  readonly #bytes: Buffer;
  readonly #textAsBytes: boolean;
  #at = 0;
  #values = 0;

  /** @param textAsBytes texts are `Binary` too: what is called a text in a handshake need not be one. */
  constructor(bytes: Buffer, textAsBytes = false) {
    this.#bytes = bytes;
    this.#textAsBytes = textAsBytes;
  }
  get at(): number {
    return this.#at;
  }
  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** @throws NotMsgpack */
  read(depth = 0): unknown {
    const next = this.ended ? undefined : itemAt(this.#bytes, this.#at);
    const from = this.#at;
    if (next === undefined || next === never || from + next.head + next.content > this.#bytes.length)
      throw new NotMsgpack(`no MessagePack at byte ${from}`);
    if (depth > maxJsonDepth) throw new NotMsgpack(`nested deeper than ${maxJsonDepth} at byte ${from}`);
    if (++this.#values > maxValues) throw new NotMsgpack(`more than ${maxValues} values`);
    this.#at += next.head + next.content;
    const byte = this.#bytes[from]!;
    if (next.map) return this.#map(next.values / 2, depth);
    if ((byte >= 0x90 && byte < 0xa0) || byte === 0xdc || byte === 0xdd) return this.#array(next.values, depth);
    return this.#scalar(byte, from + next.head, this.#at);
  }

  #array(count: number, depth: number): unknown[] {
    const list: unknown[] = [];
    for (let i = 0; i < count; i++) list.push(this.read(depth + 1));
    return list;
  }
  #map(count: number, depth: number): { [key: string]: unknown } {
    const map = Object.create(null) as { [key: string]: unknown };
    for (let i = 0; i < count; i++) {
      const key = this.read(depth + 1);
      map[typeof key === "string" ? key : key instanceof Binary ? key.toJSON() : JSON.stringify(key)] = this.read(depth + 1);
    }
    return map;
  }

  #scalar(byte: number, from: number, to: number): unknown {
    const bytes = this.#bytes;
    if (byte < 0x80) return byte;
    if (byte >= 0xe0) return byte - 0x100;
    if ((byte >= 0xa0 && byte < 0xc0) || (byte >= 0xd9 && byte <= 0xdb))
      return this.#textAsBytes ? new Binary(bytes.subarray(from, to)) : bytes.toString("utf8", from, to);
    if (byte >= 0xc4 && byte <= 0xc6) return new Binary(bytes.subarray(from, to));
    if (byte === 0xc0) return null;
    if (byte <= 0xc3) return byte === 0xc3;
    if (byte === 0xca) return bytes.readFloatBE(from);
    if (byte === 0xcb) return bytes.readDoubleBE(from);
    if (byte === 0xcf) return integer(bytes.readBigUInt64BE(from));
    if (byte === 0xd3) return integer(bytes.readBigInt64BE(from));
    if (byte >= 0xcc && byte <= 0xce) return bytes.readUIntBE(from, to - from);
    if (byte >= 0xd0 && byte <= 0xd2) return bytes.readIntBE(from, to - from);
    const type = bytes[from];
    if (type === 0 && to - from === 9 && bytes.readUInt32BE(from + 5) < 1e9)
      return new EventTime(bytes.readUInt32BE(from + 1), bytes.readUInt32BE(from + 5));
    return bytes.toString("base64", from + 1, to);
  }
}

const integer = (value: bigint): number | string => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value));

/** Short answers: lists, objects, texts below 64 KiB, bytes and truths. */
export function pack(value: unknown): Buffer {
  if (typeof value === "boolean") return Buffer.from([value ? 0xc3 : 0xc2]);
  if (Array.isArray(value)) return Buffer.concat([Buffer.from([0x90 + value.length]), ...value.map(pack)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([Buffer.from([0xc4, value.length]), value]);
  if (typeof value === "string") {
    const text = Buffer.from(value);
    const head = text.length < 32 ? [0xa0 + text.length] : [0xda, text.length >> 8, text.length & 0xff];
    return Buffer.concat([Buffer.from(head), text]);
  }
  const entries = Object.entries(value as object);
  return Buffer.concat([Buffer.from([0x80 + entries.length]), ...entries.flat().map(pack)]);
}
