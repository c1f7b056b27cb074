/** A hundred seeds of failing processes and servers, also of those held for longer than their leases; looked at after each ten. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { five, Installation } from "./installation.ts";
import { runSeeds } from "./seeds.ts";
import { absent } from "./servers.ts";

const first = Number(process.env["VEDETTE_SEED"] ?? 1);
const count = Number(process.env["VEDETTE_SEEDS"] ?? 100);
const together = 10;

describe.skipIf(absent().length > 0)(`processes and servers that fail often, from seed ${first} on`, () => {
  for (let from = first; from < first + count; from += together) {
    describe(`seeds ${from} to ${from + together - 1}`, () => {
      const installation = new Installation(five);
      beforeAll(() => installation.start(), 600_000);
      afterAll(() => installation.remove(), 600_000);

      test("nothing lost, nothing twice, nothing found otherwise", () =>
        runSeeds(
          installation,
          Array.from({ length: Math.min(together, first + count - from) }, (_, n) => from + n),
          true,
        ));
    });
  }
});
