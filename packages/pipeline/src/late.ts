/** The catch-up lane's questions to the event store: what happened around events that came too late for their keys. Knows no detector's meaning. */
import type { Condition } from "@vedette/condition";
import { mergeTallies, type Tallied } from "@vedette/detect";
import type { Event, Finding, Micros, Observation } from "@vedette/model";
import { type EventStore, eventsOfPage } from "@vedette/store";
import { cameLate } from "./keyed/lane.ts";
import { before, widthOf } from "./keyed/order.ts";
import type { Around, KeyedDetector, KeyedEngine, LateItem } from "./keyed.ts";

/** An episode is followed back and on so far; what lasts longer, or is remembered for longer, is read whole. */
const maxSpan: Micros = 7 * 86_400_000_000;
/** Events read at once, some 80 MB: many keys share them; one key that needs more is given up and counted as skipped. */
const maxEvents = 40_000;
/** Everything that the store has. */
const whole: Range = { from: 0, to: Number.MAX_SAFE_INTEGER };

export interface Asked {
  readonly events: EventStore;
  /** Receive time of the newest event analysed: what the store holds beyond is another run's. */
  readonly reached: Micros;
  /** Which events belong together: those of historical loads, or the others. */
  readonly historical: boolean;
  readonly onProblem?: ((code: string, message: string | undefined) => void) | undefined;
}

interface Range {
  readonly from: Micros;
  readonly to: Micros;
}

/**
 * Folds keys again around what came too late for them: those of a detector whose times are near one another with one question.
 */
export async function catchUpLate(keyed: KeyedEngine, items: readonly LateItem[], asked: Asked): Promise<readonly Finding[]> {
  const { onProblem } = asked;
  const findings: Finding[] = [];
  for (const near of groupsOf(items)) {
    const detector = keyed.detector(near[0]!.detector);
    let around: ReadonlyMap<LateItem, Around> | undefined;
    try {
      around = detector?.again && (await aroundOf(detector, near, asked));
      onProblem?.("catch_up_blocked", undefined);
    } catch (e) {
      // a store that is busy or gone: what came too late waits on
      onProblem?.("catch_up_blocked", (e as Error).message);
      for (const item of near) keyed.lane.restore(item);
      continue;
    }
    for (const item of near) {
      const found = around?.get(item);
      if (found) findings.push(...keyed.catchUp(item, found));
      else keyed.counters.of(item.detector).skipped += item.count;
    }
  }
  return findings;
}

/** Items of one detector and tenant whose ranges touch. */
function groupsOf(items: readonly LateItem[]): readonly (readonly LateItem[])[] {
  const groups: LateItem[][] = [];
  for (const same of Map.groupBy(items, (item) => `${item.detector}\0${tenantOf(item)}`).values()) {
    let to = Number.NEGATIVE_INFINITY;
    for (const item of same.sort((a, b) => a.from - b.from)) {
      if (item.from - item.reach <= to) groups.at(-1)!.push(item);
      else groups.push([item]);
      to = Math.max(to, item.to + item.reach);
    }
  }
  return groups;
}

const tenantOf = ({ key }: LateItem): string => key.slice(0, key.indexOf("\0"));

/** What is left out would have needed more of the past than is read. */
async function aroundOf(detector: KeyedDetector, items: readonly LateItem[], asked: Asked): Promise<ReadonlyMap<LateItem, Around>> {
  const { reached, historical } = asked;
  const found = new Map<LateItem, Around>();
  const reach = Math.max(...items.map((item) => item.reach), widthOf(detector));
  let left = items;
  let range = rangeOf(detector, left, reach);
  while (left.length > 0) {
    if (range.to - range.from > maxSpan) range = whole;
    const events = await eventsOf(detector, left, range, asked.events);
    if (!events) {
      if (left.length === 1) return found;
      const half = left.length >> 1;
      for (const part of [left.slice(0, half), left.slice(half)])
        for (const [item, around] of await aroundOf(detector, part, asked)) found.set(item, around);
      return found;
    }
    const known = byKey(
      detector,
      events.filter((e) => e.received <= reached && (e.fields["vedette.historical"] === true) === historical),
    );
    const open: LateItem[] = [];
    for (const item of left) {
      const around = known(item);
      const [first, last] = [around.all[0]?.time ?? item.from, around.all.at(-1)?.time ?? item.to];
      // an episode that goes on beyond the range would be cut: its memory must have lapsed before and after
      const closed = first - range.from >= reach && (range.to - last > reach || range.to > reached);
      if (closed || range.from === 0) found.set(item, around);
      else open.push(item);
    }
    left = open;
    const width = range.to - range.from;
    range = { from: aligned(range.from - width, detector), to: range.to + width };
  }
  return found;
}

