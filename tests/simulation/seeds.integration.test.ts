import { expect, test } from "vitest";
import { embedded } from "./embedded.ts";
import { allHold } from "./seeds.ts";

test("one process: two thousand seeds, with those of the unit tests", { timeout: 1_800_000 }, async () => {
  expect(await allHold(2_000, embedded, 40)).toBeGreaterThan(0);
});
