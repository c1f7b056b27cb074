import { randomBytes } from "node:crypto";
import { inProcessCluster, type Notices } from "@vedette/cluster";
import { newFields } from "@vedette/kit";
import { memoryLog } from "@vedette/log";
import type { Finding } from "@vedette/model";
import { formats } from "@vedette/normalise";
import type { CheckpointStore, EventStore, SettingStore } from "@vedette/store";
import { expect, test } from "vitest";
import type { Analysis, Job } from "../analysis.ts";
import { decodeBatch, encodeRecords, encodeTick, type RecordsHeader } from "../batch.ts";
import { Engine } from "../engine.ts";
import { freshIntakes } from "../intake/intakes.fixture.ts";
import { inlinePool } from "../pool.ts";
import { makeProgram } from "../program.ts";
import { CanaryGate, CanaryKey } from "./mark.ts";
import { CanaryNews } from "./news.ts";
import { CanaryPlanner } from "./plan.ts";
import { Prover } from "./prover.ts";

const id = (n: number) => `6f4a6c3e-1111-4a5b-9c55-00000000000${n}`;
const rule = (n: number, body: string) => ({ file: `${n}.yml`, text: `title: Rule ${n}\nid: ${id(n)}\nlevel: low\n${body}` });
const line = "Nov 20 06:00:01 node1 sshd[7]: Accepted password for root from 203.0.113.7 port 40000 ssh2";
const root = "logsource: {category: test}\ndetection:\n  a: {user.name: root, event.outcome: success}\n  condition: a\n";
const rules = [
  rule(1, `${root}vedette:\n  tests:\n    - {name: wire, expect: match, format: syslog, raw: "${line}"}\n`),
  rule(2, `${root}vedette:\n  tests:\n    - {name: event, expect: match, events: [{user.name: root, event.outcome: success}]}\n`),
  rule(3, root),
  rule(4, "logsource: {category: test}\ndetection:\n  a: {user.name: root}\n  condition: a and not a\n"),
  rule(
    5,
    "name: failure\nlogsource: {category: test}\ndetection:\n  a: {event.outcome: failure}\n  condition: a\n---\ntitle: Rule 6\nid: " +
      `${id(6)}\ncorrelation: {type: event_count, rules: [failure], group-by: [source.ip], timespan: 5m, condition: {gte: 3}}\nlevel: high\n` +
      `vedette:\n  tests:\n    - name: three\n      expect: match\n      format: syslog\n      raw: |-\n${[1, 2, 3].map((s) => `        ${line.replace("Accepted", "Failed").replace("06:00:01", `06:00:0${s}`)}`).join("\n")}\n`,
  ),
];
const program = makeProgram({ rules, pipelines: [], detectors: { brute_force: { threshold: 2 } }, lateness_s: 30 }, 0);
const key = new CanaryKey(randomBytes(32));

