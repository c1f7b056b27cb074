import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { idOf, newFields } from "@vedette/kit";
import type { Event, FieldValue } from "@vedette/model";
import { encodeEvents, openStore, type Store } from "@vedette/store";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Judge } from "./judge.ts";
import { planBacktest } from "./plan.ts";
import { BacktestQueue } from "./queue.ts";
import { backtest, estimateBacktest } from "./run.ts";

const start = Date.UTC(2026, 5, 1) * 1_000;
const minute = 60_000_000;
const range = { from: start - 86_400_000_000, to: start + 7 * 86_400_000_000 };
const fixed = { pipelines: [], lateness_s: 30 };
const texts = [
  "root",
  "ROOT",
  "rootkit",
  "xmrig --donate",
  "C:\\Temp\\a.exe",
  'say "hi"',
  "ÉCOLE",
  "İx",
  "10.1.2.3",
  "4625",
  "",
  "a\u0001b",
];
const names = ["user.name", "process.command_line", "odd.field", "event.outcome", "event.category"];

function eventOf(seq: number, fields: Readonly<Record<string, FieldValue>>, time = start + seq * minute): Event {
  const own = Object.assign(newFields(), fields);
  const id = idOf("test", seq);
  return {
    id,
    tenant: "main",
    source: "test",
    time,
    received: time,
    seq,
    class: seq % 3 ? "host" : "process",
    host: "h",
    fields: own,
    original: "",
  };
}
const random = fc.sample(
  fc.dictionary(
    fc.constantFrom(...names),
    fc.oneof(fc.constantFrom(...texts), fc.integer({ min: 0, max: 5_000 }), fc.array(fc.constantFrom(...texts), { maxLength: 3 })),
  ),
  { numRuns: 400, seed: 4 },
);
const failures = Array.from({ length: 60 }, (_, i) =>
  eventOf(
    1_000 + i,
    {
      "event.category": "authentication",
      "event.outcome": "failure",
      "event.action": "ssh_login",
      "source.ip": "203.0.113.5",
      "user.name": "root",
    },
    start + i * 1_000_000,
  ),
);
const events = [...random.map((fields, seq) => eventOf(seq, fields as Record<string, FieldValue>)), ...failures];

const root = mkdtempSync(join(tmpdir(), "vedette-backtest-"));
let store: Store;
beforeAll(async () => {
  store = await openStore({ directory: root });
  // as they came, not as they happened: the tail first, part of it sealed
  await store.events.put(0, start, encodeEvents(events.slice(300)));
  await store.events.seal(true);
  await store.events.put(1, start, encodeEvents(events.slice(0, 200)));
  await store.events.seal(true);
  await store.events.put(2, start, encodeEvents(events.slice(200, 300)));
});
afterAll(async () => {
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

const options = () => ({ events: store.events, tenant: "main", range });
const never = new AbortController().signal;

const clause = fc
  .record({
    field: fc.constantFrom(...names),
    how: fc.constantFrom("", "|contains", "|startswith", "|endswith", "|re", "|exists", "|gt", "|contains|all", "|cased"),
    value: fc.constantFrom(...texts.slice(0, 10)),
  })
  .map(({ field, how, value }) => {
    if (how === "|exists") return `    ${field}|exists: true`;
    if (how === "|gt") return `    ${field}|gt: 100`;
    if (how === "|re") return `    ${field}|re: ${JSON.stringify(value.replace(/[^A-Za-z0-9 ]/g, "."))}`;
    if (how === "|contains|all") return `    ${field}|contains|all: [${JSON.stringify(value)}, ${JSON.stringify(value.slice(0, 2))}]`;
    return `    ${field}${how}: ${JSON.stringify(value)}`;
  });
const selection = fc
  .uniqueArray(clause, { minLength: 1, maxLength: 2, selector: (c) => c.slice(0, c.indexOf(":")) })
  .map((c) => c.join("\n"));
const rule = fc
  .tuple(selection, selection, fc.constantFrom("a", "a or b", "a and b", "a and not b", "not a", "1 of them"))
  .map(([a, b, condition]) => `logsource: { category: test }\ndetection:\n  a:\n${a}\n  b:\n${b}\n  condition: ${condition}\nlevel: low\n`);

test("what the store rules out no rule would have matched: the same answer as judging every event", async () => {
  let ruledOut = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(rule, { minLength: 1, maxLength: 4 }), async (bodies) => {
      const rules = bodies.map((text, i) => ({
        file: `${i}.yml`,
        text: `title: Rule ${i}\nid: 6f4a6c3e-1111-4a5b-9c55-00000000000${i}\n${text}`,
      }));
      const plan = await planBacktest({ rules }, fixed);
      const { rules: found, candidates } = await backtest(plan, options(), never);
      const whole = new Judge(await planBacktest({ rules }, fixed));
      const rows = events.map((event) => event);
      whole.judge(rows, Number.MAX_SAFE_INTEGER);
      const told = (all: typeof found) =>
        all.map(({ id, matched, alerts, first, last, entities }) => ({ id, matched, alerts, first, last, entities }));
      expect(told(found)).toEqual(told(whole.finish(1).rules));
      if (candidates < events.length) ruledOut++;
    }),
    { numRuns: 40 },
  );
  expect(ruledOut).toBeGreaterThan(10);
});

test("a detector folds stored events in the order they happened, however they were stored", async () => {
  const plan = await planBacktest({ rules: [], detectors: { brute_force: { threshold: 10 } } }, fixed);
  const report = await backtest(plan, options(), never);
  expect(report.rules).toMatchObject([
    {
      id: "brute_force",
      kind: "detector",
      matched: 1,
      alerts: 1,
      first: start,
      entities: [{ type: "source.ip", id: "203.0.113.5", count: 1 }],
    },
  ]);
  expect(report.candidates).toBeLessThan(events.length);
});

