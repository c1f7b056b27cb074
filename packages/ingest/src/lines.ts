/** Cuts a stream of bytes into lines, exact to the byte, with bounded memory. Knows nothing of files, sockets or formats. */
import { AuditGatherer, bodyOf, type MessageAt } from "./audit/gather.ts";
import { type Batch, keptBytes, Oversize, rawRecord, tooDeepFlaw } from "./batch.ts";
import { nestsTooDeep } from "./json_scan.ts";

/** UTF-16 text is passed on as UTF-8; everything else byte by byte. */
export type Encoding = "bytes" | "utf-16le" | "utf-16be";

/** The encoding a byte order mark announces, and the mark's length. */
export function encodingOf(head: Uint8Array): { readonly encoding: Encoding; readonly mark: number } {
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: "utf-16le", mark: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: "utf-16be", mark: 2 };
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: "bytes", mark: 3 };
  return { encoding: "bytes", mark: 0 };
}

/** Text as it is meant; half a UTF-16 unit at the end is left out. */
export function textOf(bytes: Buffer, encoding: Encoding): string {
  if (encoding === "bytes") return bytes.toString("utf8");
  const units = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)));
  if (encoding === "utf-16be") units.swap16();
  return units.toString("utf16le");
}

/** Takes whole records from the front of a piece of a stream. */
export interface Cutter {
  /**
   * Adds records to `batch` until it is full or the bytes end.
   * @param offset of `bytes[0]` in the stream: the number in the records' positions.
   * @param final no more bytes will follow (soon): what is left is a record too.
   * @returns bytes consumed; what is left must be given again, with more behind it. Records share memory with `bytes`.
   */
  cut(bytes: Buffer, offset: number, batch: Batch, final: boolean): number;
  /** Whether whole messages at the end of the bytes wait for more that may belong to them; absent where none ever do. */
  readonly holding?: boolean;
  /** They have waited long enough: the next cut takes them as they are. */
  settle?(): void;
}

/** Messages that belong together come together; after so long without another, no more of them is waited for. */
export const settle_ms = 500;

export interface LineOptions {
  /** Positions are `<token>:<offset>`. */
  readonly token: string;
  readonly maxBytes: number;
  readonly encoding?: Encoding;
}

/** Each new header begins a new batch: a Zeek log gets one at each rotation or restart, thousands are an attack. */
const maxHeaders = 1_000;

/** How a preamble stands in its stream: text and byte range. */
export interface Header {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** First lines of the headers that explain the lines below them: Zeek's TSV, W3C's extended log format, and what Slurm's sacct writes, with `--delimiter` of one's own too. */
const headerStarts = [
  ...["#separator", "#Software:", "#Version:", "#Fields:", "#Date:"],
  ...["|", ",", ";", "^", "~", "\t", "  "].flatMap((delimiter) => [`JobID${delimiter}`, `JobIDRaw${delimiter}`]),
].map((text) => Buffer.from(text));

/**
 * Lines ended by LF or CR LF. A block of `#` lines at the start of the stream, or a known header anywhere, becomes the batch's preamble;
 * `#` lines that are no such header are records as well. A line over `maxBytes` becomes a flawed record of its first 64 KiB.
 * The lines of one Linux audit event are one record.
 */
export class LineCutter implements Cutter {
  header: Header | undefined;
  /** The last record was a line whose end had not come yet; a line end that follows belongs to it. */
  partial = false;
  readonly #token: string;
  readonly #maxBytes: number;
  readonly #encoding: Encoding;
  readonly #unit: 1 | 2;
  #oversize: Oversize | undefined;
  #knownHeader = false;
  #headerBytes = 0;
  #headers = 0;
  readonly #audit = new AuditGatherer();

  constructor(options: LineOptions) {
    this.#token = options.token;
    this.#maxBytes = options.maxBytes;
    this.#encoding = options.encoding ?? "bytes";
    this.#unit = this.#encoding === "bytes" ? 1 : 2;
  }

