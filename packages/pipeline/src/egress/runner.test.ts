import { type Delivery, defineSink, type Outgoing, z } from "@vedette/kit";
import { memoryLog } from "@vedette/log";
import type { Alert, DeadLetter, Finding, SinkState } from "@vedette/model";
import type { CheckpointStore } from "@vedette/store";
import { expect, test } from "vitest";
import { encodeTick } from "../batch.ts";
import { freshIntakes } from "../intake/intakes.fixture.ts";
import { inlinePool } from "../pool.ts";
import { makeProgram } from "../program.ts";
import { memoryAlerts } from "../rules/rig.test.data.ts";
import { type ConfiguredSink, SinkRunner, type SinkRunnerOptions } from "./runner.ts";

const start = Date.UTC(2026, 10, 21) * 1_000;
const program = makeProgram({ rules: [], pipelines: [], detectors: {}, lateness_s: 30 }, 0);

function findingOf(n: number, more: Partial<Finding> = {}): Finding {
  return {
    id: `f${n}`,
    tenant: "main",
    rule: { id: "r", title: "R", hash: "h", kind: "sigma" },
    severity: n % 2 ? "high" : "low",
    key: `${n}`,
    window: { start, end: start },
    time: start + n,
    events: [],
    count: 1,
    entities: [{ type: "source.ip", id: `192.0.2.${n}` }],
    evidence: [],
    attack: [],
    summary: `finding ${n}`,
    revision: 0,
    canonical: true,
    demo: false,
    received: start,
    ...more,
  };
}

/** A log, a checkpoint that survives the runner, and a receiver that does as `answer` says. */
function rig(configured: Partial<ConfiguredSink> = {}, more: Partial<SinkRunnerOptions> = {}) {
  const log = more.log ?? memoryLog();
  let now = start;
  const clock = {
    now: () => now++,
    advance: (micros: number) => {
      now += micros;
    },
    sleep: async (ms: number) => {
      now += ms * 1_000;
      await new Promise((r) => setImmediate(r));
    },
  };
  let saved = { epoch: 0, offset: 0, meta: undefined as string | undefined };
  const checkpoints = {
    acquire: async () => {
      saved = { ...saved, epoch: saved.epoch + 1 };
      return saved.epoch;
    },
    load: async () => ({ ...saved, keys: [], count: 0 }),
    commit: async (_: string, epoch: number, offset: number, meta: string) => {
      expect(epoch).toBe(saved.epoch);
      saved = { epoch, offset, meta };
    },
  } as unknown as CheckpointStore;
  const took: Outgoing[] = [];
  const receiver = {
    took,
    answer: (some: readonly Outgoing[]): Delivery => {
      took.push(...some);
      return { outcome: "answered", answer: "thanks" };
    },
  };
  const spec = defineSink({
    name: "fake",
    summary: "Fake.",
    stability: "experimental",
    config: z.strictObject({}),
    batch: { records: 5, bytes: 1e6 },
    examples: [],
    open: async () => ({
      send: async (some) => {
        await new Promise((r) => setImmediate(r));
        return receiver.answer(some);
      },
      close: async () => {},
    }),
  });
  const problems = new Map<string, string>();
  const options: SinkRunnerOptions = {
    log,
    alerts: memoryAlerts(),
    checkpoints,
    clock,
    pool: { size: 1, run: () => Promise.reject(new Error("not used")), close: async () => {} },
    program: () => program,
    durable: () => 0,
    busy: async () => false,
    specs: new Map([["fake", spec]]),
    tenant: "main",
    hostname: "h",
    version: "1",
    random: () => 0,
    onProblem: (code, message) => void (message === undefined ? problems.delete(code) : problems.set(code, message)),
    ...more,
  };
  const sink: ConfiguredSink = {
    name: "soc",
    type: "fake",
    config: {},
    select: "findings",
    when: "",
    format: "ecs",
    from: "start",
    ...configured,
  };
  /** Runs until it holds, then stops as a crash would: nothing more is written. */
  const runUntil = async (holds: (state: SinkState) => boolean | Promise<boolean>) => {
    const runner = new SinkRunner(options);
    const stop = new AbortController();
    void runner.start(sink, stop.signal);
    void runner.watch(stop.signal);
    for (;;) {
      const [state] = await runner.states();
      if (await holds(state!)) {
        stop.abort();
        await runner.stopped();
        return state!;
      }
      await new Promise((r) => setImmediate(r));
    }
  };
  return { log, clock, receiver, problems, runUntil };
}
const append = (log: ReturnType<typeof memoryLog>, findings: readonly Finding[]) =>
  log.append("findings", 0, Buffer.from(JSON.stringify({ findings })));
const idsOf = (all: readonly Outgoing[]) => all.map(({ id }) => id);
const balance = ({ read, sent, refused, skipped }: SinkState) => read - sent - skipped - Object.values(refused).reduce((a, b) => a + b, 0);

