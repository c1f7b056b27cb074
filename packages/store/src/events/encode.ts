/** Turns events into column bytes, in any thread. Knows the columns; refuses to know DuckDB or the disk. Reading them back: batch.ts. */
import type { Event, FieldValue } from "@vedette/model";
import type { EncodedEvents } from "../store.ts";
import { align, type BatchHeader } from "./batch.ts";
import { bigintColumns, type CellKind, cellOf, columns, hotFields } from "./columns.ts";

const encoder = new TextEncoder();
const [timeSlot, receivedSlot, seqSlot, idSlot, tenantSlot, classSlot, sourceSlot, hostSlot] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const restSlot = columns.length - 2;
const originalSlot = columns.length - 1;

/** Where a field's value goes: into its column, or behind its key into the rest. */
type Target = { readonly slot: number; readonly kind: CellKind } | { readonly first: string; readonly next: string };
const targets = new Map<string, Target>([...hotFields].map(([name, kind]) => [name, { slot: columns.indexOf(name), kind }]));
/** Field names repeat endlessly, but hostile input can name fields: no more than so many are remembered. */
const maxTargets = 4096;

function targetOf(field: string): Target {
  const known = targets.get(field);
  if (known !== undefined) return known;
  const key = `${JSON.stringify(field.toWellFormed())}:`;
  const target = { first: `{${key}`, next: `,${key}` };
  if (targets.size < maxTargets) targets.set(field, target);
  return target;
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

/** Rows whose cells wait as strings: few, so that events and cells die young instead of outliving collections until the batch ends. */
const waitingRows = 64;
/** Characters of originals after which they wait no longer. */
const waitingText = 1 << 18;
/** Bytes of a column that are kept for the next batch; what hostile lines made larger is let go. */
const keptBytes = 4 << 20;

/** Twice as much, or as much as is needed. */
function grown<A extends Uint8Array | Uint32Array>(array: A, least: number, make: (length: number) => A): A {
  const larger = make(Math.max(least, array.length * 2));
  larger.set(array as never);
  return larger;
}

/** The cells of one text column, row by row; stored as well-formed Unicode. */
class TextColumn {
  bytes: Uint8Array = new Uint8Array(4096);
  size = 0;
  lengths: Uint32Array = new Uint32Array(256);
  /** Rows whose cells are in `bytes`. */
  rows = 0;
  readonly #waiting: string[] = new Array<string>(waitingRows).fill("");
  #any = false;

  /** @param from rows that had no cell before the first one */
  begin(from: number): void {
    this.size = 0;
    this.rows = 0;
    if (this.#any) this.#waiting.fill("");
    this.#any = false;
    if (this.bytes.length > keptBytes) this.bytes = new Uint8Array(4096);
    this.#reserve(from);
    this.lengths.fill(0, 0, from);
    this.rows = from;
  }

  set(waitingRow: number, cell: string): void {
    this.#waiting[waitingRow] = cell;
    this.#any = true;
  }

  #reserve(rows: number): void {
    if (this.rows + rows > this.lengths.length) this.lengths = grown(this.lengths, this.rows + rows, (length) => new Uint32Array(length));
  }

  /** Turns the first `count` cells that wait into bytes. */
  flush(count: number): void {
    this.#reserve(count);
    const { lengths, rows } = this;
    this.rows += count;
    if (!this.#any) {
      lengths.fill(0, rows, rows + count);
      return;
    }
    const cells = this.#waiting;
    const joined = cells.join("");
    const written = this.#write(joined);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const cell = cells[i] as string;
      sum += lengths[rows + i] = written === joined.length ? cell.length : Buffer.byteLength(cell);
    }
    // halves of a surrogate pair in neighbouring cells met in the joined text: one by one, each half is U+FFFD
    if (sum !== written) {
      this.size -= written;
      for (let i = 0; i < count; i++) lengths[rows + i] = this.#write(cells[i] as string);
    }
    cells.fill("");
    this.#any = false;
  }

  #write(text: string): number {
    // a UTF-16 unit takes at most three bytes
    const most = this.size + text.length * 3;
    if (most > this.bytes.length) this.bytes = grown(this.bytes, most, (length) => new Uint8Array(length));
    const { written } = encoder.encodeInto(text, this.bytes.subarray(this.size));
    this.size += written;
    return written;
  }
}

