/** A finished log with known batches, and the damage tests do to it. For tests. */
import { decodeFrameHeader, SEGMENT_HEADER_BYTES } from "../frame.ts";
import type { Log } from "../log.ts";
import { openLogHere } from "../segments.ts";
import { type Choose, CrashDisk } from "./crash_disk.ts";
import { batchBytes, counter, readAll, stream } from "./model.ts";
import { seeded, seededBytes } from "./random.ts";

export const noSleep = { now: () => 0, sleep: async () => {} };

export async function openOn(disk: CrashDisk, choose: Choose, segmentBytes: number): Promise<Log> {
  return await openLogHere({ directory: "/d", segmentBytes, cacheBytes: 0 }, { disk, clock: noSleep, random: seededBytes(choose) });
}

export interface Place {
  readonly path: string;
  readonly position: number;
  readonly end: number;
  /** Offset of the batch these bytes hold; undefined for headers, snapshots and marks. */
  readonly offset: number | undefined;
}
export interface Finished {
  readonly disk: CrashDisk;
  readonly batches: number;
  readonly segmentBytes: number;
  readonly lastSegment: string;
  /** Every byte range of every segment, in order. */
  readonly places: readonly Place[];
}

/** A log of `batches` batches in raw/0, in groups, stopped cleanly. Every batch is its own number and has a position and a count. */
export async function finishedLog(
  batches: number,
  segmentBytes: number,
  size: (number: number, choose: Choose) => number,
): Promise<Finished> {
  const choose = seeded(7);
  const disk = new CrashDisk();
  await disk.mkdir("/d");
  const log = await openOn(disk, choose, segmentBytes);
  for (let number = 0; number < batches; ) {
    const group: Promise<number>[] = [];
    for (let left = 1 + choose(6); left > 0 && number < batches; left--, number++) {
      const options = { positions: [{ stream: stream(0), value: String(number) }], counts: { [counter(0)]: 1 } };
      group.push(log.append("raw", 0, batchBytes({ partition: 0, number }, size(number, choose)), options));
    }
    await Promise.all(group);
  }
  await log.close();
  const segments = disk.files().filter((path) => path.endsWith(".seg"));
  const places = segments.flatMap((path) => placesOf(path, Buffer.from(disk.bytesOf(path))));
  return { disk, batches, segmentBytes, lastSegment: segments.at(-1)!, places };
}

function placesOf(path: string, bytes: Buffer): Place[] {
  const places: Place[] = [{ path, position: 0, end: SEGMENT_HEADER_BYTES, offset: undefined }];
  for (let position = SEGMENT_HEADER_BYTES; position < bytes.length; ) {
    const header = decodeFrameHeader(bytes, position, undefined);
    if (header === undefined) throw new Error(`${path} is damaged at ${position} before the test damaged it`);
    places.push({ path, position, end: position + header.bytes, offset: header.snapshot ? undefined : header.offset });
    position += header.bytes;
  }
  return places;
}

/**
 * Opens a damaged copy and fails unless exactly the batches of `lost` are damaged, it is said, positions and counts are those of the
 * batches the state was made from, and the log goes on behind its old end, also after a restart.
 */
export async function assertOnlyLost(finished: Finished, disk: CrashDisk, lost: ReadonlySet<number>, says: boolean): Promise<void> {
  const { batches, segmentBytes } = finished;
  const choose = seeded(11);
  const log = await openOn(disk, choose, segmentBytes);
  const read = await readAll(log, 0);
  const wrong = (what: string) => new Error(`${what}; lost ${[...lost]}, damaged ${[...read.damaged]}, ${JSON.stringify(said)}`);
  const said = await log.damage();
  if (read.start !== 0 || read.end !== batches) throw wrong(`bounds ${read.start}..${read.end}, not 0..${batches}`);
  for (let offset = 0; offset < batches; offset++) {
    if (lost.has(offset) ? !read.damaged.has(offset) : read.batches.get(offset) !== offset) throw wrong(`offset ${offset}`);
  }
  if (says && said.length === 0) throw wrong("silent");
  const appended = await log.append("raw", 0, batchBytes({ partition: 0, number: batches }, 10));
  if (appended !== batches) throw wrong(`appended at ${appended}`);
  await log.close();
  const again = await openOn(disk, choose, segmentBytes);
  const reread = await readAll(again, 0);
  if (reread.batches.get(batches) !== batches || reread.batches.size !== read.batches.size + 1) throw wrong("after a restart");
  await again.close();
}

/** Flips one random bit of one random file and holds the log against it. */
export async function flipOnce(finished: Finished, choose: Choose): Promise<void> {
  const disk = finished.disk.copy();
  const files = disk.files();
  const path = files[choose(files.length)]!;
  const bytes = disk.bytesOf(path);
  const at = choose(bytes.length);
  bytes[at]! ^= 1 << choose(8);
  const place = finished.places.find((candidate) => candidate.path === path && at >= candidate.position && at < candidate.end);
  const lost = new Set(place?.offset === undefined ? [] : [place.offset]);
  try {
    // The mark's slots are padded: a flip there changes nothing.
    await assertOnlyLost(finished, disk, lost, place !== undefined || at % 512 < 48);
  } catch (cause) {
    throw new Error(`${path} flipped at ${at}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** Cuts `count` bytes off the last segment and holds the log against it. */
export async function truncateBy(finished: Finished, count: number): Promise<void> {
  const disk = finished.disk.copy();
  const path = finished.lastSegment;
  const size = disk.bytesOf(path).length - count;
  const file = await disk.open(path, "write");
  await file.truncate(size);
  await file.close();
  const lost = finished.places.filter((place) => place.path === path && place.end > size && place.offset !== undefined);
  try {
    await assertOnlyLost(finished, disk, new Set(lost.map(({ offset }) => offset!)), true);
  } catch (cause) {
    throw new Error(`cut by ${count}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
