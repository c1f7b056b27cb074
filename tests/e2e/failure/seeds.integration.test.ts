/** Ten seeds of failing processes and servers, other ones in every run; VEDETTE_SEED runs them again. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { Installation, three } from "./installation.ts";
import { runSeeds } from "./seeds.ts";
import { absent } from "./servers.ts";

const first = Number(process.env["VEDETTE_SEED"] ?? Math.floor(Date.now() / 1_000) % 10_000);
const count = Number(process.env["VEDETTE_SEEDS"] ?? 10);

describe.skipIf(absent().length > 0)(`processes and servers that fail, seeds ${first} to ${first + count - 1}`, () => {
  const installation = new Installation(three);
  beforeAll(() => installation.start(), 600_000);
  afterAll(() => installation.remove(), 600_000);

  test("lose nothing that was acknowledged, alert nobody twice, find what one process finds", { timeout: 900_000 }, async () => {
    await runSeeds(
      installation,
      Array.from({ length: count }, (_, n) => first + n),
      false,
    );
  });
});