  get holding(): boolean {
    return this.#audit.holding;
  }
  settle(): void {
    this.#audit.settle();
  }

  cut(bytes: Buffer, offset: number, batch: Batch, final: boolean): number {
    this.#audit.begin(bytes);
    const consumed = this.#cutLines(bytes, offset, batch, final);
    this.#audit.end();
    return consumed;
  }

  #cutLines(bytes: Buffer, offset: number, batch: Batch, final: boolean): number {
    batch.preamble = this.header?.text;
    let at = this.#oversize === undefined ? 0 : this.#continueOversize(bytes, batch, final);
    while (at < bytes.length && !batch.full) {
      const end = this.#lineEnd(bytes, at);
      if (end < 0) return at + this.#cutRest(bytes, at, offset, batch, final);
      const stop = this.#withoutReturn(bytes, at, end);
      if (this.partial && stop === at) {
        this.partial = false;
      } else if (this.#isHeader(bytes, at, stop, offset)) {
        // What came before belongs to the header before.
        if (!batch.empty && this.header?.end !== offset + at) break;
        const owned = this.#addHeader(bytes, at, stop, offset, end + this.#unit);
        batch.preamble = this.header?.text;
        if (!owned) this.#push(bytes, at, stop, end, offset, batch);
      } else if (this.#unit === 1 && stop - at <= this.#maxBytes && this.#audit.concerns(at, stop)) {
        const next = this.#cutAudit(bytes, at, offset, batch, final);
        if (next === at) return at;
        at = next;
        continue;
      } else {
        this.#push(bytes, at, stop, end, offset, batch);
        this.partial = false;
      }
      at = end + this.#unit;
    }
    return at;
  }

  /** Adds the records of audit events from the line at `from` on; stays there while more of them may come. */
  #cutAudit(bytes: Buffer, from: number, offset: number, batch: Batch, final: boolean): number {
    let partial = false;
    const lineAt: MessageAt = (at) => {
      const end = this.#lineEnd(bytes, at);
      if (end < 0 && (!final || at === bytes.length)) return bytes.length - at > this.#maxBytes ? "end" : undefined;
      partial = end < 0;
      const stop = partial ? bytes.length : this.#withoutReturn(bytes, at, end);
      if (at > from && (stop - at > this.#maxBytes || this.#isHeader(bytes, at, stop, offset))) return "end";
      return { start: at, next: partial ? stop : end + 1, body: bytes.subarray(at, stop) };
    };
    const gathered = this.#audit.gather(from, lineAt, final);
    if (gathered === undefined) return from;
    for (const lines of gathered.records) batch.push(rawRecord(`${this.#token}:${offset + lines[0]!.start}`, bodyOf(lines, bytes)));
    this.partial = partial && gathered.next === bytes.length;
    return gathered.next;
  }

  #push(bytes: Buffer, at: number, stop: number, end: number, offset: number, batch: Batch): void {
    const position = `${this.#token}:${offset + at}`;
    if (stop - at > this.#maxBytes) {
      const oversize = new Oversize(position, this.#maxBytes);
      // With its CR: of a line that passes by in pieces it is not known in time either.
      oversize.add(bytes.subarray(at, end));
      batch.push(oversize.record());
      return;
    }
    const body = this.#text(bytes, at, stop);
    const first = body[0];
    if ((first === 0x7b || first === 0x5b) && nestsTooDeep(body)) {
      batch.push(rawRecord(position, body.subarray(0, keptBytes), tooDeepFlaw));
    } else batch.push(rawRecord(position, body));
  }

  /** The bytes at the end that no line end follows (yet). */
  #cutRest(bytes: Buffer, at: number, offset: number, batch: Batch, final: boolean): number {
    const rest = bytes.length - at;
    if (rest > this.#maxBytes + this.#unit) {
      if (!batch.empty) return 0;
      this.#oversize = new Oversize(`${this.#token}:${offset + at}`, this.#maxBytes);
      this.#oversize.add(bytes.subarray(at));
      if (final) batch.push(this.#endOversize());
      return rest;
    }
    if (!final) return 0;
    this.#push(bytes, at, bytes.length, bytes.length, offset, batch);
    this.partial = true;
    return rest;
  }

  #continueOversize(bytes: Buffer, batch: Batch, final: boolean): number {
    const end = this.#lineEnd(bytes, 0);
    this.#oversize!.add(end < 0 ? bytes : bytes.subarray(0, end));
    if (end < 0 && !final) return bytes.length;
    batch.push(this.#endOversize());
    this.partial = end < 0;
    return end < 0 ? bytes.length : end + this.#unit;
  }
  #endOversize() {
    const record = this.#oversize!.record();
    this.#oversize = undefined;
    this.partial = true;
    return record;
  }

