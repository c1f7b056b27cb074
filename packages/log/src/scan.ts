/** Walks the frames of one segment and finds the way again after damage. Decides nothing about what to do with it. */
import { crc32c } from "./crc32c.ts";
import { type DiskFile, errorCode } from "./disk.ts";
import { decodeFrameHeader, FRAME_HEADER_BYTES, FRAME_MAGIC, type FrameHeader, SALT_BYTES, SEGMENT_HEADER_BYTES } from "./frame.ts";

/** A part of a file in memory; slides and widens as asked. What the medium refuses to give (EIO) reads as zeros, so as damage. */
export class Window {
  readonly #file: DiskFile;
  readonly #ahead: number;
  /** Bytes of the file that may be looked at. */
  readonly size: number;
  #storage: Buffer = Buffer.alloc(0);
  buffer: Buffer = Buffer.alloc(0);
  /** File position of `buffer[0]`. */
  start = 0;

  constructor(file: DiskFile, size: number, ahead: number) {
    this.#file = file;
    this.size = size;
    this.#ahead = ahead;
  }

  /** Makes [position, position + count) available and returns its index in `buffer`, until the next call; undefined if the file ends before. */
  async at(position: number, count: number): Promise<number | undefined> {
    if (position + count > this.size) return undefined;
    const inside = position - this.start;
    if (inside >= 0 && inside + count <= this.buffer.length) return inside;
    const length = Math.min(Math.max(count, this.#ahead), this.size - position);
    if (this.#storage.length < length) this.#storage = Buffer.allocUnsafeSlow(length);
    const buffer = this.#storage.subarray(0, length);
    try {
      const got = await this.#file.read(buffer, position);
      if (got < length) buffer.fill(0, got);
    } catch (cause) {
      if (errorCode(cause) !== "EIO") throw cause;
      buffer.fill(0);
    }
    this.buffer = buffer;
    this.start = position;
    return 0;
  }
}

export interface Found {
  readonly kind: "frame";
  readonly position: number;
  readonly header: FrameHeader;
  /** Index of the frame in the window's buffer, until the next step. */
  readonly at: number;
}
/** Bytes [position, end) hold no readable frame. */
export interface Hole {
  readonly kind: "hole";
  readonly position: number;
  readonly end: number;
  readonly reason: string;
  /** Offset of the lost frame where its header is intact. */
  readonly offset: number | undefined;
}

export interface Expectation {
  /** undefined until the segment header or, that being damaged, the first frame gave it. */
  salt: Uint8Array | undefined;
  /** Frames outside [next, limit) are not of this segment. `next` moves on with each batch. */
  next: number;
  readonly limit: number;
}

/** A frame header that fits, at `position`; its body may still be damaged or cut. */
async function headerAt(window: Window, position: number, expect: Expectation): Promise<FrameHeader | undefined> {
  const at = await window.at(position, FRAME_HEADER_BYTES);
  if (at === undefined) return undefined;
  const header = decodeFrameHeader(window.buffer, at, expect.salt);
  return header && fits(header, expect) ? header : undefined;
}

function fits(header: FrameHeader, expect: Expectation): boolean {
  return header.offset >= expect.next && (header.snapshot ? header.offset <= expect.limit : header.offset < expect.limit);
}

/** Position of the next frame header that fits, from `position` on; the window's size if there is none. */
async function resynchronise(window: Window, position: number, expect: Expectation): Promise<number> {
  let search = position;
  for (;;) {
    const at = await window.at(search, Math.min(FRAME_HEADER_BYTES, window.size - search));
    if (at === undefined || window.size - search < FRAME_HEADER_BYTES) return window.size;
    const hit = window.buffer.indexOf(FRAME_MAGIC, at);
    const last = window.start + window.buffer.length - FRAME_MAGIC.length + 1;
    if (hit < 0) {
      search = Math.max(search + 1, last);
      continue;
    }
    const candidate = window.start + hit;
    if ((await headerAt(window, candidate, expect)) !== undefined) return candidate;
    search = candidate + 1;
  }
}

/**
 * The frame or hole at `position`; undefined at the end. With `whole`, the frame lies wholly in the window and may be verified;
 * without, only its header does.
 */
export async function step(window: Window, position: number, expect: Expectation, whole: boolean): Promise<Found | Hole | undefined> {
  if (position >= window.size) return undefined;
  const header = await headerAt(window, position, expect);
  if (header === undefined) {
    const end = await resynchronise(window, position + 1, expect);
    return { kind: "hole", position, end, reason: end === window.size ? "no frame to the end" : "frame header", offset: undefined };
  }
  if (expect.salt === undefined) {
    const salt = (await window.at(position, FRAME_HEADER_BYTES))! + 8;
    expect.salt = Buffer.from(window.buffer.subarray(salt, salt + SALT_BYTES));
  }
  if (position + header.bytes > window.size) {
    return { kind: "hole", position, end: window.size, reason: "cut short", offset: header.snapshot ? undefined : header.offset };
  }
  const at = (await window.at(position, whole ? header.bytes : FRAME_HEADER_BYTES))!;
  return { kind: "frame", position, header, at };
}

/** Called for what a whole segment holds, in order. */
export interface Visitor {
  frame(found: Found, window: Window): void;
  hole(hole: Hole): void;
}

/** Verifies every frame of a segment from `position` on. */
export async function scan(window: Window, expect: Expectation, visitor: Visitor): Promise<void> {
  let position = SEGMENT_HEADER_BYTES;
  for (;;) {
    const found = await step(window, position, expect, true);
    if (found === undefined) return;
    if (found.kind === "hole") {
      visitor.hole(found);
      if (found.offset !== undefined) expect.next = found.offset + 1;
      position = found.end;
      continue;
    }
    const { header } = found;
    const body = found.at + FRAME_HEADER_BYTES;
    if (crc32c(window.buffer, body, found.at + header.bytes) === header.bodyChecksum) visitor.frame(found, window);
    else {
      const offset = header.snapshot ? undefined : header.offset;
      visitor.hole({ kind: "hole", position, end: position + header.bytes, reason: "checksum", offset });
    }
    if (!header.snapshot) expect.next = header.offset + 1;
    position += header.bytes;
  }
}
