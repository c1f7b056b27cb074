import { expect, test } from "vitest";
import { SpareTime } from "./spare_time.ts";

const rig = () => {
  let now = 1_000_000;
  const spare = new SpareTime({ now: () => now, sleep: async () => {} });
  const asked = (who: string, takes: number, busy = true) =>
    spare.spend(who, { busy, rest: 19 }, async (until) => {
      const had = until - now;
      now += takes;
      return had;
    });
  const pass = (time: number) => {
    now += time;
  };
  return { spare, asked, pass };
};

test("a process that is busy gives a twentieth of its time, whoever asks; one that is not gives what is wanted", async () => {
  const { asked, pass, spare } = rig();
  expect(await asked("a", 1_000)).toBe(50_000);
  expect(await asked("b", 1_000)).toBeUndefined();
  pass(18_999);
  expect(await asked("b", 1_000)).toBeUndefined();
  pass(1);
  expect(await asked("b", 1_000)).toBe(50_000);
  expect(await asked("b", 1_000, false)).toBe(500_000);
  spare.busy("raw/1", true);
  expect(await asked("b", 1_000, false)).toBeUndefined();
  spare.busy("raw/1", false);
  expect(await asked("b", 1_000, false)).toBe(500_000);
});

test("who asked in vain comes before who had a turn; one at a time", async () => {
  const { asked, pass, spare } = rig();
  const work = Promise.withResolvers<number>();
  const first = spare.spend("a", { busy: true, rest: 19 }, () => work.promise);
  pass(1_000);
  expect(await asked("b", 1_000)).toBeUndefined();
  work.resolve(1);
  expect(await first).toBe(1);
  pass(20_000);
  expect(await asked("a", 1_000)).toBeUndefined();
  expect(await asked("b", 1_000)).toBe(50_000);
  pass(20_000);
  expect(await asked("a", 1_000)).toBe(50_000);
});

test("time that ended in an error counts too", async () => {
  const { asked, pass, spare } = rig();
  await expect(
    spare.spend("a", { busy: true, rest: 1 }, async () => {
      pass(500);
      throw new Error("the store is gone");
    }),
  ).rejects.toThrow("gone");
  expect(await asked("a", 1)).toBeUndefined();
  pass(500);
  expect(await asked("a", 1)).toBe(50_000);
});
