/** file → parse → normalise → rules and detectors → stored and durable: events per CPU second over everything. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sources } from "@vedette/ingest";
import { systemClock } from "@vedette/kit";
import { openLog } from "@vedette/log";
import { CanaryKey, Releases, Runtime, threadPool } from "@vedette/pipeline";
import { openStore } from "@vedette/store";
import { bundledPipelines, bundledRules } from "../../../apps/vedette/src/content.ts";
import { corpus, temporary } from "../corpus.ts";
import { costOf, print, say } from "../harness.ts";
import { naive } from "./naive.ts";

/** The goal; CrowdSec 1.4.6 did about 2,350 sshd lines per CPU second on this kind of machine. */
const goal = 40_000;
const plainEvents = 500_000;

export async function bench(events = 5_000_000): Promise<void> {
  const data = await corpus(events);
  const directory = mkdtempSync(join(temporary, "ingest-"));
  const log = await openLog({ directory });
  const store = await openStore({ directory });
  const runtime = await Runtime.open({
    log,
    store,
    pool: threadPool(),
    tenant: "main",
    rules: bundledRules,
    rule_budget_per_day: 1_000,
    releases: new Releases(join(directory, "rules")),
    pipelines: bundledPipelines(),
    detectors: {},
    lateness_s: 30,
    sources: [
      { name: "zeek", type: "file", config: { paths: [data.zeek], follow: false } },
      { name: "sshd", type: "file", config: { paths: [data.sshd], follow: false } },
    ],
    sourceSpecs: await sources(),
    retention: {},
    canaries: { key: CanaryKey.of(directory), every: 3_600_000_000, enabled: false },
    logBytes: async () => 0,
    demo: async () => {},
  });
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 200);
  const never = new AbortController().signal;
  const cost = await costOf(async () => {
    runtime.start();
    for (;;) {
      await systemClock.sleep(500);
      const lines = await runtime.ledger();
      const taken = lines.reduce((n, l) => n + l.in, 0);
      say(`${taken} taken in, ${lines.reduce((n, l) => n + l.stored, 0)} stored, RSS ${Math.round(process.memoryUsage.rss() / 1e6)} MB`);
      if (taken >= events) break;
    }
    await runtime.caughtUp(never);
  });
  const seal = await costOf(() => store.events.seal(true));
  clearInterval(watch);
  const lines = await runtime.ledger();
  const usage = await store.events.usage();
  const alerts = await store.alerts.list({ tenant: "main" }, 1);
  // after the measurement, on a part: the same lines through a plain pipeline in this process
  const part = await corpus(Math.min(events, plainEvents));
  const plain = part.events / (await naive(part)).cost.cpu_s;
  const perCpuSecond = events / (cost.cpu_s + seal.cpu_s);
  print({
    name: "ingest",
    value: perCpuSecond,
    unit: "events per CPU second, sealing included",
    baseline: goal,
    details: {
      events,
      input_mb: data.bytes / 1e6,
      cpu_s: cost.cpu_s,
      seal_cpu_s: seal.cpu_s,
      wall_s: cost.wall_s,
      events_per_wall_s: events / cost.wall_s,
      rss_mb: peak / 1e6,
      naive_events_per_cpu_s: plain,
      of_naive: perCpuSecond / plain,
      rules: runtime.rules().rules.length,
      alerts: alerts.total,
      dead: lines.reduce((n, l) => n + l.dead, 0),
      unbalanced: lines.reduce((n, l) => n + Math.abs(l.balance), 0),
      sealed_bytes_per_event: usage.sealedBytes / usage.events,
    },
  });
  await runtime.stop();
  await log.close();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
}
