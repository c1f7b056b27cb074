/** Collects the columns of many batches' rows of one class, as a row group takes them. Knows the columns, no file. */
import { release } from "@vedette/kit";
import { type EventClass, eventClasses } from "@vedette/model";
import type { BatchHeader } from "./batch.ts";
import { isDemoBatchRow } from "./columns.ts";
import type { ChunkInput } from "./parquet/chunk.ts";

/** A batch as it is stored: read in parts, so that no more of it is in memory than is asked for. */
export interface StoredBatch {
  readonly header: BatchHeader;
  /** Of the cells of a text column; undefined where the batch has none of it. */
  lengths(name: string): Uint32Array | undefined;
  /** Fills `into` with the text of a column from a byte of it on. @throws RangeError where the file ends before */
  read(name: string, from: number, into: Uint8Array): void;
  /** @throws RangeError where the batch has no such column of numbers */
  numbers(name: string): BigInt64Array;
}
/** Rows of one batch: those that stand together, or some here and there (in batches of earlier versions). */
type Rows = { readonly from: number; readonly count: number } | readonly number[];
interface Part {
  readonly batch: StoredBatch;
  readonly rows: Rows;
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

const countOf = (rows: Rows): number => ("count" in rows ? rows.count : rows.length);

/** All cells of a text column. */
function* cellsOf(batch: StoredBatch, name: string): Generator<string> {
  const lengths = batch.lengths(name);
  if (lengths === undefined) {
    for (let row = 0; row < batch.header.count; row++) yield "";
    return;
  }
  const bytes = new Uint8Array(sum(lengths, 0, lengths.length));
  batch.read(name, 0, bytes);
  let at = 0;
  for (const length of lengths) {
    yield decoder.decode(bytes.subarray(at, at + length));
    at += length;
  }
}

function sum(lengths: Uint32Array, from: number, until: number): number {
  let total = 0;
  for (let row = from; row < until; row++) total += lengths[row] as number;
  return total;
}

function split(batch: StoredBatch): ReadonlyMap<EventClass, Rows> {
  const { classes, rows, count } = batch.header;
  const [only] = classes;
  if (only !== undefined && classes.length === 1) return new Map([[classOf(only), { from: 0, count }]]);
  // an unknown name joins the rows of "other": only rows of known classes stand together for sure
  if (rows !== undefined && new Set(classes.map(classOf)).size === classes.length) {
    let from = 0;
    return new Map(
      classes.map((name, i) => {
        const own = { from, count: rows[i] as number };
        from += own.count;
        return [classOf(name), own] as const;
      }),
    );
  }
  const found = new Map<EventClass, number[]>();
  let row = 0;
  for (const name of cellsOf(batch, "class")) {
    const key = classOf(name);
    const own = found.get(key);
    if (own === undefined) found.set(key, [row]);
    else own.push(row);
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
      own.count += countOf(rows);
      own.parts.push({ batch, rows });
    }
  }
  return [...found].map(([name, own]) => ({ class: name, ...own }));
}

function numbersOf({ parts, count }: ClassRows, name: string): Float64Array {
  const numbers = new Float64Array(count);
  let to = 0;
  for (const { batch, rows } of parts) {
    const column = batch.numbers(name);
    if ("count" in rows) for (let row = rows.from; row < rows.from + rows.count; row++) numbers[to++] = Number(column[row]);
    else for (const row of rows) numbers[to++] = Number(column[row]);
  }
  return numbers;
}

/** The text of some rows here and there, one after the other in `into`. */
function pick(batch: StoredBatch, name: string, all: Uint32Array, rows: readonly number[], into: Uint8Array): void {
  const bytes = new Uint8Array(sum(all, 0, all.length));
  batch.read(name, 0, bytes);
  let [at, to, next] = [0, 0, 0];
  for (let row = 0; next < rows.length; row++) {
    const length = all[row] as number;
    if (rows[next] === row) {
      into.set(bytes.subarray(at, at + length), to);
      to += length;
      next++;
    }
    at += length;
  }
  release(bytes);
}

/** Two passes over the parts, lengths before text, so that each cell is read straight to where it stays. */
function textOf({ parts, count }: ClassRows, name: string): { readonly lengths: Uint32Array; readonly bytes: Uint8Array } {
  const lengths = new Uint32Array(count);
  const all: (Uint32Array | undefined)[] = [];
  let row = 0;
  for (const { batch, rows } of parts) {
    const own = batch.lengths(name);
    all.push(own);
    if (own !== undefined) {
      if ("count" in rows) lengths.set(own.subarray(rows.from, rows.from + rows.count), row);
      else for (const [i, one] of rows.entries()) lengths[row + i] = own[one] as number;
    }
    row += countOf(rows);
  }
  const bytes = new Uint8Array(sum(lengths, 0, count));
  let at = 0;
  row = 0;
  for (const [i, { batch, rows }] of parts.entries()) {
    const next = row + countOf(rows);
    const own = all[i];
    const size = sum(lengths, row, next);
    row = next;
    if (own === undefined || size === 0) continue;
    const into = bytes.subarray(at, at + size);
    if ("count" in rows) batch.read(name, sum(own, 0, rows.from), into);
    else pick(batch, name, own, rows, into);
    at += size;
  }
  return { lengths, bytes };
}

export function columnOf(rows: ClassRows, name: string, isNumber: boolean): ChunkInput {
  return isNumber ? { numbers: numbersOf(rows, name) } : { ...textOf(rows, name), unique: uniqueColumns.has(name) };
}

/** What the manifest says of a class's rows. */
export function summaryOf(rows: ClassRows): { demo: number; original: number; min: number; max: number } {
  let [demo, original, min, max] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const part of rows.parts) {
    const { header } = part.batch;
    if (countOf(part.rows) === header.count) {
      demo += header.demo;
      original += header.originalBytes;
      min = Math.min(min, header.minTime);
      max = Math.max(max, header.maxTime);
      continue;
    }
    for (const time of numbersOf({ class: rows.class, count: countOf(part.rows), parts: [part] }, "time")) {
      if (time < min) min = time;
      if (time > max) max = time;
    }
    const lengths = part.batch.lengths("original");
    const wanted = "count" in part.rows ? { ...part.rows } : new Set(part.rows);
    const has = (row: number) => ("from" in wanted ? row >= wanted.from && row < wanted.from + wanted.count : wanted.has(row));
    for (const [row, length] of lengths?.entries() ?? []) if (has(row)) original += length;
    if (header.demo > 0) {
      let row = 0;
      for (const rest of cellsOf(part.batch, "rest")) if (has(row++) && isDemoBatchRow(rest)) demo++;
    }
  }
  return { demo, original, min, max };
}
