/** Finds where syslog messages end on a TCP stream: octet counting (RFC 6587 3.4.1, RFC 5425) or a line end, chosen message by message. Reads nothing of a message but its first byte. */
import { AuditGatherer, bodyOf, type MessageAt } from "../audit/gather.ts";
import { type Batch, Oversize, rawRecord } from "../batch.ts";
import type { Cutter } from "../lines.ts";

/** Digits of the longest count: 9,999,999 bytes. */
const maxDigits = 7;

export class SyslogCutter implements Cutter {
  readonly #token: string;
  readonly #maxBytes: number;
  readonly #peer: string | undefined;
  #miscounted: (() => void) | undefined;
  /** A message over the cap, passing by. `left`: bytes still to come; undefined: until the line ends. */
  #passing: { readonly oversize: Oversize; left: number | undefined } | undefined;
  readonly #audit = new AuditGatherer();

  /** @param options.miscounted called once, when a count does not end where a message does */
  constructor(options: {
    readonly token: string;
    readonly maxBytes: number;
    readonly peer: string | undefined;
    readonly miscounted?: () => void;
  }) {
    this.#token = options.token;
    this.#maxBytes = options.maxBytes;
    this.#peer = options.peer;
    this.#miscounted = options.miscounted;
  }

  get holding(): boolean {
    return this.#audit.holding;
  }
  settle(): void {
    this.#audit.settle();
  }

  cut(bytes: Buffer, offset: number, batch: Batch, final: boolean): number {
    this.#audit.begin(bytes);
    const consumed = this.#cutMessages(bytes, offset, batch, final);
    this.#audit.end();
    return consumed;
  }

