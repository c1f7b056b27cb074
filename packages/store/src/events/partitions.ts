/** The set of open segments and sealed files: adds, seals, drops, and hands queries a stable view of it. Knows no query. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UnavailableError, VedetteError } from "@vedette/kit";
import type { EventClass, Micros } from "@vedette/model";
import type { State } from "../state/tables.ts";
import type { EncodedEvents, EventHold } from "../store.ts";
import type { Duck } from "./duck.ts";
import { HeldPartitions } from "./held.ts";
import { Manifest, type Partition } from "./manifest.ts";
import { Removal } from "./removal.ts";
import { type Folders, isDemo, literal, makeFolders, writeJoined, writeSegment, writeWithout } from "./sealed.ts";
import { Segment } from "./segment.ts";

export interface SealLimits {
  /** Rows after which a segment is sealed before its hour is over. */
  readonly rows: number;
  /** Bytes of its frames after which it is. */
  readonly bytes: number;
}
export type Policy = { readonly [C in EventClass]?: { readonly maxAge?: Micros; readonly maxBytes?: number } };

/** What a query reads: one SQL relation with its time bounds. */
export interface Source {
  readonly relation: string;
  readonly rows: number;
  readonly minTime: Micros;
  readonly maxTime: Micros;
  readonly odd: ReadonlySet<string> | readonly string[];
}
/** A stable view: nothing in it goes away before `release`. */
export interface View {
  readonly sources: readonly Source[];
  release(): void;
}

/** 3.6e9 µs: partitions begin with the hour of the receive time. */
export const hourWidth = 3_600_000_000;
/** Files of one hour and class that are joined into one, and rows from which a file is left alone. */
const joinedFiles = 16;
const joinedRows = 1_500_000;
export const hourOf = (received: Micros) => Math.floor(received / hourWidth);
const segmentFile = (number: number, hour: number) => `${String(number).padStart(10, "0")}-${hour}.frames`;

export interface SegmentFile {
  readonly number: number;
  readonly hour: number;
  readonly path: string;
}
/** Files of open segments in a folder, in order. */
export function segmentFiles(folder: string): readonly SegmentFile[] {
  const found = readdirSync(folder).flatMap((file) => {
    const match = /^(\d{10,})-(-?\d+)\.frames$/.exec(file);
    return match === null ? [] : [{ number: Number(match[1]), hour: Number(match[2]), path: join(folder, file) }];
  });
  return found.sort((a, b) => a.number - b.number);
}

/** What the set of files asks of its manifest. */
export type FileList = Pick<Manifest, "partitions" | "awaited" | "admit" | "applied" | "sealedSegment" | "add" | "replace">;
export interface PartitionsParts {
  readonly duck: Duck;
  readonly manifest: FileList;
  readonly folders: Folders;
  readonly limits: SealLimits;
  readonly now: () => Micros;
}
/** Of a folder that others read as well. */
export interface Continued {
  /** What whoever wrote before left open, in order. */
  readonly segments: readonly Segment[];
  readonly nextNumber: number;
}

