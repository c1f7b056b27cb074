/** The decoders under many seeds: VEDETTE_FUZZ_SEEDS of them from VEDETTE_FUZZ_FROM on. */
import { describe, test } from "vitest";
import { corpora, fuzzBatch } from "./fuzz.ts";

const seeds = Number(process.env["VEDETTE_FUZZ_SEEDS"] ?? 300);
const from = Number(process.env["VEDETTE_FUZZ_FROM"] ?? 1_000);
const size = 1_000;

describe.each((await corpora()).map((c, i) => [`${c.format} ${i}`, c] as const))("%s", (_name, corpus) => {
  test(`${seeds} seeds from ${from}`, async () => {
    for (let seed = from; seed < from + seeds; seed++) await fuzzBatch(corpus, seed, size);
  });
});
