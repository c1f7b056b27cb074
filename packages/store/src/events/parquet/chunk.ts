/** One column of one row group as Parquet pages with statistics. Knows no file and no event. */
import { promisify } from "node:util";
import { constants, zstdCompress, zstdCompressSync } from "node:zlib";
import { release } from "@vedette/kit";
import { type Dictionary, dictionaryOf } from "./dictionary.ts";
import { bitsFor, deltas, hybrid } from "./encodings.ts";
import { binary, encodeThrift, i32, i64, list, struct, type Thrift } from "./thrift.ts";

/** `unique` cells are not worth looking for repeats. */
export type ChunkInput =
  | { readonly lengths: Uint32Array; readonly bytes: Uint8Array; readonly unique: boolean }
  | { readonly numbers: Float64Array }
  /** Finite. */
  | { readonly doubles: Float64Array };

/** Numbers of parquet.thrift. */
const physical = { int64: 2, double: 5, byteArray: 6 } as const;
const codecs = { none: 0, zstd: 6 } as const;
const encodings = { plain: 0, rle: 3, delta: 5, deltaLength: 6, dictionary: 8 } as const;

/** A finished chunk: its pages, and its ColumnMetaData relative to the place of the first byte. */
export interface Chunk {
  readonly bytes: readonly Uint8Array[];
  readonly size: number;
  metadata(at: number): Thrift;
}

const level = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };
const compressAside = promisify(zstdCompress) as (bytes: Uint8Array, options: typeof level) => Promise<Uint8Array>;
/** Above this a page is compressed off the storage thread, which answers others meanwhile. */
const aside = 128 * 1024;
const compress = (bytes: Uint8Array) => (bytes.length > aside ? compressAside(bytes, level) : zstdCompressSync(bytes, level));
/** Longest statistics value; a longer one is left out rather than cut. */
const maxStatistic = 64;

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const dataHeader = (values: number, encoding: number) =>
  struct({ 1: i32(values), 2: i32(encoding), 3: i32(encodings.rle), 4: i32(encodings.rle) });
function page(type: 0 | 2, uncompressed: number, compressed: number, header: Thrift): Uint8Array {
  return encodeThrift(struct({ 1: i32(type), 2: i32(uncompressed), 3: i32(compressed), ...(type === 0 ? { 5: header } : { 7: header }) }));
}