/** Whole numbers of up to 53 bits as 64-bit integers, least significant half first. */
class NumberColumn {
  halves = new Uint32Array(512);
  rows = 0;
  push(value: number): void {
    const at = this.rows++ * 2;
    if (at === this.halves.length) this.halves = grown(this.halves, at + 2, (length) => new Uint32Array(length));
    const high = Math.floor(value / 0x1_0000_0000);
    this.halves[at] = value - high * 0x1_0000_0000;
    this.halves[at + 1] = high;
  }
  get bytes(): Uint8Array {
    return new Uint8Array(this.halves.buffer, 0, this.rows * 8);
  }
}

/** The rows of one class in a batch. */
class ClassRows {
  readonly numbers = [new NumberColumn(), new NumberColumn(), new NumberColumn()] as const;
  /** By slot: those that some row of this batch has, and all that some batch had. */
  readonly texts: (TextColumn | undefined)[] = new Array(columns.length).fill(undefined);
  readonly #kept: (TextColumn | undefined)[] = new Array(columns.length).fill(undefined);
  #flushed = 0;
  #waiting = 0;
  #waitingText = 0;

  get count(): number {
    return this.#flushed + this.#waiting;
  }

  begin(): void {
    for (const column of this.numbers) column.rows = 0;
    this.texts.fill(undefined);
    this.#flushed = 0;
    this.#waiting = 0;
    this.#waitingText = 0;
  }

