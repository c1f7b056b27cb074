/** Where a sink reads from: events again from the raw topic, findings from theirs, alerts by the number of their last change. Knows no receiver. */
import { compile, never } from "@vedette/condition";
import { alertParcel, eventParcel, findingParcel, type Parcel } from "@vedette/egress";
import type { Log } from "@vedette/log";
import type { AlertStore } from "@vedette/store";
import { programOf, tickOf } from "../batch.ts";
import { CanaryGate, type CanaryKey } from "../canary/mark.ts";
import type { Pool } from "../pool.ts";
import type { Program } from "../program.ts";
import type { FindingsBatch } from "../triage_runner.ts";
import { readWhen } from "./when.ts";

export const selections = ["alerts", "findings", "events"] as const;
export type Selection = (typeof selections)[number];

/** Where a sink has read to: one number, or one for each partition of the raw topic. */
export type Place = readonly number[];
export interface Page {
  /** Where to read on. */
  readonly next: Place;
  readonly parcels: readonly Parcel[];
  /** Read, and not asked for. */
  readonly skipped: number;
  /** Batches that the log had dropped, or that no longer read, before they were sent. */
  readonly missed: number;
}
export interface Feed {
  /** Where it begins and ends now. */
  bounds(): Promise<{ readonly start: Place; readonly end: Place }>;
  /** Undefined while there is nothing more. */
  read(from: Place): Promise<Page | undefined>;
}

export interface FeedOptions {
  readonly log: Log;
  readonly alerts: AlertStore;
  readonly pool: Pool;
  readonly program: (hash: string | undefined) => Program | undefined;
  readonly canaryKey?: CanaryKey;
  /** Of the raw topic; 1 without it. */
  readonly partitions?: number;
  /** Offset of a raw partition below which detection is done and its outputs are durable. */
  readonly durable: (partition: number) => number;
  /** Detection is behind: it has the workers for itself. */
  readonly busy: () => Promise<boolean>;
}

/** Raw batches decoded again at once: one job of a worker, whose answer is held in memory until it is sent. */
const rawBytes = 1_048_576;
const findingBytes = 1_048_576;
const alertsAtOnce = 200;

/** @param when as `readWhen` accepts it */
export function feedOf(select: Selection, when: string, options: FeedOptions): Feed {
  if (select === "events") return eventFeed(when, options);
  const read = readWhen(when);
  const wanted = compile("where" in read ? read.where : never);
  const keep = (parcels: readonly Parcel[]) => parcels.filter((one) => wanted(one));
  return select === "alerts" ? alertFeed(keep, options) : findingFeed(keep, options);
}

type Keep = (parcels: readonly Parcel[]) => readonly Parcel[];

/** Only what people work on: nothing of the demo, of rules on trial or of historical loads leaves. */
function alertFeed(keep: Keep, { alerts }: FeedOptions): Feed {
  return {
    // changes are numbered from 1
    bounds: async () => ({ start: [1], end: [(await alerts.lastChange()) + 1] }),
    async read([from = 1]) {
      const changed = await alerts.changed(from - 1, alertsAtOnce);
      if (changed.length === 0) return undefined;
      const shown = changed.filter(({ alert }) => !alert.demo && !alert.shadow && !alert.historical);
      const parcels = keep(shown.map(({ alert }) => alertParcel(alert)));
      return { next: [changed.at(-1)!.serial + 1], parcels, skipped: changed.length - parcels.length, missed: 0 };
    },
  };
}

function findingFeed(keep: Keep, { log }: FeedOptions): Feed {
  return {
    bounds: () => boundsOf(log, "findings", 1),
    async read([from = 0]) {
      const entries = await log.read("findings", 0, from, findingBytes);
      if (entries.length === 0) return undefined;
      let missed = entries[0]!.offset - from;
      const all = entries.flatMap((entry) => {
        if (!("bytes" in entry)) {
          missed++;
          return [];
        }
        const batch = JSON.parse(Buffer.from(entry.bytes).toString()) as FindingsBatch;
        return "retract" in batch ? [] : batch.findings;
      });
      const shown = all.filter((one) => one.canary === undefined && !one.shadow && !one.demo && !one.historical);
      const parcels = keep(shown.map(findingParcel));
      return { next: [entries.at(-1)!.offset + 1], parcels, skipped: all.length - parcels.length, missed };
    },
  };
}

/** Events are decoded a second time by the program they were taken under: the log is the buffer, whatever a receiver does. */
function eventFeed(when: string, options: FeedOptions): Feed {
  const { log, canaryKey, partitions = 1, busy } = options;
  const gates = Array.from({ length: partitions }, () => new CanaryGate(canaryKey));
  let turn = 0;
  return {
    bounds: () => boundsOf(log, "raw", partitions),
    async read(from) {
      if (await busy()) return undefined;
      for (let n = 0; n < partitions; n++) {
        const partition = turn++ % partitions;
        const page = await eventsOf(partition, from[partition]!, gates[partition]!, when, options);
        if (page) return { ...page, next: from.with(partition, page.next) };
      }
      return undefined;
    },
  };
}

/** What comes next in one partition of the raw topic. */
async function eventsOf(
  partition: number,
  from: number,
  gate: CanaryGate,
  when: string,
  { log, pool, program, durable }: FeedOptions,
): Promise<(Omit<Page, "next"> & { readonly next: number }) | undefined> {
  const limit = durable(partition);
  if (from >= limit) return undefined;
  const entries = (await log.read("raw", partition, from, rawBytes)).filter(({ offset }) => offset < limit);
  if (entries.length === 0) return undefined;
  let missed = entries[0]!.offset - from;
  let skipped = 0;
  const parcels: Parcel[] = [];
  const jobs = new Map<Program, { readonly offset: number; readonly bytes: Uint8Array }[]>();
  for (const entry of entries) {
    if (!("bytes" in entry)) missed++;
    else if (tickOf(entry.bytes) === undefined && typeof gate.admit(entry.offset, entry.bytes) !== "object") {
      const judged = program(programOf(entry.bytes));
      if (judged === undefined) missed++;
      else jobs.set(judged, [...(jobs.get(judged) ?? []), entry]);
    }
  }
  for (const [judged, some] of jobs) {
    const { selected = [], sources } = await pool.run({ entries: some, sample: false, store: false, select: when }, judged);
    for (const event of selected) parcels.push(eventParcel(event));
    skipped += Object.values(sources).reduce((n, one) => n + one.stored, 0) - selected.length;
  }
  return { next: entries.at(-1)!.offset + 1, parcels, skipped, missed };
}

async function boundsOf(log: Log, topic: "raw" | "findings", partitions: number): Promise<{ readonly start: Place; readonly end: Place }> {
  const all = await Promise.all(Array.from({ length: partitions }, (_, n) => log.bounds(topic, n)));
  return { start: all.map(({ start }) => start), end: all.map(({ end }) => end) };
}
