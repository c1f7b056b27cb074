/** A short, seeded run over every format; the long one goes on from other seeds. */
import { describe, test } from "vitest";
import { corpora, fuzzBatch } from "./fuzz.ts";

const batches = 8;
const size = 250;

describe.each((await corpora()).map((c, i) => [`${c.format}${c.preamble === undefined ? "" : ` ${i}`}`, c] as const))(
  "%s",
  (_name, corpus) => {
    test("mutants are stored, dead or dropped; nothing throws", async () => {
      for (let seed = 0; seed < batches; seed++) await fuzzBatch(corpus, seed, size);
    });
  },
);
