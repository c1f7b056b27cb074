/** Keeps segment files alike to a log that lies elsewhere: the same batches under the same offsets, with all that they say. Knows no server. */
import { UnavailableError } from "@vedette/kit";
import { encodeMeta, type Meta } from "./frame.ts";
import type { Ledger } from "./ledger.ts";
import type { Topic } from "./log.ts";
import type { Partition } from "./partition.ts";
import type { SegmentLog } from "./segments.ts";

/** A batch as it was appended; why it does not read where it is damaged. */
export interface Frame {
  readonly offset: number;
  readonly sequence: number;
  readonly meta: Meta | undefined;
  readonly payload: Uint8Array | string;
}
/** What a mirror reads. */
export interface FrameSource {
  bounds(topic: Topic, partition: number): Promise<{ readonly start: number; readonly end: number }>;
  /** As `Log.read`, none below `from`. */
  frames(topic: Topic, partition: number, from: number, maxBytes: number): Promise<readonly Frame[]>;
  /** What the batches before `next` have said, as of the newest snapshot. */
  snapshot(topic: Topic, partition: number): Promise<{ readonly ledger: Ledger; readonly next: number } | undefined>;
}

export interface MirrorPlace {
  readonly topic: Topic;
  readonly partition: number;
  /** What lies before it is not wanted, and every time it is copied anew; everything where it is not given. */
  readonly from?: number | undefined;
}
export interface Mirrored extends MirrorPlace {
  readonly start: number;
  readonly end: number;
}

const readBytes = 4 << 20;

/**
 * Each place as it is when its turn comes, one after the other. One that was cut short has to begin with nothing.
 * @throws UnavailableError `kafka_unavailable`
 */
export async function mirror(source: FrameSource, into: SegmentLog, places: readonly MirrorPlace[]): Promise<readonly Mirrored[]> {
  const done: Mirrored[] = [];
  for (const place of places) {
    const { start, end } = await mirrorPlace(source, into, place);
    done.push({ ...place, start, end });
  }
  return done;
}

async function mirrorPlace(source: FrameSource, into: SegmentLog, { topic, partition, from }: MirrorPlace): Promise<Partition> {
  // before the bounds: it says nothing of what lies behind them
  const snapshot = await source.snapshot(topic, partition);
  const { start, end } = await source.bounds(topic, partition);
  let copy = await into.copyOf(topic, partition);
  const begin = Math.max(start, Math.min(from ?? start, end));
  const fresh = copy.end < begin || copy.end > end || (from !== undefined && copy.start !== begin);
  if (fresh) copy = await into.beginAnew(topic, partition, begin);
  // of what a snapshot says, the batches before it say nothing any more
  let before = fresh ? snapshot : undefined;
  const reached = async (offset: number) => {
    if (before === undefined || before.next > offset) return;
    await copy.adopt(before.ledger);
    before = undefined;
  };
  while (copy.end < end) {
    const frames = await source.frames(topic, partition, copy.end, readBytes);
    if (frames.length === 0) throw new UnavailableError("kafka_unavailable", `${topic}/${partition} cannot be read at ${copy.end}`);
    const written: Promise<unknown>[] = [];
    let next = copy.end;
    for (const { offset, payload, meta, sequence } of frames) {
      if (before !== undefined && before.next <= offset) {
        await Promise.all(written);
        await reached(offset);
      }
      if (typeof payload === "string" || offset > next) {
        await Promise.all(written);
        while (copy.end < (typeof payload === "string" ? offset + 1 : offset)) await copy.skip();
      }
      next = offset + 1;
      if (typeof payload === "string") continue;
      const said = before === undefined && meta !== undefined ? encodeMeta(meta) : undefined;
      written.push(new Promise((resolve, reject) => copy.enqueue({ batch: payload, meta: said, sequence, resolve, reject })));
    }
    await Promise.all(written);
  }
  await reached(copy.end);
  if (from === undefined) await copy.retain(start, 0);
  return copy;
}
