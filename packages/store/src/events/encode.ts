/** Turns events into column bytes and back, in any thread. Knows the columns; refuses to know DuckDB or the disk. */
import type { Event, FieldValue } from "@vedette/model";
import type { EncodedEvents } from "../store.ts";
import { bigintColumns, cellOf, columns, hotFields } from "./columns.ts";

/** What a batch says about itself: the manifest's and the log's view of it, without reading a cell. */
export interface BatchHeader {
  readonly format: 1;
  readonly count: number;
  /** Names of the columns present, in order of their bytes; a column that is not named is all absent. */
  readonly columns: readonly string[];
  /** Bytes of each column: 8 per event for a number column; for text, its UTF-8 length (after 4 bytes of cell length per event). */
  readonly sizes: readonly number[];
  /** Hot fields of which some cell is marked. */
  readonly odd: readonly string[];
  readonly demo: number;
  readonly originalBytes: number;
  /** Distinct classes. */
  readonly classes: readonly string[];
  readonly minTime: number;
  readonly maxTime: number;
}
/** One column of a decoded batch: a view of its bytes. */
export type BatchColumn = { readonly lengths: Uint32Array; readonly bytes: Uint8Array } | { readonly numbers: BigInt64Array };

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const slots: ReadonlyMap<string, number> = new Map(columns.map((name, index) => [name, index]));
const kinds = columns.map((name) => hotFields.get(name));
const [timeSlot, receivedSlot, seqSlot, idSlot, tenantSlot, classSlot, sourceSlot, hostSlot] = [0, 1, 2, 3, 4, 5, 6, 7];
const restSlot = columns.length - 2;
const originalSlot = columns.length - 1;

/** JSON of keys met before: field names repeat endlessly. Bounded, because hostile input can name fields. */
const keyText = new Map<string, string>();
function keyOf(field: string): string {
  let text = keyText.get(field);
  if (text === undefined) {
    text = `${JSON.stringify(field.toWellFormed())}:`;
    if (keyText.size < 4096) keyText.set(field, text);
  }
  return text;
}

