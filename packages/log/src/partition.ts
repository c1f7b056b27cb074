/** One partition: its queue of appends, the commit loop that makes them durable in groups, its readers. Knows no other partition. */
import { type Clock, defineCounter, defineHistogram, UnavailableError } from "@vedette/kit";
import type { TailCache } from "./cache.ts";
import type { DamageLedger } from "./damage.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { decodeMeta, encodeFrame, GroupBuffer } from "./frame.ts";
import type { Ledger } from "./ledger.ts";
import type { Damaged, Entry } from "./log.ts";
import { MarkFile } from "./mark.ts";
import { PartitionReader } from "./partition_reader.ts";
import { Recovery } from "./recover.ts";
import { scan, Window } from "./scan.ts";
import type { Seals } from "./seal.ts";
import { createSegment, makeFolders, markPath, type Place, type Segment } from "./segment.ts";

export interface PartitionSettings {
  readonly segmentBytes: number;
  readonly groupBytes: number;
  readonly linger_ms: number;
}

/** What all partitions of a log share. */
export interface Surroundings {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: (into: Uint8Array) => void;
  readonly damage: DamageLedger;
  readonly seals: Seals;
  readonly cache: TailCache;
  readonly settings: PartitionSettings;
}

/** An append that waits. `batch` and `meta` belong to the partition from here on. */
export interface Pending {
  readonly batch: Uint8Array;
  readonly meta: Uint8Array | undefined;
  readonly sequence: number;
  readonly resolve: (offset: number) => void;
  readonly reject: (cause: unknown) => void;
}

interface Active {
  readonly segment: Segment;
  readonly file: DiskFile;
}

const synced = defineHistogram("log_fsync_duration_seconds", "Time that fdatasync of a group of batches took.", ["topic"]);
const appended = defineCounter("log_batches_total", "Batches made durable in the log.", ["topic"]);
const written = defineCounter("log_written_bytes_total", "Bytes of frames written to the log, compressed.", ["topic"]);
const refused = defineCounter("log_append_failures_total", "Batches refused since the disk was full or failed.", ["topic"]);

/** Frames of one group: bounds what a crash can leave undecided, and the work between two yields. */
const GROUP_FRAMES = 1024;

export class Partition {
  readonly place: Place;
  readonly #around: Surroundings;
  readonly #reader: PartitionReader;
  readonly #segments: Segment[];
  readonly ledger: Ledger;
  #mark: MarkFile | undefined;
  #active: Active | undefined;
  /** Set by a failed write or sync: the active segment may hold bytes nobody acknowledged. */
  #suspect: "write" | "sync" | "sealed" | undefined;
  /** The next batch begins a segment. */
  #turning = false;
  /** Batches that are encoded and not durable yet. */
  #encoded = 0;
  #end: number;
  #queue: Pending[] = [];
  #running: Promise<void> | undefined;
  #marking: Promise<void> | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  #waiters: { readonly offset: number; readonly wake: () => void }[] = [];
  readonly #tail = new Map<number, Uint8Array>();
  readonly #group = new GroupBuffer();
  #lastGroup = 0;
  #lastStart = 0;

  private constructor(
    place: Place,
    around: Surroundings,
    state: { segments: Segment[]; end: number; ledger: Ledger; mark: MarkFile | undefined },
  ) {
    this.place = place;
    refused.add(0, place.topic);
    this.#around = around;
    this.#reader = new PartitionReader(around.disk, place, around.damage, around.seals);
    this.#segments = state.segments;
    this.#end = state.end;
    this.ledger = state.ledger;
    this.#mark = state.mark;
  }

  /** @param begin where one that has nothing begins */
  static async open(place: Place, around: Surroundings, begin = 0): Promise<Partition> {
    const found = await new Recovery(around.disk, place, around.damage).run();
    const recovered = found.segments.length === 0 ? { ...found, end: Math.max(found.end, begin) } : found;
    const partition = new Partition(place, around, recovered);
    const last = recovered.segments.at(-1);
    if (recovered.resume && last !== undefined) {
      partition.#active = { segment: last, file: await around.disk.open(last.path, "write") };
    } else if (last !== undefined || recovered.end > 0) {
      // Burnt offsets stay burnt only once a segment begins behind them; a full disk may put that off to the first append.
      await partition.#newSegment().catch(() => undefined);
    }
    partition.#writeMark();
    return partition;
  }

  get start(): number {
    return this.#segments[0]?.base ?? this.#end;
  }
  get end(): number {
    return this.#end;
  }

