import type { Finding } from "@vedette/model";
import { formats } from "@vedette/normalise";
import { expect, test } from "vitest";
import { Analyser, compileProgram, keyedDetectors } from "./analyse.ts";
import { encodeRecords, type RecordsHeader } from "./batch.ts";
import { KeyedEngine } from "./keyed.ts";
import { makeProgram } from "./program.ts";

const begin_s = 1_714_557_600;
const watches = [
  {
    name: "busy",
    title: "is busy",
    where: "metric.name:load and labels.job:node",
    above: 0.9,
    for_s: 60,
    severity: "medium",
    attack: ["T1496"],
  },
  {
    name: "slow",
    title: "answers slowly",
    where: "metric.name:traces.service.duration",
    entity: ["service.name"],
    function: "max",
    above: 2,
  },
];
const rules = `title: Failed login
name: failed_login
logsource: {product: x}
detection: {s: {event.action: login, event.outcome: failure}, condition: s}
level: low
---
title: Failing call
name: failing_call
logsource: {product: x}
detection: {s: {event.dataset: otel.traces, event.outcome: failure}, condition: s}
level: low
---
title: A host that is guessed at, busy and failing
name: joined
id: joined
level: high
correlation: {type: temporal, rules: [failed_login, detector.metric_threshold.busy, failing_call], group-by: host.name, timespan: 10m}
---
`;
const pipelines = [{ file: "p.yml", text: "name: p\ntransformations: [{type: add_condition, conditions: {event.kind: event}}]\n" }];
const programOf = (text: string, detectors: { readonly [name: string]: unknown } = { metric_threshold: { watches } }) =>
  makeProgram({ rules: [{ file: "r.yml", text }], pipelines, detectors, lateness_s: 30 }, 0);

/** In the order of time, as they happen. */
const inOrder = (...all: readonly (readonly [at_s: number, record: unknown])[]) =>
  [...all].sort(([a], [b]) => a - b).map(([, record]) => record);
const login = (host: string, at_s: number) =>
  [
    at_s,
    {
      "@timestamp": new Date((begin_s + at_s) * 1_000).toISOString(),
      ecs: { version: "8.0" },
      event: { kind: "event", action: "login", outcome: "failure" },
      host: { name: host },
    },
  ] as const;
const load = (host: string, at_s: number, value: number) =>
  [
    at_s,
    {
      timeseries: [
        {
          labels: Object.entries({ __name__: "load", job: "node", instance: `${host}:9100` }).map(([name, text]) => ({
            name,
            value: text,
          })),
          samples: [{ value, timestamp: (begin_s + at_s) * 1_000 }],
        },
      ],
    },
  ] as const;
const span = (host: string, at_s: number, seconds: number) =>
  [
    at_s + seconds,
    {
      resourceSpans: [
        {
          resource: {
            attributes: Object.entries({ "service.name": "shop", "host.name": host }).map(([key, text]) => ({
              key,
              value: { stringValue: text },
            })),
          },
          scopeSpans: [
            {
              spans: [
                {
                  traceId: "5b8efff798038103d269b633813fc60c",
                  spanId: "eee19b7ec3c1b174",
                  name: "GET /",
                  kind: 2,
                  startTimeUnixNano: `${begin_s + at_s}000000000`,
                  endTimeUnixNano: `${begin_s + at_s + seconds}000000000`,
                  status: { code: 2 },
                },
              ],
            },
          ],
        },
      ],
    },
  ] as const;
const loads = (host: string, value: number) => Array.from({ length: 20 }, (_, i) => load(host, i * 10, value));

async function judged(records: readonly unknown[], size: number, program = programOf(rules)): Promise<readonly Finding[]> {
  const compiled = await compileProgram(program);
  expect(compiled.refused).toEqual([]);
  const analyser = new Analyser(await formats());
  const engine = new KeyedEngine(await keyedDetectors(program));
  const found: Finding[] = [];
  for (let from = 0; from < records.length; from += size) {
    const bodies = records.slice(from, from + size).map((one) => Buffer.from(JSON.stringify(one)));
    const header: RecordsHeader = {
      kind: "records",
      version: 1,
      program: program.hash,
      tenant: "main",
      source: "s",
      received: (begin_s + 300) * 1e6,
      demo: false,
      seq: from,
      runs: [{ stream: "", format: "json", count: bodies.length }],
      positions: bodies.map((_, i) => String(from + i)),
    };
    const analysis = analyser.analyse(
      { entries: [{ offset: from, bytes: encodeRecords(header, bodies) }], sample: false, store: false },
      compiled,
    );
    expect(analysis.dead).toEqual([]);
    found.push(...analysis.findings, ...engine.take(analysis.keyed));
  }
  found.push(...engine.finalise(Number.POSITIVE_INFINITY));
  return [...new Map(found.filter(({ withdrawn }) => !withdrawn).map((one) => [one.id, one])).values()];
}
const lines = (findings: readonly Finding[]) => findings.map(({ rule, summary }) => `${rule.id}: ${summary}`).sort();

test("a log, a metric beyond its limit and a failing span of one host are one finding; of another host they are none", async () => {
  const records = inOrder(
    ...loads("n1", 0.95),
    ...loads("n2", 0.95),
    login("n1", 70),
    span("n1", 90, 1),
    // a host without a log, and one without load
    span("n2", 90, 1),
    login("n3", 70),
    span("n3", 90, 1),
  );
  const findings = await judged(records, 7);
  expect(lines(findings)).toEqual([
    expect.stringMatching(/^joined: .* within 10m, host.name n1$/),
    "metric_threshold: n1 is busy: avg over 60 s 0.95, above 0.9 for 3 min",
    "metric_threshold: n2 is busy: avg over 60 s 0.95, above 0.9 for 3 min",
  ]);
  const joined = findings.find(({ rule }) => rule.id === "joined")!;
  expect(joined).toMatchObject({ severity: "high", entities: [{ type: "host.name", id: "n1" }], count: 3 });
  const busy = findings.find(({ key }) => key.endsWith("n1"))!;
  expect(busy).toMatchObject({ severity: "medium", attack: ["T1496"], entities: [{ type: "host.name", id: "n1" }] });
  // the series is the evidence
  expect(busy.evidence[0]!.original).toBe(`load{instance="n1:9100",job="node"} 0.95 ${(begin_s + 50) * 1_000}`);
});

test("batches and their order decide nothing, nor does what is sent twice", async () => {
  const records = inOrder(...loads("n1", 0.95), login("n1", 70), span("n1", 90, 1), span("n1", 95, 3));
  const expected = lines(await judged(records, records.length));
  expect(expected).toHaveLength(3);
  for (const size of [1, 3]) expect(lines(await judged(records, size))).toEqual(expected);
  expect(
    lines(
      await judged(
        records.flatMap((one) => [one, one]),
        5,
      ),
    ),
  ).toEqual(expected);
});

test("a correlation that names a detector or a watch that is not there is refused, with the nearest", async () => {
  const { refused } = await compileProgram(programOf(rules.replace("metric_threshold.busy", "metric_threshold.buzy")));
  expect(refused.map(({ message }) => message)).toEqual([expect.stringContaining("did you mean detector.metric_threshold.busy?")]);
  const off = await compileProgram(programOf(rules, { metric_threshold: false }));
  expect(off.refused).toHaveLength(1);
});
