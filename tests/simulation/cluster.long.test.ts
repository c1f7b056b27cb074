import { expect, test } from "vitest";
import { cluster } from "./cluster.ts";
import { allHold } from "./seeds.ts";

/** Some seventy times the steps of one process. */
const dearer = 70;

test("several processes, as many seeds as VEDETTE_SEEDS allows", { timeout: 12 * 3_600_000 }, async () => {
  expect(await allHold(Math.ceil(Number(process.env.VEDETTE_SEEDS ?? 100_000) / dearer), cluster)).toBeGreaterThan(0);
});
