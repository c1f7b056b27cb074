/** From raw batches and ticks through both passes and triage: a source falls silent, an alert opens; it sends again, the alert is closed. */

import { memoryLog } from "@vedette/log";
import { expect, test } from "vitest";
import type { Analysis } from "../analysis.ts";
import { encodeTick } from "../batch.ts";
import { freshIntakes } from "../intake/intakes.fixture.ts";
import { inlinePool } from "../pool.ts";
import { makeProgram } from "../program.ts";
import { memoryAlerts } from "../rules/rig.test.data.ts";
import { runTriage } from "../triage_runner.ts";
import { QualityKeeper } from "./keeper.ts";
import { QualityWatch } from "./watch.ts";

test("a silent source is an alert, and its return closes it", async () => {
  const log = memoryLog();
  let now = Date.UTC(2026, 10, 21, 8) * 1_000;
  const clock = { now: () => now, sleep: async () => {} };
  const program = makeProgram({ rules: [], pipelines: [], detectors: {}, lateness_s: 30 }, 0);
  const intakes = await freshIntakes({ log, clock, program: () => program.hash });
  const settings = new Map<string, string>();
  const keeper = new QualityKeeper({
    inventory: [],
    inventorySilence: 0,
    maintenance: [],
    log,
    settings: {
      get: async (name) => settings.get(name),
      set: async (name, value) => void settings.set(name, value ?? ""),
      add: async (name, value) => settings.get(name) ?? value,
      replace: async () => false,
    },
    tenant: "main",
  });
  const intake = intakes.open({ source: "auth", format: "syslog" });
  const line = () => `<38>1 ${new Date(now / 1_000).toISOString()} login1 sshd 7 - - Failed password for root from 192.0.2.7 port 5 ssh2`;
  let n = 0;
  const seconds = async (count: number, sends: boolean) => {
    for (let i = 0; i < count; i++) {
      now += 1_000_000;
      if (sends) await intake.accept([{ position: `${n++}`, body: Buffer.from(line()) }]);
      await log.append("raw", 0, encodeTick(now));
    }
  };
  await seconds(620, true);
  await seconds(60, false);
  await seconds(3, true);
  const pool = await inlinePool();
  const { end } = await log.bounds("raw", 0);
  const other = new QualityWatch({ inventory: [], inventorySilence: 0, maintenance: [] });
  const found: unknown[] = [];
  for (const [bytes, take] of [
    [20_000, (analysis: Analysis) => keeper.add(analysis)],
    // cut otherwise it is the same
    [3_000, (analysis: Analysis) => found.push(...other.take(analysis))],
  ] as const)
    for (let at = 0; at < end; ) {
      const entries = (await log.read("raw", 0, at, bytes)) as { offset: number; bytes: Uint8Array }[];
      take(await pool.run({ entries, sample: false, store: false }, program));
      at = entries.at(-1)!.offset + 1;
    }
  expect(found).toHaveLength(2);
  expect(other.report()).toEqual(keeper.report());
  expect(keeper.report()).toMatchObject({
    sources: [{ name: "auth", state: "ok", formats: [{ format: "syslog", flaws: 0 }] }],
    hosts: { known: 1 },
  });
  await keeper.save();
  const alerts = memoryAlerts();
  const stop = new AbortController();
  const told: string[] = [];
  const done = runTriage(
    {
      log,
      alerts,
      clock,
      onAlerts: (all) => {
        for (const one of all) told.push(`${one.rule.id} ${one.state}: ${one.summary}`);
        if (told.some((one) => one.includes("closed"))) stop.abort();
      },
    },
    stop.signal,
  );
  await done;
  expect(told.at(-1)).toMatch(/^vedette_source_silent closed: auth has sent nothing for 46 s/);
  expect([...alerts.all.values()].map(({ alert }) => [alert.rule.id, alert.state])).toEqual([["vedette_source_silent", "closed"]]);
});
