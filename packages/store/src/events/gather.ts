/** Collects the columns of many batches' rows of one class, as a row group takes them. Knows the columns, no file. */
import { release } from "@vedette/kit";
import { type EventClass, eventClasses } from "@vedette/model";
import { isDemoBatchRow } from "./columns.ts";
import type { BatchColumn, BatchHeader } from "./encode.ts";
import type { ChunkInput } from "./parquet/chunk.ts";

/** A batch as it is stored; `column` reads one afresh, for whoever called to keep or release. */
export interface StoredBatch {
  readonly header: BatchHeader;
  column(name: string): BatchColumn | undefined;
}
type Text = Extract<BatchColumn, { readonly bytes: Uint8Array }>;
/** Rows of one batch; undefined: all. */
interface Part {
  readonly batch: StoredBatch;
  readonly rows: readonly number[] | undefined;
}
/** All rows of one class. */
export interface ClassRows {
  readonly class: EventClass;
  readonly count: number;
  readonly parts: readonly Part[];
}

/** Columns whose cells hardly ever repeat. */
const uniqueColumns: ReadonlySet<string> = new Set(["id", "rest", "original"]);
const decoder = new TextDecoder();
const classOf = (name: string): EventClass => ((eventClasses as readonly string[]).includes(name) ? (name as EventClass) : "other");

/** Text cells of a column, row by row. */
export function* cellsOf(column: BatchColumn | undefined, count: number): Generator<string> {
  if (column === undefined || "numbers" in column) {
    for (let row = 0; row < count; row++) yield "";
    return;
  }
  let at = 0;
  for (const length of column.lengths) {
    yield decoder.decode(column.bytes.subarray(at, at + length));
    at += length;
  }
}

function split(batch: StoredBatch): ReadonlyMap<EventClass, readonly number[] | undefined> {
  const { classes, count } = batch.header;
  const [only] = classes;
  if (only !== undefined && classes.length === 1) return new Map([[classOf(only), undefined]]);
  const found = new Map<EventClass, number[]>();
  let row = 0;
  for (const name of cellsOf(batch.column("class"), count)) {
    const key = classOf(name);
    const rows = found.get(key);
    if (rows === undefined) found.set(key, [row]);
    else rows.push(row);
    row++;
  }
  return found;
}

/** Sorts the rows of batches by class; the order within a class is the order of arrival. */
export function byClass(batches: readonly StoredBatch[]): readonly ClassRows[] {
  const found = new Map<EventClass, { count: number; parts: Part[] }>();
  for (const batch of batches) {
    for (const [name, rows] of split(batch)) {
      let own = found.get(name);
      if (own === undefined) {
        own = { count: 0, parts: [] };
        found.set(name, own);
      }
      own.count += rows?.length ?? batch.header.count;
      own.parts.push({ batch, rows });
    }
  }
  return [...found].map(([name, own]) => ({ class: name, ...own }));
}

function numbersOf({ parts, count }: ClassRows, name: string): Float64Array {
  const numbers = new Float64Array(count);
  let to = 0;
  for (const { batch, rows } of parts) {
    const column = batch.column(name);
    if (column === undefined || !("numbers" in column)) throw new RangeError(`a batch lacks ${name}`);
    if (rows === undefined) for (const value of column.numbers) numbers[to++] = Number(value);
    else for (const row of rows) numbers[to++] = Number(column.numbers[row]);
  }
  return numbers;
}

/** The text of some rows alone. */
function picked({ lengths, bytes }: Text, rows: readonly number[]): Text {
  const chosen = new Uint32Array(rows.length);
  let size = 0;
  for (const [n, row] of rows.entries()) size += chosen[n] = lengths[row] as number;
  const text = new Uint8Array(size);
  let [at, to, next] = [0, 0, 0];
  for (let row = 0; next < rows.length; row++) {
    const length = lengths[row] as number;
    if (rows[next] === row) {
      text.set(bytes.subarray(at, at + length), to);
      to += length;
      next++;
    }
    at += length;
  }
  return { lengths: chosen, bytes: text };
}

function textOf({ parts, count }: ClassRows, name: string): Text {
  const lengths = new Uint32Array(count);
  const pieces: Uint8Array[] = [];
  let to = 0;
  for (const { batch, rows } of parts) {
    const column = batch.column(name);
    if (column !== undefined && !("numbers" in column)) {
      const text = rows === undefined ? column : picked(column, rows);
      lengths.set(text.lengths, to);
      pieces.push(text.bytes);
      if (rows !== undefined) release(column.bytes);
    }
    to += rows?.length ?? batch.header.count;
  }
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
    release(piece);
  }
  return { lengths, bytes };
}

export function columnOf(rows: ClassRows, name: string, isNumber: boolean): ChunkInput {
  return isNumber ? { numbers: numbersOf(rows, name) } : { ...textOf(rows, name), unique: uniqueColumns.has(name) };
}

/** What the manifest says of a class's rows. */
export function summaryOf(rows: ClassRows): { demo: number; original: number; min: number; max: number } {
  let [demo, original, min, max] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { batch, rows: chosen } of rows.parts) {
    const { header } = batch;
    if (chosen === undefined) {
      demo += header.demo;
      original += header.originalBytes;
      min = Math.min(min, header.minTime);
      max = Math.max(max, header.maxTime);
      continue;
    }
    const part: ClassRows = { class: rows.class, count: chosen.length, parts: [{ batch, rows: chosen }] };
    for (const time of numbersOf(part, "time")) {
      if (time < min) min = time;
      if (time > max) max = time;
    }
    for (const length of textOf(part, "original").lengths) original += length;
    if (header.demo > 0) {
      const wanted = new Set(chosen);
      let row = 0;
      for (const rest of cellsOf(batch.column("rest"), header.count)) if (wanted.has(row++) && isDemoBatchRow(rest)) demo++;
    }
  }
  return { demo, original, min, max };
}
