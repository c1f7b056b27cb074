import { expect, test } from "vitest";
import { crowd } from "./groups.fixture.ts";

// a million of them: groups.long.test.ts
test("10,000 groups in the memory of 1,000: every one is found, none forgotten before its time, none left behind", async () => {
  const { found, known, inMemory, left, spilled } = await crowd(10_000, 1_000);
  expect(found).toBe(10_000);
  expect(known).toBe(10_000);
  expect(spilled).toBeGreaterThan(15_000);
  // what is in memory between two checkpoints: the bound, and what one batch or tick needs
  expect(inMemory).toBeLessThanOrEqual(1_000 + 5_000);
  expect(left).toBe(0);
}, 60_000);