  #lineEnd(bytes: Buffer, from: number): number {
    if (this.#unit === 1) return bytes.indexOf(0x0a, from);
    const lineFeed = this.#encoding === "utf-16le" ? 0 : 1;
    for (let at = bytes.indexOf(0x0a, from); at >= 0; at = bytes.indexOf(0x0a, at + 1)) {
      if ((at - from) % 2 === lineFeed && bytes[lineFeed === 0 ? at + 1 : at - 1] === 0) return at - lineFeed;
    }
    return -1;
  }

  #withoutReturn(bytes: Buffer, at: number, end: number): number {
    if (end - at < this.#unit) return end;
    if (this.#unit === 1) return bytes[end - 1] === 0x0d ? end - 1 : end;
    const unit = this.#encoding === "utf-16le" ? bytes.readUInt16LE(end - 2) : bytes.readUInt16BE(end - 2);
    return unit === 0x0d ? end - 2 : end;
  }

  #isHeader(bytes: Buffer, at: number, stop: number, offset: number): boolean {
    const first = bytes[this.#encoding === "utf-16be" ? at + 1 : at];
    if (first === 0x4a) return this.#startsHeader(this.#text(bytes, at, stop));
    if (first !== 0x23) return false;
    const position = offset + at;
    // Only a byte order mark may stand before a header at the start of the stream.
    if (this.header === undefined && position <= 3) return true;
    if (this.header?.end === position) return true;
    return this.#startsHeader(this.#text(bytes, at, stop));
  }
  #startsHeader(line: Buffer): boolean {
    return headerStarts.some((start) => line.length >= start.length && line.compare(start, 0, start.length, 0, start.length) === 0);
  }
  #text(bytes: Buffer, at: number, stop: number): Buffer {
    return this.#unit === 1 ? bytes.subarray(at, stop) : Buffer.from(textOf(bytes.subarray(at, stop), this.#encoding));
  }

  /** False if the line is no known kind of header and has to be a record as well. */
  #addHeader(bytes: Buffer, at: number, stop: number, offset: number, next: number): boolean {
    const line = this.#text(bytes, at, stop);
    const continues = this.header?.end === offset + at;
    // A header restored after a restart has not been measured yet.
    if (continues && this.#headerBytes === 0) {
      this.#knownHeader = startsHeader(this.header!.text);
      this.#headerBytes = Buffer.byteLength(this.header!.text);
    }
    const known = continues ? this.#knownHeader : this.#startsHeader(line);
    const length = (continues ? this.#headerBytes : 0) + line.length + 1;
    // A preamble is at most 64 KiB, and headers are few; what is over that is a line like any other.
    if (length > keptBytes || (!continues && ++this.#headers > maxHeaders)) return false;
    this.#knownHeader = known;
    this.#headerBytes = length;
    const text = line.toString("utf8");
    this.header = continues
      ? { text: `${this.header!.text}\n${text}`, start: this.header!.start, end: offset + next }
      : { text, start: offset + at, end: offset + next };
    return known;
  }
}

const startsHeader = (text: string) => headerStarts.some((start) => text.startsWith(start.toString()));