/** That somebody else writes now is no trouble that passes. */
const unavailable = (cause: unknown) =>
  cause instanceof VedetteError && cause.code === "conflict"
    ? cause
    : new UnavailableError(
        "store_unavailable",
        `the event store took nothing of the batch: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );

export class Partitions {
  private readonly duck: Duck;
  private readonly manifest: FileList;
  private readonly folders: Folders;
  private readonly limits: SealLimits;
  private readonly held: HeldPartitions;
  private readonly now: () => Micros;
  /** Frozen segments in order, then the current one. */
  private segments: Segment[] = [];
  private current: Segment | undefined;
  private nextNumber = 0;
  private queue: Promise<unknown> = Promise.resolve();
  private sealing: Promise<void> | undefined;
  /** Tables being dropped: the database must not be closed under them. */
  private dropping: Promise<unknown> = Promise.resolve();
  /** Views in use by the order of their making, and what to remove once no view made before its burial is left. */
  private readonly views = new Set<number>();
  private graveyard: { readonly after: number; readonly removal: () => void }[] = [];
  private lastView = 0;
  /** Whether others read the sealed files: what is replaced stays until they are done with it. */
  private readonly shared: boolean;
  private constructor({ duck, manifest, folders, limits, now }: PartitionsParts, shared: boolean) {
    this.duck = duck;
    this.manifest = manifest;
    this.folders = folders;
    this.limits = limits;
    this.held = new HeldPartitions(duck);
    this.now = now;
    this.shared = shared;
  }

  static async open(duck: Duck, state: State, directory: string, limits: SealLimits, now: () => Micros): Promise<Partitions> {
    const manifest = await Manifest.open(state);
    const all = new Partitions({ duck, manifest, folders: await makeFolders(directory), limits, now }, false);
    await all.reconcile();
    return all;
  }

  /** Nothing is tidied up: what no row names may be another's. What is left open is sealed first. */
  static continued(parts: PartitionsParts, { segments, nextNumber }: Continued): Partitions {
    const all = new Partitions(parts, true);
    all.segments = [...segments];
    all.nextNumber = nextNumber;
    return all;
  }

  /** Brings the folder in line with the manifest, whatever a crash left: what no row names was not committed, what is sealed is not open. */
  private async reconcile(): Promise<void> {
    for (const file of readdirSync(this.folders.temporary)) rmSync(join(this.folders.temporary, file), { recursive: true });
    const named = new Set(this.manifest.partitions.map((one) => one.name));
    const found = new Set(readdirSync(this.folders.sealed));
    for (const file of found) if (!named.has(file)) rmSync(join(this.folders.sealed, file));
    await this.admit();
    this.nextNumber = this.manifest.sealedSegment + 1;
    for (const { number, hour, path } of segmentFiles(this.folders.open)) {
      if (number <= this.manifest.sealedSegment) {
        rmSync(path);
        continue;
      }
      this.segments.push(new Segment(this.duck, path, number, hour, this.applied));
      this.nextNumber = number + 1;
    }
    this.current = this.segments.at(-1);
  }

  /** Takes in what a restore has brought by now. What is to come is read first: its list goes when everything is there. */
  private async admit(): Promise<void> {
    const coming = new Set(existsSync(this.folders.awaited) ? readFileSync(this.folders.awaited, "utf8").split("\n") : []);
    await this.manifest.admit(new Set(readdirSync(this.folders.sealed)), coming);
  }

  get applied(): number {
    return this.segments.reduce((most, one) => Math.max(most, one.applied), this.manifest.applied);
  }

  /** Puts run one after the other, in the order they were called. */
  put(offset: number, received: Micros, events: EncodedEvents): Promise<void> {
    const done = this.queue.then(() => this.putNow(offset, received, events));
    this.queue = done.catch(() => {});
    return done;
  }

  private async putNow(offset: number, received: Micros, events: EncodedEvents): Promise<void> {
    if (offset <= this.applied) return;
    try {
      // Two segments' rows are what the memory limit holds: beyond that, sealing must catch up first.
      if (this.segments.length > 2) await this.sealFrozen();
      const hour = hourOf(received);
      if (this.current?.hour !== hour) {
        if (this.current !== undefined) this.startSealing();
        this.current = new Segment(
          this.duck,
          join(this.folders.open, segmentFile(this.nextNumber, hour)),
          this.nextNumber,
          hour,
          this.applied,
        );
        this.nextNumber++;
        this.segments.push(this.current);
      }
      await this.current.put({ offset, received, batch: events.bytes });
    } catch (error) {
      throw unavailable(error);
    }
    if (this.current.rows >= this.limits.rows || this.current.bytes >= this.limits.bytes) this.startSealing();
  }

  /** Freezes the current segment and seals in the background; a failure leaves everything readable and is tried again by `seal`. */
  private startSealing(): void {
    this.current = undefined;
    this.sealFrozen().catch(() => {});
  }

  async seal(all: boolean): Promise<void> {
    const freeze = this.queue.then(() => {
      if (this.current !== undefined && (all || this.current.hour < hourOf(this.now()))) this.current = undefined;
    });
    this.queue = freeze;
    await freeze;
    await this.sealFrozen();
  }

  private sealFrozen(): Promise<void> {
    const work = (this.sealing ?? Promise.resolve())
      .catch(() => {})
      .then(async () => {
        for (;;) {
          const [oldest] = this.segments;
          if (oldest === undefined || oldest === this.current) return;
          await this.sealOne(oldest);
        }
      });
    this.sealing = work;
    work.catch(() => {});
    return work;
  }

  private async sealOne(segment: Segment): Promise<void> {
    try {
      const partitions = segment.rows === 0 ? [] : await writeSegment(segment, this.folders);
      await this.manifest.add(segment.number, Math.max(this.manifest.applied, segment.applied), partitions);
    } catch (error) {
      throw unavailable(error);
    }
    this.segments = this.segments.filter((one) => one !== segment);
    this.bury(() => {
      rmSync(segment.path, { force: true });
      const close = () => segment.close();
      this.dropping = Promise.all([this.dropping, segment.dropTable().then(close, close)]);
    });
    await this.join(segment.hour);
  }

  /** Joins an hour's small files per class, so that a query opens few: every so many, and the rest once the hour is over. */
  private async join(hour: number): Promise<void> {
    const over = this.segments.every((one) => one.hour !== hour) && hour < hourOf(this.now());
    const classes = new Map<string, Partition[]>();
    for (const one of this.manifest.partitions) {
      if (one.hour !== hour || one.rows >= joinedRows) continue;
      const own = classes.get(one.class);
      if (own === undefined) classes.set(one.class, [one]);
      else own.push(one);
    }
    for (const own of classes.values()) {
      if (own.length < (over ? 2 : joinedFiles)) continue;
      const joined = await writeJoined(own, this.folders);
      await this.drop(own, [joined]);
    }
  }

  /** Does `removal` once no view that may still read the thing is left. */
  private bury(removal: () => void): void {
    this.graveyard.push({ after: this.lastView, removal });
    this.exhume();
  }

  private exhume(): void {
    const [oldest = Number.POSITIVE_INFINITY] = this.views;
    const free = this.graveyard.filter((one) => one.after < oldest);
    this.graveyard = this.graveyard.filter((one) => one.after >= oldest);
    for (const one of free) one.removal();
  }

  async view(range: { readonly from: Micros; readonly to: Micros } | undefined): Promise<View> {
    if (this.manifest.awaited.length > 0) await this.admit();
    const within = (min: Micros, max: Micros) => range === undefined || (max >= range.from && min < range.to);
    const sources: Source[] = [];
    const open: Segment[] = [];
    for (const one of this.segments) {
      if (one.rows > 0 && within(one.minTime, one.maxTime)) {
        open.push(one);
        sources.push({ relation: one.table, rows: one.rows, minTime: one.minTime, maxTime: one.maxTime, odd: one.odd });
      }
    }
    for (const one of this.manifest.partitions) {
      if (!within(one.min_time, one.max_time)) continue;
      const relation = literal(join(this.folders.sealed, one.name));
      sources.push({ relation, rows: one.rows, minTime: one.min_time, maxTime: one.max_time, odd: one.odd });
    }
    const release = this.hold();
    try {
      for (const one of open) await one.load();
    } catch (error) {
      release();
      throw error;
    }
    return { sources, release };
  }

  /** Keeps every file that is there, or comes, until it is let go. */
  hold(): () => void {
    const number = ++this.lastView;
    this.views.add(number);
    return () => {
      this.views.delete(number);
      this.exhume();
    };
  }

  private async drop(partitions: readonly Partition[], replacements: readonly Partition[]): Promise<void> {
    await this.manifest.replace(partitions, replacements);
    if (this.shared) return;
    for (const { name } of partitions) this.bury(() => rmSync(join(this.folders.sealed, name), { force: true }));
  }

  /** What is held counts for no quota: else newer events would have to make room for it. */
  async retain(policy: Policy, holds: readonly EventHold[] = []): Promise<number> {
    if (this.manifest.awaited.length > 0) await this.admit();
    const dropped: Partition[] = [];
    for (const [name, limits] of Object.entries(policy)) {
      const own = this.manifest.partitions.filter((one) => one.class === name).sort((a, b) => a.segment - b.segment);
      let bytes = own.reduce((sum, one) => sum + one.bytes, 0);
      const oldest = limits.maxAge === undefined ? Number.NEGATIVE_INFINITY : this.now() - limits.maxAge;
      for (const one of own) {
        // Age counts from the end of the hour it was received in: historical events are kept as long as fresh ones.
        const aged = (one.hour + 1) * hourWidth <= oldest;
        if (!aged && (limits.maxBytes === undefined || bytes <= limits.maxBytes)) continue;
        bytes -= one.bytes;
        if (!(await this.held.has(one, literal(join(this.folders.sealed, one.name)), holds))) dropped.push(one);
      }
    }
    if (dropped.length > 0) await this.drop(dropped, []);
    return dropped.length;
  }

  async clearDemo(): Promise<number> {
    await this.seal(true);
    let removed = 0;
    for (const one of this.manifest.partitions.filter((partition) => partition.demo > 0)) {
      const kept = await writeWithout(this.duck, one, this.folders, isDemo);
      await this.drop([one], kept === undefined ? [] : [kept]);
      removed += one.demo;
    }
    return removed;
  }

  /** Takes events out of the files that hold them; what is still open is sealed first. Files are joined meanwhile, so each is looked for anew. */
  async remove(tenant: string, ids: readonly string[], range: { readonly from: Micros; readonly to: Micros }): Promise<number> {
    await this.seal(true);
    return await Removal.of(this.duck, tenant, ids, async (removal) => {
      const done = new Set<string>();
      let removed = 0;
      for (;;) {
        const next = this.manifest.partitions.find((one) => !done.has(one.name) && one.max_time >= range.from && one.min_time < range.to);
        if (next === undefined) return removed;
        done.add(next.name);
        removed += await this.betweenSeals(() => this.removeFrom(next, removal, done));
      }
    });
  }

  /** Sealing joins files: one at a time may write a file anew. */
  private betweenSeals<T>(work: () => Promise<T>): Promise<T> {
    const turn = (this.sealing ?? Promise.resolve()).catch(() => {}).then(work);
    this.sealing = turn.then(
      () => {},
      () => {},
    );
    return turn;
  }

  private async removeFrom(partition: Partition, removal: Removal, done: Set<string>): Promise<number> {
    if (!this.manifest.partitions.includes(partition)) return 0;
    const count = await removal.countIn(join(this.folders.sealed, partition.name));
    if (count === 0) return 0;
    const kept = await writeWithout(this.duck, partition, this.folders, removal.test);
    if (kept !== undefined) done.add(kept.name);
    await this.drop([partition], kept === undefined ? [] : [kept]);
    return count;
  }

  usage() {
    let [events, openBytes, sealedBytes, originalBytes] = [0, 0, 0, 0];
    let oldest = Number.POSITIVE_INFINITY;
    let newest = Number.NEGATIVE_INFINITY;
    for (const one of this.segments) {
      events += one.rows;
      openBytes += one.bytes;
      originalBytes += one.originalBytes;
      oldest = Math.min(oldest, one.minTime);
      newest = Math.max(newest, one.maxTime);
    }
    for (const one of this.manifest.partitions) {
      events += one.rows;
      sealedBytes += one.bytes;
      originalBytes += one.original_bytes;
      oldest = Math.min(oldest, one.min_time);
      newest = Math.max(newest, one.max_time);
    }
    const partitions = this.segments.length + this.manifest.partitions.length;
    const times = events === 0 ? {} : { oldest, newest };
    return { events, openBytes, sealedBytes, originalBytes, partitions, ...times, ...this.awaited() };
  }

  private awaited() {
    const { awaited } = this.manifest;
    if (awaited.length === 0) return {};
    const events = awaited.reduce((sum, { rows }) => sum + rows, 0);
    const oldest = Math.min(...awaited.map((one) => one.min_time));
    const newest = Math.max(...awaited.map((one) => one.max_time));
    return { restoring: { partitions: awaited.length, events, oldest, newest } };
  }

  async close(): Promise<void> {
    await this.queue;
    await this.sealing?.catch(() => {});
    await this.dropping;
    for (const one of this.segments) one.close();
  }
}
