import { VedetteError } from "@vedette/kit";
import { memoryLog } from "@vedette/log";
import type { Event, Finding } from "@vedette/model";
import type { CheckpointStore, EventStore, RefusedEvent } from "@vedette/store";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeTick } from "./batch.ts";
import { Engine } from "./engine.ts";
import { freshIntakes } from "./intake/intakes.fixture.ts";
import { inlinePool } from "./pool.ts";
import { makeProgram } from "./program.ts";

const second = 1_000_000;
const rule = `title: Root logs in
id: 6f4a6c3e-1111-4a5b-9c55-000000000001
logsource: { category: test }
detection:
  selection: { event.outcome: success, user.name: root }
  condition: selection
level: low
`;
const program = makeProgram(
  { rules: [{ file: "r.yml", text: rule }], pipelines: [], detectors: { brute_force: { threshold: 3 } }, lateness_s: 30 },
  0,
);

/** Time moves only when somebody asks for it, so that nothing waits; a sleep lets the others go on meanwhile. */
function fakeClock() {
  let now = Date.UTC(2026, 5, 1) * 1_000;
  return {
    now: () => now++,
    advance: (micros: number) => {
      now += micros;
    },
    sleep: async () => {
      now += 1_000;
      for (let turn = 0; turn < 20; turn++) await new Promise((r) => setImmediate(r));
    },
  };
}

/** What survives a crash: batches by offset, applied once. */
class Disk {
  readonly batches = new Map<number, number>();
  saved: Omit<Awaited<ReturnType<CheckpointStore["load"]>>, "count"> = { epoch: 0, offset: 0, meta: undefined, keys: [] };
  /** Counts down to a crash; nothing is written after it. */
  crashIn = Number.POSITIVE_INFINITY;

  #step(): void {
    if (this.crashIn-- <= 0) throw new VedetteError("log_closed", false, "crashed");
  }
  /** Events that it will never take. */
  refused: () => readonly RefusedEvent[] = () => [];
  /** Called before each write of events: a full disk throws here, now and then. */
  full: () => void = () => {};
  readonly events = {
    put: async (offset: number, _received: number, events: { count: number }) => {
      this.#step();
      this.full();
      if (offset > (await this.events.applied())) this.batches.set(offset, events.count);
      return this.refused();
    },
    applied: async () => Math.max(-1, ...this.batches.keys()),
  } as unknown as EventStore & { applied(): Promise<number> };
  readonly checkpoints: CheckpointStore = {
    acquire: async () => {
      this.saved = { ...this.saved, epoch: this.saved.epoch + 1 };
      return this.saved.epoch;
    },
    load: async () => ({ ...this.saved, count: this.saved.keys.length }),
    standing: async () => [],
    rows: async () => [],
    commit: async (_consumer, epoch, offset, meta, changed) => {
      this.#step();
      if (epoch !== this.saved.epoch) throw new VedetteError("conflict", true, "an old epoch");
      const keys = new Map(this.saved.keys.map((k) => [k.key, k]));
      for (const { shard, key, value } of changed) value === undefined ? keys.delete(key) : keys.set(key, { shard, key, value });
      this.saved = { epoch, offset, meta, keys: [...keys.values()] };
    },
  };
}

const line = (n: number, ip: number, ok: boolean) =>
  `Jun  1 00:${String(Math.floor(n / 60) % 60).padStart(2, "0")}:${String(n % 60).padStart(2, "0")} host1 sshd[7]: ${ok ? "Accepted" : "Failed"} password for root from 192.0.2.${ip} port 5 ssh2`;

type Step = { readonly ip: number; readonly ok: boolean } | "tick" | "garbage" | "gap";

async function fill(steps: readonly Step[], batch: number) {
  const log = memoryLog();
  const clock = fakeClock();
  const intakes = await freshIntakes({ log, clock, program: () => program.hash });
  const intake = intakes.open({ source: "auth", format: "syslog" });
  let records: { position: string; body: Buffer; flaw?: { code: string; expected: string } }[] = [];
  const flush = async () => {
    if (records.length > 0) await intake.accept(records);
    records = [];
  };
  for (const [n, step] of steps.entries()) {
    if (step === "tick") {
      await flush();
      await log.append("raw", 0, encodeTick(clock.now() + n * second));
    } else if (step === "gap") await intake.accept([], { lost: { sequence_gap: 3 } });
    else if (step === "garbage")
      records.push({ position: String(n), body: Buffer.from([0xff, 0]), flaw: { code: "too_long", expected: "less" } });
    else records.push({ position: String(n), body: Buffer.from(line(n, step.ip, step.ok)) });
    if (records.length >= batch) await flush();
  }
  await flush();
  return log;
}

