/** Rules change while events stream: engine, triage and desk together over one log. */
import type { Finding } from "@vedette/model";
import type { CheckpointStore, EventStore } from "@vedette/store";
import { afterEach, expect, test } from "vitest";
import { decodeBatch } from "../batch.ts";
import { Engine } from "../engine.ts";
import { freshIntakes } from "../intake/intakes.fixture.ts";
import { inlinePool } from "../pool.ts";
import { runTriage } from "../triage_runner.ts";
import { findingsPerMinute } from "./flood.ts";
import { deskRig, idOfRule, memoryAlerts, ruleText } from "./rig.test.data.ts";

const me = { by: "ann", reason: "because" };
let rig: Awaited<ReturnType<typeof deskRig>>;
afterEach(() => rig.remove());

async function running() {
  rig = await deskRig();
  const { desk, control } = await rig.open();
  const { log, clock } = rig;
  const stored = new Map<number, number>();
  const events = {
    put: async (offset: number, _: number, { count }: { count: number }) => {
      stored.set(offset, count);
      return [];
    },
    applied: async () => Math.max(-1, ...stored.keys()),
  } as unknown as EventStore;
  const checkpoints = {
    acquire: async () => 1,
    load: async () => ({ epoch: 1, offset: 0, meta: undefined, keys: [] }),
    commit: async () => {},
  } as unknown as CheckpointStore;
  const intakes = await freshIntakes({ log, clock, program: () => control.current!.hash });
  const engine = new Engine({ log, events, checkpoints, pool: await inlinePool(), clock, program: (hash) => control.program(hash) });
  await engine.load();
  const alerts = memoryAlerts();
  const stop = new AbortController();
  const tasks = [
    engine.run(stop.signal),
    runTriage({ log, alerts, clock, retracted: (p, rule, raw) => control.retracted(p, rule, raw), onAlerts: () => {} }, stop.signal),
  ];
  const caughtUp = async () => {
    const { end } = await log.bounds("raw", 0);
    while (engine.offset < end) await new Promise((r) => setImmediate(r));
    while ((await alerts.offset()) < (await log.bounds("findings", 0)).end) await new Promise((r) => setImmediate(r));
  };
  const send = async (from: number, users: readonly string[]) => {
    const records = users.map((user, i) => ({
      position: String(from + i),
      body: Buffer.from(
        JSON.stringify({ "@timestamp": "2026-11-01T00:00:00Z", user: { name: user }, host: { name: `h${(from + i) % 7}` } }),
      ),
    }));
    await intakes.open({ source: "s", format: "ecs_json" }).accept(records);
  };
  const end = async () => {
    await caughtUp();
    stop.abort();
    await Promise.all(tasks);
  };
  const findings = async () => {
    const all: (Finding & { readonly raw: number; readonly program: string })[] = [];
    for (const entry of await log.read("findings", 0, 0, 1 << 28)) {
      const batch = JSON.parse(Buffer.from((entry as { bytes: Uint8Array }).bytes).toString());
      for (const one of batch.findings ?? []) all.push({ ...one, raw: batch.raw, program: batch.program });
    }
    return all;
  };
  const apply = async (texts: readonly string[], state: "enabled" | "shadow" = "enabled") => {
    const rules = texts.map((text, n) => ({ file: `r${n}.yml`, text }));
    const { release } = await desk.keep({ pack: "mine", origin: "test", rules });
    const { blocked } = await desk.apply({ kind: "apply", release: release.hash, state }, me, { force: true, yes: true });
    expect(blocked).toEqual([]);
  };
  return { desk, control, log, engine, stored, alerts, send, apply, caughtUp, end, findings };
}

