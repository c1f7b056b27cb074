import { evaluate } from "@vedette/condition";
import { matchedBy } from "@vedette/detect";
import type { Event, Finding } from "@vedette/model";
import { formats } from "@vedette/normalise";
import { type CorrelationFinding, Correlator, linkCorrelations, parseRules } from "@vedette/sigma";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Analyser, compileProgram, keyedDetectors } from "./analyse.ts";
import { encodeRecords } from "./batch.ts";
import { KeyedEngine } from "./keyed.ts";
import { makeProgram } from "./program.ts";

const rule = (name: string) =>
  `title: Rule ${name}\nname: ${name}\nlogsource: {product: x}\ndetection: {s: {event.action: ${name}}, condition: s}\n---\n`;
const correlation = (id: string, body: string, more = "") =>
  `title: ${id}\nname: ${id}\nid: ${id}\nlevel: high\ntags: [attack.t1110]\ncorrelation: {${body}}\n${more}---\n`;
const kinds = [
  ["count", "type: event_count, rules: [a], group-by: user.name, timespan: 5s, condition: {gte: 3}"],
  ["range", "type: event_count, rules: [a, b], group-by: user.name, timespan: 4s, condition: {gt: 1, lte: 2}"],
  ["few", "type: value_count, rules: [a, c], group-by: user.name, timespan: 5s, condition: {lt: 2, field: source.ip}"],
  ["exactly", "type: event_count, rules: [a], group-by: user.name, timespan: 6s, condition: {eq: 2}", "vedette: {window: tumbling}\n"],
  [
    "little",
    "type: value_sum, rules: [a, c], group-by: user.name, timespan: 20s, condition: {lte: 3, field: n}",
    "vedette: {window: session, gap: 2s}\n",
  ],
  ["values", "type: value_count, rules: [a], group-by: user.name, timespan: 12s, condition: {gte: 3, field: source.ip}"],
  ["sum", "type: value_sum, rules: [a], group-by: user.name, timespan: 5s, condition: {gte: 6, field: n}"],
  ["average", "type: value_avg, rules: [a], group-by: user.name, timespan: 5s, condition: {gt: 2, field: n}"],
  ["median", "type: value_median, rules: [a], group-by: user.name, timespan: 5s, condition: {gt: 2, field: n}"],
  ["percentile", "type: value_percentile, rules: [a], group-by: user.name, timespan: 5s, condition: {gte: 3, field: n, percentile: 90}"],
  ["together", "type: temporal, rules: [a, b], group-by: user.name, timespan: 3s"],
  ["boolean", "type: temporal, group-by: user.name, timespan: 4s, condition: a and (b or not c)"],
  ["order", "type: temporal_ordered, rules: [a, b, c], group-by: user.name, timespan: 9s"],
  ["fixed", "type: event_count, rules: [a], group-by: user.name, timespan: 6s, condition: {gte: 2}", "vedette: {window: tumbling}\n"],
  [
    "visit",
    "type: event_count, rules: [a], group-by: user.name, timespan: 20s, condition: {gte: 2}",
    "vedette: {window: session, gap: 2s}\n",
  ],
  ["global", "type: event_count, rules: [c], timespan: 5s, condition: {gte: 2}"],
] as const;
const chained = [
  correlation("burst", "type: event_count, rules: [a], group-by: [user.name, source.ip], timespan: 5s, condition: {gte: 2}"),
  correlation("entered", "type: temporal_ordered, rules: [burst, b], group-by: user.name, timespan: 9s"),
].join("");
const text = rule("a") + rule("b") + rule("c") + kinds.map(([id, body, more]) => correlation(id, body, more)).join("") + chained;
const pipelines = [{ file: "p.yml", text: "name: p\ntransformations: [{type: add_condition, conditions: {event.kind: event}}]\n" }];

const program = makeProgram({ rules: [{ file: "x.yml", text }], pipelines, detectors: {}, lateness_s: 30 }, 0);
const compiled = await compileProgram(program);
const analyser = new Analyser(await formats());
const second = 1_000_000;
/** A multiple of the tumbling window. */
const begin = 1_760_000_400;

interface Happened {
  readonly at: number;
  readonly action: string;
  readonly user: string;
  readonly ip: number;
  readonly n: number;
}
type Sent = Happened & { readonly id: number };

