/** The property that a cluster finds what one process finds, however it is cut up and whatever is killed in it (N15). Runs itself nowhere. */
import { memoryLog } from "@vedette/log";
import fc from "fast-check";
import { expect } from "vitest";
import { encodeTick } from "../batch.ts";
import { Control } from "../control.ts";
import { freshIntakes } from "../intake/intakes.fixture.ts";
import { left, standing } from "../keyed/runs.fixture.ts";
import { inlinePool } from "../pool.ts";
import { makeProgram, type Program } from "../program.ts";
import { digestOf, replay } from "../replay.ts";
import { runCluster } from "./cluster.fixture.ts";

const second = 1_000_000;
const begin = Date.UTC(2026, 5, 1) * 1_000;
const base = (name: string, outcome: string) =>
  `title: ${name}\nname: ${name}\nid: 6f4a6c3e-1111-4a5b-9c55-00000000000${outcome.length}\nlogsource: {product: linux}\ndetection: {s: {event.outcome: ${outcome}}, condition: s}\nlevel: low\n`;
const correlation = (id: string, rules: string, type: string, rest: string) =>
  `---\ntitle: ${id}\nid: ${id}\nlevel: high\ncorrelation: {type: ${type}, rules: [${rules}], group-by: [source.ip], timespan: 2m${rest}}\n`;
const text = [
  `${base("failed", "failure")}---\n${base("worked", "success")}`,
  correlation("burst", "failed", "event_count", ", condition: {gte: 3}"),
  correlation("then", "failed, worked", "temporal_ordered", ""),
  // one follows another: what the first claims is what the second observes
  correlation("entered", "burst, worked", "temporal_ordered", ""),
].join("");
const pipelines = [{ file: "p.yml", text: "name: p\ntransformations: [{type: add_condition, conditions: {event.module: linux}}]\n" }];
/** Tallies: what is told twice counts twice. */
const spike = {
  bucket_s: 60,
  learning_days: 0,
  watches: [
    { name: "tries", title: "tried more often than usual", where: "event.category:authentication", entity: ["source.ip"], least: 2 },
  ],
};
const program: Program = makeProgram(
  { rules: [{ file: "r.yml", text }], pipelines, detectors: { brute_force: { threshold: 4 }, spike }, lateness_s: 30 },
  0,
);

interface Attempt {
  readonly gap: number;
  readonly ip: number;
  readonly host: number;
  readonly ok: boolean;
  readonly delay: number;
}
const attempts = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 0, max: 25 }),
      ip: fc.integer({ min: 1, max: 3 }),
      host: fc.integer({ min: 0, max: 3 }),
      ok: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
      // within the lateness
      delay: fc.integer({ min: 0, max: 20 }),
    }),
    { minLength: 60, maxLength: 140, size: "max" },
  )
  .map((all: Attempt[]) => {
    let at = 0;
    return all
      .map(({ gap, ...rest }, n) => {
        at += gap;
        return { ...rest, at, n };
      })
      .sort((a, b) => a.at + a.delay - (b.at + b.delay));
  });

/** One stream a host, in batches of some records; a tick to every partition now and then. */
async function taken(
  all: readonly (Omit<Attempt, "gap"> & { readonly at: number; readonly n: number })[],
  partitions: number,
  size: number,
) {
  const log = memoryLog();
  let now = begin;
  const clock = { now: () => now, sleep: async () => {} };
  const control = await Control.open(log);
  await control.publish(program);
  const intakes = await freshIntakes({ log, clock, program: () => program.hash, partitions });
  const intake = intakes.open({ source: "auth", format: "syslog" });
  for (let from = 0; from < all.length; from += size) {
    const some = all.slice(from, from + size);
    now = begin + (some.at(-1)!.at + some.at(-1)!.delay) * second;
    for (const [host, own] of Map.groupBy(some, (one) => one.host)) {
      const records = own.map(({ at, ip, ok, n }) => {
        const time = new Date(begin / 1_000 + at * 1_000).toISOString();
        return {
          position: String(n),
          body: Buffer.from(`${time} h${host} sshd[7]: ${ok ? "Accepted" : "Failed"} password for root from 192.0.2.${ip} port 5 ssh2`),
        };
      });
      await intake.accept(records, { stream: `file${host}` });
    }
    for (let p = 0; p < partitions; p++) await log.append("raw", p, encodeTick(now));
  }
  return { log, control };
}

/** Embedded, and with 1, 2 and 5 partitions, workers killed: the same digest. @returns findings compared */
export async function parity(numRuns: number): Promise<number> {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(
      attempts,
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 4 }),
      async (all, size, crashes) => {
        const embedded = await replay({ ...(await taken(all, 1, size)), pool: await inlinePool() });
        for (const partitions of [1, 2, 5]) {
          const { log, control } = await taken(all, partitions, size);
          const replayed = await replay({ log, control, partitions, pool: await inlinePool(), jobBytes: 4_000 });
          expect(replayed.digest).toBe(embedded.digest);
          const findings = await runCluster({ log, partitions, program, workers: partitions, crashes });
          expect(digestOf(left(findings)).digest).toBe(embedded.digest);
          expect(standing(findings).length).toBe(embedded.findings);
        }
        found += embedded.findings;
      },
    ),
    { numRuns, endOnFailure: true },
  );
  return found;
}