/** A production of everything but disks. Time stands still unless told. */
async function production(
  change: { readonly program?: typeof program; readonly analyse?: (a: Analysis) => Analysis; readonly notices?: Notices } = {},
) {
  const log = memoryLog();
  let now = Date.UTC(2026, 10, 21) * 1_000;
  const clock = {
    now: () => now++,
    sleep: (_: number, signal?: AbortSignal) => new Promise<void>((done) => (signal?.aborted ? done() : setImmediate(done))),
  };
  const intakes = await freshIntakes({ log, clock, program: () => program.hash });
  const settings = new Map<string, string>();
  const prover = new Prover({
    log,
    clock,
    settings: {
      get: async (k) => settings.get(k),
      set: async (k, v) => void settings.set(k, v ?? ""),
      add: async (_, v) => v,
      replace: async (k, from, to) => settings.get(k) === from && settings.set(k, to) === settings,
    } satisfies SettingStore,
    intakes,
    formats: await formats(),
    key,
    tenant: "main",
    program: () => program,
    enabled: true,
    every: 3_600_000_000,
  });
  // analysis and triage are other processes then
  const news = change.notices && new CanaryNews(change.notices);
  await news?.follow(prover);
  const inner = await inlinePool();
  const analyses: { readonly job: Job; readonly analysis: Analysis }[] = [];
  const pool = {
    ...inner,
    run: async (job: Job, under: typeof program) => {
      const analysis = (change.analyse ?? ((a: Analysis) => a))(await inner.run(job, change.program ?? under));
      analyses.push({ job, analysis });
      return analysis;
    },
  };
  let saved: Awaited<ReturnType<CheckpointStore["load"]>> = { epoch: 1, offset: 0, meta: undefined, keys: [], count: 0 };
  const keys: string[] = [];
  const engine = () =>
    new Engine({
      log,
      clock,
      pool,
      events: { put: async () => [], applied: async () => -1 } as unknown as EventStore,
      checkpoints: {
        acquire: async () => 1,
        load: async () => saved,
        standing: async () => [],
        rows: async () => [],
        commit: async (_c: string, epoch: number, offset: number, meta: string, changed: readonly { readonly key: string }[]) => {
          saved = { ...saved, epoch, offset, meta };
          keys.push(...changed.map((one) => one.key));
        },
      } as unknown as CheckpointStore,
      program: () => program,
      canaryKey: key,
      onAnalysis: (a) => a.canary && (news ?? prover).analysed(a.canary),
      onForged: (offset) => prover.forged(offset),
    });
  const findings = async (): Promise<Finding[]> => {
    const { start, end } = await log.bounds("findings", 0);
    const found: Finding[] = [];
    for (let at = start; at < end; at++)
      for (const entry of await log.read("findings", 0, at, 1))
        if ("bytes" in entry) found.push(...(JSON.parse(Buffer.from(entry.bytes).toString()) as { findings: Finding[] }).findings);
    return found;
  };
  /** As triage: told of canaries' findings once. */
  const told = new Set<string>();
  const triage = async () => {
    for (const f of await findings()) {
      if (f.canary === undefined || told.has(f.canary)) continue;
      told.add(f.canary);
      (news ?? prover).triaged(f.canary, f.rule.id);
    }
  };
  /** Runs detection until everything in the log is analysed. */
  const catchUp = async (one: Engine) => {
    await one.load();
    const stop = new AbortController();
    const running = one.run(stop.signal);
    const { end } = await log.bounds("raw", 0);
    while (one.durable < end) await new Promise((r) => setImmediate(r));
    stop.abort();
    await log.append("raw", 0, encodeTick(now));
    await running;
  };
  return {
    log,
    clock,
    intakes,
    prover,
    engine,
    analyses,
    keys,
    findings,
    triage,
    catchUp,
    later: (by: number) => {
      now += by;
    },
  };
}
type Production = Awaited<ReturnType<typeof production>>;

/** Proves while detection runs; `triage` false loses every finding. */
async function proveAll(p: Production, ids?: readonly string[], triaged = true): Promise<void> {
  const stop = new AbortController();
  const engine = p.engine();
  await engine.load();
  const running = engine.run(stop.signal);
  let done = false;
  const proving = p.prover.prove(ids).finally(() => {
    done = true;
  });
  while (!done) {
    if (triaged) await p.triage();
    p.later(2_000);
    await new Promise((r) => setImmediate(r));
  }
  await proving;
  stop.abort();
  await p.log.append("raw", 0, encodeTick(0));
  await running;
}

test("each rule is proved by what it has: a raw line, an event, an event made up, several lines; or it is told why not", async () => {
  const p = await production();
  await proveAll(p);
  const report = p.prover.report();
  expect(report.counts).toEqual({ proved: 4, silent: 0, unproved: 1, waiting: 0 });
  expect(report.rules.map(({ title, state, how }) => [title, state, how])).toEqual([
    ["Rule 1", "proved", "wire"],
    ["Rule 2", "proved", "event"],
    ["Rule 3", "proved", "synthesised"],
    ["Rule 4", "unproved", undefined],
    ["Rule 6", "proved", "wire"],
  ]);
  expect(report.rules[3]!.reason).toMatch(/does not match|no event could be made up/);
  // nothing of it is left: no findings but the proofs, no keys, no counts, no samples
  expect((await p.findings()).filter((f) => f.canary === undefined)).toEqual([]);
  expect((await p.findings()).every((f) => f.tenant === "main~canary")).toBe(true);
  expect(p.keys).toEqual([]);
  for (const { analysis } of p.analyses)
    expect([analysis.sources, analysis.rules, analysis.keyed, analysis.dead, analysis.sample]).toEqual([{}, {}, [], [], []]);
  expect([...(await p.log.counts()).keys()].filter((name) => name.startsWith("in/"))).toEqual([]);
});