const recordOf = ({ at, action, user, ip, n }: Happened) =>
  Buffer.from(
    JSON.stringify({
      "@timestamp": new Date((begin + at) * 1_000).toISOString(),
      ecs: { version: "8.0" },
      event: { kind: "event", action },
      user: { name: user },
      source: { ip: `192.0.2.${ip}` },
      n,
    }),
  );

function batch(events: readonly Sent[], first: number): Uint8Array {
  const header = {
    kind: "records" as const,
    program: "",
    tenant: "main",
    source: "s",
    received: (begin + 100) * second,
    demo: false,
    seq: first,
    runs: [{ stream: "s", format: "ecs_json", count: events.length }],
    positions: events.map((_, i) => String(first + i)),
    ids: Object.fromEntries(events.map(({ id }, i) => [i, `e${id}`])),
  };
  return encodeRecords({ version: 1, ...header } as Parameters<typeof encodeRecords>[0], events.map(recordOf));
}

/** What the engine says in the end, as `rule key start-end count`. */
async function judged(sent: readonly Sent[], size: number): Promise<{ findings: Finding[]; last: string[] }> {
  const engine = new KeyedEngine(await keyedDetectors(program));
  const findings: Finding[] = [];
  for (let from = 0; from < sent.length; from += size) {
    const bytes = batch(sent.slice(from, from + size), from);
    const analysis = analyser.analyse({ entries: [{ offset: 0, bytes }], sample: false, store: false }, compiled);
    expect(analysis.dead).toEqual([]);
    findings.push(...analysis.findings, ...engine.take(analysis.keyed));
  }
  findings.push(...engine.finalise(Number.POSITIVE_INFINITY));
  const standing = new Map<string, Finding>();
  for (const finding of findings) {
    if (finding.supersedes !== undefined) standing.delete(finding.supersedes);
    if (finding.withdrawn) standing.delete(finding.id);
    else standing.set(finding.id, finding);
  }
  const line = (f: Finding) =>
    `${f.rule.id} ${f.key.slice(f.key.indexOf("\0") + 1)} ${f.window.start / second - begin}-${f.window.end / second - begin} ${f.count}`;
  return { findings: [...standing.values()], last: [...standing.values()].map(line).sort() };
}

/** The same by the library alone, over the events in the order of time. */
function correlated(happened: readonly Sent[]): string[] {
  const parsed = parseRules(text, "x.yml");
  const set = linkCorrelations(parsed.correlations, parsed.rules);
  const correlator = new Correlator(set);
  const found = new Map<string, string>();
  const keep = (findings: readonly CorrelationFinding[]) => {
    for (const f of findings)
      if (!f.silent)
        found.set(
          `${f.correlation.rule.id} ${f.key} ${f.start}`,
          `${f.correlation.rule.id} ${f.key} ${f.start / second}-${f.end / second} ${f.count}`,
        );
  };
  for (const { at, action, user, ip, n, id } of [...happened].sort((a, b) => a.at - b.at)) {
    const fields = { "user.name": user, "source.ip": `192.0.2.${ip}`, n };
    keep(correlator.add({ id: `e${id}`, time: at * second, fields }, [`rule-${action}`]));
  }
  keep(correlator.finish());
  return [...found.values()].sort();
}

const happening = fc.record({
  action: fc.constantFrom("a", "a", "b", "c"),
  user: fc.constantFrom("x", "y"),
  ip: fc.integer({ min: 1, max: 3 }),
  n: fc.integer({ min: 0, max: 4 }),
});

test("no rule is refused, and those that only feed correlations stay silent", async () => {
  expect(compiled.refused).toEqual([]);
  const { findings } = await judged([{ at: 0, action: "b", user: "x", ip: 1, n: 0, id: 0 }], 10);
  expect(findings).toEqual([]);
});

