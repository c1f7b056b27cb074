import { expect, test } from "vitest";
import { embedded } from "./embedded.ts";
import { allHold } from "./seeds.ts";

test("one process, as many seeds as VEDETTE_SEEDS says", { timeout: 12 * 3_600_000 }, async () => {
  expect(await allHold(Number(process.env.VEDETTE_SEEDS ?? 100_000), embedded)).toBeGreaterThan(0);
});
