/** One open segment's file: encoded batches as checksummed frames, durable before they are acknowledged. Knows nothing of what a batch holds. */
import { closeSync, fdatasync, fstatSync, ftruncateSync, openSync, readSync, writevSync } from "node:fs";
import { crc32 } from "node:zlib";

/** One stored batch. `offset` is the raw log's, `received` its receive time. */
export interface Frame {
  readonly offset: number;
  readonly received: number;
  readonly batch: Uint8Array;
}

const magic = 0x31465356; // "VSF1" as little-endian bytes
/** magic u32, crc32 u32 (of everything after it), batch length u32, zero u32, offset f64, received f64. */
const headBytes = 32;
/** No raw batch comes near this; a length above it is damage. */
const maxBatchBytes = 1 << 30;
/** Read at a time where a frame is only checked. */
const checkedBytes = 1 << 18;

function headOf(offset: number, received: number, batch: Uint8Array): Uint8Array {
  const head = new Uint8Array(headBytes);
  const view = new DataView(head.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(8, batch.length, true);
  view.setFloat64(16, offset, true);
  view.setFloat64(24, received, true);
  view.setUint32(4, crc32(batch, crc32(head.subarray(8))), true);
  return head;
}

/** What a frame's head says, and where its batch begins and ends. */
interface Head {
  readonly offset: number;
  readonly received: number;
  readonly at: number;
  readonly next: number;
  /** Checksum of the whole frame, and of what the head has of it. */
  readonly sum: number;
  readonly begun: number;
}

/** Where each batch from a byte position on begins, by the frames' heads alone: nothing is verified. Ends at the first that is no head. */
export function* batchesAt(fd: number, from: number, until: number): Generator<Head> {
  const head = new Uint8Array(headBytes);
  const view = new DataView(head.buffer);
  for (let at = from; at + headBytes <= until; ) {
    if (readSync(fd, head, 0, headBytes, at) < headBytes || view.getUint32(0, true) !== magic) return;
    const length = view.getUint32(8, true);
    const next = at + headBytes + length;
    if (length > maxBatchBytes || next > until) return;
    yield {
      offset: view.getFloat64(16, true),
      received: view.getFloat64(24, true),
      at: at + headBytes,
      next,
      sum: view.getUint32(4, true),
      begun: crc32(head.subarray(8)),
    };
    at = next;
  }
}

/** Whole frames in order from a byte position on, each with the position after it; ends at the first damaged one. */
export function* framesOf(fd: number, from: number, until: number): Generator<Frame & { readonly next: number }> {
  for (const { offset, received, at, next, sum, begun } of batchesAt(fd, from, until)) {
    const batch = new Uint8Array(next - at);
    if (readSync(fd, batch, 0, batch.length, at) < batch.length || crc32(batch, begun) !== sum) return;
    yield { offset, received, batch, next };
  }
}

/** As `framesOf`, without having a batch in memory whole. */
function* verifiedOf(fd: number, until: number): Generator<Head> {
  const block = new Uint8Array(checkedBytes);
  for (const head of batchesAt(fd, 0, until)) {
    let sum = head.begun;
    for (let at = head.at; at < head.next; at += checkedBytes) {
      const part = block.subarray(0, Math.min(checkedBytes, head.next - at));
      if (readSync(fd, part, 0, part.length, at) < part.length) return;
      sum = crc32(part, sum);
    }
    if (sum !== head.sum) return;
    yield head;
  }
}

/** An append-only file of frames. A failed append leaves the file as it was before. */
export class FrameFile {
  readonly path: string;
  private readonly fd: number;
  private end: number;
  constructor(path: string) {
    this.path = path;
    this.fd = openSync(path, "a+", 0o600);
    this.end = fstatSync(this.fd).size;
  }

  get bytes(): number {
    return this.end;
  }

  /** Cuts what follows the last whole frame: a torn write that was never acknowledged. */
  recover(): void {
    let end = 0;
    for (const { next } of this.verified()) end = next;
    if (end < this.end) this.cut(end);
  }

  /** As `framesOf`. */
  read(from: number, until = this.end): Generator<Frame & { readonly next: number }> {
    return framesOf(this.fd, from, until);
  }

  /** Where each batch lies, for whoever has verified them. */
  heads(until = this.end): Generator<Head> {
    return batchesAt(this.fd, 0, until);
  }

  /** Where each whole batch lies; a frame is checked without being in memory whole. */
  verified(until = this.end): Generator<Head> {
    return verifiedOf(this.fd, until);
  }

  /** Fills `into` with bytes of the file from a position on. @throws RangeError where it ends before */
  fill(at: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const read = readSync(this.fd, into, done, into.length - done, at + done);
      if (read === 0) throw new RangeError(`${this.path} ends early`);
      done += read;
    }
  }

  /** Writes a frame; durable only after `sync`. @throws the system's error (ENOSPC …), with the file cut back. */
  append(frame: Frame): void {
    const head = headOf(frame.offset, frame.received, frame.batch);
    const want = headBytes + frame.batch.length;
    try {
      let done = writevSync(this.fd, [head, frame.batch]);
      while (done < want) {
        const left = done < headBytes ? [head.subarray(done), frame.batch] : [frame.batch.subarray(done - headBytes)];
        done += writevSync(this.fd, left);
      }
      this.end += want;
    } catch (error) {
      this.cut(this.end);
      throw error;
    }
  }

  /** Cuts the file back to an earlier length. */
  cut(bytes: number): void {
    ftruncateSync(this.fd, bytes);
    this.end = bytes;
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => fdatasync(this.fd, (error) => (error === null ? resolve() : reject(error))));
  }

  close(): void {
    closeSync(this.fd);
  }
}
