/** Reads one open file from where it was left to its present end, batch by batch. Knows neither names nor globs. */
import { Batch, rawRecord } from "../batch.ts";
import { DocumentCutter, shapeOf } from "../documents.ts";
import { type Cutter, type Encoding, encodingOf, type Header, LineCutter, textOf } from "../lines.ts";
import { type Entry, headBytes, type Mode, shortHash, tailBytes } from "./entry.ts";
import type { Look, Opened } from "./opened.ts";

/** One read: large enough that system calls do not matter, small enough that some files at once stay within memory. */
const chunkBytes = 512 * 1024;
/** Chunks read in one turn: a file of gigabytes must not keep the others waiting for longer than a tenth of a second. */
const turnChunks = 8;
/** An item of a document may be longer than a line: CloudTrail's run to 256 KiB, exports to more. */
const maxItemBytes = 1_048_576;
/** A header is at most as long as a preamble may be. */
const headerSearchBytes = 65_536;

export interface FollowOptions {
  readonly maxLineBytes: number;
  /** Hands a batch on with the entry to resume from after it; false: shutting down, not accepted. */
  readonly deliver: (batch: Batch, entry: Entry) => Promise<boolean>;
}
/** `end`: read to its end. `more`: not yet, others may have their turn. `replaced`: the content is not what was read before. `stopped`: shutting down. */
export type Outcome = "end" | "more" | "replaced" | "stopped";

export class Followed {
  readonly file: Opened;
  /** Bytes behind the last record that still lack their end. */
  rest = 0;
  lastLook: Look | undefined;
  readonly #options: FollowOptions;
  readonly #identity: { readonly path: string; readonly generation: number };
  #token: string | undefined;
  #head: Buffer = Buffer.alloc(0);
  #tail: Buffer = Buffer.alloc(0);
  #offset = 0;
  #encoding: Encoding = "bytes";
  #cutter: Cutter | undefined;
  #restored: { readonly header: Header | undefined; readonly partial: boolean } = { header: undefined, partial: false };

  constructor(file: Opened, identity: { readonly path: string; readonly generation: number }, options: FollowOptions) {
    this.file = file;
    this.#identity = identity;
    this.#options = options;
  }

  /** First half of the records' positions; undefined until the first line is there. */
  get token(): string | undefined {
    return this.#token;
  }

  /** Whole records wait for others that may belong to them. */
  get holding(): boolean {
    return this.#cutter?.holding === true;
  }
  settle(): void {
    this.#cutter?.settle?.();
  }

  /** Goes on where the entry says; the file is known to hold its content. */
  async restore(entry: Entry): Promise<void> {
    this.#head = await this.#readAt(0, entry.headLength);
    this.#encoding = encodingOf(this.#head).encoding;
    this.#token = entry.token;
    this.#offset = entry.offset;
    const header = await this.#readAt(entry.headerStart, entry.headerEnd - entry.headerStart);
    const from = Math.max(0, entry.offset - tailBytes);
    this.#tail = await this.#readAt(from, entry.offset - from);
    const text = header.length === 0 ? undefined : headerText(header, this.#encoding);
    this.#restored = {
      header: text === undefined ? undefined : { text, start: entry.headerStart, end: entry.headerEnd },
      partial: entry.partial,
    };
    this.#cutter = this.#makeCutter(entry.mode);
  }

