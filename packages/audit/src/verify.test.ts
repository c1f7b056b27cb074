import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type Made, madeChain, seeded, tampered, textOf, verdictOn } from "./tampering.fixture.ts";

const made: Made = await madeChain(60);

describe("a chain", () => {
  test("that nobody touched is good, with heads and without", async () => {
    expect(made.lines).toHaveLength(60);
    const whole = await verdictOn(textOf(made.lines), made, made.heads);
    expect(whole).toMatchObject({ records: 60, erased: 0, vouched: 59 });
    expect(whole.bad).toBeUndefined();
    expect((await verdictOn(textOf(made.lines), made, [])).bad).toBeUndefined();
  });

  test("that was tampered with is found out, with the first record that is bad", async () => {
    const choose = seeded(7);
    for (let i = 0; i < 500; i++) {
      const { kind, bytes, first } = tampered(made, choose);
      const { bad } = await verdictOn(bytes, made, made.heads);
      expect({ kind, i, n: bad?.n }).toEqual({ kind, i, n: first });
    }
  });

  test("cut off or rewritten to the end cannot be told from a good one without a head", async () => {
    expect((await verdictOn(textOf(made.lines.slice(0, 40)), made, [])).bad).toBeUndefined();
  });

  test("held against one old head is proved that far", async () => {
    const [head] = made.heads;
    expect((await verdictOn(textOf(made.lines.slice(0, 3)), made, [head!])).bad).toMatchObject({ n: 3, code: "cut_off" });
    expect((await verdictOn(textOf(made.lines.slice(0, 40)), made, [head!])).bad).toBeUndefined();
  });

  test("with a head of somebody else's key, or of another chain, is not good", async () => {
    const { publicKey } = generateKeyPairSync("ed25519");
    const stranger = { ...made, publicKey: publicKey.export({ type: "spki", format: "pem" }) as string };
    expect((await verdictOn(textOf(made.lines), stranger, made.heads)).bad?.code).toBe("bad_head");
    const other = await madeChain(5);
    expect((await verdictOn(textOf(other.lines), made, made.heads)).bad).toMatchObject({ n: 0, code: "forked" });
    const forged = { ...made.heads[0]!, n: 3 };
    expect((await verdictOn(textOf(made.lines), made, [forged])).bad?.code).toBe("bad_head");
  });

  test("that is not there is not good", async () => {
    expect((await verdictOn("", made, [])).bad).toMatchObject({ n: 0, code: "empty" });
  });
});
