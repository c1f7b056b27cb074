/** What a backtest reads of the store: all of it, or what a view lets whoever asked see, counted as if there were nothing else. Judges nothing. */
import { always, compile, narrowed, type View } from "@vedette/condition";
import type { Event } from "@vedette/model";
import { bareEvents, type EventQuery, type EventStore, type ScanEstimate, type ScanPage, type TimeRange } from "@vedette/store";

export interface BacktestEvents {
  scan(query: EventQuery, signal: AbortSignal): AsyncIterable<ScanPage>;
  estimate(query: EventQuery, signal?: AbortSignal): Promise<ScanEstimate>;
  /** The times of the first and the last event within a range; undefined: there are none. */
  span(query: Omit<EventQuery, "where">): Promise<TimeRange | undefined>;
}

export function wholeStore(events: EventStore): BacktestEvents {
  return {
    scan: (query, signal) => events.scan(query, signal),
    estimate: (query, signal) => events.estimate(query, signal),
    async span({ range }) {
      const { oldest, newest } = await events.usage();
      return oldest === undefined || newest === undefined
        ? undefined
        : { from: Math.max(range.from, oldest), to: Math.min(range.to, newest) };
    },
  };
}

/** Pages hold raw rows still, since they are read where they are judged: `bareOf` there lets through what is seen. */
export function seenStore(events: EventStore, view: View): BacktestEvents {
  const count = async (query: EventQuery, signal?: AbortSignal): Promise<number> => {
    const [row] = await events.stats({ ...query, view, aggregates: [{ fn: "count", as: "n" }], by: [], limit: 1 }, signal);
    return Number(row?.["n"] ?? 0);
  };
  return {
    async *scan(query, signal) {
      const stored = await count({ ...query, where: always }, signal);
      for await (const page of events.scan({ ...query, where: narrowed(query.where, view) }, signal)) {
        const share = page.stored === 0 ? 1 : page.read / page.stored;
        yield { ...page, stored, read: Math.round(share * stored) };
      }
    },
    async estimate(query, signal) {
      const [stored, candidates, { seconds }] = await Promise.all([
        count({ ...query, where: always }, signal),
        count(query, signal),
        events.estimate({ ...query, where: narrowed(query.where, view) }, signal),
      ]);
      return { stored, candidates, seconds };
    },
    async span(query) {
      const ends = await Promise.all(
        [true, false].map((oldestFirst) => events.search({ ...query, where: always, view, limit: 1, oldestFirst })),
      );
      const [first, last] = ends.map(({ events: [one] }) => one?.time);
      return first === undefined || last === undefined ? undefined : { from: first, to: last };
    },
  };
}

/** The events of a page that are seen and satisfy the question, without what is not shown of them. */
export function bareOf(view: View, where: EventQuery["where"]): (events: readonly Event[]) => readonly Event[] {
  const bare = bareEvents(view);
  const holds = compile(where);
  return (events) => bare(events).filter(holds);
}