test.each<readonly [string, Parameters<typeof production>[0], object]>([
  ["a rule that is not in the set any more", { program: makeProgram({ ...program, rules: [] }, 0) }, { lost: "not_matched" }],
  [
    "a decoder that changed",
    {
      analyse: (a) =>
        a.canary
          ? {
              ...a,
              findings: [],
              canary: { ...a.canary, found: false, events: a.canary.events.map((f) => ({ ...f, "user.name": "r00t" })) },
            }
          : a,
    },
    { lost: "decoder_changed_fields", reason: 'user.name should be "root" and is "r00t"' },
  ],
  [
    "a decoder that refuses",
    {
      analyse: (a) =>
        a.canary
          ? { ...a, findings: [], canary: { ...a.canary, found: false, events: [], flaw: { code: "bad_line", expected: "another" } } }
          : a,
    },
    { lost: "dead_letter", reason: "bad_line, expected another" },
  ],
])("%s: silent, and an alert names the stage", async (_, change, expected) => {
  const p = await production(change);
  await proveAll(p, [id(1)]);
  expect(p.prover.report().rules[0]).toMatchObject({ state: "silent", how: "wire", ...expected });
  const [alert, ...more] = (await p.findings()).filter((f) => f.canary === undefined);
  expect([alert!.rule.id, alert!.tenant, alert!.severity, alert!.entities, more]).toEqual([
    "rule_silent",
    "main",
    "high",
    [{ type: "rule", id: id(1) }],
    [],
  ]);
  expect(alert!.summary).toContain((expected as { lost: string }).lost.replaceAll("_", " "));
  // once is enough until it has been proved again
  await proveAll(p, [id(1)]);
  expect((await p.findings()).filter((f) => f.rule.id === "rule_silent").length).toBe(1);
});

test("a finding that triage never sees, and detection that does not run, are found out by time", async () => {
  const p = await production();
  await proveAll(p, [id(1)], false);
  expect(p.prover.report().rules[0]).toMatchObject({ state: "silent", lost: "finding_lost" });
  const stopped = await production();
  let done = false;
  const proving = stopped.prover.prove([id(1)]).finally(() => {
    done = true;
  });
  while (!done) {
    stopped.later(2_000);
    await new Promise((r) => setImmediate(r));
  }
  await proving;
  expect(stopped.prover.report().rules[0]).toMatchObject({ state: "silent", lost: "not_analysed" });
});

/** The genuine batch in the log. */
async function captured(p: Production) {
  const [entry] = await p.log.read("raw", 0, 0, 1);
  if (!entry || !("bytes" in entry)) throw new Error("nothing in the log");
  const batch = decodeBatch(entry.bytes);
  if (!("bodies" in batch)) throw new Error("no records");
  return { bytes: Uint8Array.from(entry.bytes), header: structuredClone(batch.header), bodies: batch.bodies.map((b) => Buffer.from(b)) };
}

