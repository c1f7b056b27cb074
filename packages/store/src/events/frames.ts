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
    for (const { next } of this.read(0)) end = next;
    if (end < this.end) this.cut(end);
  }

  /** Whole frames in order from a byte position on, each with the position after it; ends at the first damaged one. */
  *read(from: number, until = this.end): Generator<Frame & { readonly next: number }> {
    const size = until;
    let at = from;
    const head = new Uint8Array(headBytes);
    const view = new DataView(head.buffer);
    while (at + headBytes <= size) {
      if (readSync(this.fd, head, 0, headBytes, at) < headBytes || view.getUint32(0, true) !== magic) break;
      const length = view.getUint32(8, true);
      if (length > maxBatchBytes || at + headBytes + length > size) break;
      const batch = new Uint8Array(length);
      if (readSync(this.fd, batch, 0, length, at + headBytes) < length) break;
      if (crc32(batch, crc32(head.subarray(8))) !== view.getUint32(4, true)) break;
      at += headBytes + length;
      yield { offset: view.getFloat64(16, true), received: view.getFloat64(24, true), batch, next: at };
    }
  }

  /** Bytes of the file, freshly allocated. @throws RangeError where it ends before them */
  part(at: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    if (readSync(this.fd, bytes, 0, length, at) < length) throw new RangeError(`${this.path} ends early`);
    return bytes;
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
