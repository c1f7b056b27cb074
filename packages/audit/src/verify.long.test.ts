/** The full number of tamperings. */
import { expect, test } from "vitest";
import { madeChain, seeded, tampered, verdictOn } from "./tampering.fixture.ts";

test("10,000 random tamperings are found, each with its first bad record", async () => {
  const made = await madeChain(200);
  const choose = seeded(11);
  for (let i = 0; i < 10_000; i++) {
    const { kind, bytes, first } = tampered(made, choose);
    const { bad } = await verdictOn(bytes, made, made.heads);
    expect({ kind, i, n: bad?.n }).toEqual({ kind, i, n: first });
  }
});