test("events stream through twenty reloads: each is stored once and judged by exactly one program, the one its batch names", async () => {
  const r = await running();
  let sent = 0;
  const stream = async () => {
    for (let n = 0; n < 10; n++) {
      // a minute each, so that no rule has told too much
      rig.clock.advance(60_000_000);
      await r.send(sent, ["root", "root", "bob"]);
      sent += 3;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  // the same rule each time, with another level and window: another content
  const reload = (n: number) => r.apply([ruleText(1, "root", `level: ${["low", "high"][n % 2]}\nvedette: { window: '${n}' }\n`)]);
  for (let n = 0; n < 20; n++) await Promise.all([stream(), reload(n)]);
  await r.end();
  expect(r.control.versions).toHaveLength(21);
  const [line] = r.engine.ledger.lines(new Map([["s", sent]]));
  expect(line).toMatchObject({ in: sent, stored: sent, dead: 0, pending: 0, balance: 0 });
  expect([...r.stored.values()].reduce((a, b) => a + b, 0)).toBe(sent);
  const programs = new Map<string, string>();
  for (const entry of await r.log.read("raw", 0, 0, 1 << 28)) {
    const { header } = decodeBatch((entry as { bytes: Uint8Array }).bytes);
    if (header.kind === "records") for (let i = 0; i < header.positions.length; i++) programs.set(String(header.seq + i), header.program);
  }
  expect(programs.size).toBe(sent);
  const found = await r.findings();
  const judged = new Map<string, { program: string; hash: string }>();
  for (const { evidence, program, rule } of found) {
    const seq = String(evidence[0]!.seq);
    expect(judged.has(seq)).toBe(false);
    judged.set(seq, { program, hash: rule.hash });
  }
  // before the first set was applied there was none to judge by
  const none = r.control.versions[0]!.program.hash;
  const due = [...programs].filter(([seq, program]) => Number(seq) % 3 !== 2 && program !== none);
  expect(judged.size).toBe(due.length);
  expect(new Set(due.map(([, program]) => program)).size).toBeGreaterThan(5);
  const hashes = new Map<string, Set<string>>();
  for (const [seq, program] of due) {
    expect(judged.get(seq)!.program).toBe(program);
    hashes.set(program, (hashes.get(program) ?? new Set()).add(judged.get(seq)!.hash));
  }
  expect([...hashes.values()].every((one) => one.size === 1)).toBe(true);
});

test("a rule on trial raises no alert; enabled it does; rolled back, its findings are taken back, also those still to come", async () => {
  const r = await running();
  await r.apply([ruleText(1, "root"), ruleText(2, "bob")], "shadow");
  await r.desk.decide(idOfRule(1), "enabled", me, { force: true });
  await r.send(0, ["root", "bob", "root"]);
  await r.caughtUp();
  const shown = () => [...r.alerts.all.values()].map(({ alert }) => [alert.title, alert.shadow ?? false, alert.state, alert.count]);
  expect(shown().sort()).toEqual([
    ["Rule 1", false, "open", 1],
    ["Rule 1", false, "open", 1],
    ["Rule 2", true, "open", 1],
  ]);
  await r.desk.decide(idOfRule(2), "enabled", me, { force: true });
  await r.send(10, ["bob"]);
  await r.caughtUp();
  const left = r.control.current!.hash;
  // accepted under the version that is left, analysed after the rollback
  const late = r.send(20, ["bob", "root"]);
  await late;
  await r.desk.rollback(undefined, me);
  await r.end();
  expect(
    shown()
      .filter(([title]) => title === "Rule 2")
      .sort(),
  ).toEqual([
    ["Rule 2", false, "closed", 0],
    ["Rule 2", true, "open", 1],
  ]);
  const taken = [...r.alerts.all.values()].map(({ alert }) => alert).find(({ title, shadow }) => title === "Rule 2" && !shadow)!;
  expect(taken.history.at(-1)).toMatchObject({ what: "retracted", by: "ann", note: "1 of 1 findings taken back: because" });
  expect(taken.retracted).toBeGreaterThan(0);
  expect((await r.findings()).filter(({ program, rule }) => program === left && rule.title === "Rule 2")).toHaveLength(2);
  expect(shown().filter(([title, , state]) => title === "Rule 1" && state === "open")).not.toHaveLength(0);
});

test("a forced rule that matches everything neither hides nor holds up what another finds: its findings are bounded, the rest counted", async () => {
  const r = await running();
  await r.apply([ruleText(1, "*"), ruleText(2, "eve")]);
  const noise = 6_000;
  for (let n = 0; n < noise; n += 500)
    await r.send(
      n,
      Array.from({ length: 500 }, (_, i) => (n + i === noise - 1 ? "eve" : `u${i}`)),
    );
  await r.end();
  const of = (found: readonly Finding[], n: number) => found.filter(({ rule }) => rule.id === idOfRule(n));
  const found = await r.findings();
  expect(of(found, 2)).toHaveLength(1);
  // fewer than all, no more than a minute's worth in each minute that the clock of this test passed through
  expect(of(found, 1).length).toBeLessThanOrEqual(findingsPerMinute * 2);
  expect(r.engine.ledger.rules.get(idOfRule(1))).toEqual([noise, noise]);
  expect(r.engine.ledger.capped.get(idOfRule(1))).toBe(noise - of(found, 1).length);
  expect([...r.alerts.all.values()].some(({ alert }) => alert.rule.id === idOfRule(2) && alert.state === "open")).toBe(true);
});