  #cutMessages(bytes: Buffer, offset: number, batch: Batch, final: boolean): number {
    let at = this.#passing === undefined ? 0 : this.#pass(bytes, batch, final);
    while (at < bytes.length && !batch.full) {
      const byte = bytes[at]!;
      // Senders put line ends behind counted messages, and some NUL behind lines.
      if (isFiller(byte)) {
        at++;
        continue;
      }
      const found = this.#audit.concerns(at, bytes.length) ? this.#cutAudit(bytes, at, offset, batch, final) : undefined;
      if (found !== undefined) {
        if (found === at) return at;
        at = found;
        continue;
      }
      const header = byte >= 0x31 && byte <= 0x39 ? countAt(bytes, at, final) : undefined;
      if (header === "short") return at;
      const used =
        header === undefined ? this.#line(bytes, at, offset, batch, final) : this.#counted(bytes, at, header, offset, batch, final);
      if (used === 0) return at;
      at += used;
    }
    return at;
  }

  /** Adds the records of audit events from the message at `from` on; stays there while more of them may come. Undefined: the message there is none. */
  #cutAudit(bytes: Buffer, from: number, offset: number, batch: Batch, final: boolean): number | undefined {
    const first = this.#messageAt(bytes, from, final);
    if (first === undefined || first === "end" || !this.#audit.concerns(from, first.next)) return undefined;
    const messageAt: MessageAt = (at) => this.#messageAt(bytes, at, final);
    const gathered = this.#audit.gather(from, messageAt, final);
    if (gathered === undefined) return from;
    for (const messages of gathered.records) {
      const position = `${this.#token}:${offset + messages[0]!.start}`;
      batch.push(rawRecord(position, bodyOf(messages, bytes), undefined, undefined, this.#peer));
    }
    return gathered.next;
  }

  /** The message at `from` as it would be cut, where it is a plain one. */
  #messageAt(bytes: Buffer, from: number, final: boolean): ReturnType<MessageAt> {
    let at = from;
    while (at < bytes.length && isFiller(bytes[at]!)) at++;
    if (at >= bytes.length) return undefined;
    const header = bytes[at]! >= 0x31 && bytes[at]! <= 0x39 ? countAt(bytes, at, final) : undefined;
    if (header === "short") return undefined;
    const start = header === undefined ? at : at + header.length;
    const found = header === undefined ? bytes.indexOf(0x0a, at) : start + header.count;
    const whole = header === undefined ? found >= 0 : found <= bytes.length;
    const stop = whole ? found : bytes.length;
    if (stop - start > this.#maxBytes || (header !== undefined && header.count > this.#maxBytes)) return "end";
    if (!whole && !final) return undefined;
    // What stands behind a count that is wrong is told of where it is cut.
    if (header !== undefined && stop < bytes.length && !beginsMessage(bytes[stop]!)) return "end";
    const end = withoutTrailer(bytes, start, stop);
    return end === start ? "end" : { start: at, next: stop, body: bytes.subarray(start, end) };
  }

  #counted(bytes: Buffer, at: number, header: Count, offset: number, batch: Batch, final: boolean): number {
    const start = at + header.length;
    const end = start + header.count;
    if (header.count > this.#maxBytes) {
      this.#passing = { oversize: new Oversize(`${this.#token}:${offset + at}`, this.#maxBytes), left: header.count };
      return header.length + this.#pass(bytes.subarray(start), batch, final);
    }
    if (end > bytes.length && !final) return 0;
    const stop = Math.min(end, bytes.length);
    if (this.#miscounted !== undefined && stop < bytes.length && !beginsMessage(bytes[stop]!)) {
      this.#miscounted();
      this.#miscounted = undefined;
    }
    this.#push(bytes, at, start, stop, offset, batch);
    return stop - at;
  }

  #line(bytes: Buffer, at: number, offset: number, batch: Batch, final: boolean): number {
    const found = bytes.indexOf(0x0a, at);
    const end = found < 0 ? bytes.length : found;
    if (end - at > this.#maxBytes) {
      this.#passing = { oversize: new Oversize(`${this.#token}:${offset + at}`, this.#maxBytes), left: undefined };
      return this.#pass(bytes.subarray(at), batch, final);
    }
    if (found < 0 && !final) return 0;
    this.#push(bytes, at, at, end, offset, batch);
    return end - at;
  }

  #push(bytes: Buffer, at: number, start: number, stop: number, offset: number, batch: Batch): void {
    const end = withoutTrailer(bytes, start, stop);
    if (end > start) batch.push(rawRecord(`${this.#token}:${offset + at}`, bytes.subarray(start, end), undefined, undefined, this.#peer));
  }

  /** Consumes what belongs to the message that is passing by. */
  #pass(bytes: Buffer, batch: Batch, final: boolean): number {
    const passing = this.#passing!;
    const lineEnd = passing.left === undefined ? bytes.indexOf(0x0a) : -1;
    const stop = passing.left === undefined ? (lineEnd < 0 ? bytes.length : lineEnd) : Math.min(passing.left, bytes.length);
    passing.oversize.add(bytes.subarray(0, stop));
    if (passing.left !== undefined) passing.left -= stop;
    const ended = passing.left === undefined ? lineEnd >= 0 : passing.left === 0;
    if (ended || final) {
      const { position, body, flaw } = passing.oversize.record();
      batch.push(rawRecord(position, body, flaw, undefined, this.#peer));
      this.#passing = undefined;
    }
    return stop;
  }
}

interface Count {
  readonly count: number;
  /** Bytes of the count and its space. */
  readonly length: number;
}

/** A count is digits, a space and then a message, which begins with its priority; anything else that begins with a digit is a line. */
function countAt(bytes: Buffer, from: number, final: boolean): Count | "short" | undefined {
  let at = from;
  let count = 0;
  for (; at < bytes.length && bytes[at]! >= 0x30 && bytes[at]! <= 0x39; at++) {
    if (at - from >= maxDigits) return undefined;
    count = count * 10 + bytes[at]! - 0x30;
  }
  if (at + 1 >= bytes.length) return final ? undefined : "short";
  return bytes[at] === 0x20 && bytes[at + 1] === 0x3c ? { count, length: at + 1 - from } : undefined;
}

/** What senders put in between messages. */
const isFiller = (byte: number): boolean => byte === 0x0a || byte === 0x0d || byte === 0;
/** What stands behind a message: the next count, a priority, or what senders put in between. */
const beginsMessage = (byte: number): boolean => (byte >= 0x31 && byte <= 0x39) || byte === 0x3c || isFiller(byte);

/** Index behind the message without the line ends and NULs some senders add. */
export function withoutTrailer(bytes: Uint8Array, start: number, stop: number): number {
  let end = stop;
  while (end > start && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d || bytes[end - 1] === 0)) end--;
  return end;
}
