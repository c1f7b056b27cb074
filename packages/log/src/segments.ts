/** The embedded driver: every partition of every topic in segment files under `D/log`. Runs in whatever thread calls it. */
import { randomFillSync } from "node:crypto";
import { BadInputError, type Clock, systemClock, UnavailableError } from "@vedette/kit";
import { TailCache } from "./cache.ts";
import { DamageLedger } from "./damage.ts";
import { type Disk, nodeDisk } from "./disk.ts";
import { encodeMeta } from "./frame.ts";
import { newestPositions, sumCounts } from "./ledger.ts";
import type { AppendOptions, Damaged, Entry, Log, Topic } from "./log.ts";
import { Partition, type Surroundings } from "./partition.ts";
import { type LogEncryption, noEncryption, type SealedBelow, Seals } from "./seal.ts";
import type { Place } from "./segment.ts";

export interface SegmentLogOptions {
  /** The data directory D; the log lives in `D/log`. Its parent must exist; the caller holds D's LOCK. */
  readonly directory: string;
  /** A segment is sealed when it has this many bytes: 64 MiB is scanned in well under a second at start-up. */
  readonly segmentBytes?: number;
  /** Bytes that may wait to be made durable before appends are refused with `backpressure`. */
  readonly queueBytes?: number;
  /** One batch; larger ones are refused with `too_large`. */
  readonly batchBytes?: number;
  /** Raw bytes written and synced together, at most (and at least one batch). */
  readonly groupBytes?: number;
  /** At most this long an append waits for company, and only while appends come faster than the disk syncs. */
  readonly linger_ms?: number;
  /** Newest batches kept in memory for readers at the tail. */
  readonly cacheBytes?: number;
  /** Keys of sealed batches, and whether new ones are sealed. */
  readonly encryption?: LogEncryption;
}

export const segmentLogDefaults = {
  segmentBytes: 64 << 20,
  queueBytes: 64 << 20,
  batchBytes: 16 << 20,
  groupBytes: 8 << 20,
  linger_ms: 2,
  cacheBytes: 8 << 20,
  encryption: noEncryption,
} as const;

/** What tests and the simulator put in place of the world. */
export interface World {
  readonly disk?: Disk;
  readonly clock?: Clock;
  /** Fills with bytes a sender cannot foresee (segments' salts). */
  readonly random?: (into: Uint8Array) => void;
}

export const topics = ["raw", "control", "observations", "findings", "dead"] as const satisfies readonly Topic[];
/** Far above any layout (64 shards); keeps a wrong number from making folders without end. */
const PARTITION_LIMIT = 65_536;
/** Positions and counts of one batch, encoded. */
const META_LIMIT_BYTES = 1 << 20;
/** What a waiting append costs beside its bytes: its promise and its place in the queue. */
const PENDING_BYTES = 512;

/** Opens (and where needed repairs) the log in this thread. @throws the system's error if the directory cannot be used at all. */
export async function openLogHere(options: SegmentLogOptions, world: World = {}): Promise<Log> {
  return await SegmentLog.open(options, world);
}

