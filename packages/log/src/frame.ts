/** The stored bytes of a segment: its header and its frames (docs/format/log.md). Does no I/O and knows no topic's content. */
import * as zlib from "node:zlib";
import { crc32c } from "./crc32c.ts";
import { noEncryption, Seals } from "./seal.ts";

export const SEGMENT_HEADER_BYTES = 128;
export const FRAME_HEADER_BYTES = 56;
export const SALT_BYTES = 8;
/** Bound on the stored, raw and metadata length of one frame: what a damaged but lucky header may make us allocate. */
export const FRAME_LENGTH_LIMIT = 1 << 26;
/** Below this zstd costs more (a context a call) than the disk it saves: measured, 300 B of JSON shrink by 90 B for 20 µs. */
const COMPRESS_FROM_BYTES = 512;
const FORMAT_VERSION = 1;
const SEGMENT_MAGIC = Buffer.from("VEDLOGSG", "latin1");
/** `VLF1` in file order. */
export const FRAME_MAGIC = Buffer.from("VLF1", "latin1");
const FRAME_MAGIC_NUMBER = FRAME_MAGIC.readUInt32LE(0);
const TOPIC_BYTES = 32;
const FLAG_ZSTD = 1;
const FLAG_SNAPSHOT = 2;
const FLAG_SEALED = 4;

export interface SegmentHeader {
  readonly topic: string;
  readonly partition: number;
  /** Offset of its first batch. */
  readonly base: number;
  /** Base of the segment before it when it was made; its own base for the first: a missing file shows. */
  readonly previous: number;
  /** Random, repeated in every frame: bytes inside a batch cannot pass for a frame of this segment. */
  readonly salt: Uint8Array;
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(bytes, 0);
  bytes.writeUInt16LE(FORMAT_VERSION, 8);
  bytes.writeUInt16LE(SEGMENT_HEADER_BYTES, 10);
  bytes.writeUInt32LE(header.partition, 12);
  writeOffset(bytes, header.base, 16);
  writeOffset(bytes, header.previous, 24);
  bytes.set(header.salt, 32);
  bytes.write(header.topic, 40, TOPIC_BYTES, "latin1");
  bytes.writeUInt32LE(crc32c(bytes, 0, SEGMENT_HEADER_BYTES - 4), SEGMENT_HEADER_BYTES - 4);
  return bytes;
}

/** undefined if the bytes are not an intact header of this version. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || !bytes.subarray(0, 8).equals(SEGMENT_MAGIC)) return undefined;
  if (crc32c(bytes, 0, SEGMENT_HEADER_BYTES - 4) !== bytes.readUInt32LE(SEGMENT_HEADER_BYTES - 4)) return undefined;
  if (bytes.readUInt16LE(8) !== FORMAT_VERSION) return undefined;
  const topic = bytes.toString("latin1", 40, 40 + TOPIC_BYTES);
  return {
    topic: topic.slice(0, topic.indexOf("\0")),
    partition: bytes.readUInt32LE(12),
    base: readOffset(bytes, 16),
    previous: readOffset(bytes, 24),
    salt: Buffer.from(bytes.subarray(32, 32 + SALT_BYTES)),
  };
}

/** Metadata of a batch frame, or the body of a snapshot frame. `null` prototype-free: pairs, never records. */
export interface Meta {
  readonly positions: readonly (readonly [stream: string, value: string])[];
  readonly counts: readonly (readonly [counter: string, value: number])[];
}
const noMeta: Meta = { positions: [], counts: [] };

export interface FrameHeader {
  readonly snapshot: boolean;
  readonly zstd: boolean;
  readonly sealed: boolean;
  readonly offset: number;
  /** Grows by one with each append to the whole log: says which of two partitions holds a stream's later position. */
  readonly sequence: number;
  readonly storedBytes: number;
  readonly rawBytes: number;
  readonly metaBytes: number;
  /** Where this frame's group began; all before it was on the medium when this frame was written. */
  readonly groupStart: number;
  readonly bodyChecksum: number;
  /** Header, metadata and payload together. */
  readonly bytes: number;
}

