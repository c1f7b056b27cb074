/** Parquet's value encodings (parquet-format Encodings.md): levels, dictionary indices, delta integers. Knows no file. */
import { ByteWriter } from "./thrift.ts";

/** Bits needed for values 0 to `max`. */
export const bitsFor = (max: number): number => 32 - Math.clz32(max);

/** Packs values of `width` bits, least significant first, into whole bytes. */
function pack(values: Uint32Array, from: number, count: number, width: number, out: Uint8Array, at: number): void {
  let bit = at * 8;
  for (let i = from; i < from + count; i++) {
    let value = i < values.length ? (values[i] as number) : 0;
    let left = width;
    while (left > 0) {
      const space = 8 - (bit & 7);
      const take = Math.min(space, left);
      const index = bit >>> 3;
      out[index] = (out[index] as number) | ((value & ((1 << take) - 1)) << (bit & 7));
      value >>>= take;
      bit += take;
      left -= take;
    }
  }
}

/** The RLE / bit-packing hybrid: one run when all values are equal, else one bit-packed run. */
export function hybrid(values: Uint32Array, width: number): Uint8Array {
  const out = new ByteWriter();
  const first = values[0] ?? 0;
  let equal = 1;
  while (equal < values.length && values[equal] === first) equal++;
  if (equal >= values.length) {
    out.varint(values.length * 2);
    for (let i = 0; i < Math.ceil(width / 8); i++) out.byte((first >>> (8 * i)) & 255);
    return out.done();
  }
  const groups = Math.ceil(values.length / 8);
  out.varint(groups * 2 + 1);
  const packed = new Uint8Array(groups * width);
  pack(values, 0, groups * 8, width, packed, 0);
  out.put(packed);
  return out.done();
}

const blockValues = 128;
const miniValues = 32;

/** DELTA_BINARY_PACKED of integers below 2^53; undefined when two deltas lie more than 32 bits apart. */
export function deltas(values: ArrayLike<number>): Uint8Array | undefined {
  const out = new ByteWriter();
  out.varint(blockValues);
  out.varint(blockValues / miniValues);
  out.varint(values.length);
  out.zigzag(values[0] ?? 0);
  const relative = new Uint32Array(blockValues);
  for (let from = 1; from < values.length; from += blockValues) {
    const count = Math.min(blockValues, values.length - from);
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let i = from; i < from + count; i++) {
      const delta = (values[i] as number) - (values[i - 1] as number);
      if (delta < low) low = delta;
      if (delta > high) high = delta;
    }
    if (high - low > 0xffffffff) return undefined;
    for (let i = 0; i < blockValues; i++) {
      relative[i] = i < count ? (values[from + i] as number) - (values[from + i - 1] as number) - low : 0;
    }
    out.zigzag(low);
    const widths: number[] = [];
    for (let mini = 0; mini < blockValues; mini += miniValues) {
      let max = 0;
      for (let i = mini; i < mini + miniValues; i++) max = Math.max(max, relative[i] as number);
      widths.push(max === 0 ? 0 : bitsFor(max));
    }
    for (const width of widths) out.byte(width);
    for (const [index, width] of widths.entries()) {
      // Miniblocks wholly beyond the last value are left out; a begun one is whole.
      if (index * miniValues >= count || width === 0) continue;
      const packed = new Uint8Array((miniValues * width) / 8);
      pack(relative, index * miniValues, miniValues, width, packed, 0);
      out.put(packed);
    }
  }
  return out.done();
}
