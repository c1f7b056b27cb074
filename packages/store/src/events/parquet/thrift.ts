/** Thrift's compact protocol, as much as Parquet's metadata needs (thrift/doc/specs/thrift-compact-protocol.md). Knows no Parquet. */

export type Thrift =
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "int"; readonly wire: 3 | 4 | 5 | 6; readonly value: number }
  | { readonly type: "binary"; readonly value: Uint8Array }
  | { readonly type: "list"; readonly of: number; readonly value: readonly Thrift[] }
  | { readonly type: "struct"; readonly value: ReadonlyMap<number, Thrift> };

const encoder = new TextEncoder();
export const i32 = (value: number): Thrift => ({ type: "int", wire: 5, value });
export const i64 = (value: number): Thrift => ({ type: "int", wire: 6, value });
export const binary = (value: Uint8Array | string): Thrift => ({
  type: "binary",
  value: typeof value === "string" ? encoder.encode(value) : value,
});
export const list = (value: readonly Thrift[]): Thrift => ({ type: "list", of: value[0] === undefined ? 12 : wireOf(value[0]), value });
export const struct = (fields: { readonly [id: number]: Thrift | undefined }): Thrift & { readonly type: "struct" } => {
  const value = new Map<number, Thrift>();
  // Integer keys of an object come in ascending order, which is what the protocol's deltas want.
  for (const [id, field] of Object.entries(fields)) if (field !== undefined) value.set(Number(id), field);
  return { type: "struct", value };
};

function wireOf(value: Thrift): number {
  switch (value.type) {
    case "bool":
      return value.value ? 1 : 2;
    case "int":
      return value.wire;
    case "binary":
      return 8;
    case "list":
      return 9;
    case "struct":
      return 12;
  }
}

/** A growing byte buffer with varints; integers up to 2^53. */
export class ByteWriter {
  private bytes = new Uint8Array(1024);
  length = 0;
  private room(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
  byte(value: number): void {
    this.room(1);
    this.bytes[this.length++] = value;
  }
  put(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }
  varint(value: number): void {
    let left = value;
    while (left > 127) {
      this.byte((left % 128) | 128);
      left = Math.floor(left / 128);
    }
    this.byte(left);
  }
  zigzag(value: number): void {
    this.varint(value < 0 ? -value * 2 - 1 : value * 2);
  }
  done(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

function write(out: ByteWriter, value: Thrift): void {
  switch (value.type) {
    case "bool":
      out.byte(value.value ? 1 : 2);
      return;
    case "int":
      if (value.wire === 3) out.byte(value.value & 255);
      else out.zigzag(value.value);
      return;
    case "binary":
      out.varint(value.value.length);
      out.put(value.value);
      return;
    case "list":
      if (value.value.length < 15) out.byte((value.value.length << 4) | value.of);
      else {
        out.byte(0xf0 | value.of);
        out.varint(value.value.length);
      }
      for (const one of value.value) write(out, one);
      return;
    case "struct": {
      let last = 0;
      for (const [id, field] of value.value) {
        const wire = wireOf(field);
        if (id > last && id - last <= 15) out.byte(((id - last) << 4) | wire);
        else {
          out.byte(wire);
          out.zigzag(id);
        }
        last = id;
        if (field.type !== "bool") write(out, field);
      }
      out.byte(0);
    }
  }
}

export function encodeThrift(value: Thrift): Uint8Array {
  const out = new ByteWriter();
  write(out, value);
  return out.done();
}

class Reader {
  private at = 0;
  private readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  private byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new RangeError("metadata ends early");
    return value;
  }
  private varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
  private zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  read(wire: number, inList: boolean): Thrift {
    switch (wire) {
      case 1:
      case 2:
        return { type: "bool", value: (inList ? this.byte() : wire) === 1 };
      case 3:
        return { type: "int", wire: 3, value: this.byte() };
      case 4:
      case 5:
      case 6:
        return { type: "int", wire, value: this.zigzag() };
      case 8: {
        const length = this.varint();
        if (this.at + length > this.bytes.length) throw new RangeError("metadata ends early");
        this.at += length;
        return { type: "binary", value: this.bytes.slice(this.at - length, this.at) };
      }
      case 9: {
        const head = this.byte();
        const count = head >> 4 === 15 ? this.varint() : head >> 4;
        const value: Thrift[] = [];
        for (let i = 0; i < count; i++) value.push(this.read(head & 15, true));
        return { type: "list", of: head & 15, value };
      }
      case 12:
        return this.struct();
      default:
        throw new RangeError(`metadata holds an unknown type ${wire}`);
    }
  }
  struct(): Thrift & { readonly type: "struct" } {
    const value = new Map<number, Thrift>();
    let last = 0;
    for (;;) {
      const head = this.byte();
      if (head === 0) return { type: "struct", value };
      last = head >> 4 === 0 ? this.zigzag() : last + (head >> 4);
      value.set(last, this.read(head & 15, false));
    }
  }
}

/** @throws RangeError on bytes that are no struct. */
export const decodeThrift = (bytes: Uint8Array): Thrift & { readonly type: "struct" } => new Reader(bytes).struct();
