/** Nothing but what happened decides what is found: not the order of arrival, batches, restarts, memory or shards. */
import type { Event } from "@vedette/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { eventOf, type Happening, second } from "./bursts.fixture.ts";
import { type Run, runAll, runSharded, standing } from "./runs.fixture.ts";

const happening = fc.record({
  gap: fc.integer({ min: 0, max: 20 }),
  ip: fc.integer({ min: 1, max: 3 }),
  host: fc.integer({ min: 1, max: 3 }),
  outcome: fc.constantFrom<Happening["outcome"]>("failure", "failure", "failure", "success", "connection", "connection", "connection"),
  bytes: fc.integer({ min: 0, max: 3 }).map((n) => 10 ** n),
  port: fc.constantFrom(22, 443),
  // within the lateness of 30 s, whatever else arrives meanwhile
  delay: fc.integer({ min: 0, max: 25 }),
});
const stream = fc.array(happening, { minLength: 20, maxLength: 160, size: "max" }).map((steps) => {
  let time = 1_000_000 * second;
  return steps.map(({ gap, delay, ...rest }, n) => {
    time += gap * second;
    return { ...eventOf({ time, ...rest }, n), received: time + delay * second };
  });
});
const indices = fc.array(fc.nat(159), { maxLength: 20 });

const arrived = (events: readonly Event[]): readonly Event[] => [...events].sort((a, b) => a.received - b.received);
const numRuns = 150;

test("disorder, batches, ticks, restarts and spills change no canonical finding", () => {
  const found = { streak: 0, surge: 0, few: 0, twice: 0 };
  fc.assert(
    fc.property(stream, indices, indices, indices, fc.constantFrom(1, 3, 1_000), (events, batchEnds, ticks, restarts, keys) => {
      const calm = standing(runAll(events));
      const run: Run = { batchEnds, ticks, restarts, bounds: { keys } };
      expect(standing(runAll(arrived(events), run))).toEqual(calm);
      for (const line of calm) found[line.split(" ")[0] as keyof typeof found]++;
    }),
    { numRuns },
  );
  for (const n of Object.values(found)) expect(n).toBeGreaterThan(numRuns);
});

test("2 and 5 engines that share the shards find what one finds", () => {
  fc.assert(
    fc.property(stream, indices, indices, (events, batchEnds, ticks) => {
      const one = standing(runSharded(arrived(events), { batchEnds, ticks }, 1));
      for (const engines of [2, 5]) expect(standing(runSharded(arrived(events), { batchEnds, ticks }, engines))).toEqual(one);
    }),
    { numRuns: 60 },
  );
});

test("events that come twice change nothing where events are folded one by one", () => {
  fc.assert(
    fc.property(stream, indices, (events, twice) => {
      const logins = events.filter((e) => e.class === "authentication");
      const repeated = logins.flatMap((e, i) => (twice.includes(i) ? [e, e] : [e]));
      expect(standing(runAll(repeated))).toEqual(standing(runAll(logins)));
    }),
    { numRuns: 60 },
  );
});

test("a hot key with hundreds of open observations in disorder comes to the same, repeats and all", () => {
  const hot = fc.array(fc.record({ failed: fc.integer({ min: 0, max: 9 }), delay: fc.integer({ min: 0, max: 20_000 }) }), {
    minLength: 200,
    maxLength: 400,
    size: "max",
  });
  fc.assert(
    fc.property(hot, indices, (steps, twice) => {
      const events = steps.map(({ failed, delay }, n): Event => {
        const outcome = failed === 0 ? "success" : "failure";
        const event = eventOf({ time: 1_000_000 * second + n * 60_000, ip: 1, host: 1, outcome, bytes: 0, port: 0 }, n);
        return { ...event, received: event.time + delay * 1_000 };
      });
      const repeated = arrived(events).flatMap((e, i) => (twice.includes(i) ? [e, e] : [e]));
      expect(standing(runAll(repeated, { batchEnds: [100], restarts: [0] }))).toEqual(standing(runAll(events)));
    }),
    { numRuns: 20 },
  );
});
