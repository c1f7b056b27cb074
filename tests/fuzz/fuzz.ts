/** Mutated records of every format through pass 1: whatever comes in is stored, dead or dropped, and nothing throws. Seeded, so that a failure can be run again. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Chance, type FormatSpec } from "@vedette/kit";
import { detectFormat, formats } from "@vedette/normalise";
import { Analyser, type Analysis, type Compiled, compileProgram, encodeRecords, makeProgram } from "@vedette/pipeline";
import { expect } from "vitest";
import { bundledPipelines, bundledPlaceholders, bundledRules } from "../../apps/vedette/src/content.ts";

const received = Date.UTC(2026, 10, 21, 6) * 1_000;

/** What mutations put in: what parsers trip over. */
const pieces: readonly Buffer[] = [
  "",
  "\0",
  '"',
  "\\",
  "\\u0000",
  "\\ud800",
  "{",
  "}",
  "[[[[",
  "\t",
  "\n",
  "\r",
  "=",
  "%",
  "%00",
  ",",
  "-",
  "e9999",
  "9".repeat(400),
  "-1e308",
  "__proto__",
  '"constructor":{"prototype":1},',
  "\u2028",
  "\u202e",
  "\ufeff",
  "(empty)",
  "::ffff:1.2.3.4",
  "2100-01-01T00:00:00Z",
  "0000-00-00T99:99:99Z",
  " ".repeat(1_000),
]
  .map((p) => Buffer.from(p))
  .concat(Buffer.from([0xff, 0xfe]), Buffer.from([0xc3]), Buffer.from([0xf0, 0x9f]));

type Next = () => number;
const below = (next: Next, n: number) => Math.floor(next() * n);

/** One to four cuts, repeats, flips, splices with another record, or hostile pieces. */
export function mutate(record: Buffer, other: Buffer, next: Next): Buffer {
  let out = record;
  for (let n = 1 + below(next, 4); n > 0; n--) {
    const at = below(next, out.length + 1);
    const end = Math.min(out.length, at + below(next, 40));
    const kind = below(next, 6);
    if (kind === 0) out = out.subarray(0, at);
    else if (kind === 1) out = Buffer.concat([out.subarray(0, at), out.subarray(end)]);
    else if (kind === 2) out = Buffer.concat([out.subarray(0, end), out.subarray(at)]);
    else if (kind === 3) out = Buffer.concat([out.subarray(0, at), other.subarray(below(next, other.length + 1))]);
    else if (kind === 4) out = Buffer.concat([out.subarray(0, at), pieces[below(next, pieces.length)]!, out.subarray(end)]);
    else if (out.length > 0) {
      out = Buffer.from(out);
      out[Math.min(at, out.length - 1)] = below(next, 256);
    }
  }
  return out.subarray(0, 262_144);
}

/** Records with their stream's preamble: each format's own examples, and those a run of it found worth keeping. */
export interface Corpus {
  readonly format: string;
  readonly preamble: string | undefined;
  readonly records: readonly Buffer[];
}

export async function corpora(): Promise<readonly Corpus[]> {
  const kept = JSON.parse(readFileSync(fileURLToPath(new URL("./corpus.json", import.meta.url)), "utf8")) as {
    readonly [format: string]: readonly string[];
  };
  return [...(await formats())].flatMap(([format, spec]) =>
    [...Map.groupBy(spec.examples, (e) => e.preamble)].map(([preamble, examples]) => ({
      format,
      preamble,
      records: [...examples.map((e) => Buffer.from(e.input)), ...(kept[format] ?? []).map((text) => Buffer.from(text, "latin1"))],
    })),
  );
}

let prepared: Promise<Compiled> | undefined;
const program = () => {
  prepared ??= compileProgram(
    makeProgram(
      { rules: bundledRules(), pipelines: bundledPipelines(), placeholders: bundledPlaceholders(), detectors: {}, lateness_s: 30 },
      0,
    ),
  );
  return prepared;
};

/** One batch of `count` mutants of a corpus under its own format, and again under the format they would be taken for. */
export async function fuzzBatch(corpus: Corpus, seed: number, count: number): Promise<void> {
  const chance = new Chance(seed);
  const next = () => chance.next();
  const pick = () => corpus.records[below(next, corpus.records.length)]!;
  const bodies = Array.from({ length: count }, () => mutate(pick(), pick(), next));
  const known = await formats();
  const preamble =
    corpus.preamble !== undefined && next() < 0.2 ? mutate(Buffer.from(corpus.preamble), pick(), next).toString() : corpus.preamble;
  const compiled = await program();
  const sample = bodies.slice(0, 32).map((b) => b.toString());
  for (const format of new Set([corpus.format, detectFormat(known, sample, preamble, "fuzz")]))
    balances(run(known, compiled, format, preamble, bodies), count, `format ${format}, corpus ${corpus.format}, seed ${seed}`);
}

function run(
  known: ReadonlyMap<string, FormatSpec>,
  compiled: Compiled,
  format: string,
  preamble: string | undefined,
  bodies: readonly Buffer[],
): Analysis {
  const bytes = encodeRecords(
    {
      kind: "records",
      version: 1,
      program: compiled.program.hash,
      tenant: "main",
      source: "fuzz",
      received,
      demo: false,
      seq: 0,
      runs: [{ stream: "fuzz", format, count: bodies.length, ...(preamble === undefined ? {} : { preamble }) }],
      positions: bodies.map((_, i) => String(i)),
    },
    bodies,
  );
  return new Analyser(known).analyse({ entries: [{ offset: 0, bytes }], sample: true, store: true }, compiled);
}

function balances(analysis: Analysis, count: number, what: string): void {
  const s = analysis.sources["fuzz"]!;
  const dropped = Object.values(s.dropped).reduce((a, b) => a + b, 0);
  expect({ in: s.in, out: s.stored + s.dead + dropped - s.split, letters: analysis.dead.length, damaged: analysis.damaged }, what).toEqual({
    in: count,
    out: count,
    letters: s.dead,
    damaged: [],
  });
  // a decoder that throws is caught by pass 1 and kept as a dead letter of this code: here it is a failure
  expect(
    analysis.dead.filter((l) => l.code === "decoder_fault" || l.code === "unknown_format").map((l) => l.expected),
    what,
  ).toEqual([]);
  for (const event of analysis.sample) {
    expect(Number.isSafeInteger(event.time), `${what}: ${event.time}`).toBe(true);
    for (const [name, value] of Object.entries(event.fields)) {
      const scalars = Array.isArray(value) ? value : [value];
      for (const one of scalars)
        if (!["string", "number", "boolean", "bigint"].includes(typeof one) && one !== null)
          throw new Error(`${what}: ${name} holds a ${typeof one}`);
    }
  }
}
