/** What the store promises to the rest, whichever driver is under it. Knows no driver. */
import type { Condition, View } from "@vedette/condition";
import type { Alert, AlertState, Event, EventClass, KeyStore, MachineStore, Micros, PeopleStore, Severity } from "@vedette/model";
import type { TimeRange } from "./range.ts";
import type { SeriesStore } from "./series.ts";

export type { TimeRange };

/** Events of one raw batch as transferable column bytes; made by `encodeEvents` in the worker that decoded them. */
export interface EncodedEvents {
  readonly count: number;
  readonly bytes: Uint8Array;
}

export interface EventQuery {
  readonly tenant: string;
  readonly range: TimeRange;
  readonly where: Condition;
}
export interface SeenQuery extends EventQuery {
  /** What who asks may see of the events: the answer is as if there were nothing else. Everything where absent. */
  readonly view?: View;
}
export interface EventPage {
  /** Newest first by (time, id) unless asked otherwise. */
  readonly events: readonly Event[];
  /** Opaque; absent at the end. */
  readonly cursor?: string;
}
/** Some candidates of a scan, as the store has them; `eventsOfPage` reads them where they are judged. */
export interface ScanPage {
  readonly rows: readonly string[];
  /** Stored events gone through so far, of about `stored` in all. */
  readonly read: number;
  readonly stored: number;
  /** Every candidate earlier than this has been handed over by now; it only grows. */
  readonly complete: Micros;
}
export interface ScanEstimate {
  /** Events stored in the range. */
  readonly stored: number;
  /** How many of them will be handed over. */
  readonly candidates: number;
  readonly seconds: number;
}
export interface Aggregate {
  readonly fn: "count" | "distinct" | "sum" | "avg" | "min" | "max" | "values";
  readonly field?: string;
  readonly as: string;
}

/** Events that are kept whatever their age: those with these ids, and those that satisfy `where`. */
export interface EventHold {
  readonly tenants: readonly string[];
  readonly range: TimeRange;
  readonly ids: readonly string[];
  readonly where?: Condition;
}

/** Whose batches they are: the engine of a partition of the raw topic, by the epoch it took the partition over under. */
export interface EventWriter {
  readonly partition: number;
  readonly epoch: number;
}

/** An event that the store will never take, and why. */
export interface RefusedEvent {
  readonly event: Event;
  readonly reason: string;
}

