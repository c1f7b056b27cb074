import { expect, test } from "vitest";
import { embedded } from "./embedded.ts";
import { allHold, compared } from "./seeds.ts";

test("one process: whatever crashes, fails or stands still, every promise holds", { timeout: 600_000 }, async () => {
  expect(await allHold(40, embedded)).toBeGreaterThan(0);
});

test("the same seed is the same run, step by step", async () => {
  const [first, again] = [await compared(3, embedded), await compared(3, embedded)];
  expect([again.world.print, again.world.steps]).toEqual([first.world.print, first.world.steps]);
});

test.each([[25, "triage goes on from where the store was left, not from what it had read, when the store is away twice in a row"]])(
  "seed %i: %s",
  async (seed) => {
    await compared(seed, embedded);
  },
);