  /** A cell of the row that `next` ends. */
  set(slot: number, cell: string): void {
    (this.texts[slot] ?? this.#begin(slot)).set(this.#waiting, cell);
  }

  #begin(slot: number): TextColumn {
    const column = this.#kept[slot] ?? new TextColumn();
    column.begin(this.#flushed);
    this.#kept[slot] = column;
    this.texts[slot] = column;
    return column;
  }

  next(originalLength: number): void {
    this.#waiting++;
    this.#waitingText += originalLength;
    if (this.#waiting === waitingRows || this.#waitingText > waitingText) this.flush();
  }

  flush(): void {
    for (const column of this.texts) column?.flush(this.#waiting);
    this.#flushed += this.#waiting;
    this.#waiting = 0;
    this.#waitingText = 0;
  }
}

/** Encodes events as they come, for `EventStore.put`. What it has grown to is used again for the batch after. */
export class EventEncoder {
  readonly #classes = new Map<string, ClassRows>();
  /** Classes of this batch. */
  readonly #present = new Map<string, ClassRows>();
  readonly #odd = new Set<string>();
  #demo = 0;
  #minTime = Number.POSITIVE_INFINITY;
  #maxTime = Number.NEGATIVE_INFINITY;

  get count(): number {
    let count = 0;
    for (const rows of this.#present.values()) count += rows.count;
    return count;
  }

  add(event: Event): void {
    const rows = this.#present.get(event.class) ?? this.#begin(event.class);
    const time = Math.trunc(event.time);
    if (time < this.#minTime) this.#minTime = time;
    if (time > this.#maxTime) this.#maxTime = time;
    rows.numbers[timeSlot].push(time);
    rows.numbers[receivedSlot].push(Math.trunc(event.received));
    rows.numbers[seqSlot].push(Math.trunc(event.seq));
    rows.set(idSlot, event.id);
    rows.set(tenantSlot, event.tenant);
    rows.set(classSlot, event.class);
    rows.set(sourceSlot, event.source);
    rows.set(hostSlot, event.host);
    rows.set(originalSlot, event.original);
    if (event.fields["vedette.demo"] === true) this.#demo++;
    this.#fields(event, rows);
    rows.next(event.original.length);
  }

  #begin(name: string): ClassRows {
    const rows = this.#classes.get(name) ?? new ClassRows();
    rows.begin();
    this.#classes.set(name, rows);
    this.#present.set(name, rows);
    return rows;
  }

  #fields({ fields }: Event, rows: ClassRows): void {
    let rest = "";
    for (const field in fields) {
      const value = fields[field];
      if (value === undefined) continue;
      const target = targetOf(field);
      if ("first" in target) {
        rest += (rest === "" ? target.first : target.next) + jsonOf(value);
        continue;
      }
      const cell = cellOf(target.kind, value);
      if (cell.charCodeAt(0) === 1) this.#odd.add(field);
      rows.set(target.slot, cell);
    }
    if (rest !== "") rows.set(restSlot, `${rest}}`);
  }

  /** The events added since the last call as one batch, class by class, in each in the order they came; a buffer of its own, to be handed on. */
  done(): EncodedEvents {
    const all = [...this.#present];
    for (const [, rows] of all) rows.flush();
    const count = this.count;
    const names: string[] = [];
    const sizes: number[] = [];
    const parts: Uint8Array[][] = [];
    let originalBytes = 0;
    for (const [slot, name] of columns.entries()) {
      if (bigintColumns.has(name)) {
        names.push(name);
        sizes.push(count * 8);
        parts.push(all.map(([, rows]) => rows.numbers[slot as 0 | 1 | 2].bytes));
        continue;
      }
      const texts = all.map(([, rows]) => rows.texts[slot]);
      if (texts.every((text) => text === undefined)) continue;
      const size = texts.reduce((sum, text) => sum + (text?.size ?? 0), 0);
      if (slot === originalSlot) originalBytes = size;
      names.push(name);
      sizes.push(size);
      parts.push(all.map(([, rows], i) => lengthsOf(texts[i], rows.count)));
      parts.push(texts.map((text) => text?.bytes.subarray(0, text.size) ?? nothing));
    }
    const header: BatchHeader = {
      format: 1,
      count,
      columns: names,
      sizes,
      odd: [...this.#odd],
      demo: this.#demo,
      originalBytes,
      classes: all.map(([name]) => name),
      rows: all.map(([, rows]) => rows.count),
      minTime: this.#minTime,
      maxTime: this.#maxTime,
    };
    const bytes = assemble(header, parts);
    this.clear();
    return { count, bytes };
  }

  /** Forgets what was added since the last batch. */
  clear(): void {
    this.#present.clear();
    this.#odd.clear();
    this.#demo = 0;
    this.#minTime = Number.POSITIVE_INFINITY;
    this.#maxTime = Number.NEGATIVE_INFINITY;
  }
}

const nothing = new Uint8Array(0);

function lengthsOf(text: TextColumn | undefined, rows: number): Uint8Array {
  if (text === undefined) return new Uint8Array(rows * 4);
  return new Uint8Array(text.lengths.buffer, 0, rows * 4);
}

/** @param parts each a run of pieces that starts at a multiple of 8 */
function assemble(header: BatchHeader, parts: readonly (readonly Uint8Array[])[]): Uint8Array {
  const head = encoder.encode(JSON.stringify(header));
  const start = align(8 + head.length);
  const size = parts.reduce((sum, part) => sum + align(part.reduce((total, bytes) => total + bytes.length, 0)), start);
  const all = new Uint8Array(size);
  new DataView(all.buffer).setUint32(0, head.length, true);
  all.set(head, 8);
  let at = start;
  for (const part of parts) {
    for (const bytes of part) {
      all.set(bytes, at);
      at += bytes.length;
    }
    at = align(at);
  }
  return all;
}

/** Encodes the events of one raw batch for `EventStore.put`. */
export function encodeEvents(events: readonly Event[]): EncodedEvents {
  const batch = new EventEncoder();
  for (const event of events) batch.add(event);
  return batch.done();
}