export interface EventStore {
  /**
   * Stores one raw batch's events; resolves when durable. A batch at or below an offset already applied is ignored, so a repeat changes nothing.
   * `received` (the batch's receive time) decides the partition hour. Where several processes write into one folder it needs the `writer`.
   * @returns those that are not stored, and would not be if they were put again
   * @throws VedetteError `conflict` where another has taken the writer's partition over
   */
  put(offset: number, received: Micros, events: EncodedEvents, writer?: EventWriter): Promise<readonly RefusedEvent[]>;
  /** The highest applied raw offset, -1 for none; everything up to it is stored. Asked by a `writer`, who is the partition's only one from then on. */
  applied(writer?: EventWriter): Promise<number>;
  search(
    query: SeenQuery & { readonly limit: number; readonly cursor?: string; readonly oldestFirst?: boolean },
    signal?: AbortSignal,
  ): Promise<EventPage>;
  /** Events by id, in the order asked for, unknown ones left out; `range` narrows where to look: ids carry no time. */
  get(tenant: string, ids: readonly string[], range?: TimeRange, view?: View): Promise<readonly Event[]>;
  /** Counts per bucket of `width` microseconds, empty buckets left out, `start` aligned to `width` from range.from. */
  histogram(
    query: SeenQuery & { readonly width: Micros },
    signal?: AbortSignal,
  ): Promise<readonly { readonly start: Micros; readonly count: number }[]>;
  /** The most frequent values of a field, with counts. */
  top(
    query: SeenQuery & { readonly field: string; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<readonly { readonly value: string; readonly count: number }[]>;
  /** `| stats` of the query language. */
  stats(
    query: SeenQuery & {
      readonly aggregates: readonly Aggregate[];
      readonly by: readonly string[];
      readonly sort?: { readonly by: string; readonly descending: boolean };
      readonly limit: number;
    },
    signal?: AbortSignal,
  ): Promise<readonly { readonly [column: string]: string | number | null }[]>;
  /**
   * Every event that satisfies `where`, and maybe others that a cheap look cannot tell from them: whoever asked evaluates them. Slices of
   * event time follow one another; within one there is no order. Ends when the caller stops taking pages, rejects when `signal` aborts.
   */
  scan(query: EventQuery, signal?: AbortSignal): AsyncIterable<ScanPage>;
  /** What a scan would come to, from a sample of a few partitions. */
  estimate(query: EventQuery, signal?: AbortSignal): Promise<ScanEstimate>;
  /** Seals what is due (hour over, or open rows above the cap); `all` seals everything open. */
  seal(all?: boolean): Promise<void>;
  /** Applies retention and quota per class: drops the oldest sealed partitions, but none with an event that is held, nor others in its place. */
  retain(
    policy: { readonly [C in EventClass]?: { readonly maxAge?: Micros; readonly maxBytes?: number } },
    holds?: readonly EventHold[],
  ): Promise<{ readonly dropped: number }>;
  /** Deletes events marked `vedette.demo`. */
  clearDemo(): Promise<number>;
  /**
   * Takes events away for good; asked again after a crash it ends well. `range` narrows where to look. What another process has not sealed yet
   * may stay: whoever asks looks again.
   * @returns how many went
   */
  remove(tenant: string, ids: readonly string[], range: TimeRange): Promise<number>;
  usage(): Promise<{
    readonly events: number;
    readonly openBytes: number;
    readonly sealedBytes: number;
    readonly originalBytes: number;
    readonly partitions: number;
    readonly oldest?: Micros;
    readonly newest?: Micros;
    /** Of the events stored, those whose files a restore has yet to bring: they are counted nowhere else, and no question finds them. */
    readonly restoring?: { readonly partitions: number; readonly events: number; readonly oldest: Micros; readonly newest: Micros };
  }>;
}

export interface AlertFilter {
  readonly tenant: string;
  readonly states?: readonly AlertState[];
  readonly severities?: readonly Severity[];
  readonly text?: string;
  readonly rule?: string;
  readonly entity?: string;
  readonly range?: TimeRange;
  /** Findings of rules on trial instead of alerts. */
  readonly shadow?: boolean;
  /** What historical loads gave instead of what live events did. */
  readonly historical?: boolean;
  /**
   * What who asks may see of the events: an alert is there where one event of its evidence is seen, and everything else asked for here is judged
   * on what is told of it then.
   */
  readonly view?: View;
}

/** What triage remembers of a finding it has folded into an alert. */
export interface FoldedFinding {
  readonly alert: string;
  readonly revision: number;
  /** Events counted so far, so that an amended finding adds only the difference. */
  readonly events: number;
}

/** Alerts; every method is one transaction. */
export interface AlertStore {
  /** Alerts currently open or acknowledged, by grouping key. */
  byGroup(keys: readonly string[]): Promise<ReadonlyMap<string, Alert>>;
  /** Alerts of a rule in any state, shadow too, by id after `after`; with the key they are grouped by. */
  ofRule(rule: string, limit: number, after?: string): Promise<readonly { readonly group: string; readonly alert: Alert }[]>;
  /** Which of these finding ids were folded into alerts before, with the revision last folded. */
  seen(findings: readonly string[]): Promise<ReadonlyMap<string, FoldedFinding>>;
  /**
   * Writes alerts, the findings folded into them, and triage's offset in the findings topic, in one transaction.
   * @param alerts `was`: `updated` of what was read and folded into, where there was one
   * @throws VedetteError `conflict` when somebody changed or made one meanwhile, or folded beyond the offset: then nothing is written
   */
  fold(
    offset: number,
    alerts: readonly { readonly group: string; readonly alert: Alert; readonly was?: Micros }[],
    findings: readonly (FoldedFinding & { readonly id: string })[],
  ): Promise<void>;
  /** Next findings batch to fold; 0 at first. */
  offset(): Promise<number>;
  list(
    filter: AlertFilter,
    limit: number,
    cursor?: string,
  ): Promise<{ readonly alerts: readonly Alert[]; readonly cursor?: string; readonly total: number }>;
  get(tenant: string, id: string, view?: View): Promise<Alert | undefined>;
  /** Replaces an alert if it is still at `updated`; false when somebody else changed it meanwhile. */
  replace(alert: Alert, updated: Micros): Promise<boolean>;
  /**
   * Alerts whose last change has a higher number than `after`, in that order, as they are now: what changed twice meanwhile is there once.
   * Numbers grow with every change, in the order of commits, and are never used again.
   */
  changed(after: number, limit: number): Promise<readonly { readonly serial: number; readonly alert: Alert }[]>;
  /** The number of the last change; 0 before the first. */
  lastChange(): Promise<number>;
  clearDemo(): Promise<number>;
}

export interface CheckpointRow {
  readonly shard: number;
  readonly key: string;
  readonly value: string;
}
/** Rows by name, by how their names begin, or those to be looked at by `due`, the earliest first. */
export type CheckpointRows =
  | { readonly keys: readonly Omit<CheckpointRow, "value">[] }
  | { readonly prefix: string }
  /** At most `due`, and at least `from` where it is given, earliest first. */
  | { readonly due: number; readonly from?: number; readonly limit: number };

/** A keyed consumer's memory: changed keys and offset commit together. */
export interface CheckpointStore {
  /** State of one consumer: its offset (next to read) and every key's state per shard; no keys where there are more than `most`. */
  load(
    consumer: string,
    most?: number,
  ): Promise<{
    readonly epoch: number;
    readonly offset: number;
    readonly meta: string | undefined;
    readonly keys: readonly CheckpointRow[];
    /** How many keys there are. */
    readonly count: number;
  }>;
  /** Where consumers stand, of those that ever were: what each says of itself, without its keys. */
  standing(
    consumers: readonly string[],
  ): Promise<readonly { readonly consumer: string; readonly offset: number; readonly meta: string | undefined }[]>;
  /** Some of a consumer's keys, as of its last commit. */
  rows(consumer: string, which: CheckpointRows): Promise<readonly CheckpointRow[]>;
  /** Takes ownership: returns a new epoch; commits with an older one are refused from now on. */
  acquire(consumer: string): Promise<number>;
  /** @throws VedetteError `conflict` when `epoch` is no longer the newest (a zombie writer). `value` undefined deletes the key. */
  commit(
    consumer: string,
    epoch: number,
    offset: number,
    meta: string,
    changed: readonly { readonly shard: number; readonly key: string; readonly value: string | undefined; readonly due?: number }[],
  ): Promise<void>;
}

/** Small named JSON documents of the runtime (tokens' hashes, demo mark); not for hot paths. */
export interface SettingStore {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string | undefined): Promise<void>;
  /** Where there is none of the name, in one step. @returns what is there */
  add(name: string, value: string): Promise<string>;
  /** Where it is still `from`, in one step. @returns whether it was */
  replace(name: string, from: string, to: string): Promise<boolean>;
}

/** A file of the store as of a snapshot. */
export interface SnapshotFile {
  /** Below the data directory, with slashes. */
  readonly path: string;
  /** Where it lies until the snapshot is released. */
  readonly from: string;
  /** Never changes under its name; an open segment grows. */
  readonly fixed: boolean;
  /** Sealed events and roll-ups: questions need them, detection does not. */
  readonly sealed: boolean;
  readonly bytes: number;
}
export interface Snapshot {
  readonly id: number;
  readonly files: readonly SnapshotFile[];
  /** As the state of the snapshot has it. */
  readonly alerts: number;
  readonly lastAlert: string | undefined;
  readonly sealedEvents: number;
  /** Of every consumer of the log. */
  readonly checkpoints: { readonly [consumer: string]: { readonly offset: number; readonly meta: string | undefined } };
}

/** What a backup takes of the store while it is written to. */
export interface SnapshotStore {
  /**
   * The state as of one moment, wherever it is, as a database file, and every file that it names: they stay until `release`. One at a time.
   * @param folder of the caller's, for what is copied
   */
  take(folder: string): Promise<Snapshot>;
  release(id: number): Promise<void>;
}

export interface Store {
  readonly events: EventStore;
  readonly series: SeriesStore;
  readonly alerts: AlertStore;
  readonly checkpoints: CheckpointStore;
  readonly settings: SettingStore;
  readonly keys: KeyStore;
  readonly machines: MachineStore;
  readonly people: PeopleStore;
  readonly snapshots: SnapshotStore;
  close(): Promise<void>;
}
