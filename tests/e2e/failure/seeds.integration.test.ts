/** Processes and real servers killed, ended and held, one seed after the other on one installation, other ones each day; VEDETTE_SEED runs them again. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { Installation, three } from "./installation.ts";
import { runSeeds } from "./seeds.ts";
import { absent } from "./servers.ts";

/** What CI has time for: each costs some 30 CPU seconds, most of them of virtual machines that start. */
const count = Number(process.env["VEDETTE_SEEDS"] ?? 2);
/** Of the hundred that test:long takes all of. */
const first = Number(process.env["VEDETTE_SEED"] ?? 1 + count * (Math.floor(Date.now() / 86_400_000) % 25));

describe.skipIf(absent().length > 0)(`processes and servers that fail, seeds ${first} to ${first + count - 1}`, () => {
  const installation = new Installation(three);
  beforeAll(() => installation.start(), 900_000);
  afterAll(() => installation.remove(), 600_000);

  test("nothing that was acknowledged is lost, nobody is alerted twice, and what is found is what one process finds", {
    timeout: 1_800_000,
  }, async () => {
    await runSeeds(
      installation,
      Array.from({ length: count }, (_, n) => first + n),
      { patient: false },
    );
  });
});