export interface FrameInput {
  readonly offset: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
  readonly meta: Uint8Array | undefined;
  readonly snapshot: boolean;
}

export function encodeMeta(meta: Meta): Uint8Array | undefined {
  if (meta.positions.length === 0 && meta.counts.length === 0) return undefined;
  return Buffer.from(JSON.stringify([meta.positions, meta.counts]));
}

/** Of intact bytes (the checksum held); undefined if they are of another shape, which only a foreign writer could cause. */
export function decodeMeta(bytes: Buffer): Meta | undefined {
  if (bytes.length === 0) return noMeta;
  try {
    const parsed: unknown = JSON.parse(bytes.toString());
    if (!Array.isArray(parsed)) return undefined;
    const [positions, counts] = parsed as unknown[];
    if (!pairs(positions, "string") || !pairs(counts, "number")) return undefined;
    return { positions: positions as Meta["positions"], counts: counts as Meta["counts"] };
  } catch {
    return undefined;
  }
}

function pairs(value: unknown, second: "string" | "number"): boolean {
  return Array.isArray(value) && value.every((pair) => Array.isArray(pair) && typeof pair[0] === "string" && typeof pair[1] === second);
}

/** Appends one frame to `out`. The payload is compressed where that helps; that of a batch is sealed where `seals` does. */
export function encodeFrame(out: GroupBuffer, frame: FrameInput, salt: Uint8Array, groupStart: number, seals?: Seals): void {
  const compressed = compress(frame.payload);
  const { offset, sequence, snapshot } = frame;
  const bound = { salt, offset, sequence, rawBytes: frame.payload.length, zstd: compressed !== undefined };
  // a snapshot says no more than the metadata of batches does, and start-up must not need a key
  const sealed = snapshot ? undefined : seals?.seal(compressed ?? frame.payload, bound);
  const stored = sealed ?? compressed ?? frame.payload;
  const metaBytes = frame.meta?.length ?? 0;
  const start = out.grow(FRAME_HEADER_BYTES + metaBytes + stored.length);
  const { bytes } = out;
  const body = start + FRAME_HEADER_BYTES;
  if (frame.meta !== undefined) bytes.set(frame.meta, body);
  bytes.set(stored, body + metaBytes);
  bytes.writeUInt32LE(FRAME_MAGIC_NUMBER, start);
  bytes.set(salt, start + 8);
  writeOffset(bytes, offset, start + 16);
  writeOffset(bytes, sequence, start + 24);
  bytes.writeUInt32LE(stored.length, start + 32);
  bytes.writeUInt32LE(frame.payload.length, start + 36);
  bytes.writeUInt32LE(metaBytes, start + 40);
  bytes.writeUInt32LE(groupStart, start + 44);
  bytes.writeUInt32LE(crc32c(bytes, body, body + metaBytes + stored.length), start + 48);
  bytes.writeUInt32LE((compressed ? FLAG_ZSTD : 0) | (snapshot ? FLAG_SNAPSHOT : 0) | (sealed ? FLAG_SEALED : 0), start + 52);
  bytes.writeUInt32LE(crc32c(bytes, start + 8, start + FRAME_HEADER_BYTES), start + 4);
}

const noSeals = new Seals(noEncryption, () => {});

function compress(payload: Uint8Array): Uint8Array | undefined {
  if (payload.length < COMPRESS_FROM_BYTES) return undefined;
  const packed = zlib.zstdCompressSync(payload, zstdFast);
  return packed.length < payload.length ? packed : undefined;
}
const zstdFast = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } };

