/** The log's files as they are for a backup: open, so that retention takes nothing of them, and cut after their last whole frame. Repairs nothing. */
import { type DiskFile, nodeDisk } from "./disk.ts";
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES } from "./frame.ts";
import type { Topic } from "./log.ts";
import { type Expectation, step, Window } from "./scan.ts";
import { segmentBase } from "./segment.ts";
import { topics } from "./segments.ts";

export interface HeldSegment {
  /** Below the data directory. */
  readonly path: string;
  /** What follows is no whole frame. */
  readonly bytes: number;
  /** No longer written to. */
  readonly closed: boolean;
  read(into: Uint8Array, position: number): Promise<number>;
}
export interface HeldLog {
  /**
   * Every segment as it is by now, those of `raw` last: what the others tell of was accepted before. Asked for after the state that rests on the
   * log was taken, they hold all that it rests on.
   */
  segments(): Promise<readonly HeldSegment[]>;
  /** Next offset of each `topic/partition`, as of the last `segments`. */
  readonly ends: ReadonlyMap<string, number>;
  release(): Promise<void>;
}

interface Open {
  readonly file: DiskFile;
  bytes: number;
}

/** Headers of the frames of many groups at a time. */
const windowBytes = 1 << 20;
/** A partition's number, as its folder is named. */
const partitionName = /^\d{1,5}$/;
const last: readonly Topic[] = ["control", "raw"];
const order: readonly Topic[] = [...topics.filter((topic) => !last.includes(topic)), ...last];

/** Holds what there is of `D/log` from now on. The log may be written to meanwhile. @param directory D */
export async function holdLog(directory: string): Promise<HeldLog> {
  const held = new Hold(directory);
  await held.take();
  return held;
}

class Hold implements HeldLog {
  readonly ends = new Map<string, number>();
  readonly #directory: string;
  readonly #open = new Map<string, Open>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Opens what is not open yet. @returns folders of partitions, in order */
  async take(): Promise<readonly string[]> {
    const places: string[] = [];
    for (const topic of order)
      for (const name of (await nodeDisk.list(`${this.#directory}/log/${topic}`)).toSorted()) {
        if (!partitionName.test(name)) continue;
        const place = `log/${topic}/${name}`;
        places.push(place);
        for (const file of await nodeDisk.list(`${this.#directory}/${place}`))
          if (segmentBase(file) !== undefined) await this.#hold(`${place}/${file}`);
      }
    return places;
  }

  async #hold(path: string): Promise<void> {
    const whole = `${this.#directory}/${path}`;
    // retention may have taken it just now
    const size = (await nodeDisk.stat(whole))?.bytes;
    const known = this.#open.get(path);
    if (known !== undefined) known.bytes = size ?? known.bytes;
    else if (size !== undefined) {
      const file = await nodeDisk.open(whole, "read").catch(() => undefined);
      if (file !== undefined) this.#open.set(path, { file, bytes: size });
    }
  }

  async segments(): Promise<readonly HeldSegment[]> {
    const all: HeldSegment[] = [];
    for (const place of await this.take()) {
      const paths = [...this.#open.keys()].filter((path) => path.startsWith(`${place}/`)).sort();
      for (const path of paths) {
        const { file, bytes } = this.#open.get(path)!;
        const closed = path !== paths.at(-1);
        const cut = closed ? { bytes, end: 0 } : await wholeFrames(file, bytes, segmentBase(path.slice(place.length + 1)) ?? 0);
        if (!closed) this.ends.set(place.slice("log/".length), cut.end);
        all.push({ path, bytes: cut.bytes, closed, read: (into, position) => file.read(into, position) });
      }
    }
    return all;
  }

  async release(): Promise<void> {
    for (const { file } of this.#open.values()) await file.close();
    this.#open.clear();
  }
}

/** Where the last whole frame of a segment that is written to ends, and the offset after its last batch. */
async function wholeFrames(file: DiskFile, size: number, base: number): Promise<{ readonly bytes: number; readonly end: number }> {
  const window = new Window(file, size, windowBytes);
  const start = await window.at(0, SEGMENT_HEADER_BYTES);
  // its creation is under way: nothing of it counts yet
  if (start === undefined) return { bytes: 0, end: base };
  const expect: Expectation = {
    salt: decodeSegmentHeader(window.buffer.subarray(start))?.salt,
    next: base,
    limit: Number.MAX_SAFE_INTEGER,
  };
  let bytes = SEGMENT_HEADER_BYTES;
  for (let position = bytes; ; ) {
    const found = await step(window, position, expect, false);
    if (found === undefined || (found.kind === "hole" && found.end >= size)) return { bytes, end: expect.next };
    if (found.kind === "hole") position = found.end;
    else {
      if (!found.header.snapshot) expect.next = found.header.offset + 1;
      position += found.header.bytes;
      bytes = position;
    }
  }
}