  enqueue(pending: Pending): void {
    this.#queue.push(pending);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // Appends of the same turn of the event loop belong to one group.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      await this.#linger();
      await this.#commit(this.#take());
    }
    this.#running = undefined;
  }

  /** A lone append is written at once; where the last group had company, the next may gather for what is left of the linger. */
  async #linger(): Promise<void> {
    const { clock, settings } = this.#around;
    if (this.#lastGroup < 2) return;
    const left = settings.linger_ms - (clock.now() - this.#lastStart) / 1000;
    if (left > 0 && this.#queue.length < this.#lastGroup) await clock.sleep(left);
  }

  #take(): Pending[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length && count < GROUP_FRAMES && (count === 0 || bytes < this.#around.settings.groupBytes)) {
      bytes += this.#queue[count++]!.batch.length;
    }
    return this.#queue.splice(0, count);
  }

  async #commit(group: Pending[]): Promise<void> {
    this.#lastStart = this.#around.clock.now();
    this.#lastGroup = group.length;
    let stage: "write" | "sync" | undefined;
    try {
      const { segment, file } = await this.#ready();
      const positions = this.#encode(group, segment);
      this.#encoded = group.length;
      stage = "write";
      await file.write(this.#group.content(), segment.bytes);
      stage = "sync";
      await synced.time(() => file.datasync(), this.place.topic);
      this.#accept(group, segment, positions);
    } catch (cause) {
      refused.add(group.length, this.place.topic);
      this.#suspect = stage ?? this.#suspect;
      await this.#heal().catch(() => undefined);
      const message = `cannot append to ${this.place.topic}/${this.place.partition}: ${cause instanceof Error ? cause.message : cause}`;
      for (const { reject } of group) reject(new UnavailableError("log_full", message, { cause }));
    } finally {
      this.#encoded = 0;
      this.#group.reset(this.#around.settings.groupBytes);
    }
  }

  #encode(group: readonly Pending[], segment: Segment): number[] {
    const positions: number[] = [];
    for (const [index, { batch, meta, sequence }] of group.entries()) {
      positions.push(segment.bytes + this.#group.length);
      const frame = { offset: this.#end + index, sequence, payload: batch, meta, snapshot: false };
      encodeFrame(this.#group, frame, segment.salt!, segment.bytes, this.#around.seals);
    }
    return positions;
  }

  /** The group is durable: only now may anybody see it. */
  #accept(group: readonly Pending[], segment: Segment, positions: readonly number[]): void {
    const first = this.#end;
    for (const [index, { batch, meta, sequence }] of group.entries()) {
      segment.index.note(first + index, positions[index]!);
      const decoded = meta === undefined ? undefined : decodeMeta(Buffer.from(meta.buffer, meta.byteOffset, meta.length));
      if (decoded !== undefined) this.ledger.apply(decoded, sequence);
      this.#around.cache.put(this.#tail, first + index, batch);
    }
    segment.bytes += this.#group.length;
    appended.add(group.length, this.place.topic);
    written.add(this.#group.length, this.place.topic);
    this.#end = first + group.length;
    for (const [index, { resolve }] of group.entries()) resolve(first + index);
    this.#wake();
    this.#writeMark();
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const woken = this.#waiters.filter(({ offset }) => offset < this.#end);
    this.#waiters = this.#waiters.filter(({ offset }) => offset >= this.#end);
    for (const { wake } of woken) wake();
  }

  /** A segment with room, healed of what went wrong before. */
  async #ready(): Promise<Active> {
    await this.#heal();
    const active = this.#active;
    const turns = this.#turning && active?.segment.base !== this.#end;
    this.#turning = false;
    if (active !== undefined && !turns && active.segment.bytes < this.#around.settings.segmentBytes) return active;
    return await this.#newSegment();
  }

  async #newSegment(): Promise<Active> {
    const { disk, random } = this.#around;
    await makeFolders(disk, this.place);
    // Before the segment, whose creation syncs the folder for both.
    this.#mark ??= await MarkFile.open(disk, markPath(this.place)).catch(() => undefined);
    const last = this.#segments.at(-1);
    const made = await createSegment(disk, this.place, this.#end, last?.base ?? this.#end, this.ledger, random);
    const before = this.#active;
    if (last?.base === this.#end) this.#segments.pop();
    this.#segments.push(made.segment);
    this.#active = made;
    this.#suspect = undefined;
    await before?.file.close().catch(() => undefined);
    return made;
  }

  /**
   * Takes back what a failed write or sync may have left, before the group is refused, so that nothing of it is ever read. After a
   * failed fdatasync the page cache cannot be believed (it forgets the failure): the segment is verified and never written again.
   */
  async #heal(): Promise<void> {
    const active = this.#active;
    if (this.#suspect === undefined || active === undefined) return;
    const { segment } = active;
    if (this.#suspect === "write") {
      await active.file.truncate(segment.bytes);
      await active.file.datasync();
      this.#suspect = undefined;
      return;
    }
    if (this.#suspect === "sync") await this.#sealSuspect(active);
    this.#suspect = "sealed";
    await this.#newSegment();
  }

  async #sealSuspect({ segment, file }: Active): Promise<void> {
    const { disk, damage } = this.#around;
    await file.close().catch(() => undefined);
    const again = await disk.open(segment.path, "write");
    try {
      await again.truncate(segment.bytes);
      await again.datasync().catch(() => undefined);
      const { topic, partition } = this.place;
      const name = segment.path.slice(this.place.directory.length + 1);
      const report = (position: number, end: number, reason: string) =>
        damage.report({ topic, partition, where: `${topic}/${partition}/${name}@${position}`, reason, bytes: end - position });
      await scan(
        new Window(again, segment.bytes, 1 << 20),
        { salt: segment.salt, next: segment.base, limit: this.#end },
        {
          frame() {},
          hole: (hole) => report(hole.position, hole.end, hole.reason),
        },
      );
    } finally {
      await again.close().catch(() => undefined);
    }
  }

  /** Lets the next batch begin a segment. @returns an offset behind all that was encoded before now */
  turn(): number {
    this.#turning = true;
    return this.#end + this.#encoded;
  }

  /** An offset that nothing will ever be read of. No append is under way. */
  async skip(): Promise<void> {
    this.#end++;
    await this.#newSegment();
  }

  /** What batches up to here have said, in their place. No append is under way. */
  async adopt(ledger: Ledger): Promise<void> {
    for (const known of [this.ledger.positions, this.ledger.counts]) known.clear();
    for (const body of ledger.snapshot()) this.ledger.restore(body);
    await this.#newSegment();
  }

  /** Not awaited by anyone's append, and at most one write at a time: a late mark only proves less. */
  #writeMark(): void {
    const mark = this.#mark;
    if (mark === undefined || this.#marking !== undefined) return;
    const run = async () => {
      for (let written = -1; written !== this.#end; ) {
        const segment = this.#segments.at(-1);
        written = this.#end;
        await mark.write({ end: this.#end, segment: segment?.base ?? 0, bytes: segment?.bytes ?? 0 }, false);
      }
    };
    this.#marking = run()
      .catch(() => undefined)
      .finally(() => {
        this.#marking = undefined;
      });
  }

  async read(from: number, maxBytes: number): Promise<readonly (Entry | Damaged)[]> {
    const first = Math.max(Math.ceil(from), this.start);
    if (first >= this.#end) return [];
    const cached = this.#readTail(first, maxBytes);
    if (cached.length > 0) return cached;
    return await this.#exclusive(() => {
      const again = Math.max(first, this.start);
      return again < this.#end ? this.#reader.read(this.#segments, this.#end, again, maxBytes) : Promise.resolve([]);
    });
  }

  #readTail(from: number, maxBytes: number): Entry[] {
    const found: Entry[] = [];
    let room = maxBytes;
    for (let offset = from; offset < this.#end && (room > 0 || found.length === 0); offset++) {
      const bytes = this.#tail.get(offset);
      if (bytes === undefined) break;
      found.push({ offset, bytes: new Uint8Array(bytes) });
      room -= bytes.length;
    }
    return found;
  }

  /** Readers and retention take turns: no file is removed under a reader. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#reading.then(work);
    this.#reading = turn.catch(() => undefined);
    return turn;
  }

  wait(offset: number, signal: AbortSignal): Promise<void> {
    if (offset < this.#end || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiter = {
        offset,
        wake: () => {
          signal.removeEventListener("abort", abort);
          resolve();
        },
      };
      const abort = () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        resolve();
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiters.push(waiter);
    });
  }

  retain(before: number, keepBytes: number): Promise<void> {
    return this.#exclusive(async () => {
      const { disk } = this.#around;
      let total = this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
      for (;;) {
        const [oldest, next] = this.#segments;
        // The last one is never dropped: it is appended to, and its snapshot carries the state.
        if (oldest === undefined || next === undefined || next.base > before || total - oldest.bytes < keepBytes) return;
        await this.#reader.close();
        // Forgotten first: a reader asks for the start anew. Each unlink is synced, so that a crash leaves no gap in the middle.
        this.#segments.shift();
        total -= oldest.bytes;
        await disk.unlink(oldest.path);
        await disk.syncDirectory(this.place.directory);
      }
    });
  }

  /** Lets what waits be written, then lets go of the files. The caller has stopped appending. */
  async close(): Promise<void> {
    await this.#running;
    await this.#exclusive(() => this.#reader.close());
    await this.#marking;
    await this.#mark?.close().catch(() => undefined);
    await this.#active?.file.close().catch(() => undefined);
    for (const { wake } of this.#waiters) wake();
    this.#waiters = [];
  }
}