test("what a sink read is sent, refused or skipped; a restart goes on where it was, and repeats rather than loses", async () => {
  const { log, receiver, runUntil } = rig({ when: "vedette.severity:high" });
  const more = [findingOf(101, { canary: "x" }), findingOf(103, { shadow: true }), findingOf(105, { demo: true })];
  for (let i = 0; i < 40; i += 4) await append(log, [findingOf(i), findingOf(i + 1), findingOf(i + 2), findingOf(i + 3)]);
  await append(log, more);
  await log.append("findings", 0, Buffer.from('{"retract":{"rules":[],"by":"x","reason":"y"}}'));
  const thanks = receiver.answer;
  let calls = 0;
  receiver.answer = (some) => {
    // it takes a batch and its answer is lost; one record it never takes
    if (++calls === 2) {
      thanks(some);
      return { outcome: "unavailable", reason: "reset" };
    }
    if (some.some(({ id }) => id === "f7.0")) return { outcome: "refused", reason: "HTTP 400: no" };
    return thanks(some);
  };
  // killed in the middle of a page: what was taken by then comes again
  const half = await runUntil(() => calls >= 3);
  expect([half.sent, balance(half)]).toEqual([0, 0]);
  const before = receiver.took.length;
  expect(before).toBeGreaterThan(0);
  const all = await runUntil(({ pending, state }) => pending === 0 && state === "idle");
  expect(all).toMatchObject({ read: 43, sent: 19, refused: { "HTTP 400: no": 1 }, skipped: 23, missed: 0, pending: 0, answer: "thanks" });
  expect(balance(all)).toBe(0);
  expect(receiver.took).toHaveLength(before + 19);
  expect(new Set(idsOf(receiver.took))).toEqual(
    new Set(Array.from({ length: 20 }, (_, i) => `f${2 * i + 1}.0`).filter((id) => id !== "f7.0")),
  );
  const [dead] = await log.read("dead", 0, 0, 1e6);
  const { letters } = JSON.parse(Buffer.from((dead as { bytes: Uint8Array }).bytes).toString()) as { letters: DeadLetter[] };
  expect(letters).toMatchObject([
    { source: "sink/soc", position: "f7.0", stage: "egress", code: "refused_by_receiver", expected: "HTTP 400: no" },
  ]);
});

test("a new sink begins now unless told otherwise", async () => {
  const { log, receiver, runUntil } = rig({ from: "now" });
  await append(log, [findingOf(1)]);
  let added = false;
  await runUntil(async ({ state, pending, sent }) => {
    if (state === "idle" && pending === 0 && !added) {
      added = true;
      await append(log, [findingOf(2)]);
    }
    return sent === 1;
  });
  expect(idsOf(receiver.took)).toEqual(["f2.0"]);
});

test("a receiver that is gone is a problem after five minutes and an alert; it ends by itself", async () => {
  const { log, clock, receiver, problems, runUntil } = rig();
  await append(log, [findingOf(1)]);
  const thanks = receiver.answer;
  receiver.answer = () => ({ outcome: "unavailable", reason: "ECONNREFUSED" });
  await runUntil(({ state, lag }) => {
    clock.advance(1_000_000);
    return state === "waiting" && lag > 0 && problems.has("sink_down_soc");
  });
  expect(problems.get("sink_down_soc")).toMatch(/^soc \(fake\) has waited for \d+ minutes: ECONNREFUSED$/);
  const [, told] = await log.read("findings", 0, 0, 1e6);
  expect(JSON.parse(Buffer.from((told as { bytes: Uint8Array }).bytes).toString())).toMatchObject({
    findings: [{ rule: { id: "vedette_sink_down" }, severity: "medium", entities: [{ type: "vedette.sink", id: "soc" }] }],
  });
  receiver.answer = thanks;
  await runUntil(({ sent, pending }) => sent === 2 && pending === 0);
  expect(problems.size).toBe(0);
});

test("when the log is about to drop what was not sent it says so; what it dropped is counted", async () => {
  const { log, receiver, problems, runUntil } = rig();
  const thanks = receiver.answer;
  receiver.answer = () => ({ outcome: "unavailable", reason: "down" });
  for (let i = 0; i < 100; i++) await append(log, [findingOf(i)]);
  await runUntil(({ state }) => state === "waiting");
  expect(problems.has("sink_losing_soc")).toBe(false);
  await log.retain("findings", 0, 50, 0);
  const { start: kept } = await log.bounds("findings", 0);
  expect(kept).toBeGreaterThan(0);
  await runUntil(() => problems.has("sink_losing_soc"));
  receiver.answer = thanks;
  const state = await runUntil(({ pending, state }) => pending === 0 && state === "idle");
  expect(state.missed).toBe(kept);
  expect(problems.size).toBe(0);
});