function rangeOf(detector: KeyedDetector, items: readonly LateItem[], reach: Micros): Range {
  const from = Math.min(...items.map((item) => item.from)) - reach;
  const to = Math.max(...items.map((item) => item.to)) + reach;
  return { from: aligned(from, detector), to: aligned(to, detector) + widthOf(detector) + 1 };
}

const aligned = (time: Micros, detector: KeyedDetector): Micros => {
  const width = widthOf(detector);
  return width === 0 ? time : Math.floor(time / width) * width;
};

/** @returns undefined where there are more than are read at once */
async function eventsOf(
  { again }: KeyedDetector,
  items: readonly LateItem[],
  range: Range,
  store: EventStore,
): Promise<readonly Event[] | undefined> {
  const where: Condition = { op: "and", of: [again!.where, ...valuesOf(items)] };
  const events: Event[] = [];
  for await (const page of store.scan({ tenant: tenantOf(items[0]!), range, where })) {
    for (const event of eventsOfPage(page)) events.push(event);
    if (events.length > maxEvents) return undefined;
  }
  return events;
}

/** Each field of the keys has one of their values: lets through some of no key's, and is asked at once for all. */
function valuesOf(items: readonly LateItem[]): readonly Condition[] {
  const values = new Map<string, Map<string, Condition>>();
  for (const { by } of items)
    for (const [field, value] of Object.entries(by)) {
      const known = values.get(field) ?? new Map<string, Condition>();
      values.set(field, known.set(String(value), { op: "eq", field, value }));
    }
  // a field that some keys are not asked by leaves the others undecided
  return [...values]
    .filter(([field]) => items.every(({ by }) => Object.hasOwn(by, field)))
    .map(([, of]) => ({ op: "or", of: [...of.values()] }));
}

/** Each key's observations of the events, each event once, in order; those of one bucket as one. */
function byKey(detector: KeyedDetector, events: readonly Event[]): (item: LateItem) => Around {
  const copies = new Map<string, Event[]>();
  for (const e of events) {
    const same = copies.get(e.id);
    if (same) same.push(e);
    else copies.set(e.id, [e]);
  }
  // of an event that was stored more often than it came late, one copy had come in time
  const late = (item: LateItem, id: string, start?: Micros) => copies.get(id)!.every((e) => cameLate(item, e, start));
  const once = [...copies.values()].map((same) => same[0]!);
  return detector.spec.tally ? tallied(detector, once, late) : single(detector, once, late);
}

type CameLate = (item: LateItem, event: string, start?: Micros) => boolean;

function single(detector: KeyedDetector, events: readonly Event[], late: CameLate): (item: LateItem) => Around {
  const keys = Map.groupBy(detector.again!.observe(events), (o) => o.key);
  return (item) => {
    const all = (keys.get(item.key) ?? []).sort((a, b) => (before(a, b) ? -1 : 1));
    const [missed, base] = parted(all, (o) => late(item, o.event));
    return { base, all, missed };
  };
}

function tallied(detector: KeyedDetector, events: readonly Event[], late: CameLate): (item: LateItem) => Around {
  const { spec, config, again } = detector;
  const keys = new Map<string, Event[]>();
  for (const event of events) {
    const found = spec.key(event.fields, config) ?? [];
    for (const key of new Set(typeof found === "string" ? [found] : found)) {
      const id = `${event.tenant}\0${key}`;
      const same = keys.get(id);
      if (same) same.push(event);
      else keys.set(id, [event]);
    }
  }
  const bucketsOf = (item: LateItem, of: readonly Event[]): readonly Observation[] => {
    const buckets = new Map<Micros, Tallied>();
    for (const o of again!.observe(of) as readonly Tallied[]) {
      if (o.key !== item.key) continue;
      const known = buckets.get(o.tally.start);
      buckets.set(o.tally.start, known ? mergeTallies(known, o, spec.tally!, config) : o);
    }
    return [...buckets.values()].sort((a, b) => a.tally.start - b.tally.start);
  };
  return (item) => {
    const all = keys.get(item.key) ?? [];
    const [missed, base] = parted(all, (e) => late(item, e.id, aligned(e.time, detector)));
    return { base: bucketsOf(item, base), all: bucketsOf(item, all), missed: bucketsOf(item, missed) };
  };
}

function parted<T>(all: readonly T[], is: (one: T) => boolean): readonly [yes: readonly T[], no: readonly T[]] {
  const [yes, no]: [T[], T[]] = [[], []];
  for (const one of all) (is(one) ? yes : no).push(one);
  return [yes, no];
}
