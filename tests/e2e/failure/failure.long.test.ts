/** A hundred seeds of failing processes and servers, also of those held for longer than their leases and cut off from a server; looked at after each ten. */
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Batch } from "./attacks.ts";
import { five, Installation } from "./installation.ts";
import { cutOffGroup, isCutOff, noPartitions, Partition } from "./partition.ts";
import { runSeeds } from "./seeds.ts";
import { absent, serverNames } from "./servers.ts";

const first = Number(process.env["VEDETTE_SEED"] ?? 1);
const count = Number(process.env["VEDETTE_SEEDS"] ?? 100);
const together = 10;
/** Of what is sent while a worker is cut off. */
const cutSeed = 10_200;

describe.skipIf(absent().length > 0)(`processes and servers that fail often, from seed ${first} on`, () => {
  for (let from = first; from < first + count; from += together) {
    describe(`seeds ${from} to ${from + together - 1}`, () => {
      const installation = new Installation(five);
      const partition = noPartitions() === undefined ? new Partition() : undefined;
      beforeAll(() => installation.start({ analyse1: cutOffGroup }), 600_000);
      afterAll(async () => {
        partition?.remove();
        await installation.remove();
      }, 600_000);

      test("nothing lost, nothing twice, nothing found otherwise", async () => {
        const before: Batch[] = [];
        for (const [n, server] of partition === undefined ? [] : serverNames.entries())
          for (const answers of [true, false])
            before.push(...(await isCutOff(installation, partition!, server, { answers, seed: cutSeed + 2 * n + Number(answers) })));
        const seeds = Array.from({ length: Math.min(together, first + count - from) }, (_, n) => from + n);
        await runSeeds(installation, seeds, { patient: true, before });
      });
    });
  }
});