/** Runs engines over the log, one after each crash, until it is all done. */
async function drain(log: ReturnType<typeof memoryLog>, crashes: readonly number[], disk = new Disk()) {
  const { end } = await log.bounds("raw", 0);
  let ledger: Engine["ledger"] | undefined;
  const problems = new Map<string, string | undefined>();
  for (let life = 0; ; life++) {
    disk.crashIn = crashes[life] ?? Number.POSITIVE_INFINITY;
    const clock = fakeClock();
    const engine = new Engine({
      log,
      events: disk.events,
      checkpoints: disk.checkpoints,
      pool: await inlinePool(),
      clock,
      program: (h) => (h === program.hash ? program : undefined),
      onProblem: (code, message) => void problems.set(code, message),
    });
    const stop = new AbortController();
    try {
      await engine.load();
      const running = engine.run(stop.signal);
      running.catch(() => {});
      for (let i = 0; i < 100_000 && engine.offset < end && disk.crashIn >= 0; i++) {
        clock.advance(100_000);
        await new Promise((r) => setImmediate(r));
      }
      stop.abort();
      await running;
      ledger = engine.ledger;
    } catch (e) {
      if ((e as { code?: string }).code !== "log_closed") throw e;
      continue;
    }
    if (engine.durable >= end) break;
  }
  const findings: Finding[] = [];
  const { start, end: last } = await log.bounds("findings", 0);
  for (const entry of await log.read("findings", 0, start, 1e9))
    if ("bytes" in entry) findings.push(...(JSON.parse(Buffer.from(entry.bytes).toString()) as { findings: Finding[] }).findings);
  void last;
  return { findings, stored: [...disk.batches.values()].reduce((a, b) => a + b, 0), ledger: ledger!, problems };
}

const shape = (f: Finding) => [f.rule.title, f.id, f.revision, f.count, f.severity, f.summary].join("|");

test("what a source knows to be lost on its way is counted in and as dropped, and nothing else changes", async () => {
  const log = await fill([{ ip: 1, ok: true }, "gap", { ip: 1, ok: false }, "gap"], 1);
  const { stored, ledger } = await drain(log, []);
  const counts = await log.counts();
  expect(counts.get("in/auth")).toBe(8);
  const [auth] = ledger.lines(new Map([["auth", counts.get("in/auth")!]]));
  expect([stored, auth]).toMatchObject([2, { in: 8, stored: 2, dropped: { sequence_gap: 6 }, pending: 0, balance: 0 }]);
});

test("sshd lines become stored events, dead letters, a rule's finding and a brute-force finding, and the ledger balances", async () => {
  const steps: Step[] = [{ ip: 1, ok: false }, { ip: 1, ok: false }, "garbage", { ip: 1, ok: false }, { ip: 1, ok: true }];
  const log = await fill(steps, 2);
  const { findings, stored, ledger } = await drain(log, []);
  expect(stored).toBe(4);
  expect(findings.map((f) => f.rule.title).sort()).toEqual([
    "Password guessing from one address",
    "Password guessing from one address",
    "Root logs in",
  ]);
  expect(findings.at(-1)!.severity).toBe("critical");
  const [auth] = ledger.lines(new Map([["auth", 5]]));
  expect(auth).toMatchObject({ in: 5, stored: 4, dead: 1, pending: 0, balance: 0 });
  expect(ledger.rules.get("6f4a6c3e-1111-4a5b-9c55-000000000001")).toEqual([4, 1]);
  const [dead] = await log.read("dead", 0, 0, 1_000);
  expect(JSON.parse(Buffer.from((dead as { bytes: Uint8Array }).bytes).toString()).letters[0]).toMatchObject({
    source: "auth",
    position: "2",
    code: "too_long",
    stage: "ingest",
  });
});

