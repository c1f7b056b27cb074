import { expect, test } from "vitest";
import { jobCourses } from "./courses.ts";

const options = { seed: 5, jobs: 400, each: 2, start: Date.UTC(2026, 2, 2) * 1_000, longest: 2 * 3_600_000_000 };

test("courses are the same for the same seed, of every kind of miner, and as long as they were asked to be", () => {
  const [first, again, other] = [options, options, { ...options, seed: 6 }].map((one) => [...jobCourses(one)]);
  const told = (all: typeof first) =>
    all!.map(({ plan, load, calls, ...rest }) => ({ ...rest, user: plan.user.name, load: load(300), calls }));
  expect(told(again)).toEqual(told(first));
  expect(told(other)).not.toEqual(told(first));
  expect(first!.filter(({ miner }) => !miner)).toHaveLength(400);
  const kinds = Map.groupBy(
    first!.filter(({ miner }) => miner),
    ({ profile }) => profile,
  );
  expect([...kinds.values()].map((plays) => plays.length)).toEqual(Array.from({ length: 10 }, () => 2));
  for (const { miner, seconds, tasks, calls } of first!) {
    if (!miner) expect(seconds * tasks).toBeLessThanOrEqual(7_200);
    for (const { at, lasts, sent } of calls) {
      expect(at + lasts).toBeLessThanOrEqual(seconds + 1e-6);
      expect(sent).toBeGreaterThanOrEqual(0);
    }
  }
});

test("who mines by night speaks with nobody by day", () => {
  const night = [...jobCourses(options)].filter(({ profile }) => profile === "miner_at_night");
  const hourOf = (start: number, at: number) => Math.floor(((start / 1_000_000 + at) % 86_400) / 3_600);
  const hours = night.flatMap(({ start, calls }) => calls.map(({ at }) => hourOf(start, at)));
  expect(hours.length).toBeGreaterThan(0);
  expect(hours.every((hour) => hour >= 22 || hour < 6)).toBe(true);
});
