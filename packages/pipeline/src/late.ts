/** The catch-up lane's questions to the event store: what happened around events that came too late for their keys. Knows no detector's meaning. */
import type { Condition } from "@vedette/condition";
import { mergeTallies, type Tallied } from "@vedette/detect";
import type { Event, Finding, Micros, Observation } from "@vedette/model";
import type { EventStore } from "@vedette/store";
import { before, widthOf } from "./keyed/order.ts";
import type { Around, KeyedDetector, KeyedEngine, LateItem } from "./keyed.ts";

/** A detector that remembers for longer is not folded again over its whole memory: its late events are counted as skipped. */
const maxReach: Micros = 86_400_000_000;
/** How far an episode is followed back and on. */
const maxSpan: Micros = 7 * maxReach;
/** Events read for one key. */
const maxEvents = 20_000;
const pageSize = 2_000;

/**
 * Folds keys again around what came too late for them.
 * @param reached receive time of the newest event analysed: what the store holds beyond is another run's
 */
export async function catchUpLate(
  keyed: KeyedEngine,
  items: readonly LateItem[],
  events: EventStore,
  reached: Micros,
  onProblem?: (code: string, message: string | undefined) => void,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const item of items) {
    const detector = keyed.detector(item.detector);
    let around: Around | undefined;
    try {
      around = detector && (await aroundOf(detector, item, events, reached));
      onProblem?.("catch_up_blocked", undefined);
    } catch (e) {
      // a store that is busy or gone: what came too late waits on
      onProblem?.("catch_up_blocked", (e as Error).message);
      keyed.lane.restore(item);
      continue;
    }
    if (around) findings.push(...keyed.catchUp(item, around));
    else keyed.counters.of(item.detector).skipped += item.count;
  }
  return findings;
}

/** @returns undefined where more would have to be read than is */
async function aroundOf(detector: KeyedDetector, item: LateItem, store: EventStore, reached: Micros): Promise<Around | undefined> {
  const { again } = detector;
  const reach = Math.max(item.reach, widthOf(detector));
  if (!again || reach > maxReach) return undefined;
  let [from, to] = [aligned(item.from - reach, detector), aligned(item.to + reach, detector) + widthOf(detector)];
  for (;;) {
    const events = await eventsOf(item, again.where, { from, to: to + 1 }, store);
    if (!events) return undefined;
    const known = events.filter((e) => e.received <= reached);
    const all = ordered(detector, item, known);
    // an episode that goes on beyond the range would be cut: its memory must have lapsed before and after
    const first = all[0]?.time ?? item.from;
    const last = all.at(-1)?.time ?? item.to;
    const [open, going] = [first - from < reach, to - last < reach && to < reached];
    if (!open && !going) {
      const late = lateOf(item, detector, known);
      const [base, missed] = [known.filter((e) => !late.has(e)), known.filter((e) => late.has(e))];
      return { base: ordered(detector, item, base), all, missed: ordered(detector, item, missed) };
    }
    if (open) from = aligned(from - 2 * (item.to - from), detector);
    if (going) to = aligned(to + 2 * (to - item.from), detector) + widthOf(detector);
    if (to - from > maxSpan) return undefined;
  }
}

const aligned = (time: Micros, detector: KeyedDetector): Micros => {
  const width = widthOf(detector);
  return width === 0 ? time : Math.floor(time / width) * width;
};

async function eventsOf(
  item: LateItem,
  where: Condition,
  range: { readonly from: Micros; readonly to: Micros },
  store: EventStore,
): Promise<readonly Event[] | undefined> {
  const shared = Object.entries(item.by).map(([field, value]): Condition => ({ op: "eq", field, value }));
  const tenant = item.key.slice(0, item.key.indexOf("\0"));
  const query = { tenant, range, where: { op: "and" as const, of: [where, ...shared] }, limit: pageSize, oldestFirst: true };
  const events: Event[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await store.search({ ...query, ...(cursor === undefined ? {} : { cursor }) });
    events.push(...page.events);
    cursor = page.cursor;
    if (cursor === undefined) return events;
    if (events.length > maxEvents) return undefined;
  }
}

/** The key's observations of the events, each event once, in order; those of one bucket as one. */
function ordered(detector: KeyedDetector, { key }: LateItem, events: readonly Event[]): readonly Observation[] {
  const once = [...new Map(events.map((e) => [e.id, e])).values()];
  const found = detector.again!.observe(once).filter((o) => o.key === key);
  const { spec, config } = detector;
  if (!spec.tally) return [...found].sort((a, b) => (before(a, b) ? -1 : 1));
  const buckets = new Map<Micros, Tallied>();
  for (const o of found as readonly Tallied[]) {
    const known = buckets.get(o.tally.start);
    buckets.set(o.tally.start, known ? mergeTallies(known, o, spec.tally, config) : o);
  }
  return [...buckets.values()].sort((a, b) => a.tally.start - b.tally.start);
}

/** Those of the events that came too late; of an event that was stored more often than it came late, one copy had come in time. */
function lateOf(item: LateItem, detector: KeyedDetector, events: readonly Event[]): ReadonlySet<Event> {
  const width = widthOf(detector);
  if (width > 0) {
    const start = (e: Event) => Math.floor(e.time / width) * width;
    const late = (e: Event) =>
      item.buckets.some((b) => b.start === start(e) && b.source === e.source && b.host === e.host && e.seq >= b.seq);
    return new Set(events.filter(late));
  }
  const copies = new Map<string, number>();
  for (const e of events) copies.set(e.id, (copies.get(e.id) ?? 0) + 1);
  const late = (e: Event) => Object.hasOwn(item.events, e.id) && copies.get(e.id)! <= item.events[e.id]!;
  return new Set(events.filter(late));
}
