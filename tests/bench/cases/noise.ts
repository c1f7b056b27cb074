/**
 * What all default rules and detectors find on a simulated cluster, with attacks among it: findings and alerts a day about nothing, and which
 * attacks were found. Everything here is simulated. `--nodes N --hours N --seed N --allow 1` (the site allows the services it knows),
 * `--quiet 1` (no attack is played).
 */

import type { Alert, Finding } from "@vedette/model";
import { formats } from "@vedette/normalise";
import { Analyser, type Compiled, compileProgram, KeyedEngine, makeProgram } from "@vedette/pipeline";
import { type Claim, type Emitted, type Score, Simulation, score, serviceNamed, stage, type WorldOptions } from "@vedette/simulate";
import { foldFinding, groupOf } from "@vedette/triage";
import { bundledPipelines, bundledPlaceholders, bundledRules } from "../../../apps/vedette/src/content.ts";
import { costOf, option, print, say } from "../harness.ts";
import { inventory, kindOf, rawBatch } from "../simulated.ts";

const start = Date.UTC(2026, 2, 2) * 1_000;
const hour = 3_600_000_000;
const second = 1_000_000;
/** Seconds would do; every tick ends with what a checkpoint costs. */
const tick = 30 * second;
/** The issue's goal: alerts a day before any grouping into incidents. */
const goal = 50;
const formatOf: { readonly [stream: string]: string } = { zeek: "zeek", tetragon: "tetragon", slurm: "slurm_job", auth: "syslog" };
/** What a site that knows its jobs would allow; without `--allow` nothing is. */
const allowed = ["licence.vendor.example", "api.wandb.example", "pypi.python.example", "files.pythonhosted.example", "hub.models.example"];

async function program(simulation: Simulation, allow: boolean): Promise<Compiled> {
  const table = inventory(simulation);
  const ref = { hash: "nodes", bytes: table.length, rows: 0, at: 0, by: "bench" };
  const networks = allow ? allowed.map((name) => serviceNamed(name).address) : [];
  const detectors = allow ? { connect_back: { allow: networks }, silent_miner: { allow: networks } } : {};
  const parts = { rules: bundledRules(), pipelines: bundledPipelines(), placeholders: bundledPlaceholders(), detectors };
  return compileProgram(makeProgram({ ...parts, lateness_s: 30, enrich: { assets: {}, job: {} }, tables: { assets: ref } }, 0), undefined, {
    table: () => table,
  });
}

export async function bench(): Promise<void> {
  const [nodes, hours, seed] = [option("nodes") ?? 200, option("hours") ?? 24, option("seed") ?? 1];
  const [allow, quiet] = [option("allow") !== undefined, option("quiet") !== undefined];
  // samples are the matter of `bench miners`: here they are taken once an hour and left out
  const options: WorldOptions = {
    seed,
    nodes,
    start,
    end: start + hours * hour,
    activity: 0.0005,
    zeek: "json",
    accounting: "jobcomp",
    interval: hour,
  };
  const simulation = new Simulation(options, stage([quiet ? "none" : "all"], hours * hour));
  const judge = new Judge(new Analyser(await formats()), await program(simulation, allow));
  const cost = await costOf(() => {
    for (const some of simulation.run()) judge.take(some);
    judge.end();
  });
  const [head, ...incidents] = simulation.truth();
  const scored = (claims: readonly Claim[]) => score({ ...head, jobs: simulation.world.jobs }, incidents, claims);
  const [findings, alerts] = [scored(judge.findings()), scored(judge.alerts())];
  tell(findings, alerts, judge);
  print({
    name: "noise (simulated)",
    value: alerts.false_per_day,
    unit: "alerts a day about nothing",
    baseline: goal,
    details: {
      nodes,
      hours,
      seed,
      jobs: simulation.world.jobs,
      allow: String(allow),
      records: judge.records,
      dead: judge.dead,
      cpu_s: cost.cpu_s,
      alerts_per_day: alerts.alerts_per_day,
      false_findings_per_day: findings.false_per_day,
      recall: alerts.recall,
      attacks: findings.scenarios.reduce((n, { played }) => n + played, 0),
      rss_mb: process.memoryUsage().rss / 1e6,
    },
  });
}

