/** Reads protobuf messages by a table of their fields into the JSON that OTLP gives them, within bounds. Knows no message. */
import { maxJsonDepth } from "./json_scan.ts";

/** How a field is said: `id` is bytes as hex, `bytes` as base64, 64-bit integers as text (OTLP's "JSON Protobuf Encoding"). */
type Scalar =
  | "string"
  | "bool"
  | "int64"
  | "uint64"
  | "uint32"
  | "sint32"
  | "sint64"
  | "double"
  | "fixed64"
  | "sfixed64"
  | "fixed32"
  | "id"
  | "bytes";
export interface Field {
  readonly name: string;
  /** A function where tables refer to each other. */
  readonly kind: Scalar | (() => Message);
  readonly many?: boolean;
}
export type Message = ReadonlyMap<number, Field>;
type Entry = readonly [number: number, name: string, kind: Field["kind"], many?: "many"];
export const table = (...entries: readonly Entry[]): Message =>
  new Map(entries.map(([number, name, kind, many]) => [number, { name, kind, many: many === "many" }]));
export type Told = { [name: string]: unknown };

/** Messages of one request; a full batch of the collector (8,192 records of 30 attributes) has half a million. Each costs memory even if it is empty. */
const maxMessages = 2_000_000;

/** The bytes are no such message; `message` says where. */
export class NotProtobuf extends Error {}

/** @throws NotProtobuf */
export function readMessage(bytes: Buffer, message: Message): Told {
  return new Reader(bytes).message(message, bytes.length, 1);
}

const varint = 0;
const eight = 1;
const delimited = 2;
const four = 5;
const wireOf: { readonly [kind in Scalar]: number } = {
  string: delimited,
  bytes: delimited,
  id: delimited,
  bool: varint,
  int64: varint,
  uint64: varint,
  uint32: varint,
  sint32: varint,
  sint64: varint,
  double: eight,
  fixed64: eight,
  sfixed64: eight,
  fixed32: four,
};

class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #messages = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  message(message: Message, end: number, depth: number): Told {
    if (depth > maxJsonDepth) this.#fail(`nested deeper than ${maxJsonDepth}`);
    if (++this.#messages > maxMessages) this.#fail(`more than ${maxMessages} messages`);
    const told = Object.create(null) as Told;
    while (this.#at < end) {
      const tag = this.#number(end);
      const wire = tag % 8;
      const field = message.get(Math.floor(tag / 8));
      if (field === undefined) this.#skip(wire, end);
      else this.#field(told, field, wire, end, depth);
    }
    return told;
  }

  #field(told: Told, field: Field, wire: number, end: number, depth: number): void {
    const { name, kind, many } = field;
    if (many && wire === delimited && typeof kind === "string" && wireOf[kind] !== delimited) {
      this.#packed(told, name, kind, end);
      return;
    }
    if (wire !== (typeof kind === "string" ? wireOf[kind] : delimited)) this.#fail(`"${name}" has wire type ${wire}`);
    let value: unknown;
    if (typeof kind === "string") value = this.#scalar(kind, end);
    else {
      const stop = this.#length(end);
      value = this.message(kind(), stop, depth + (many ? 2 : 1));
    }
    const list = told[name];
    if (!many) told[name] = value;
    else if (Array.isArray(list)) list.push(value);
    else told[name] = [value];
  }

  /** Numbers one after the other without tags; several runs of them add up. */
  #packed(told: Told, name: string, kind: Scalar, end: number): void {
    const stop = this.#length(end);
    const known = told[name];
    const list: unknown[] = Array.isArray(known) ? known : [];
    told[name] = list;
    while (this.#at < stop) list.push(this.#scalar(kind, stop));
  }

  #scalar(kind: Scalar, end: number): unknown {
    if (kind === "bool") return this.#varint(end) !== 0n;
    if (kind === "int64") return String(BigInt.asIntN(64, this.#varint(end)));
    if (kind === "uint64") return String(BigInt.asUintN(64, this.#varint(end)));
    if (kind === "sint32") return Number(zigzag(this.#varint(end)));
    if (kind === "sint64") return String(zigzag(this.#varint(end)));
    if (kind === "uint32") return Number(BigInt.asIntN(32, this.#varint(end)));
    if (kind === "fixed32") return this.#bytes.readUInt32LE(this.#take(4, end));
    if (kind === "fixed64") return String(this.#bytes.readBigUInt64LE(this.#take(8, end)));
    if (kind === "sfixed64") return String(this.#bytes.readBigInt64LE(this.#take(8, end)));
    if (kind === "double") {
      const double = this.#bytes.readDoubleLE(this.#take(8, end));
      return Number.isFinite(double) ? double : String(double);
    }
    const stop = this.#length(end);
    const from = this.#take(stop - this.#at, end);
    return this.#bytes.toString(kind === "string" ? "utf8" : kind === "id" ? "hex" : "base64", from, stop);
  }

  /** Index of `count` bytes, passed over. */
  #take(count: number, end: number): number {
    const from = this.#at;
    if (from + count > end) this.#fail("ends within a value");
    this.#at = from + count;
    return from;
  }

  /** Where the value that begins with its length ends. */
  #length(end: number): number {
    const length = this.#number(end);
    if (this.#at + length > end) this.#fail("a length beyond its message");
    return this.#at + length;
  }

  /** A varint that must be small: a tag or a length. */
  #number(end: number): number {
    const first = this.#bytes[this.#at]!;
    if (this.#at < end && first < 0x80) {
      this.#at++;
      return first;
    }
    const value = this.#varint(end);
    if (value > 0xffff_ffffn) this.#fail("a tag or length over 32 bits");
    return Number(value);
  }

  #varint(end: number): bigint {
    let value = 0n;
    let low = 0;
    for (let count = 0; count < 10; count++) {
      const byte = this.#bytes[this.#take(1, end)]!;
      // Seven bits a byte; the first four bytes fit a small integer.
      if (count < 4) low |= (byte & 0x7f) << (7 * count);
      else value |= BigInt(byte & 0x7f) << BigInt(7 * count);
      if (byte < 0x80) return value | BigInt(low);
    }
    return this.#fail("a varint over 10 bytes");
  }

  #skip(wire: number, end: number): void {
    if (wire === varint) this.#varint(end);
    else if (wire === eight) this.#take(8, end);
    else if (wire === four) this.#take(4, end);
    else if (wire === delimited) this.#at = this.#length(end);
    else this.#fail(`wire type ${wire}`);
  }

  #fail(what: string): never {
    throw new NotProtobuf(`not protobuf at byte ${this.#at}: ${what}`);
  }
}

/** Small numbers of either sign as small positive ones. */
const zigzag = (value: bigint): bigint => BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));

/** One field of a message to be written: text, a non-negative number, or a message already written. */
type Part = readonly [field: number, value: string | number | Uint8Array];

/** A small message, as answers are. Zeros and empty texts are left out, as protobuf does. */
export function writeMessage(...parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.flatMap(([field, value]) => {
      if (value === 0 || value === "") return [];
      if (typeof value === "number") return [Buffer.from([field * 8]), writeVarint(value)];
      const bytes = Buffer.from(value as string);
      return [Buffer.from([field * 8 + delimited]), writeVarint(bytes.length), bytes];
    }),
  );
}

function writeVarint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; left > 0 || bytes.length === 0; left = Math.floor(left / 128)) bytes.push((left % 128) + (left >= 128 ? 128 : 0));
  return Buffer.from(bytes);
}