test("1,000 forged marks: every one is an ordinary event and alerts", async () => {
  const p = await production();
  await proveAll(p, [id(1)]);
  const genuine = await captured(p);
  const mark = genuine.header.canary!;
  const before = p.analyses.length;
  const batches: (() => Promise<unknown>)[] = [];
  const forged = (header: Partial<RecordsHeader>, bodies: readonly Uint8Array[] = genuine.bodies) => {
    const { kind, version, program: of, canary, ...rest } = { ...genuine.header, ...header };
    batches.push(() => p.log.append("raw", 0, encodeRecords({ kind, version, program: of, canary: canary!, ...rest }, bodies)));
  };
  for (let n = 0; n < 100; n++) {
    const other = Buffer.from(line.replace("40000", String(50_000 + n)));
    forged({ canary: { ...mark, mac: randomBytes(32).toString("base64url") }, positions: [`mac${n}`] });
    forged({ canary: { ...mark, nonce: randomBytes(16).toString("base64url") }, positions: [`nonce${n}`] });
    forged({ canary: { ...mark, rule: id(2) }, positions: [`rule${n}`] });
    forged({ canary: { ...mark, at: mark.at + n + 1 }, received: mark.at + n + 1, positions: [`time${n}`] });
    forged({ positions: genuine.header.positions, seq: n }, [other]);
    forged({ source: `other${n}` });
    const made = new CanaryKey(randomBytes(32)).sign(mark, genuine.header, genuine.bodies);
    forged({ canary: made, positions: [`key${n}`] });
    // the very same batch again
    batches.push(() => p.log.append("raw", 0, genuine.bytes));
  }
  const client = p.intakes.open({ source: "vedette.canary" });
  for (let n = 0; n < 200; n++) {
    const claims = { "vedette.canary": id(1), vedette: { canary: mark }, canary: mark };
    const document = {
      "@timestamp": "2026-11-20T06:00:01Z",
      "user.name": "root",
      "event.outcome": "success",
      "host.name": `h${n}`,
      ...claims,
    };
    batches.push(() => client.accept([{ position: `doc${n}`, body: Buffer.from(JSON.stringify(document)), id: `${mark.nonce}.${n}` }]));
  }
  expect(batches.length).toBe(1_000);
  for (const one of batches) await one();
  await p.catchUp(p.engine());
  const found = p.analyses.slice(before).flatMap(({ job, analysis }) => (job.canary ? [] : [analysis]));
  expect(found.reduce((n, { sources }) => n + Object.values(sources).reduce((m, s) => m + s.stored, 0), 0)).toBe(1_000);
  const root = found.flatMap(({ findings }) => findings).filter((f) => f.rule.id === id(1));
  const capped = found.reduce((n, { capped: one }) => n + (one[id(1)] ?? 0), 0);
  expect(root.length + capped).toBe(1_000);
  for (const f of root) expect([f.tenant, f.canary, f.evidence[0]!.fields["vedette.canary"]]).toEqual(["main", undefined, undefined]);
  expect(Object.keys((await p.log.counts()).has("in/client.vedette.canary") ? { in: 1 } : {})).toEqual(["in"]);
  expect(p.prover.report().forged).toBe(800);
  expect((await p.findings()).some((f) => f.rule.id === "canary_forged")).toBe(true);
}, 60_000);

test("after a restart the same batch is still the canary it was, and a copy of it is not", async () => {
  const p = await production();
  await proveAll(p, [id(1)]);
  const { bytes } = await captured(p);
  const gate = new CanaryGate(key);
  expect(gate.admit(0, bytes)).toMatchObject({ rule: id(1) });
  const again = new CanaryGate(key);
  again.restore(gate.state(), 0);
  expect(again.admit(0, bytes)).toMatchObject({ rule: id(1) });
  const later = new CanaryGate(key);
  later.restore(gate.state(), 1);
  expect([later.admit(5, bytes), new CanaryGate(undefined).admit(0, bytes)]).toEqual(["forged", "forged"]);
});

test("a rule's case that cannot come in is no proof", async () => {
  const planner = new CanaryPlanner(await formats());
  const own = rule(
    7,
    "logsource: {category: test}\ndetection:\n  a: {vedette.audit.rows: 5}\n  condition: a\nvedette:\n  tests: [{name: own, expect: match, events: [{vedette.audit.rows: 5}]}]\n",
  );
  const unknown = rule(
    8,
    `${root}vedette:\n  tests: [{name: x, expect: match, format: nonsense, raw: x}, {name: y, expect: match, format: syslog, raw: nothing}]\n`,
  );
  const all = makeProgram({ rules: [own, unknown], pipelines: [], detectors: {}, lateness_s: 30 }, 0);
  expect(await planner.plan(id(7), all)).toEqual({
    unprovable: expect.stringContaining("vedette.audit.rows, which nobody but Vedette can set"),
  });
  expect(await planner.plan(id(8), all)).toMatchObject({ how: "synthesised" });
  expect(await planner.plan(id(9), all)).toEqual({ unprovable: "it is not in force" });
});