test("in whatever order events come within the lateness, twice or once, in whatever batches, the correlations say the same", async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc
        .uniqueArray(fc.integer({ min: 0, max: 28 }), { minLength: 1, maxLength: 24 })
        .chain((times) => fc.tuple(fc.constant(times), fc.array(happening, { minLength: times.length, maxLength: times.length }))),
      fc.infiniteStream(fc.nat(1_000)),
      fc.integer({ min: 1, max: 30 }),
      async ([times, what], random, size) => {
        const happened = what.map((one, i): Sent => ({ ...one, at: times[i]!, id: i }));
        const expected = correlated(happened);
        for (const line of expected) seen.add(line.split(" ")[0]!);
        const next = () => random.next().value as number;
        const twice = [...happened, ...happened.filter(() => next() % 4 === 0)];
        const shuffled = twice.map((e) => [next(), e] as const).sort((a, b) => a[0] - b[0]);
        expect(
          (
            await judged(
              [...happened].sort((a, b) => a.at - b.at),
              size,
            )
          ).last,
          "in order",
        ).toEqual(expected);
        expect(
          (
            await judged(
              shuffled.map(([, e]) => e),
              size,
            )
          ).last,
          "out of order",
        ).toEqual(expected);
      },
    ),
    { numRuns: 40, seed: 11 },
  );
  // a property over silence proves nothing
  expect([...seen].sort()).toEqual([...kinds.map(([id]) => id), "entered"].sort());
});

test("a finding tells rule, entities, evidence and technique", async () => {
  const sent = [0, 1, 2, 3].map((at): Sent => ({ at, action: at === 3 ? "b" : "a", user: "ada", ip: 7, n: 1, id: at }));
  const { findings } = await judged(sent, 10);
  const entered = findings.find((f) => f.rule.id === "entered")!;
  expect(entered).toMatchObject({
    rule: { id: "entered", title: "entered", kind: "sigma" },
    severity: "high",
    entities: [{ type: "user.name", id: "ada" }],
    attack: ["T1110"],
    summary: "burst, then b within 9s, user.name ada",
    canonical: true,
  });
  const count = findings.find((f) => f.rule.id === "count")!;
  expect(count.summary).toBe("3 events within 5s, user.name ada");
  expect(count.evidence.map((e) => [e.fields[matchedBy], e.fields["source.ip"], e.matches[0]])).toEqual(
    Array(3).fill(["rule-a", "192.0.2.7", { clause: "counted", field: "user.name", value: "ada" }]),
  );
});

test("a rule on trial keeps the correlations that rest on it on trial", async () => {
  const decision = { state: "shadow", by: "ada", at: 0, reason: "new", hash: "" } as const;
  const overlay = { packs: {}, rules: { "rule-b": decision } };
  const parts = { rules: [{ file: "x.yml", text }], pipelines, detectors: {}, lateness_s: 30, overlay };
  const detectors = await keyedDetectors(makeProgram(parts, 0));
  expect([detectors.get("together")!.shadow, detectors.get("count")!.shadow]).toEqual([true, undefined]);
});

test("placeholders come with the program", async () => {
  const expanding = "title: E\nlogsource: {product: x}\ndetection: {s: {'user.name|expand': '%admins%'}, condition: s}\n";
  const parts = { rules: [{ file: "e.yml", text: expanding }], pipelines, detectors: {}, lateness_s: 30 };
  const without = makeProgram(parts, 0);
  const given = makeProgram({ ...parts, placeholders: { admins: ["ada"] } }, 0);
  expect((await compileProgram(without)).rules.rules).toHaveLength(0);
  expect((await compileProgram(given)).rules.rules).toHaveLength(1);
  expect(given.hash).not.toBe(without.hash);
});

test("what comes too late is found again among stored events, but for chains", async () => {
  const detectors = await keyedDetectors(program);
  const { again, spec } = detectors.get("together")!;
  const event = (id: string, action: string, user: string): Event => ({
    id,
    tenant: "main",
    source: "s",
    time: begin * second,
    received: begin * second,
    seq: 0,
    class: "other",
    host: "h",
    fields: { "event.kind": "event", "event.action": action, "user.name": user },
    original: "",
  });
  const events = [event("1", "a", "x"), event("2", "c", "x"), event("3", "b", "y")];
  expect(again!.observe(events).map((o) => [o.event, o.key])).toEqual([
    ["1", "main\0x"],
    ["3", "main\0y"],
  ]);
  expect(events.map((one) => evaluate(again!.where, one))).toEqual([true, false, true]);
  expect(spec.by).toEqual(["user.name"]);
  expect(detectors.get("entered")!.again).toBeUndefined();
});
