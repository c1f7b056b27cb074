/** One installation over servers of its own: each server away or without writes for a while, then ten seeds of failing processes and servers, other ones each day; VEDETTE_SEED runs them again. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { vedette } from "../cli.ts";
import { Vedette } from "../vedette.ts";
import type { Batch } from "./attacks.ts";
import { isAway, refuses, refusing } from "./away.ts";
import { Installation, three } from "./installation.ts";
import { cutOffGroup, isCutOff, noPartitions, Partition } from "./partition.ts";
import { runSeeds } from "./seeds.ts";
import { absent, serverNames } from "./servers.ts";

const count = Number(process.env["VEDETTE_SEEDS"] ?? 10);
/** Of the hundred that test:long takes all of. */
const first = Number(process.env["VEDETTE_SEED"] ?? 1 + count * (Math.floor(Date.now() / 86_400_000) % 10));
/** Of what is sent while a server is away. */
const awaySeed = 10_100;
/** Of what is sent while one takes no writes. */
const refusingSeed = 10_150;
/** Of what is sent while a worker is cut off. */
const cutSeed = 10_200;

describe.skipIf(absent().length > 0)(
  `processes and servers that fail, seeds ${first} to ${first + count - 1}`,
  { timeout: 900_000 },
  () => {
    const installation = new Installation(three);
    const taken: Batch[] = [];
    const here = noPartitions();
    const partition = here === undefined ? new Partition() : undefined;
    beforeAll(() => installation.start({ worker1: cutOffGroup }), 900_000);
    afterAll(async () => {
      partition?.remove();
      await installation.remove();
    }, 600_000);

    test.each(serverNames.map((name, n) => [name, awaySeed + n] as const))("%s is away", async (name, seed) => {
      taken.push(...(await isAway(installation, name, seed)));
    });

    test.each(refusing.map((name, n) => [name, refusingSeed + n] as const))("%s takes no writes", async (name, seed) => {
      taken.push(...(await refuses(installation, name, seed)));
    });

    test.skipIf(partition === undefined).each([
      ["redis", "answers", cutSeed],
      ["kafka", "everything", cutSeed + 1],
    ] as const)(
      `a worker is cut off from %s, of %s, for longer than a lease${here === undefined ? "" : ` (${here})`}`,
      async (from, what, seed) => {
        taken.push(...(await isCutOff(installation, partition!, from, { answers: what === "answers", seed })));
      },
    );

    test("another installation's log or state is refused", async () => {
      const other = new Vedette(installation.config({ schema: `${installation.name}other` }));
      try {
        const { code, stderr } = await vedette(
          [
            "up",
            "--role",
            "analyse",
            "--data-dir",
            other.data,
            "--listen",
            "127.0.0.1:0",
            "--config",
            join(other.directory, "vedette.yaml"),
          ],
          { cwd: other.directory },
        );
        expect([code, stderr]).toEqual([2, expect.stringMatching(/Log and state are not of one installation.*kafka\.topic/s)]);
      } finally {
        await other.remove();
      }
    });

    test("nothing that was acknowledged is lost, nobody is alerted twice, and what is found is what one process finds", async () => {
      await runSeeds(
        installation,
        Array.from({ length: count }, (_, n) => first + n),
        { patient: false, before: taken },
      );
    });
  },
);