test("what is in force is proved, filters and all: a case that only a filter keeps from firing goes out and is lost", async () => {
  const filter = (what: string) => ({
    file: "filter.yml",
    text: `title: Not here\nid: not-here\nlogsource: {category: test}\nfilter:\n  rules: ['${id(1)}']\n  here: {${what}}\n  condition: not here\n`,
  });
  const planner = new CanaryPlanner(await formats());
  const under = (what: string) => makeProgram({ rules: [...rules, filter(what)], pipelines: [], detectors: {}, lateness_s: 30 }, 0);
  // the case of the rule does not fire, an event made up does
  expect(await planner.plan(id(1), under("host.name: node1"))).toMatchObject({ how: "synthesised" });
  // nothing that the rule is about passes
  const wide = under("user.name: root");
  expect(await planner.plan(id(1), wide)).toMatchObject({ how: "wire" });
  const hash = (of: typeof program) => planner.provable(of).find((one) => one.id === id(1))!.hash;
  expect(hash(wide)).not.toBe(hash(program));
  const p = await production({ program: wide });
  await proveAll(p, [id(1)]);
  expect(p.prover.report().rules[0]).toMatchObject({ state: "silent", lost: "not_matched" });
});

test.each([
  ["a count", "type: event_count, rules: [base], group-by: [source.ip], timespan: 5m, condition: {gte: 4}", 4],
  ["a range", "type: event_count, rules: [base], group-by: [host.name], timespan: 5m, condition: {gt: 2, lte: 5}", 3],
  ["different values", "type: value_count, rules: [base], group-by: [host.name], timespan: 5m, condition: {gte: 3, field: source.ip}", 3],
  [
    "values of a field that findings have too",
    "type: value_count, rules: [base], group-by: [host.name], timespan: 5m, condition: {gte: 3, field: rule.id}",
    3,
  ],
  ["a sum", "type: value_sum, rules: [base], group-by: [host.name], timespan: 5m, condition: {gt: 100, field: http.response.bytes}", 1],
  ["two rules in order", "type: temporal_ordered, rules: [base, other], group-by: [host.name], timespan: 5m", 2],
])("a correlation without a case is proved by events made up: %s", async (_, body, bodies) => {
  const text = `${rule(1, `name: base\n${root}`).text}---\n${rule(2, "name: other\nlogsource: {category: test}\ndetection:\n  a: {event.action|endswith: _stop}\n  condition: a\n").text}---\ntitle: Series\nid: ${id(3)}\ncorrelation: {${body}}\nlevel: high\n`;
  const all = makeProgram({ rules: [{ file: "c.yml", text }], pipelines: [], detectors: {}, lateness_s: 30 }, 0);
  const canary = await new CanaryPlanner(await formats()).plan(id(3), all);
  expect(canary).toMatchObject({ how: "synthesised", bodies: { length: bodies } });
});

test("what other processes see of a canary comes to the one that sent it; news that may be missing prove nothing", async () => {
  const clock = { now: () => 0, sleep: async () => {} };
  const { notices } = inProcessCluster(clock);
  // longer than a notice may be: what happened comes through all the same
  const analyse = (a: Analysis): Analysis =>
    a.canary === undefined ? a : { ...a, canary: { ...a.canary, events: [Object.assign(newFields(), { message: "x".repeat(100_000) })] } };
  const p = await production({ notices, analyse });
  await proveAll(p);
  expect(p.prover.report().counts).toEqual({ proved: 4, silent: 0, unproved: 1, waiting: 0 });

  const lossy = { ...notices, publish: () => {} };
  const other = await production({ notices: lossy });
  const proving = other.prover.prove();
  for (let turn = 0; turn < 50; turn++) await new Promise((r) => setImmediate(r));
  other.prover.unsure();
  for (let left = 20; left > 0; left--) {
    await new Promise((r) => setImmediate(r));
    other.prover.unsure();
  }
  await proving;
  expect(other.prover.report().counts).toMatchObject({ silent: 0, proved: 0 });
  expect((await other.findings()).filter(({ rule }) => rule.id === "rule_silent")).toEqual([]);
});