function tell(findings: Score, alerts: Score, judge: Judge): void {
  for (const { scenario, played, found, first_alert_s, rules } of alerts.scenarios)
    say(`${scenario}: ${found} of ${played}${found > 0 ? ` after ${first_alert_s} s by ${rules.join(", ")}` : ""}`);
  const raised = new Map(alerts.rules.map((one) => [one.rule, one]));
  for (const { rule, title, severity, true: right, false: wrong } of findings.rules)
    say(`${severity} ${rule} "${title}": ${wrong} findings (${raised.get(rule)?.false ?? 0} alerts) about nothing, ${right} about attacks`);
  const noisy = new Set(findings.rules.filter((one) => one.false > 0).map(({ rule }) => rule));
  for (const [rule, { summaries }] of judge.samples) if (noisy.has(rule)) for (const summary of summaries) say(`  ${rule}: ${summary}`);
}

/** Both passes and triage over what the simulation emits, in one process. */
class Judge {
  records = 0;
  dead = 0;
  /** The first summaries of each rule, so that one sees what it is about. */
  readonly samples = new Map<string, { readonly summaries: string[] }>();
  readonly #analyser: Analyser;
  readonly #compiled: Compiled;
  readonly #keyed: KeyedEngine;
  readonly #seqs = new Map<string, number>();
  #ticked = 0;
  readonly #findings = new Map<string, Finding>();
  readonly #alerts = new Map<string, Alert>();

  constructor(analyser: Analyser, compiled: Compiled) {
    this.#analyser = analyser;
    this.#compiled = compiled;
    const detectors = new Map([...compiled.stage.detectors]);
    this.#keyed = new KeyedEngine(detectors, undefined, { keys: 1_000_000, bytes: 1 << 30 });
  }

  take(some: readonly Emitted[]): void {
    for (const [stream, own] of Map.groupBy(some, (one) => one.stream)) {
      const at = this.#seqs.get(stream) ?? 0;
      const format = formatOf[kindOf(stream)];
      if (format === undefined) continue;
      const bytes = rawBatch(stream, stream, format, own, at);
      this.records += own.length;
      this.#seqs.set(stream, at + own.length);
      for (const [i, { incident }] of own.entries()) incident?.wrote(stream, at + i);
      const { keyed, findings, dead } = this.#analyser.analyse(
        { entries: [{ offset: 0, bytes }], sample: false, store: false },
        this.#compiled,
      );
      this.dead += dead.length;
      for (const one of findings) this.#found(one);
      for (const one of this.#keyed.take(keyed)) this.#found(one);
    }
    const { time } = some.at(-1)!;
    if (time - this.#ticked < tick) return;
    this.#ticked = time;
    for (const one of this.#keyed.take([{ tick: time }])) this.#found(one);
    // what a checkpoint would take: here nothing is kept
    this.#keyed.drain();
  }

  end(): void {
    for (const one of this.#keyed.take([{ tick: Number.POSITIVE_INFINITY }])) this.#found(one);
  }

  #found(finding: Finding): void {
    const before = this.#findings.get(finding.id);
    this.#findings.set(finding.id, finding);
    const { id } = finding.rule;
    const known = this.samples.get(id) ?? { summaries: [] };
    this.samples.set(id, known);
    if (before === undefined && known.summaries.length < 8) known.summaries.push(finding.summary);
    const group = groupOf(finding);
    const alert = this.#alerts.get(group);
    this.#alerts.set(group, foldFinding(alert, finding, before && { revision: before.revision, events: before.count }, finding.received));
  }

  findings(): readonly Claim[] {
    const standing = [...this.#findings.values()].filter(({ withdrawn }) => !withdrawn);
    return standing.map((one) => claimOf(one, one.window.start, one.window.end));
  }

  /** As triage would have opened them, none being closed by anybody. */
  alerts(): readonly Claim[] {
    const standing = [...this.#alerts.values()].filter(({ retracted }) => retracted === undefined);
    return standing.map((one) => claimOf(one, one.first_seen, one.last_seen));
  }
}

/** A record's stream and number stand for the file and line that a scan would name. */
function claimOf({ rule, severity, entities, evidence }: Finding | Alert, first: number, last: number): Claim {
  const [from] = evidence;
  return {
    rule: rule.id,
    title: rule.title,
    severity,
    first: first / 1_000,
    last: last / 1_000,
    entities,
    ...(from !== undefined && { file: from.source, record: from.seq }),
  };
}