  /** Begins behind the last line that is whole now; the preamble at the start is still read. */
  async skipToEnd(): Promise<void> {
    const { size } = await this.file.look();
    this.#head = await this.#readAt(0, Math.min(size, headBytes));
    if (size === 0 || !this.#mint(true)) return;
    const { encoding } = encodingOf(this.#head);
    this.#encoding = encoding;
    const from = Math.max(0, size - this.#options.maxLineBytes);
    const last = await this.#readAt(from, size - from);
    const lineFeed = last.lastIndexOf(0x0a);
    let offset = lineFeed < 0 ? size : from + lineFeed + 1;
    if (encoding === "utf-16le" && offset % 2 === 1) offset++;
    const start = await this.#readAt(0, Math.min(offset, headerSearchBytes));
    const { mark } = encodingOf(start);
    if (start[mark] === 0x23 || start[mark + 1] === 0x23) {
      // Only the header is wanted: the records of this batch are let go.
      const scout = new LineCutter({ token: "", maxBytes: start.length, encoding });
      scout.cut(start.subarray(mark), mark, new Batch(), false);
      this.#restored = { header: scout.header, partial: false };
    }
    this.#cutter = this.#makeCutter("lines");
    this.#head = this.#head.subarray(0, offset);
    this.#offset = offset;
    this.#tail = await this.#readAt(Math.max(0, offset - tailBytes), Math.min(offset, tailBytes));
  }

  /** @param final the bytes after the last line end are a record too. */
  async pump(final: boolean): Promise<Outcome> {
    let inFlight: Promise<boolean> | undefined;
    let ended = false;
    try {
      for (let turn = 0; turn < turnChunks && !ended; turn++) {
        const tail = this.#tail;
        const chunk = Buffer.allocUnsafeSlow(tail.length + this.#chunkBytes());
        const count = await this.file.read(chunk, this.#offset - tail.length);
        if (count < tail.length || chunk.compare(tail, 0, tail.length, 0, tail.length) !== 0) return "replaced";
        const bytes = chunk.subarray(tail.length, count);
        const last = count < chunk.length;
        let used = this.#begin(bytes, final && last);
        while (this.#cutter !== undefined && used < bytes.length) {
          const batch = new Batch();
          const consumed = this.#cutter.cut(bytes.subarray(used), this.#offset, batch, final && last);
          used += consumed;
          this.#advance(chunk, tail.length + used, consumed);
          if (!batch.empty) {
            // One batch is made durable while the next is cut, never two: a later one must not be kept without an earlier.
            if (inFlight !== undefined && !(await inFlight)) return "stopped";
            inFlight = this.#options.deliver(batch, this.entry());
            inFlight.catch(() => {});
          }
          if (this.#turnToLines()) continue;
          if (consumed === 0 && batch.empty) break;
        }
        this.rest = bytes.length - used;
        ended = last;
      }
      if (ended && final && this.file.damage !== undefined) {
        const batch = new Batch();
        const expected = `compressed data that can be read to its end: ${this.file.damage}`;
        batch.push(rawRecord(`${this.#token ?? "damaged"}:${this.#offset}`, Buffer.alloc(0), { code: "bad_encoding", expected }));
        if (inFlight !== undefined && !(await inFlight)) return "stopped";
        inFlight = this.#options.deliver(batch, this.entry());
      }
      if (inFlight !== undefined && !(await inFlight)) return "stopped";
      return ended ? "end" : "more";
    } catch (error) {
      await inFlight?.catch(() => {});
      throw error;
    }
  }

  /** What to remember, as of the last record cut. */
  entry(): Entry {
    const header = this.#cutter instanceof LineCutter ? this.#cutter.header : this.#restored.header;
    return {
      token: this.#token ?? "",
      generation: this.#identity.generation,
      inode: this.file.inode,
      head: shortHash(this.#head),
      headLength: this.#head.length,
      offset: this.#offset,
      tail: shortHash(this.#tail),
      headerStart: header?.start ?? 0,
      headerEnd: header?.end ?? 0,
      mode: this.#cutter instanceof DocumentCutter ? this.#cutter.state : "lines",
      partial: this.#cutter instanceof LineCutter && this.#cutter.partial,
    };
  }

  /** Decides token, encoding and shape from the first bytes, as soon as they tell; returns the bytes of a byte order mark. */
  #begin(bytes: Buffer, final: boolean): number {
    if (this.#cutter !== undefined) return 0;
    if (this.#token === undefined) {
      this.#head = Buffer.from(bytes.subarray(0, headBytes));
      if (!this.#mint(final)) return 0;
    }
    const { encoding, mark } = encodingOf(this.#head);
    const shape = encoding === "bytes" ? shapeOf(bytes.subarray(mark), final, this.#options.maxLineBytes) : "lines";
    if (shape === undefined) return 0;
    this.#encoding = encoding;
    this.#cutter = this.#makeCutter(shape === "lines" ? "lines" : "values");
    this.#offset = mark;
    this.#head = Buffer.from(bytes.subarray(0, mark));
    this.#tail = this.#head;
    return mark;
  }

  /** The token rests on the first line, so that it is the same however much of the file is there when it is met. */
  #mint(final: boolean): boolean {
    const lineFeed = this.#head.indexOf(0x0a);
    if (lineFeed < 0 && this.#head.length < headBytes && !(final && this.#head.length > 0)) return false;
    const first = lineFeed < 0 ? this.#head : this.#head.subarray(0, lineFeed);
    const { path, generation } = this.#identity;
    this.#token = shortHash(`${this.file.inode}\0${path}\0${generation}\0${first.toString("latin1")}`);
    return true;
  }

  #makeCutter(mode: Mode): Cutter {
    const token = this.#token!;
    const maxBytes = this.#options.maxLineBytes;
    if (mode !== "lines") return new DocumentCutter({ token, maxBytes: Math.max(maxBytes, maxItemBytes), state: mode });
    const lines = new LineCutter({ token, maxBytes, encoding: this.#encoding });
    lines.header = this.#restored.header;
    lines.partial = this.#restored.partial;
    return lines;
  }

  /** Twice what one record may hold, so that each read gets on. */
  #chunkBytes(): number {
    const record = this.#cutter instanceof DocumentCutter ? Math.max(maxItemBytes, this.#options.maxLineBytes) : this.#options.maxLineBytes;
    return Math.max(chunkBytes, record * 2);
  }

  /** What is not the JSON it looked like is read as lines from there on; nothing is lost. */
  #turnToLines(): boolean {
    if (!(this.#cutter instanceof DocumentCutter && this.#cutter.failed)) return false;
    this.#cutter = this.#makeCutter("lines");
    return true;
  }

  #advance(chunk: Buffer, at: number, consumed: number): void {
    const before = this.#offset;
    this.#offset += consumed;
    if (consumed === 0) return;
    if (before < headBytes) {
      const more = chunk.subarray(at - consumed, at).subarray(0, headBytes - this.#head.length);
      this.#head = Buffer.concat([this.#head, more]);
    }
    this.#tail = Buffer.from(chunk.subarray(Math.max(0, at - tailBytes), at));
  }

  async #readAt(at: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(Math.max(0, length));
    return bytes.subarray(0, length <= 0 ? 0 : await this.file.read(bytes, at));
  }
}

/** The text of a header's byte range, as the cutter made it line by line. */
const headerText = (bytes: Buffer, encoding: Encoding) => textOf(bytes, encoding).replaceAll("\r\n", "\n").replace(/\n$/, "");
