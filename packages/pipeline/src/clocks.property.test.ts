/** One host in a hundred has a clock that is two hours off: through decoding, rules and correlations, no other host's correlation is missed. */
import type { Finding } from "@vedette/model";
import { formats } from "@vedette/normalise";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Analyser, compileProgram, keyedDetectors } from "./analyse.ts";
import { encodeRecords, encodeTick } from "./batch.ts";
import { standing } from "./keyed/runs.fixture.ts";
import { KeyedEngine } from "./keyed.ts";
import { makeProgram } from "./program.ts";

const second = 1_000_000;
const begin = Date.UTC(2026, 5, 1) * 1_000;
const hosts = 100;
const correlation = (id: string, body: string) =>
  `---\ntitle: ${id}\nid: ${id}\nlevel: high\ncorrelation: {type: event_count, rules: [failed], group-by: host.name, timespan: 1m, condition: ${body}}\n`;
const text = [
  "title: Failed\nname: failed\nlogsource: {product: linux}\ndetection: {s: {event.outcome: failure}, condition: s}\n",
  correlation("burst", "{gte: 3}"),
  // known when the minute is over
  correlation("few", "{lt: 3}"),
].join("");
const pipelines = [{ file: "p.yml", text: "name: p\ntransformations: [{type: add_condition, conditions: {event.module: linux}}]\n" }];
const program = makeProgram({ rules: [{ file: "x.yml", text }], pipelines, detectors: {}, lateness_s: 30 }, 0);
const compiled = await compileProgram(program);
const detectors = await keyedDetectors(program);
const analyser = new Analyser(await formats());

interface Failure {
  readonly at: number;
  readonly host: number;
}

/** What stands in the end of all hosts but those in `wrong`. @param skew seconds by which their clocks are off */
function judged(failures: readonly Failure[], wrong: ReadonlySet<number>, skew: number, perBatch: number): readonly string[] {
  const engine = new KeyedEngine(detectors);
  const findings: Finding[] = [];
  const take = (bytes: Uint8Array) => {
    const analysis = analyser.analyse({ entries: [{ offset: 0, bytes }], sample: false, store: false }, compiled);
    expect(analysis.dead).toEqual([]);
    findings.push(...engine.take(analysis.keyed));
  };
  for (let from = 0; from < failures.length; from += perBatch) {
    const some = failures.slice(from, from + perBatch);
    const received = begin + some.at(-1)!.at * second;
    const lines = some.map(({ at, host }) => {
      const time = new Date(begin / 1_000 + (at + (wrong.has(host) ? skew : 0)) * 1_000).toISOString();
      return Buffer.from(`${time} h${host} sshd[7]: Failed password for root from 192.0.2.1 port 5 ssh2`);
    });
    const common = { kind: "records", version: 1, program: "", tenant: "main", source: "s", demo: false } as const;
    const runs = [{ stream: "udp", format: "syslog", count: some.length }];
    take(encodeRecords({ ...common, received, seq: from, runs, positions: some.map((_, i) => String(from + i)) }, lines));
    take(encodeTick(received));
  }
  findings.push(...engine.finalise(Number.POSITIVE_INFINITY));
  // detectors count by the address, which all hosts share
  return standing(findings.filter(({ rule, key }) => rule.kind === "sigma" && !wrong.has(Number(/\0h(\d+)$/.exec(key)![1]))));
}

test("whichever host's clock is two hours off, and which way, the others' correlations are found as ever", () => {
  const failures = fc
    .array(
      fc.record({
        gap: fc.integer({ min: 0, max: 4 }),
        host: fc.oneof(fc.integer({ min: 0, max: hosts - 1 }), fc.integer({ min: 0, max: 4 })),
      }),
      {
        minLength: 150,
        maxLength: 250,
        size: "max",
      },
    )
    .map((steps) => {
      let at = 0;
      return steps.map(({ gap, host }): Failure => {
        at += gap;
        return { at, host };
      });
    });
  const seen = { burst: 0, few: 0 };
  fc.assert(
    fc.property(
      failures,
      fc.integer({ min: 0, max: 4 }),
      fc.constantFrom(-7_200, 7_200),
      fc.integer({ min: 5, max: 60 }),
      (all, host, skew, size) => {
        const wrong = new Set([host]);
        const right = judged(all, wrong, 0, size);
        expect(judged(all, wrong, skew, size)).toEqual(right);
        for (const line of right) seen[line.split(" ")[0] as keyof typeof seen]++;
      },
    ),
    { numRuns: 15, endOnFailure: true },
  );
  expect(Math.min(seen.burst, seen.few)).toBeGreaterThan(10);
});
