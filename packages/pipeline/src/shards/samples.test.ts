/** Values of series are judged in a cluster as in one process: by limits, and in one rule with what logs tell. */
import { memoryLog } from "@vedette/log";
import { expect, test } from "vitest";
import { encodeTick } from "../batch.ts";
import { Control } from "../control.ts";
import { freshIntakes } from "../intake/intakes.fixture.ts";
import { left } from "../keyed/runs.fixture.ts";
import { inlinePool } from "../pool.ts";
import { makeProgram } from "../program.ts";
import { digestOf, replay } from "../replay.ts";
import { runCluster } from "./cluster.fixture.ts";

const begin_s = Date.UTC(2026, 5, 1) / 1_000;
const rules = `title: Failed login
name: failed_login
logsource: {product: x}
detection: {s: {event.action: login, event.outcome: failure}, condition: s}
level: low
---
title: A host that is guessed at and busy
name: joined
id: joined
level: high
correlation: {type: temporal, rules: [failed_login, detector.metric_threshold.busy], group-by: host.name, timespan: 10m}
---
`;
const program = makeProgram(
  {
    rules: [{ file: "r.yml", text: rules }],
    pipelines: [{ file: "p.yml", text: "name: p\ntransformations: [{type: add_condition, conditions: {event.kind: event}}]\n" }],
    detectors: {
      metric_threshold: {
        watches: [{ name: "busy", title: "is busy", where: "metric.name:load", above: 0.9, for_s: 60, severity: "medium" }],
      },
    },
    lateness_s: 30,
  },
  0,
);
const hosts = Array.from({ length: 12 }, (_, n) => `n${n}`);

const load = (host: string, at_s: number, value: number) => {
  const labels = Object.entries({ __name__: "load", instance: `${host}:9100` }).map(([name, text]) => ({ name, value: text }));
  return { timeseries: [{ labels, samples: [{ value, timestamp: (begin_s + at_s) * 1_000 }] }] };
};
const login = (host: string, at_s: number) => ({
  "@timestamp": new Date((begin_s + at_s) * 1_000).toISOString(),
  ecs: { version: "8.0" },
  event: { kind: "event", action: "login", outcome: "failure" },
  host: { name: host },
});

/** Each host's values by a stream of their own, every ten seconds; every second host is busy, every third is guessed at. */
async function taken(partitions: number) {
  const log = memoryLog();
  let now = begin_s * 1e6;
  const control = await Control.open(log);
  await control.publish(program);
  const intakes = await freshIntakes({ log, clock: { now: () => now, sleep: async () => {} }, program: () => program.hash, partitions });
  const intake = intakes.open({ source: "nodes", format: "json" });
  for (let at = 0; at < 240; at += 10) {
    now = (begin_s + at + 1) * 1e6;
    for (const [n, host] of hosts.entries()) {
      const told = [load(host, at, n % 2 === 0 ? 0.95 : 0.4), ...(n % 3 === 0 && at === 120 ? [login(host, at)] : [])];
      const records = told.map((one, part) => ({ position: `${at}/${part}`, body: Buffer.from(JSON.stringify(one)) }));
      await intake.accept(records, { stream: host });
    }
    for (let p = 0; p < partitions; p++) await log.append("raw", p, encodeTick(now));
  }
  return { log, control };
}

test("what limits and rules find in series is the same in one process and with 1, 2 and 5 workers that are killed", async () => {
  const embedded = await replay({ ...(await taken(1)), pool: await inlinePool() });
  for (const partitions of [1, 2, 5]) {
    const { log } = await taken(partitions);
    const findings = left(await runCluster({ log, partitions, program, workers: partitions, crashes: [7, 90] }));
    expect(digestOf(findings).digest).toBe(embedded.digest);
    const found = Map.groupBy(findings, ({ rule }) => rule.id);
    expect([...found].map(([rule, of]) => [rule, of.length]).sort()).toEqual([
      ["joined", 2],
      ["metric_threshold", 6],
    ]);
  }
});
