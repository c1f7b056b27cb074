import { expect, test } from "vitest";
import { cluster } from "./cluster.ts";
import { allHold } from "./seeds.ts";

test("several processes, killed, held up and cut off from servers, come to what one comes to", { timeout: 600_000 }, async () => {
  expect(await allHold(10, cluster)).toBeGreaterThan(0);
});
