import { expect, test } from "vitest";
import { assumptions, sizingOf } from "./model.ts";

/** The published table that the model is of: host events, rows of Zeek and all events a second, raw and stored GB a day, samples a second. */
test.each([
  [10, 1, 223, 138, 361, 19, 4, 40],
  [100, 10, 431, 1_375, 1_800, 77, 15, 400],
  [1_000, 100, 3_300, 13_800, 17_000, 711, 135, 4_000],
  [5_000, 400, 16_600, 55_000, 72_000, 3_050, 580, 20_000],
])("%i nodes at %i Gbit/s", (nodes, gbps, host, zeek, total, raw, stored, samples) => {
  const { eventsPerSecond, rawGbPerDay, storedGbPerDay, samplesPerSecond } = sizingOf({ nodes, gbps, days: 30 });
  const near = (value: number, told: number, share: number) =>
    expect(Math.abs(value - told) / told, `${value} for ${told}`).toBeLessThan(share);
  near(eventsPerSecond.host, host, 0.01);
  near(eventsPerSecond.zeek, zeek, 0.01);
  near(eventsPerSecond.total, total, 0.02);
  near(rawGbPerDay, raw, 0.02);
  // the table rounds down where the model adds
  near(storedGbPerDay, stored, 0.1);
  expect(samplesPerSecond).toBe(samples);
});

test("its proposals: cores, memory, disk for a month, a burst of 200,000 events a second", () => {
  const small = sizingOf({ nodes: 10, gbps: 1, days: 30 });
  expect([small.cores, Math.round(small.memoryGb)]).toEqual([1, 1]);
  const large = sizingOf({ nodes: 5_000, gbps: 400, days: 30 });
  expect(large.cores).toBeGreaterThanOrEqual(6);
  expect(large.cores).toBeLessThanOrEqual(10);
  expect(large.memoryGb).toBeGreaterThan(28);
  expect(large.memoryGb).toBeLessThan(36);
  expect(large.diskTb).toBeCloseTo(18, -0.5);
  expect(Math.round(large.burst.eventsPerSecond / 1_000)).toBe(200);
  expect(large.burst.spoolGb).toBeCloseTo(8.7, 0);
  // the goal is five minutes
  expect(large.burst.drainSeconds).toBeLessThan(300);
});

test("what breaks first comes first, and twice the load halves what is borne", () => {
  const { limits } = sizingOf({ nodes: 5_000, gbps: 400, days: 30 });
  expect(limits.map((l) => l.bears)).toEqual(limits.map((l) => l.bears).sort((x, y) => x - y));
  const fast = sizingOf({ nodes: 5_000, gbps: 400, days: 30, eventsPerCpuSecond: 2 * assumptions.events_per_cpu_second.value });
  const storage = (l: typeof limits) => l.find((one) => one.what === "the storage thread")!.bears;
  expect(storage(fast.limits)).toBeCloseTo(2 * storage(limits));
});