/** Definition levels of a column whose empty cells are NULL, with their 4-byte length. */
function levels(lengths: Uint32Array): { readonly bytes: Uint8Array; readonly nulls: number } {
  const defined = new Uint32Array(lengths.length);
  let nulls = 0;
  for (let i = 0; i < lengths.length; i++) {
    if (lengths[i] === 0) nulls++;
    else defined[i] = 1;
  }
  const packed = hybrid(defined, 1);
  const bytes = new Uint8Array(4 + packed.length);
  new DataView(bytes.buffer).setUint32(0, packed.length, true);
  bytes.set(packed, 4);
  return { bytes, nulls };
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

function extremes(bytes: Uint8Array, dictionary: Dictionary): { readonly min: Uint8Array; readonly max: Uint8Array } | undefined {
  let min: Uint8Array | undefined;
  let max: Uint8Array | undefined;
  for (let i = 0; i < dictionary.size; i++) {
    const start = dictionary.starts[i] as number;
    const cell = bytes.subarray(start, start + (dictionary.lengths[i] as number));
    if (min === undefined || compareBytes(cell, min) < 0) min = cell;
    if (max === undefined || compareBytes(cell, max) > 0) max = cell;
  }
  if (min === undefined || max === undefined || Math.max(min.length, max.length) > maxStatistic) return undefined;
  return { min: min.slice(), max: max.slice() };
}

function plainDictionary(bytes: Uint8Array, dictionary: Dictionary): Uint8Array {
  const out = new Uint8Array(dictionary.bytes + 4 * dictionary.size);
  const view = new DataView(out.buffer);
  let at = 0;
  for (let i = 0; i < dictionary.size; i++) {
    const start = dictionary.starts[i] as number;
    const length = dictionary.lengths[i] as number;
    view.setUint32(at, length, true);
    out.set(bytes.subarray(start, start + length), at + 4);
    at += 4 + length;
  }
  return out;
}

interface Pages {
  readonly name: string;
  readonly type: number;
  readonly values: number;
  readonly encoding: number;
  readonly data: Uint8Array;
  readonly dictionary?: { readonly bytes: Uint8Array; readonly size: number };
  readonly nulls: number;
  readonly range?: { readonly min: Uint8Array; readonly max: Uint8Array } | undefined;
}

async function finish(pages: Pages): Promise<Chunk> {
  // A few bytes (a column of NULLs) are not worth a zstd frame.
  const plain = pages.data.length + (pages.dictionary?.bytes.length ?? 0) < 64;
  const parts: Uint8Array[] = [];
  let size = 0;
  let uncompressed = 0;
  let dataAt = 0;
  const add = async (raw: Uint8Array, header: (compressed: number) => Uint8Array) => {
    const body = plain ? raw : await compress(raw);
    const head = header(body.length);
    const { length } = raw;
    if (!plain) release(raw);
    parts.push(head, body);
    size += head.length + body.length;
    uncompressed += head.length + length;
  };
  if (pages.dictionary !== undefined) {
    const { bytes, size: entries } = pages.dictionary;
    const { length } = bytes;
    await add(bytes, (compressed) => page(2, length, compressed, struct({ 1: i32(entries), 2: i32(encodings.plain) })));
    dataAt = size;
  }
  await add(pages.data, (compressed) => page(0, pages.data.length, compressed, dataHeader(pages.values, pages.encoding)));
  const { range } = pages;
  const statistics = struct({ 3: i64(pages.nulls), ...(range && { 5: binary(range.max), 6: binary(range.min) }) });
  const used = [encodings.rle, pages.encoding, ...(pages.dictionary ? [encodings.plain] : [])];
  const metadata = (at: number) =>
    struct({
      1: i32(pages.type),
      2: list(used.map(i32)),
      3: list([binary(pages.name)]),
      4: i32(plain ? codecs.none : codecs.zstd),
      5: i64(pages.values),
      6: i64(uncompressed),
      7: i64(size),
      9: i64(at + dataAt),
      11: pages.dictionary ? i64(at) : undefined,
      12: statistics,
    });
  return { bytes: parts, size, metadata };
}

function numberPages(name: string, numbers: Float64Array): Pages {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of numbers) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const bound = (value: number) => new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
  const range = numbers.length === 0 ? undefined : { min: bound(min), max: bound(max) };
  const packed = deltas(numbers);
  const data = packed ?? new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer);
  return {
    name,
    type: physical.int64,
    values: numbers.length,
    encoding: packed ? encodings.delta : encodings.plain,
    data,
    nulls: 0,
    range,
  };
}

function doublePages(name: string, doubles: Float64Array): Pages {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of doubles) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const bound = (value: number) => new Uint8Array(Float64Array.of(value).buffer);
  const range = doubles.length === 0 ? undefined : { min: bound(min), max: bound(max) };
  const data = new Uint8Array(doubles.slice().buffer);
  return { name, type: physical.double, values: doubles.length, encoding: encodings.plain, data, nulls: 0, range };
}

function textPages(name: string, lengths: Uint32Array, bytes: Uint8Array, unique: boolean): Pages {
  const { bytes: defined, nulls } = levels(lengths);
  const base = { name, type: physical.byteArray, values: lengths.length, nulls };
  if (nulls === lengths.length) return { ...base, encoding: encodings.plain, data: defined };
  const dictionary = unique ? undefined : dictionaryOf(bytes, lengths);
  if (dictionary !== undefined) {
    const width = Math.max(1, bitsFor(dictionary.size - 1));
    const data = concat([defined, Uint8Array.of(width), hybrid(dictionary.places, width)]);
    const entries = { bytes: plainDictionary(bytes, dictionary), size: dictionary.size };
    return { ...base, encoding: encodings.dictionary, data, dictionary: entries, range: extremes(bytes, dictionary) };
  }
  const filled = nulls === 0 ? lengths : lengths.filter((length) => length > 0);
  return { ...base, encoding: encodings.deltaLength, data: concat([defined, deltas(filled) as Uint8Array, bytes]) };
}

/** Text cells of length 0 become NULL; numbers and doubles are required. */
export function encodeChunk(name: string, input: ChunkInput): Promise<Chunk> {
  if ("numbers" in input) return finish(numberPages(name, input.numbers));
  if ("doubles" in input) return finish(doublePages(name, input.doubles));
  return finish(textPages(name, input.lengths, input.bytes, input.unique));
}
