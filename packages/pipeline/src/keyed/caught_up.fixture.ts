/** Pass 2 with its catch-up lane over a store that answers from an array, for tests. Knows no assertion. */
import { compile } from "@vedette/condition";
import type { Event, Finding } from "@vedette/model";
import { type EventStore, rowsOfEvents } from "@vedette/store";
import { KeyedEngine } from "../keyed.ts";
import { catchUpLate } from "../late.ts";
import { burstStage, minute } from "./bursts.fixture.ts";
import { batches, type Run } from "./runs.fixture.ts";

/** Answers scans from an array, as the event store would. */
function storeOf(events: Event[]): EventStore {
  return {
    async *scan({ range, where }: Parameters<EventStore["scan"]>[0]) {
      const matches = compile(where);
      const found = events.filter((e) => e.time >= range.from && e.time < range.to && matches(e));
      yield { rows: rowsOfEvents(found), read: found.length, stored: events.length, complete: range.to };
    },
  } as unknown as EventStore;
}

/** @param events in the order in which they come in; each batch ends with a tick */
export async function runCaughtUp(events: readonly Event[], ends: readonly number[], streamOf?: Run["streamOf"]) {
  const stored: Event[] = [];
  const store = storeOf(stored);
  const keyed = new KeyedEngine(burstStage().detectors);
  const findings: Finding[] = [];
  const all = batches(events, { batchEnds: ends, ticks: ends, ...(streamOf && { streamOf }) });
  const sorted = [...new Set(ends)].filter((n) => n < events.length).sort((a, b) => a - b);
  let at = 0;
  const catchUp = async (wall: number, reached: number) => {
    findings.push(...(await catchUpLate(keyed, keyed.lane.take(wall, reached, 1_000), { events: store, reached, historical: false })));
  };
  for (const [i, steps] of all.entries()) {
    findings.push(...keyed.take(steps));
    const end = (sorted[i] ?? events.length - 1) + 1;
    stored.push(...events.slice(at, end));
    at = end;
    const reached = stored.at(-1)?.received ?? 0;
    await catchUp(reached, reached);
  }
  const last = events.at(-1)!.received;
  for (let waiting = keyed.lane.size; waiting > 0; waiting = keyed.lane.size) {
    await catchUp(last + 10 * minute, last);
    if (keyed.lane.size >= waiting) throw new Error("what came late is not taken in");
  }
  findings.push(...keyed.finalise(Number.POSITIVE_INFINITY));
  return { findings, counters: keyed.counters };
}