test("batch size and crashes change nothing: findings once, events once, ledger at zero", async () => {
  const step = fc.oneof(
    { weight: 12, arbitrary: fc.record({ ip: fc.integer({ min: 1, max: 2 }), ok: fc.boolean() }) },
    { weight: 1, arbitrary: fc.constant("tick" as const) },
    { weight: 1, arbitrary: fc.constant("garbage" as const) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.nat(6), { maxLength: 4 }),
      async (steps, batch, crashes) => {
        const calm = await drain(await fill(steps, 1_000), []);
        const rough = await drain(await fill(steps, batch), crashes);
        const ids = (found: readonly Finding[]) => [...new Set(found.map((f) => `${f.id}`))].sort();
        expect(ids(rough.findings)).toEqual(ids(calm.findings));
        expect(new Set(rough.findings.map(shape)).size).toBe(rough.findings.length);
        expect(rough.stored).toBe(calm.stored);
        const accepted = steps.filter((s) => s !== "tick").length;
        for (const { ledger } of [calm, rough]) {
          for (const l of ledger.lines(new Map([["auth", accepted]]))) expect(l).toMatchObject({ pending: 0, balance: 0 });
        }
        expect([...rough.ledger.rules]).toEqual([...calm.ledger.rules]);
      },
    ),
    { numRuns: 40 },
  );
});

test("a batch that a full disk refused is stored before any later one, not passed over", async () => {
  const disk = new Disk();
  let writes = 0;
  disk.full = () => {
    if (writes++ % 3 === 0) throw new VedetteError("store_unavailable", false, "no space left on device");
  };
  // bodies so long that every read of the log ends after one batch: several writes are under way at once
  const long = "x".repeat(600_000);
  const log = memoryLog();
  const intakes = await freshIntakes({ log, clock: fakeClock(), program: () => program.hash });
  const intake = intakes.open({ source: "auth", format: "text" });
  for (let n = 0; n < 12; n++) await intake.accept([{ position: String(n), body: Buffer.from(`${n} ${long}`) }]);
  const { stored, ledger } = await drain(log, [], disk);
  expect(stored).toBe(12);
  expect(ledger.lines(new Map([["auth", 12]]))).toMatchObject([{ stored: 12, pending: 0, balance: 0 }]);
});

test("what was deleted from the log before it was analysed is told and counted, and the rest is analysed", async () => {
  const disk = new Disk();
  const log = await fill(
    Array.from({ length: 6 }, (_, n) => ({ ip: n, ok: true })),
    1,
  );
  // analysed up to 3 when somebody deleted everything before 5
  disk.saved = { ...disk.saved, offset: 3 };
  await log.retain("raw", 0, 5, 0);
  const { stored, ledger, problems } = await drain(log, [], disk);
  expect([stored, ledger.damaged]).toEqual([1, 2]);
  expect(problems.get("log_gap")).toMatch(/^raw\/0: batches 3 to 4 were gone before they were read\..*retention\.ms/);
  // a new state over a log that was there before it has missed nothing
  expect((await drain(log, [])).problems.get("log_gap")).toBeUndefined();
});

test("an event that the store will never take is a dead letter, and counted as one", async () => {
  const disk = new Disk();
  const event = { id: "e1", source: "auth", received: second, original: "too large" } as Event;
  const told = [{ event, reason: "larger than it takes" }];
  disk.refused = () => told.splice(0);
  const log = await fill(
    [
      { ip: 1, ok: true },
      { ip: 1, ok: true },
      { ip: 2, ok: false },
    ],
    1,
  );
  const { ledger } = await drain(log, [], disk);
  expect(ledger.lines(new Map([["auth", 3]]))).toMatchObject([{ in: 3, stored: 2, dead: 1, pending: 0, balance: 0 }]);
  const [dead] = await log.read("dead", 0, 0, 1_000);
  expect(JSON.parse(Buffer.from((dead as { bytes: Uint8Array }).bytes).toString()).letters).toMatchObject([
    { source: "auth", position: "e1", stage: "store", code: "refused_by_store", expected: "larger than it takes" },
  ]);
});

test("before a batch of a newer version it stands still, with everything before it done", async () => {
  const log = await fill(
    [
      { ip: 1, ok: true },
      { ip: 2, ok: true },
    ],
    1,
  );
  const { end } = await log.bounds("raw", 0);
  const head = Buffer.from(JSON.stringify({ kind: "records", version: 2, of: "what this version cannot know" }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  await log.append("raw", 0, Buffer.concat([length, head]));
  const disk = new Disk();
  await expect(drain(log, [], disk)).rejects.toMatchObject({
    code: "newer_version",
    message: expect.stringMatching(new RegExp(`Raw batch 0/${end} is of format 2, .*newer version`)),
  });
  expect(disk.saved.offset).toBe(end);
  expect([...disk.batches.values()].reduce((a, b) => a + b, 0)).toBe(2);
});
