import { expect, test } from "vitest";
import { crowd } from "./groups.fixture.ts";

test("a million groups in the memory of 50,000", async () => {
  const { found, known, left, ...rest } = await crowd(1_000_000, 50_000);
  process.stderr.write(`a million groups: ${JSON.stringify(rest)}\n`);
  expect([found, known, left]).toEqual([1_000_000, 1_000_000, 0]);
  expect(rest.inMemory).toBeLessThanOrEqual(55_000);
}, 3_600_000);
