/** One segment file as the partition keeps it in mind, and how one is made. Knows nothing of queues or recovery. */
import type { Disk, DiskFile } from "./disk.ts";
import { encodeFrame, encodeSegmentHeader, GroupBuffer, SALT_BYTES, SEGMENT_HEADER_BYTES } from "./frame.ts";
import type { Ledger } from "./ledger.ts";
import type { Topic } from "./log.ts";

/** Every so many bytes a reader remembers where it was: a seek walks at most this far over frame headers. */
const INDEX_STEP_BYTES = 64 << 10;

export interface Segment {
  readonly base: number;
  readonly path: string;
  /** Usable bytes: what follows is not read. */
  bytes: number;
  /** undefined where the header is damaged: taken from the first frame that reads. */
  salt: Uint8Array | undefined;
  readonly index: SparseIndex;
}

/** Positions of some frames, in order; filled as frames are written or walked over. */
export class SparseIndex {
  readonly #offsets: number[] = [];
  readonly #positions: number[] = [];

  note(offset: number, position: number): void {
    const last = this.#positions.at(-1) ?? SEGMENT_HEADER_BYTES;
    if (position < last + INDEX_STEP_BYTES) return;
    this.#offsets.push(offset);
    this.#positions.push(position);
  }

  /** The last noted frame at or before `offset`. */
  before(offset: number): { readonly offset: number; readonly position: number } | undefined {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#offsets[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? undefined : { offset: this.#offsets[low - 1]!, position: this.#positions[low - 1]! };
  }
}

export interface Place {
  readonly topic: Topic;
  readonly partition: number;
  /** `D/log/<topic>/<partition>` and, first, the folders above it up to one that exists already. */
  readonly directory: string;
  readonly parents: readonly string[];
}

export function markPath(place: Place): string {
  return `${place.directory}/mark`;
}

/** 20 digits hold 2^63; sorted by name is sorted by offset. */
export function segmentName(base: number): string {
  return `${String(base).padStart(20, "0")}.seg`;
}
/** Base offset of a segment's name; undefined for any other name. */
export function segmentBase(name: string): number | undefined {
  if (!/^\d{20}\.seg$/.test(name)) return undefined;
  const base = Number(name.slice(0, 20));
  return Number.isSafeInteger(base) ? base : undefined;
}

export async function makeFolders(disk: Disk, place: Place): Promise<void> {
  for (const directory of [...place.parents, place.directory]) await disk.mkdir(directory);
}

/** The folders exist. Durable on return: header, snapshot and the file's name. A file of that name never held an acknowledged batch, so it is replaced. */
export async function createSegment(
  disk: Disk,
  place: Place,
  base: number,
  previous: number,
  ledger: Ledger,
  random: (into: Uint8Array) => void,
): Promise<{ readonly segment: Segment; readonly file: DiskFile }> {
  const path = `${place.directory}/${segmentName(base)}`;
  if ((await disk.stat(path)) !== undefined) {
    await disk.unlink(path);
    await disk.syncDirectory(place.directory);
  }
  const salt = Buffer.alloc(SALT_BYTES);
  random(salt);
  const out = new GroupBuffer();
  const header = encodeSegmentHeader({ topic: place.topic, partition: place.partition, base, previous, salt });
  header.copy(out.bytes, out.grow(header.length));
  for (const payload of ledger.snapshot()) {
    encodeFrame(out, { offset: base, sequence: Math.max(0, ledger.sequence), payload, meta: undefined, snapshot: true }, salt, 0);
  }
  const file = await disk.open(path, "create");
  try {
    await file.write(out.content(), 0);
    await file.datasync();
    for (const directory of [place.directory, ...place.parents.toReversed()]) await disk.syncDirectory(directory);
  } catch (cause) {
    await file.close().catch(() => undefined);
    await disk.unlink(path).catch(() => undefined);
    throw cause;
  }
  return { segment: { base, path, bytes: out.length, salt, index: new SparseIndex() }, file };
}
