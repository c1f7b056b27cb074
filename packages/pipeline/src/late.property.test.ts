/** What came too late is found after all: the catch-up lane comes to what everything in its time would have come to. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { eventOf, type Happening, second } from "./keyed/bursts.fixture.ts";
import { runCaughtUp } from "./keyed/caught_up.fixture.ts";
import { runAll, standing } from "./keyed/runs.fixture.ts";

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

/** Chains are left out: a claim that a detector followed long ago is not taken back. */
const own = (lines: readonly string[]) => lines.filter((line) => !line.startsWith("twice"));

test("with its late events caught up, a stream comes to what it would have come to in order", async () => {
  const seen = { late: 0, changed: 0, found: 0 };
  await fc.assert(
    fc.asyncProperty(stream, fc.array(fc.nat(119), { maxLength: 20 }), async (events, ends) => {
      // sequence numbers count what a source delivers
      const arrived = [...events].sort((a, b) => a.received - b.received).map((e, n) => ({ ...e, seq: n }));
      const calm = own(standing(runAll([...arrived].sort((a, b) => a.time - b.time))));
      const { findings, counters } = await runCaughtUp(arrived, ends);
      expect(own(standing(findings))).toEqual(calm);
      for (const name of ["streak", "surge", "few"]) {
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

/** Something that happens within six hours, at night more quietly. */
const stretch = fc.record({
  gap: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 3_000 })),
  ip: fc.integer({ min: 1, max: 3 }),
  host: fc.constantFrom(1, 3),
  outcome: fc.constantFrom<Happening["outcome"]>("failure", "failure", "failure", "success", "connection", "connection", "connection"),
  bytes: fc.integer({ min: 0, max: 3 }).map((n) => 10 ** n),
  port: fc.constantFrom(22, 443),
  /** Which of two files of its time holds it. */
  file: fc.nat(1),
});
const files = fc.record({
  happenings: fc.array(stretch, { minLength: 60, maxLength: 160, size: "max" }),
  /** Files of so many events, in pairs that overlap in time or one by one. */
  length: fc.integer({ min: 10, max: 60 }),
  pairs: fc.boolean(),
  /** Which file is read next, and how many of its lines. */
  reads: fc.array(fc.tuple(fc.nat(99), fc.integer({ min: 1, max: 30 })), { minLength: 30, maxLength: 60, size: "max" }),
  ends: fc.array(fc.nat(159), { maxLength: 30 }),
});

test("files of different times read side by side come to what one sorted file comes to", async () => {
  const seen = { late: 0, found: 0, files: 0 };
  await fc.assert(
    fc.asyncProperty(files, async ({ happenings, length, pairs, reads, ends }) => {
      let time = begin;
      const sorted = happenings.map(({ gap, file, ...rest }, n) => {
        time += gap * second;
        const name = `${Math.floor(n / length)}${pairs ? file : ""}`;
        return { name, event: eventOf({ time, ...rest }, n) };
      });
      const left = [...Map.groupBy(sorted, ({ name }) => name).values()];
      seen.files += left.length;
      const order: typeof sorted = [];
      for (let turn = 0; left.length > 0; turn++) {
        const [which, lines] = reads[turn % reads.length]!;
        const file = left[which % left.length]!;
        order.push(...file.splice(0, lines));
        if (file.length === 0) left.splice(left.indexOf(file), 1);
      }
      const now = begin + 100 * 86_400 * second;
      const arrived = order.map(({ event }, n) => ({ ...event, received: now + n * 10_000, seq: n }));
      const names = new Map(order.map(({ name, event }) => [event.id, name]));
      const calm = own(standing(runAll([...arrived].sort((a, b) => a.time - b.time))));
      const { findings, counters } = await runCaughtUp(arrived, ends, ({ id }) => names.get(id)!);
      expect(own(standing(findings))).toEqual(calm);
      for (const name of ["streak", "surge", "few"]) {
        const counts = counters.of(name);
        expect([name, counts.caught_up, counts.skipped]).toEqual([name, counts.late, 0]);
        seen.late += counts.late;
      }
      seen.found += calm.length;
    }),
    { numRuns: 80, endOnFailure: true },
  );
  expect(seen.files).toBeGreaterThan(300);
  expect(seen.late).toBeGreaterThan(500);
  expect(seen.found).toBeGreaterThan(300);
});
