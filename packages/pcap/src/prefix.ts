/** The first bytes that one side of a TCP connection sent, put in order: enough to tell what is spoken. Knows no protocol. */

/** A TLS hello with post-quantum keys has some 1,800 bytes, a pool's answer with its first job 1,500. */
const maxBytes = 4_096;
/** Segments that wait for one before them. */
const maxWaiting = 8;

/** Bytes that all prefixes of a capture hold together. */
export class Budget {
  left: number;
  constructor(bytes: number) {
    this.left = bytes;
  }
}

export class Prefix {
  readonly #budget: Budget;
  /** Where the first byte stands that was sent and not captured. */
  #cut = maxBytes;
  #parts: Buffer[] = [];
  #waiting: { readonly at: number; readonly bytes: Buffer }[] = [];
  /** Sequence number of the first byte. */
  #first: number | undefined;
  #length = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** After this sequence number data begins. */
  startsAt(seq: number): void {
    this.#first ??= seq >>> 0;
  }

  /** @param length as sent; of a packet that was cut short the rest is put down as blanks, so that what comes after it is read too */
  add(seq: number, captured: Buffer, length = captured.length): void {
    if (this.#length >= maxBytes || captured.length === 0) return;
    this.#first ??= seq;
    const at = (seq - this.#first) | 0;
    const missing = Math.min(length - captured.length, maxBytes);
    if (missing > 0 && at >= 0) this.#cut = Math.min(this.#cut, at + captured.length);
    const payload = missing > 0 ? Buffer.concat([captured, Buffer.alloc(missing, 0x20)]) : captured;
    if (at >= maxBytes || at + payload.length <= this.#length) return;
    if (at > this.#length) {
      if (this.#waiting.length < maxWaiting) this.#wait(at, payload);
      return;
    }
    this.#append(payload.subarray(this.#length - at));
    this.#waiting.sort((a, b) => a.at - b.at);
    for (const { at: then, bytes } of this.#waiting.splice(0)) {
      if (then > this.#length) this.#waiting.push({ at: then, bytes });
      else if (then + bytes.length > this.#length) this.#append(bytes.subarray(this.#length - then));
    }
  }

  /** Up to where something is missing. */
  bytes(): Buffer {
    return this.text().subarray(0, this.#cut);
  }

  /** With blanks for what was not captured. */
  text(): Buffer {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0] ?? Buffer.alloc(0);
  }

  /** Gives its memory back. */
  drop(): void {
    for (const part of [...this.#parts, ...this.#waiting.map((w) => w.bytes)]) this.#budget.left += part.length;
    this.#parts = [];
    this.#waiting = [];
    this.#length = maxBytes;
  }

  #wait(at: number, payload: Buffer): void {
    const bytes = this.#copy(payload.subarray(0, maxBytes - at));
    if (bytes.length > 0) this.#waiting.push({ at, bytes });
  }

  #append(bytes: Buffer): void {
    const copy = this.#copy(bytes.subarray(0, maxBytes - this.#length));
    if (copy.length === 0) return;
    this.#parts.push(copy);
    this.#length += copy.length;
  }

  /** A copy: a view would hold the whole chunk of the file. */
  #copy(bytes: Buffer): Buffer {
    if (bytes.length > this.#budget.left) return Buffer.alloc(0);
    this.#budget.left -= bytes.length;
    return Buffer.from(bytes);
  }
}