const one = {
  file: "r.yml",
  text: "title: Root\nid: 6f4a6c3e-1111-4a5b-9c55-000000000001\nlogsource: {category: test}\ndetection:\n  a: {user.name: root}\n  condition: a\nlevel: high\n",
};

test("tells days, entities, cost and what is refused", async () => {
  const bad = { file: "bad.yml", text: "title: Bad\nlogsource: {category: test}\ndetection:\n  a: {x|nonsense: 1}\n  condition: a\n" };
  const plan = await planBacktest({ rules: [one, bad] }, fixed);
  expect(await estimateBacktest(plan, options())).toMatchObject({ stored: events.length });
  const report = await backtest(plan, options(), never);
  expect(report.refused).toEqual([expect.stringContaining("bad.yml:4")]);
  const [root] = report.rules;
  expect(root!.matched).toBeGreaterThan(60);
  expect(root!.days.reduce((n, { matched }) => n + matched, 0)).toBe(root!.matched);
  expect(root!.days[0]!.day).toBe("2026-06-01");
  expect(root!.cost.evaluated).toBeGreaterThan(0);
  expect(root!.samples.length).toBe(5);
  await expect(planBacktest({ rules: [bad] }, fixed)).rejects.toThrow(/no rule to test: bad\.yml:4/);
});

test("one that is ended early is about the share of the events that it went through", async () => {
  const plan = await planBacktest({ rules: [{ ...one, text: one.text.replace("root", "'*'") }] }, fixed);
  const whole = await backtest(plan, options(), never);
  const { candidates } = await estimateBacktest(plan, options());
  const early = await backtest(plan, { ...options(), limit: { candidates, reached: () => true } }, never);
  expect(early.candidates).toBeLessThan(whole.candidates);
  expect(early.stored).toBeLessThan(whole.stored);
  expect(early.span_days / whole.span_days).toBeCloseTo(early.stored / whole.stored, 1);
  const late = await backtest(plan, { ...options(), limit: { candidates, reached: () => false } }, never);
  expect({ ...late, seconds: 0, cpu_s: 0, rules: [] }).toEqual({ ...whole, seconds: 0, cpu_s: 0, rules: [] });
});

test("beside production: waits its turn, in a thread of its own, can be cancelled, and changes nothing", async () => {
  const before = await store.events.usage();
  let lag = 1_000_000;
  const program = { ...(await planBacktest({ rules: [one] }, fixed)).program };
  const waits: number[] = [];
  const clock = {
    now: () => start,
    sleep: async (ms: number) => {
      waits.push(ms);
      if (waits.length === 3) lag = 0;
    },
  };
  const queue = new BacktestQueue({ events: store.events, clock, tenant: "main", program: () => program, lag: async () => lag });
  await expect(queue.start({ rules: [], ids: ["nobody"], range })).rejects.toThrow(/nobody is neither/);
  const first = await queue.start({ rules: [], ids: ["6f4a6c3e-1111-4a5b-9c55-000000000001"], range });
  const second = await queue.start({ rules: [one], ids: [], range });
  expect(queue.cancel(second.id)?.state).toBe("cancelled");
  await queue.settled();
  expect(waits.length).toBe(3);
  const plan = await planBacktest({ rules: [one] }, fixed);
  const offline = await backtest(plan, options(), never);
  expect(queue.get(first.id)).toMatchObject({ state: "done", rules: 1, report: { rules: [{ matched: offline.rules[0]!.matched }] } });
  await queue.close();
  expect(queue.get(second.id)?.state).toBe("cancelled");
  expect(await store.events.usage()).toEqual(before);
});

test("a correlation counts over the stored events, and its rules are not told of", async () => {
  const text = `title: Failure
id: 6f4a6c3e-1111-4a5b-9c55-000000000011
name: failure
logsource: {category: test}
detection:
  a: {event.outcome: failure, event.action: ssh_login}
  condition: a
level: low
---
title: Many failures
id: 6f4a6c3e-1111-4a5b-9c55-000000000012
correlation:
  type: event_count
  rules: [failure]
  group-by: [source.ip]
  timespan: 5m
  condition: {gte: 20}
level: high
`;
  const rules = [{ file: "c.yml", text }];
  const expected = [{ id: "6f4a6c3e-1111-4a5b-9c55-000000000012", kind: "sigma", matched: 1, first: start }];
  expect((await backtest(await planBacktest({ rules }, fixed), options(), never)).rules).toMatchObject(expected);
  const byId = await planBacktest({ rules: [...rules, one], ids: [expected[0]!.id] }, fixed);
  const report = await backtest(byId, options(), never);
  expect([byId.told, report.candidates, report.rules]).toMatchObject([1, failures.length, expected]);
});

test("a correlation over a detector's findings has the detector run with the site's settings, and is told of alone", async () => {
  const text = `title: Guessed
id: 6f4a6c3e-1111-4a5b-9c55-000000000013
correlation: {type: event_count, rules: [detector.brute_force], group-by: [source.ip], timespan: 1h, condition: {gte: 1}}
level: high
`;
  const subject = { rules: [{ file: "d.yml", text }, one], ids: ["6f4a6c3e-1111-4a5b-9c55-000000000013"] };
  const run = async (threshold: number) =>
    (
      await backtest(
        await planBacktest(subject, { ...fixed, detectors: { brute_force: { threshold, slow_threshold: 1_000 } } }),
        options(),
        never,
      )
    ).rules;
  expect(await run(10)).toMatchObject([{ title: "Guessed", matched: 1, entities: [{ type: "source.ip", id: "203.0.113.5" }] }]);
  expect(await run(1_000)).toMatchObject([{ title: "Guessed", matched: 0 }]);
});
