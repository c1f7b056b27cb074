/** What came too late is found after all: the catch-up lane comes to what everything in its time would have come to. */
import { compile } from "@vedette/condition";
import type { Event, Finding } from "@vedette/model";
import type { EventStore } from "@vedette/store";
import fc from "fast-check";
import { expect, test } from "vitest";
import { burstStage, eventOf, type Happening, minute, second } from "./keyed/bursts.fixture.ts";
import { batches, runAll, standing } from "./keyed/runs.fixture.ts";
import { KeyedEngine } from "./keyed.ts";
import { catchUpLate } from "./late.ts";

const happening = fc.record({
  gap: fc.integer({ min: 0, max: 20 }),
  ip: fc.integer({ min: 1, max: 3 }),
  host: fc.integer({ min: 1, max: 3 }),
  outcome: fc.constantFrom<Happening["outcome"]>("failure", "failure", "failure", "success", "connection", "connection", "connection"),
  bytes: fc.integer({ min: 0, max: 3 }).map((n) => 10 ** n),
  port: fc.constantFrom(22, 443),
  // most within the lateness, a tenth minutes or hours too late
  delay: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 25 }) }, { weight: 1, arbitrary: fc.integer({ min: 60, max: 7_200 }) }),
});
const begin = 1_000_000 * second;
const stream = fc.array(happening, { minLength: 20, maxLength: 120, size: "max" }).map((steps) => {
  let time = begin;
  return steps.map(({ gap, delay, ...rest }, n) => {
    time += gap * second;
    return { ...eventOf({ time, ...rest }, n), received: time + delay * second };
  });
});

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

async function run(events: readonly Event[], ends: readonly number[], keys: number | undefined) {
  const stored: Event[] = [];
  const store = storeOf(stored);
  const keyed = new KeyedEngine(burstStage().detectors);
  const findings: Finding[] = [];
  const all = batches(events, { batchEnds: ends, ticks: ends });
  const sorted = [...new Set(ends)].filter((n) => n < events.length).sort((a, b) => a - b);
  let at = 0;
  const catchUp = async (wall: number, reached: number) => {
    for (const item of [keyed.lane.take(wall, reached, keys ?? 1_000)]) findings.push(...(await catchUpLate(keyed, item, store, reached)));
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
  while (keyed.lane.size > 0) await catchUp(last + minute, last);
  findings.push(...keyed.finalise(Number.POSITIVE_INFINITY));
  return { findings, counters: keyed.counters };
}

/** Chains are left out: a claim that a detector followed long ago is not taken back. */
const own = (lines: readonly string[]) => lines.filter((line) => !line.startsWith("twice"));

test("with its late events caught up, a stream comes to what it would have come to in order", async () => {
  const seen = { late: 0, changed: 0, found: 0 };
  await fc.assert(
    fc.asyncProperty(stream, fc.array(fc.nat(119), { maxLength: 20 }), async (events, ends) => {
      // sequence numbers count what a source delivers
      const arrived = [...events].sort((a, b) => a.received - b.received).map((e, n) => ({ ...e, seq: n }));
      const calm = own(standing(runAll([...arrived].sort((a, b) => a.time - b.time))));
      const { findings, counters } = await run(arrived, ends, undefined);
      expect(own(standing(findings))).toEqual(calm);
      for (const name of ["streak", "surge"]) {
        const counts = counters.of(name);
        expect([name, counts.caught_up, counts.skipped]).toEqual([name, counts.late, 0]);
        seen.late += counts.late;
      }
      seen.changed += findings.filter((f) => f.late).length;
      seen.found += calm.length;
    }),
    { numRuns: 80, endOnFailure: true },
  );
  expect(seen.late).toBeGreaterThan(200);
  expect(seen.changed).toBeGreaterThan(50);
});