/** undefined unless magic, checksum and bounds hold at `bytes[at]`. `salt` undefined accepts any segment's. */
export function decodeFrameHeader(bytes: Buffer, at: number, salt: Uint8Array | undefined): FrameHeader | undefined {
  if (at + FRAME_HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== FRAME_MAGIC_NUMBER) return undefined;
  if (crc32c(bytes, at + 8, at + FRAME_HEADER_BYTES) !== bytes.readUInt32LE(at + 4)) return undefined;
  if (salt !== undefined && bytes.compare(salt, 0, SALT_BYTES, at + 8, at + 8 + SALT_BYTES) !== 0) return undefined;
  const storedBytes = bytes.readUInt32LE(at + 32);
  const rawBytes = bytes.readUInt32LE(at + 36);
  const metaBytes = bytes.readUInt32LE(at + 40);
  if (storedBytes > FRAME_LENGTH_LIMIT || rawBytes > FRAME_LENGTH_LIMIT || metaBytes > FRAME_LENGTH_LIMIT) return undefined;
  const flags = bytes.readUInt32LE(at + 52);
  return {
    snapshot: (flags & FLAG_SNAPSHOT) !== 0,
    zstd: (flags & FLAG_ZSTD) !== 0,
    sealed: (flags & FLAG_SEALED) !== 0,
    offset: readOffset(bytes, at + 16),
    sequence: readOffset(bytes, at + 24),
    storedBytes,
    rawBytes,
    metaBytes,
    groupStart: bytes.readUInt32LE(at + 44),
    bodyChecksum: bytes.readUInt32LE(at + 48),
    bytes: FRAME_HEADER_BYTES + metaBytes + storedBytes,
  };
}

/** The batch of a frame at `bytes[at]`, freshly allocated, or why it does not read back. @throws VedetteError `sealed_key_missing` */
export function decodePayload(bytes: Buffer, at: number, header: FrameHeader, seals?: Seals): Uint8Array | string {
  const body = at + FRAME_HEADER_BYTES;
  const end = at + header.bytes;
  if (end > bytes.length) return "cut short";
  if (crc32c(bytes, body, end) !== header.bodyChecksum) return "checksum";
  const kept = bytes.subarray(body + header.metaBytes, end);
  const salt = bytes.subarray(at + 8, at + 8 + SALT_BYTES);
  const stored = header.sealed ? (seals ?? noSeals).open(kept, { ...header, salt }) : kept;
  if (typeof stored === "string") return stored;
  if (!header.zstd) return stored.length === header.rawBytes ? new Uint8Array(stored) : "length";
  try {
    const raw = zlib.zstdDecompressSync(stored, { maxOutputLength: header.rawBytes, chunkSize: Math.max(64, header.rawBytes) });
    // a small one lies in Node's pool, which is nobody's to give away
    return raw.length === header.rawBytes ? owned(raw) : "length";
  } catch (cause) {
    return `zstd: ${cause instanceof Error ? cause.message : cause}`;
  }
}

function owned(bytes: Buffer): Uint8Array {
  const { buffer, byteLength } = bytes;
  return buffer.byteLength === byteLength ? new Uint8Array(buffer) : new Uint8Array(bytes);
}

/** One write's worth of frames in a buffer that is kept between groups. */
export class GroupBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(1 << 16);
  length = 0;
  /** Reserves `count` bytes and returns where they start. */
  grow(count: number): number {
    const start = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const wider = Buffer.allocUnsafeSlow(Math.max(this.length, this.bytes.length * 2));
      this.bytes.copy(wider, 0, 0, start);
      this.bytes = wider;
    }
    return start;
  }
  content(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
  /** Forgets the content, and the memory too if a rare large group had widened it past `keepBytes`. */
  reset(keepBytes: number): void {
    this.length = 0;
    if (this.bytes.length > keepBytes) this.bytes = Buffer.allocUnsafeSlow(1 << 16);
  }
}

/** Offsets are whole numbers below 2^53, stored as 64 bits, little endian. */
export function writeOffset(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value >>> 0, at);
  bytes.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}
export function readOffset(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}
