/** Late events of keys in states that streams come to rarely: each came to something else than in order once. */
import { expect, test } from "vitest";
import { eventOf, type Happening, second } from "./bursts.fixture.ts";
import { runCaughtUp } from "./caught_up.fixture.ts";
import { runAll, standing } from "./runs.fixture.ts";

/** A log-in of `192.0.2.ip`; times in seconds. */
type LogIn = readonly [time: number, received: number, ip: number, host: number, outcome?: Happening["outcome"]];

/** @param ends after which of them a batch ends: with each one detector's late events are caught up */
async function bothWays(logIns: readonly LogIn[], ends: readonly number[]) {
  const events = logIns.map(([time, received, ip, host, outcome = "failure"], n) => ({
    ...eventOf({ time: (1_000_000 + time) * second, ip, host, outcome, bytes: 1, port: 22 }, n),
    received: (1_000_000 + received) * second,
    seq: n,
  }));
  const { findings, counters } = await runCaughtUp(events, ends);
  const late = counters.of("few").late;
  return { late, calm: standing(runAll([...events].sort((a, b) => a.time - b.time))), caughtUp: standing(findings) };
}
const few = (lines: readonly string[]) => lines.filter((line) => line.startsWith("few main\u0000192.0.2.1"));

test("a window that was opened by a late event begins earlier by one that is later still", async () => {
  const { late, calm, caughtUp } = await bothWays(
    [
      [927, 927, 2, 1],
      [860, 1_067, 1, 1],
      [927, 2_400, 2, 1],
      [927, 2_450, 2, 1],
      [802, 3_151, 1, 1],
    ],
    [0, 2, 3],
  );
  expect(late).toBe(2);
  expect(few(calm)).toHaveLength(1);
  expect(caughtUp).toEqual(calm);
});

test("what a late event finds forgotten stays the store's to tell, also beyond the event itself", async () => {
  const { late, calm, caughtUp } = await bothWays(
    [
      [674, 675, 1, 2],
      [938, 945, 2, 1],
      [409, 967, 1, 1],
      [954, 972, 3, 3],
      [982, 991, 1, 1],
      [671, 5_166, 1, 3],
    ],
    [3, 4],
  );
  expect(late).toBe(2);
  expect(few(calm)).toHaveLength(3);
  expect(caughtUp).toEqual(calm);
});

test("a late event does not take the last word from a window that is over and has not said so", async () => {
  const { late, calm, caughtUp } = await bothWays(
    [
      [325, 337, 1, 3],
      [411, 411, 1, 2],
      [484, 485, 2, 1],
      [507, 532, 2, 3],
      [297, 906, 3, 3],
      [188, 4_538, 1, 3],
    ],
    [2, 3],
  );
  expect(late).toBe(2);
  expect(few(calm)).toHaveLength(3);
  expect(caughtUp).toEqual(calm);
});

test("a late event counts for what follows in time, whatever another had left before memory lapsed", async () => {
  const { late, calm, caughtUp } = await bothWays(
    [
      [720, 720, 1, 2],
      [927, 927, 2, 1],
      [910, 930, 1, 1],
      [915, 931, 1, 1],
      [500, 1_067, 1, 1],
      [927, 1_100, 2, 1],
      [896, 1_200, 1, 1],
    ],
    [1, 5],
  );
  expect(late).toBe(2);
  expect(calm.filter((line) => line.startsWith("streak main\u0000192.0.2.1"))).toHaveLength(1);
  expect(caughtUp).toEqual(calm);
});
