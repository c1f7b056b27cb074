import { expect, test } from "vitest";
import { parity } from "./parity.fixture.ts";

test("as parity.test.ts, over more of everything", async () => {
  expect(await parity(200)).toBeGreaterThan(2_000);
});
