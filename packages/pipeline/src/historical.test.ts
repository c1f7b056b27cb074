/** Months of old events are loaded while an attack goes on: it is found as it is without them, and what is old is found too, apart. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryLog } from "@vedette/log";
import type { Alert, Finding } from "@vedette/model";
import { openStore } from "@vedette/store";
import { expect, test } from "vitest";
import { encodeTick } from "./batch.ts";
import { Engine } from "./engine.ts";
import { freshIntakes } from "./intake/intakes.fixture.ts";
import type { Intakes } from "./intake/intakes.ts";
import { inlinePool } from "./pool.ts";
import { makeProgram } from "./program.ts";
import { runTriage } from "./triage_runner.ts";

const second = 1_000_000;
const day = 86_400 * second;
const begin = Date.UTC(2026, 5, 1) * 1_000;
const detectors = { brute_force: { threshold: 3, window_s: 60 } };
const rule = `
title: Log-in of root
id: 11111111-1111-4111-8111-111111111111
status: test
level: medium
logsource: { category: authentication }
detection:
  sel: { user.name: root }
  condition: sel
`;
const program = makeProgram({ rules: [{ file: "root.yml", text: rule }], pipelines: [], detectors, lateness_s: 30 }, 0);

const line = (time: number, ip: string) =>
  `${new Date(time / 1_000).toISOString()} h sshd[7]: Failed password for ada from ${ip} port 5 ssh2`;

/** @param withPast whether old events come in between; restarts once in the middle */
async function run(withPast: boolean) {
  const directory = mkdtempSync(join(tmpdir(), "vedette-historical-"));
  const store = await openStore({ directory });
  const log = memoryLog();
  let now = begin;
  const clock = { now: () => now++, sleep: () => new Promise<void>((done) => setImmediate(done)) };
  const intakes = await freshIntakes({ log, clock, program: () => program.hash, historical: new Set(["archive"]) });
  const pool = await inlinePool();
  const drain = async () => {
    const { end } = await log.bounds("raw", 0);
    const engine = new Engine({ log, events: store.events, checkpoints: store.checkpoints, pool, clock, program: () => program });
    const stop = new AbortController();
    await engine.load();
    const running = engine.run(stop.signal);
    for (let turn = 0; engine.offset < end && turn < 1_000_000; turn++) await new Promise((done) => setImmediate(done));
    stop.abort();
    await running;
    return engine;
  };
  let position = 0;
  const send = async (source: string, stream: string, lines: readonly string[]) => {
    const records = lines.map((text) => ({ position: String(position++), body: Buffer.from(text) }));
    await intakes.open({ source, format: "syslog" }).accept(records, { stream });
  };
  // ninety days, three failures a day by an address of the day, in three files read side by side; a source named so and one configured so
  const old = Array.from({ length: 90 }, (_, n) => [0, 20, 40].map((s) => line(begin - (200 - n) * day + s * second, `192.0.2.${n}`)));
  let engine: Engine | undefined;
  for (let s = 0; s < 90; s++) {
    now = Math.max(now, begin + s * second);
    // an attack now, and the same address once more among the old ones
    if (s % 10 === 0) await send("auth", "", [line(begin + s * second, "203.0.113.9")]);
    if (withPast) {
      const file = s % 3;
      await send(file === 0 ? "archive" : "historical.import", `day ${file}`, old[file * 30 + Math.floor(s / 3)]!);
    }
    await log.append("raw", 0, encodeTick(now));
    if (s === 45) engine = await drain();
  }
  // analysed, then caught up with what came too late after the restart, then settled
  for (let s = 90; s < 2_000; s += 10) {
    now = Math.max(now, begin + s * second);
    await log.append("raw", 0, encodeTick(now));
    if (s % 500 === 0) await drain();
  }
  engine = await drain();
  const findings: Finding[] = [];
  for (const entry of await log.read("findings", 0, 0, 1e9))
    if ("bytes" in entry) findings.push(...(JSON.parse(Buffer.from(entry.bytes).toString()) as { findings: Finding[] }).findings);
  const told: Alert[] = [];
  const stop = new AbortController();
  const triage = runTriage({ log, alerts: store.alerts, clock, onAlerts: (alerts) => told.push(...alerts) }, stop.signal);
  const { end } = await log.bounds("findings", 0);
  for (let turn = 0; (await store.alerts.offset()) < end && turn < 100_000; turn++) await new Promise((done) => setImmediate(done));
  stop.abort();
  await triage;
  const list = async (historical: boolean) => (await store.alerts.list({ tenant: "main", historical }, 500)).alerts;
  const result = { findings, told, live: await list(false), past: await list(true), lines: engine.ledger.lines(await accepted(intakes)) };
  await store.close();
  rmSync(directory, { recursive: true });
  return result;
}

const accepted = async (intakes: Intakes) => new Map(intakes.status().map(({ name, accepted }) => [name, accepted]));
const shape = ({ id, key, window, count, revision, canonical, received, rule }: Finding) =>
  JSON.stringify([rule.id, id, key, window, count, revision, canonical, received > 0]);

test("an attack of now is found as if nothing old were loaded; what is old is listed apart and calls nobody", async () => {
  const alone = await run(false);
  const beside = await run(true);
  // the same findings at the same moments of event time, provisional ones included
  const now = beside.findings.filter((f) => !f.historical);
  expect(now.map(shape)).toEqual(alone.findings.map(shape));
  expect(alone.findings.length).toBeGreaterThan(2);
  expect(beside.live.map((a) => [a.rule.id, a.count])).toEqual(alone.live.map((a) => [a.rule.id, a.count]));
  expect(beside.told.every((a) => !a.historical)).toBe(true);
  expect(alone.past).toEqual([]);
  // each day's attack is found, settled, and marked
  const old = beside.findings.filter((f) => f.historical);
  expect(new Set(old.filter((f) => f.canonical).map((f) => f.entities[0]!.id)).size).toBe(90);
  expect(beside.past).toHaveLength(90);
  expect(beside.past.every((a) => a.historical === true)).toBe(true);
  expect(new Set(old.map((f) => f.id)).size).toBe(90);
  // nothing is lost
  expect(beside.lines.map((l) => [l.name, l.in, l.balance])).toEqual([
    ["archive", 90, 0],
    ["auth", 9, 0],
    ["historical.import", 180, 0],
  ]);
}, 120_000);