export class SegmentLog implements Log {
  readonly #options: Required<SegmentLogOptions>;
  readonly #around: Surroundings;
  readonly #partitions = new Map<string, Promise<Partition>>();
  readonly #opened: Partition[] = [];
  #sequence = 0;
  #waiting = 0;
  #inFlight = 0;
  #idle: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: Required<SegmentLogOptions>, around: Surroundings) {
    this.#options = options;
    this.#around = around;
  }

  static async open(given: SegmentLogOptions, world: World): Promise<SegmentLog> {
    const options = { ...segmentLogDefaults, ...given };
    const disk = world.disk ?? nodeDisk;
    const random = world.random ?? ((into: Uint8Array) => void randomFillSync(into));
    const log = new SegmentLog(options, {
      disk,
      clock: world.clock ?? systemClock,
      random,
      seals: new Seals(options.encryption, random),
      damage: new DamageLedger(disk, `${options.directory}/log/quarantine`),
      cache: new TailCache(options.cacheBytes),
      settings: options,
    });
    await disk.mkdir(options.directory);
    await disk.mkdir(`${options.directory}/log`);
    for (const topic of topics) {
      for (const name of await disk.list(`${options.directory}/log/${topic}`)) {
        if (/^\d{1,5}$/.test(name)) await log.#partition(topic, Number(name));
      }
    }
    for (const { ledger } of log.#opened) log.#sequence = Math.max(log.#sequence, ledger.sequence + 1);
    return log;
  }

  #partition(topic: Topic, partition: number, begin?: number): Promise<Partition> {
    const key = `${topic}/${partition}`;
    const known = this.#partitions.get(key);
    if (known !== undefined) return known;
    if (!topics.includes(topic) || !Number.isInteger(partition) || partition < 0 || partition >= PARTITION_LIMIT) {
      return Promise.reject(new BadInputError("bad_request", `There is no partition ${partition} of topic ${topic}.`));
    }
    const opening = this.#open(topic, partition, begin);
    this.#partitions.set(key, opening);
    opening.catch(() => this.#partitions.delete(key));
    return opening;
  }

  async #open(topic: Topic, partition: number, begin: number | undefined): Promise<Partition> {
    const { directory } = this.#options;
    const parents = [directory, `${directory}/log`, `${directory}/log/${topic}`];
    const place: Place = { topic, partition, directory: this.#folder(topic, partition), parents };
    const opened = await Partition.open(place, this.#around, begin);
    this.#opened.push(opened);
    return opened;
  }
  #folder(topic: Topic, partition: number): string {
    return `${this.#options.directory}/log/${topic}/${partition}`;
  }

  /** One partition with nothing else going on in it, for whoever makes a copy of another log. */
  async copyOf(topic: Topic, partition: number): Promise<Partition> {
    return await this.#partition(topic, partition);
  }
  /** Gives up what a partition has: it begins at an offset then. No append to it is under way, and nobody reads it. */
  async beginAnew(topic: Topic, partition: number, begin: number): Promise<Partition> {
    const { disk } = this.#around;
    const known = await this.#partitions.get(`${topic}/${partition}`);
    if (known !== undefined) {
      await known.close();
      this.#opened.splice(this.#opened.indexOf(known), 1);
      this.#partitions.delete(`${topic}/${partition}`);
    }
    const folder = this.#folder(topic, partition);
    // the mark (by name the last) first, then from the newest: cut short, what is left is whole as far as it goes
    const names = (await disk.list(folder)).toSorted().toReversed();
    for (const name of names) await disk.unlink(`${folder}/${name}`);
    return await this.#partition(topic, partition, begin);
  }

  append(topic: Topic, partition: number, batch: Uint8Array, options?: AppendOptions): Promise<number> {
    return this.appendOwned(topic, partition, new Uint8Array(batch), options);
  }

  /** As `append`, but the batch's bytes belong to the log from here on. */
  async appendOwned(topic: Topic, partition: number, batch: Uint8Array, options?: AppendOptions): Promise<number> {
    if (this.#closed !== undefined) throw closedError();
    const meta = encodeOptions(options);
    if (batch.length > this.#options.batchBytes || (meta?.length ?? 0) > META_LIMIT_BYTES) {
      throw new BadInputError("too_large", `A batch of ${batch.length} bytes is over the log's cap of ${this.#options.batchBytes}.`);
    }
    const cost = batch.length + (meta?.length ?? 0) + PENDING_BYTES;
    if (this.#waiting > 0 && this.#waiting + cost > this.#options.queueBytes) {
      throw new UnavailableError("backpressure", `${this.#waiting} bytes wait to be made durable.`);
    }
    this.#waiting += cost;
    this.#inFlight++;
    const sequence = this.#sequence++;
    try {
      const to = await this.#partition(topic, partition);
      return await new Promise((resolve, reject) => to.enqueue({ batch, meta, sequence, resolve, reject }));
    } finally {
      this.#waiting -= cost;
      if (--this.#inFlight === 0) this.#idle?.();
    }
  }

  async read(topic: Topic, partition: number, from: number, maxBytes: number): Promise<readonly (Entry | Damaged)[]> {
    if (this.#closed !== undefined) throw closedError();
    return await (await this.#partition(topic, partition)).read(from, maxBytes);
  }
  async wait(topic: Topic, partition: number, offset: number, signal: AbortSignal): Promise<void> {
    if (this.#closed !== undefined) throw closedError();
    await (await this.#partition(topic, partition)).wait(offset, signal);
  }
  async bounds(topic: Topic, partition: number): Promise<{ readonly start: number; readonly end: number }> {
    const { start, end } = await this.#partition(topic, partition);
    return { start, end };
  }

  async positions(): Promise<ReadonlyMap<string, string>> {
    return newestPositions(this.#opened.map(({ ledger }) => ledger));
  }
  async counts(): Promise<ReadonlyMap<string, number>> {
    return sumCounts(this.#opened.map(({ ledger }) => ledger));
  }

  async retain(topic: Topic, partition: number, before: number, keepBytes: number): Promise<void> {
    await (await this.#partition(topic, partition)).retain(before, keepBytes);
  }
  /** What was sealed before lies below these offsets of each partition; what comes after begins a segment of its own. */
  async encrypt(encryption: LogEncryption): Promise<SealedBelow> {
    if (this.#closed !== undefined) throw closedError();
    this.#around.seals.change(encryption);
    // one that is being opened has been read with the keys of before
    await Promise.allSettled(this.#partitions.values());
    return Object.fromEntries(this.#opened.map((one) => [`${one.place.topic}/${one.place.partition}`, one.turn()]));
  }
  async damage(): ReturnType<Log["damage"]> {
    return this.#around.damage.entries();
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await Promise.allSettled(this.#partitions.values());
      await new Promise<void>((resolve) => {
        if (this.#inFlight === 0) resolve();
        else this.#idle = resolve;
      });
      await Promise.all(this.#opened.map((partition) => partition.close()));
    })();
    return this.#closed;
  }
}

export function closedError(): UnavailableError {
  return new UnavailableError("log_closed", "The log is closing; nothing was accepted.");
}

/** Positions and counts as stored. @throws BadInputError for a count that is not a finite number. */
export function encodeOptions(options: AppendOptions | undefined): Uint8Array | undefined {
  if (options === undefined) return undefined;
  const counts = Object.entries(options.counts ?? {});
  for (const [counter, value] of counts) {
    if (!Number.isFinite(value)) throw new BadInputError("bad_request", `The count ${counter} is not a finite number.`);
  }
  return encodeMeta({ positions: (options.positions ?? []).map(({ stream, value }) => [stream, value] as const), counts });
}
