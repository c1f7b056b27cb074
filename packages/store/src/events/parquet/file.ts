/** Parquet files: row groups one after the other and a footer; files are joined by copying row groups as they are. Knows no event. */
import { type FileHandle, open } from "node:fs/promises";
import { release } from "@vedette/kit";
import { type Chunk, type ChunkInput, encodeChunk } from "./chunk.ts";
import { binary, decodeThrift, encodeThrift, i32, i64, list, struct, type Thrift } from "./thrift.ts";

const magic = new TextEncoder().encode("PAR1");
/** No file of ours has a footer near this. */
const maxFooter = 256 * 1024 * 1024;

export interface ColumnSpec {
  readonly name: string;
  /** Of whole numbers, or of any. */
  readonly number: boolean | "double";
}
/** A row group's columns, encoded and compressed; `columns` in the schema's order. */
export interface RowGroup {
  readonly rows: number;
  readonly chunks: readonly Chunk[];
}

export async function encodeRowGroup(columns: readonly ColumnSpec[], rows: number, input: (name: string) => ChunkInput): Promise<RowGroup> {
  const chunks: Chunk[] = [];
  for (const { name } of columns) {
    const cells = input(name);
    chunks.push(await encodeChunk(name, cells));
    if ("bytes" in cells) release(cells.bytes);
  }
  return { rows, chunks };
}

function schema(columns: readonly ColumnSpec[]): Thrift {
  const leaf = ({ name, number }: ColumnSpec) =>
    number
      ? struct({ 1: i32(number === "double" ? 5 : 2), 3: i32(0), 4: binary(name) })
      : struct({ 1: i32(6), 3: i32(1), 4: binary(name), 6: i32(0), 10: struct({ 1: struct({}) }) });
  return list([struct({ 4: binary("schema"), 5: i32(columns.length) }), ...columns.map(leaf)]);
}

async function writeAll(file: FileHandle, bytes: readonly Uint8Array[]): Promise<void> {
  for (const part of bytes) {
    for (let at = 0; at < part.length; ) at += (await file.write(part, at)).bytesWritten;
  }
}

async function writeFooter(file: FileHandle, columns: readonly ColumnSpec[], rows: number, groups: readonly Thrift[]): Promise<void> {
  const footer = encodeThrift(struct({ 1: i32(2), 2: schema(columns), 3: i64(rows), 4: list(groups), 6: binary("vedette") }));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, footer.length, true);
  await writeAll(file, [footer, length, magic]);
}

/** Writes a new file of one row group and makes it durable; resolves with its size. */
export async function writeParquet(path: string, columns: readonly ColumnSpec[], group: RowGroup): Promise<number> {
  const file = await open(path, "wx", 0o600);
  try {
    await writeAll(file, [magic]);
    let at = magic.length;
    const chunks: Thrift[] = [];
    for (const chunk of group.chunks) {
      await writeAll(file, chunk.bytes);
      chunks.push(struct({ 2: i64(at), 3: chunk.metadata(at) }));
      at += chunk.size;
    }
    const bytes = i64(at - magic.length);
    const row = struct({ 1: list(chunks), 2: bytes, 3: i64(group.rows), 5: i64(magic.length), 6: bytes });
    await writeFooter(file, columns, group.rows, [row]);
    await file.datasync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

const structOf = (value: Thrift | undefined): ReadonlyMap<number, Thrift> => {
  if (value?.type !== "struct") throw new RangeError("damaged Parquet footer");
  return value.value;
};
const listOf = (value: Thrift | undefined): readonly Thrift[] => {
  if (value?.type !== "list") throw new RangeError("damaged Parquet footer");
  return value.value;
};
const numberOf = (value: Thrift | undefined): number => (value?.type === "int" ? value.value : 0);

/** Adds `by` to the integers under the given field ids. */
function shifted(fields: ReadonlyMap<number, Thrift>, ids: readonly number[], by: number): Thrift {
  const value = new Map(fields);
  for (const id of ids) {
    const old = value.get(id);
    if (old?.type === "int") value.set(id, i64(old.value + by));
  }
  return { type: "struct", value };
}

function movedGroup(group: Thrift, by: number): Thrift {
  const fields = new Map(structOf(group));
  const chunks = listOf(fields.get(1)).map((chunk) => {
    const own = new Map(structOf(chunk));
    own.set(3, shifted(structOf(own.get(3)), [9, 10, 11, 14], by));
    return shifted(own, [2], by);
  });
  fields.set(1, list(chunks));
  return shifted(fields, [5], by);
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const { bytesRead } = await file.read(bytes, 0, length, at);
  if (bytesRead < length) throw new RangeError("Parquet file ends early");
  return bytes;
}

/** Copies one file's row groups to the end of another; returns their metadata and rows. */
async function copyGroups(from: string, to: FileHandle, at: number): Promise<{ groups: Thrift[]; rows: number; size: number }> {
  const file = await open(from, "r");
  try {
    const { size } = await file.stat();
    const tail = await readAt(file, size - 8, 8);
    const length = new DataView(tail.buffer).getUint32(0, true);
    if (Buffer.compare(tail.subarray(4), magic) !== 0 || length > Math.min(maxFooter, size - 12))
      throw new RangeError(`${from} is no Parquet file`);
    const footer = structOf(decodeThrift(await readAt(file, size - 8 - length, length)));
    const end = size - 8 - length;
    for (let done = magic.length; done < end; ) {
      const part = await readAt(file, done, Math.min(4 << 20, end - done));
      await writeAll(to, [part]);
      done += part.length;
    }
    const groups = listOf(footer.get(4)).map((group) => movedGroup(group, at - magic.length));
    return { groups, rows: numberOf(footer.get(3)), size: end - magic.length };
  } finally {
    await file.close();
  }
}

/** Joins files of the same columns into a new, durable one without decoding a value; resolves with its size. */
export async function joinParquet(path: string, columns: readonly ColumnSpec[], sources: readonly string[]): Promise<number> {
  const file = await open(path, "wx", 0o600);
  try {
    await writeAll(file, [magic]);
    let at = magic.length;
    let rows = 0;
    const groups: Thrift[] = [];
    for (const source of sources) {
      const copied = await copyGroups(source, file, at);
      groups.push(...copied.groups);
      rows += copied.rows;
      at += copied.size;
    }
    await writeFooter(file, columns, rows, groups);
    await file.datasync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}
