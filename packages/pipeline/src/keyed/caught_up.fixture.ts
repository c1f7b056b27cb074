/** Pass 2 with its catch-up lane over a store that answers from an array, for tests. Knows no assertion. */
import { compile } from "@vedette/condition";
import type { Event, Finding } from "@vedette/model";
import type { EventStore } from "@vedette/store";
import { KeyedEngine } from "../keyed.ts";
import { catchUpLate } from "../late.ts";
import { burstStage, minute } from "./bursts.fixture.ts";
import { batches, type Run } from "./runs.fixture.ts";

/** Answers searches from an array, as the event store would. */
function storeOf(events: Event[]): EventStore {
  return {
    search: async ({ range, where, limit, cursor }: Parameters<EventStore["search"]>[0]) => {
      const matches = compile(where);
      const found = events.filter((e) => e.time >= range.from && e.time < range.to && matches(e)).sort((a, b) => a.time - b.time);
      const at = Number(cursor ?? 0);
      return { events: found.slice(at, at + limit), ...(at + limit < found.length ? { cursor: String(at + limit) } : {}) };
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
  while (keyed.lane.size > 0) await catchUp(last + 10 * minute, last);
  findings.push(...keyed.finalise(Number.POSITIVE_INFINITY));
  return { findings, counters: keyed.counters };
}
