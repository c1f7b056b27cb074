/** Cuts JSON documents that span lines (an array, CloudTrail's `{"Records": […]}`, objects one after another) into items. Knows no field but `Records`. */
import type { RawRecord } from "@vedette/model";
import { type Batch, keptBytes, Oversize, rawRecord, tooDeepFlaw } from "./batch.ts";
import { incomplete, invalid, scanValue, skipSpace, tooDeep, ValueSkipper } from "./json_scan.ts";
import type { Cutter } from "./lines.ts";

/** Where in a document the next byte stands: between values, in an array, in the array `Records`. */
export type DocumentState = "values" | "array" | "records";

const recordsHead = /^\{\s{0,64}"Records"\s{0,64}:\s{0,64}\[/;
/** Longest text `recordsHead` matches. */
const recordsHeadBytes = 256;

/** Length of `{"Records":[` with its white space at `at`, or 0. */
function recordsLength(bytes: Buffer, at: number): number {
  return recordsHead.exec(bytes.toString("latin1", at, at + recordsHeadBytes))?.[0].length ?? 0;
}

/**
 * Whether text is one record a line or a JSON document across lines, judged by its start; undefined while too little of it is there.
 * @param enough bytes after which an unfinished first line is taken for a document.
 */
export function shapeOf(bytes: Buffer, final: boolean, enough: number): "lines" | "document" | undefined {
  const at = skipSpace(bytes, 0, bytes.length);
  const undecided = final ? "lines" : undefined;
  if (at >= bytes.length) return bytes.length > enough ? "lines" : undecided;
  if (bytes[at] === 0x5b) {
    const next = skipSpace(bytes, at + 1, bytes.length);
    if (next >= bytes.length) return bytes.length > enough ? "lines" : undecided;
    return bytes[next] === 0x7b ? "document" : "lines";
  }
  if (bytes[at] !== 0x7b) return "lines";
  if (recordsLength(bytes, at) > 0) return "document";
  const lineEnd = bytes.indexOf(0x0a, at);
  const end = scanValue(bytes, at, lineEnd < 0 ? bytes.length : lineEnd);
  if (end !== incomplete) return "lines";
  if (lineEnd >= 0) return inString(bytes, at, lineEnd) ? "lines" : "document";
  return bytes.length > enough ? "document" : undecided;
}

/** True if the text breaks off inside a string: then it is a line cut short, for strings cannot span lines. */
function inString(bytes: Buffer, from: number, to: number): boolean {
  let open = false;
  for (let at = from; at < to; at++) {
    if (bytes[at] === 0x5c) at++;
    else if (bytes[at] === 0x22) open = !open;
  }
  return open;
}

/** An item being passed over, and the record it leaves. */
interface Skip {
  readonly skipper: ValueSkipper;
  readonly oversize: Oversize | undefined;
  readonly deep: RawRecord | undefined;
}

/** One record an element. On the first byte that is not JSON it sets `failed` and stops: the rest is then better read as lines. */
export class DocumentCutter implements Cutter {
  state: DocumentState;
  failed = false;
  readonly #token: string;
  readonly #maxBytes: number;
  #skip: Skip | undefined;

  constructor(options: { readonly token: string; readonly maxBytes: number; readonly state?: DocumentState }) {
    this.#token = options.token;
    this.#maxBytes = options.maxBytes;
    this.state = options.state ?? "values";
  }

  cut(bytes: Buffer, offset: number, batch: Batch, final: boolean): number {
    let at = 0;
    while (!batch.full) {
      if (this.#skip === undefined) at = this.#enter(bytes, at);
      if (this.#skip !== undefined) at = this.#pass(bytes, at, batch, final);
      else if (at >= bytes.length || this.failed) return at;
      else {
        const next = this.#cutItem(bytes, at, offset, batch, final);
        if (next === at && this.#skip === undefined) return at;
        at = next;
      }
      if (at >= bytes.length) return at;
    }
    return at;
  }

  /** Adds the item at `start` and returns where it ends; stays at `start` where it cannot. */
  #cutItem(bytes: Buffer, start: number, offset: number, batch: Batch, final: boolean): number {
    const end = scanValue(bytes, start, bytes.length);
    if (end >= 0 && (end < bytes.length || isEnd(bytes[end - 1]!) || final)) {
      this.#push(bytes, start, end, offset, batch);
      return end;
    }
    const long = bytes.length - start > this.#maxBytes;
    if (end === tooDeep || (end === incomplete && long && isOpen(bytes[start]!))) {
      // What came before must be handed on first: while an item is passed over, there is no place to resume at but its start.
      if (!batch.empty) return start;
      const position = `${this.#token}:${offset + start}`;
      const deep = rawRecord(position, Buffer.from(bytes.subarray(start, start + keptBytes)), tooDeepFlaw);
      const oversize = end === tooDeep ? undefined : new Oversize(position, this.#maxBytes);
      this.#skip = { skipper: new ValueSkipper(), oversize, deep: end === tooDeep ? deep : undefined };
    } else if (end === invalid || final || long) this.failed = true;
    return start;
  }

  /** Moves over commas, brackets and white space to the next item. */
  #enter(bytes: Buffer, from: number): number {
    let at = from;
    for (;;) {
      at = skipSpace(bytes, at, bytes.length);
      if (at >= bytes.length) return at;
      const byte = bytes[at]!;
      if (this.state === "values") {
        const records = byte === 0x7b ? recordsLength(bytes, at) : 0;
        if (byte === 0x5b) this.state = "array";
        else if (records > 0) this.state = "records";
        else {
          if (byte !== 0x7b) this.failed = true;
          return at;
        }
        at += Math.max(1, records);
      } else if (byte === 0x2c) at++;
      else if (byte === 0x5d) {
        at++;
        // The other members of the object around `Records` say nothing about single records.
        if (this.state === "records") this.#skip = { skipper: new ValueSkipper(1), oversize: undefined, deep: undefined };
        this.state = "values";
        if (this.#skip !== undefined) return at;
      } else return at;
    }
  }

  #push(bytes: Buffer, start: number, end: number, offset: number, batch: Batch): void {
    const position = `${this.#token}:${offset + start}`;
    if (end - start <= this.#maxBytes) {
      batch.push(rawRecord(position, bytes.subarray(start, end)));
      return;
    }
    const oversize = new Oversize(position, this.#maxBytes);
    oversize.add(bytes.subarray(start, end));
    batch.push(oversize.record());
  }

  #pass(bytes: Buffer, from: number, batch: Batch, final: boolean): number {
    const { skipper, oversize, deep } = this.#skip!;
    const end = skipper.feed(bytes, from, bytes.length);
    const stop = end === incomplete ? bytes.length : end;
    oversize?.add(bytes.subarray(from, stop));
    if (end === incomplete && !final) return stop;
    if (oversize !== undefined) batch.push(oversize.record());
    if (deep !== undefined) batch.push(deep);
    this.#skip = undefined;
    return stop;
  }
}

const isOpen = (byte: number) => byte === 0x7b || byte === 0x5b;
/** A byte that surely ends its value: a number might go on. */
const isEnd = (byte: number) => byte === 0x7d || byte === 0x5d || byte === 0x22;
