import { expect, test } from "vitest";
import { parity } from "./parity.fixture.ts";

test("embedded and with 1, 2 and 5 partitions, workers killed: the same digest", { timeout: 300_000 }, async () => {
  expect(await parity(2)).toBeGreaterThan(20);
});