// A string is quoted as it stands when it holds nothing JSON escapes: one linear scan, cheaper than JSON.stringify.
const needsEscape = /["\\\u0000-\u001f\ud800-\udfff]/;
function jsonOf(value: FieldValue): string {
  if (typeof value === "string") return needsEscape.test(value) ? JSON.stringify(value.toWellFormed()) : `"${value}"`;
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "null";
  const text = JSON.stringify(value);
  // half of a surrogate pair is written as an escape that DuckDB's JSON refuses, and with it every question over the segment
  return text.includes("\\ud") ? JSON.stringify(value, (_, one: unknown) => (typeof one === "string" ? one.toWellFormed() : one)) : text;
}

class Columns {
  readonly cells: (string[] | undefined)[] = new Array(columns.length).fill(undefined);
  readonly odd = new Set<string>();
  readonly count: number;
  constructor(count: number) {
    this.count = count;
  }
  set(slot: number, row: number, cell: string): void {
    let column = this.cells[slot];
    if (column === undefined) this.cells[slot] = column = new Array<string>(this.count).fill("");
    column[row] = cell;
  }
}

function setFields(event: Event, row: number, into: Columns): void {
  let rest = "";
  const fields = event.fields;
  for (const field in fields) {
    const value = fields[field];
    if (value === undefined) continue;
    const slot = slots.get(field);
    const kind = slot === undefined ? undefined : kinds[slot];
    if (slot === undefined || kind === undefined) {
      rest += (rest === "" ? "{" : ",") + keyOf(field) + jsonOf(value);
      continue;
    }
    const cell = cellOf(kind, value);
    if (cell.charCodeAt(0) === 1) into.odd.add(field);
    into.set(slot, row, cell);
  }
  if (rest !== "") into.set(restSlot, row, `${rest}}`);
}

/** Bytes and cell lengths of one text column; text is stored as well-formed Unicode. */
function packText(cells: readonly string[]): { lengths: Uint32Array; bytes: Uint8Array } {
  const joined = cells.join("");
  const bytes = encoder.encode(joined);
  const lengths = new Uint32Array(cells.length);
  if (bytes.length === joined.length) for (let i = 0; i < cells.length; i++) lengths[i] = (cells[i] as string).length;
  else if (joined.isWellFormed()) for (let i = 0; i < cells.length; i++) lengths[i] = Buffer.byteLength(cells[i] as string);
  // Halves of a surrogate pair in neighbouring cells would meet in the joined text.
  else return packText(cells.map((cell) => cell.toWellFormed()));
  return { lengths, bytes };
}

const align = (n: number) => (n + 7) & ~7;

function assemble(header: BatchHeader, parts: readonly (readonly Uint8Array[])[]): Uint8Array {
  const head = encoder.encode(JSON.stringify(header));
  let size = align(8 + head.length);
  for (const part of parts) for (const bytes of part) size += align(bytes.length);
  // A buffer of its own, so that it can be transferred to the storage thread.
  const all = new Uint8Array(size);
  new DataView(all.buffer).setUint32(0, head.length, true);
  all.set(head, 8);
  let at = align(8 + head.length);
  for (const part of parts) {
    for (const bytes of part) {
      all.set(bytes, at);
      at += align(bytes.length);
    }
  }
  return all;
}

/** Encodes the events of one raw batch for `EventStore.put`. Pure; called in the worker that decoded them. */
export function encodeEvents(events: readonly Event[]): EncodedEvents {
  const count = events.length;
  const numbers = [new BigInt64Array(count), new BigInt64Array(count), new BigInt64Array(count)] as const;
  const into = new Columns(count);
  let demo = 0;
  let minTime = Number.POSITIVE_INFINITY;
  let maxTime = Number.NEGATIVE_INFINITY;
  const classes = new Set<string>();
  for (let row = 0; row < count; row++) {
    const event = events[row] as Event;
    const time = Math.trunc(event.time);
    if (time < minTime) minTime = time;
    if (time > maxTime) maxTime = time;
    classes.add(event.class);
    numbers[timeSlot as 0][row] = BigInt(time);
    numbers[receivedSlot as 1][row] = BigInt(Math.trunc(event.received));
    numbers[seqSlot as 2][row] = BigInt(Math.trunc(event.seq));
    into.set(idSlot as number, row, event.id);
    into.set(tenantSlot as number, row, event.tenant);
    into.set(classSlot as number, row, event.class);
    into.set(sourceSlot as number, row, event.source);
    into.set(hostSlot as number, row, event.host);
    into.set(originalSlot, row, event.original);
    if (event.fields["vedette.demo"] === true) demo++;
    setFields(event, row, into);
  }
  const present: string[] = [];
  const sizes: number[] = [];
  const parts: Uint8Array[][] = [];
  let originalBytes = 0;
  for (let slot = 0; slot < columns.length; slot++) {
    const name = columns[slot] as string;
    const cells = into.cells[slot];
    if (bigintColumns.has(name)) {
      const column = numbers[slot as 0 | 1 | 2];
      present.push(name);
      sizes.push(column.byteLength);
      parts.push([new Uint8Array(column.buffer)]);
    } else if (cells !== undefined) {
      const { lengths, bytes } = packText(cells);
      if (slot === originalSlot) originalBytes = bytes.length;
      present.push(name);
      sizes.push(bytes.length);
      parts.push([new Uint8Array(lengths.buffer), bytes]);
    }
  }
  const header: BatchHeader = {
    format: 1,
    count,
    columns: present,
    sizes,
    odd: [...into.odd],
    demo,
    originalBytes,
    classes: [...classes],
    minTime,
    maxTime,
  };
  return { count, bytes: assemble(header, parts) };
}

/** Where a column lies in its batch. */
export interface ColumnPlace {
  readonly at: number;
  /** Cell lengths of a text column, then its text; or numbers. */
  readonly kind: "text" | "numbers";
  readonly rows: number;
  /** Of the text, in bytes. */
  readonly size: number;
}

/** Reads the header and where each column lies. */
export function layoutOf(batch: Uint8Array): { readonly header: BatchHeader; readonly places: ReadonlyMap<string, ColumnPlace> } {
  const headLength = new DataView(batch.buffer, batch.byteOffset, batch.byteLength).getUint32(0, true);
  const header = JSON.parse(decoder.decode(batch.subarray(8, 8 + headLength))) as BatchHeader;
  const places = new Map<string, ColumnPlace>();
  let at = align(8 + headLength);
  for (const [index, name] of header.columns.entries()) {
    const size = header.sizes[index] as number;
    const kind = bigintColumns.has(name) ? "numbers" : "text";
    places.set(name, { at, kind, rows: header.count, size });
    at += align(size) + (kind === "text" ? align(header.count * 4) : 0);
  }
  return { header, places };
}

/** A column of which `part` gives bytes of the batch, at a multiple of 8. @throws RangeError on bytes that `encodeEvents` did not write */
export function columnAt({ at, kind, rows, size }: ColumnPlace, part: (at: number, length: number) => Uint8Array): BatchColumn {
  if (kind === "numbers") {
    const bytes = part(at, rows * 8);
    return { numbers: new BigInt64Array(bytes.buffer, bytes.byteOffset, rows) };
  }
  const table = part(at, rows * 4);
  const lengths = new Uint32Array(table.buffer, table.byteOffset, rows);
  let sum = 0;
  for (let row = 0; row < rows; row++) sum += lengths[row] as number;
  const bytes = part(at + align(rows * 4), size);
  if (sum !== size || bytes.length < size) throw new RangeError("a column's lengths do not add up");
  return { lengths, bytes };
}

/** Reads the header and the views of each column; throws on bytes that `encodeEvents` did not write. */
export function openBatch(batch: Uint8Array): { readonly header: BatchHeader; readonly columns: ReadonlyMap<string, BatchColumn> } {
  const bytes = batch.byteOffset % 8 === 0 ? batch : new Uint8Array(batch);
  const { header, places } = layoutOf(bytes);
  const view = (at: number, length: number) => bytes.subarray(at, at + length);
  return { header, columns: new Map([...places].map(([name, place]) => [name, columnAt(place, view)])) };
}