test("alerts go by the number of their change; the demo's and those on trial stay", async () => {
  const alerts = memoryAlerts();
  const { severity, rule, entities, evidence, attack, summary } = findingOf(1);
  const alertOf = (id: string, more: Partial<Alert> = {}): Alert => ({
    ...{ id, tenant: "main", severity, title: "t", rule, entities, evidence, attack, summary, count: 1, events: 1 },
    ...{ first_seen: start, last_seen: start, created: start, updated: start, state: "open", demo: false, history: [] },
    ...more,
  });
  const changes = [
    alertOf("a"),
    alertOf("b", { demo: true }),
    alertOf("c", { shadow: true }),
    alertOf("d", { historical: true }),
    alertOf("a", { state: "closed", updated: start + 9 }),
  ];
  const { receiver, runUntil } = rig(
    { select: "alerts", format: "ocsf" },
    {
      alerts: {
        ...alerts,
        lastChange: async () => changes.length,
        changed: async (after, limit) => changes.map((alert, i) => ({ serial: i + 1, alert })).slice(after, after + limit),
      },
    },
  );
  const state = await runUntil(({ pending, state }) => pending === 0 && state === "idle");
  expect(state).toMatchObject({ read: 5, sent: 2, skipped: 3 });
  expect(receiver.took.map(({ id, body }) => [id, JSON.parse(body).activity_id])).toEqual([
    [`a.${start}`, 1],
    [`a.${start + 9}`, 3],
  ]);
});

test("events are those of the store, with their ids, once detection is done with them; nothing else of the log leaves", async () => {
  const log = memoryLog();
  const clock = { now: () => start, sleep: async () => {} };
  const intakes = await freshIntakes({ log, clock, program: () => program.hash });
  const line = (n: number) =>
    `Nov 21 00:00:${String(n).padStart(2, "0")} login${n % 3} sshd[7]: Failed password for root from 192.0.2.${n} port 5 ssh2`;
  for (let i = 0; i < 30; i += 10) {
    await intakes
      .open({ source: "auth", format: "syslog" })
      .accept(Array.from({ length: 10 }, (_, k) => ({ position: `${i + k}`, body: Buffer.from(line(i + k)) })));
    await log.append("raw", 0, encodeTick(start));
  }
  let durable = 2;
  const pool = await inlinePool();
  const { receiver, runUntil } = rig({ select: "events", when: "host.name:login1" }, { log, pool, durable: () => durable });
  const some = await runUntil(({ sent }) => sent > 0);
  expect([some.read, some.sent, some.pending]).toEqual([10, 3, 4]);
  durable = 6;
  const all = await runUntil(({ read }) => read === 30);
  expect([all.sent, all.skipped]).toEqual([10, 20]);
  const { bytes } = (await log.read("raw", 0, 0, 1))[0] as { bytes: Uint8Array };
  const { selected } = await pool.run({ entries: [{ offset: 0, bytes }], sample: false, store: false, select: "" }, program);
  expect(receiver.took[0]).toMatchObject({ id: selected![1]!.id, kind: "event", host: "login1" });
  expect(JSON.parse(receiver.took[0]!.body)).toMatchObject({
    "user.name": "root",
    "source.ip": "192.0.2.1",
    "event.original": line(1),
    "vedette.source": "auth",
  });
});

test("events of several partitions of the raw topic leave by one sink, each once, and a restart goes on in every one of them", async () => {
  const log = memoryLog();
  const partitions = 3;
  const clock = { now: () => start, sleep: async () => {} };
  const intakes = await freshIntakes({ log, clock, program: () => program.hash, partitions });
  const intake = intakes.open({ source: "auth", format: "syslog" });
  const send = async (from: number, count: number) => {
    for (let n = from; n < from + count; n++) {
      const body = Buffer.from(`Nov 21 00:00:00 login${n} sshd[7]: Failed password for root from 192.0.2.${n} port 5 ssh2`);
      await intake.accept([{ position: `${n}`, body }], { stream: `host${n}` });
    }
  };
  await send(0, 12);
  const ends = () => Promise.all(Array.from({ length: partitions }, async (_, n) => (await log.bounds("raw", n)).end));
  const first = await ends();
  expect(first.every((end) => end > 0)).toBe(true);
  // one partition is not analysed yet
  let durable: readonly number[] = first.with(2, 0);
  const pool = await inlinePool();
  const { receiver, runUntil } = rig({ select: "events" }, { log, pool, partitions, durable: (n) => durable[n]! });
  const some = await runUntil(({ sent }) => sent === 12 - first[2]!);
  expect(some.pending).toBe(first[2]);
  await send(12, 12);
  durable = await ends();
  const all = await runUntil(({ sent }) => sent === 24);
  expect([all.pending, all.missed, balance(all)]).toEqual([0, 0, 0]);
  expect(new Set(idsOf(receiver.took)).size).toBe(24);
  expect(receiver.took).toHaveLength(24);
});
