/**
 * What all default rules and detectors find on a simulated cluster, with attacks among it: findings and alerts a day about nothing, and which
 * attacks were found. Everything here is simulated. `--nodes N --hours N --seed N --allow 1` (the site allows the services it knows),
 * `--quiet 1` (no attack is played), `--each N` (plays of each attack), `--activity N` (share of system programs and connections),
 * `--samples N` (summaries of each noisy rule that are shown).
 */
import { type Claim, type Score, Simulation, score, serviceNamed, stage, type WorldOptions } from "@vedette/simulate";
import { costOf, option, print, say } from "../harness.ts";
import { Judge } from "../simulated.ts";

const start = Date.UTC(2026, 2, 2) * 1_000;
const hour = 3_600_000_000;
/** The issue's goal: alerts a day before any grouping into incidents. */
const goal = 50;
/** What a site that knows its jobs would allow; without `--allow` nothing is. */
const allowed = ["licence.vendor.example", "api.wandb.example", "pypi.python.example", "files.pythonhosted.example", "hub.models.example"];

export async function bench(): Promise<void> {
  const [nodes, hours, seed, each] = [option("nodes") ?? 200, option("hours") ?? 24, option("seed") ?? 1, option("each") ?? 1];
  const [allow, quiet, activity] = [option("allow") !== undefined, option("quiet") !== undefined, option("activity") ?? 0.0005];
  // samples are the matter of `bench miners`: here they are taken once an hour and left out
  const options: WorldOptions = {
    seed,
    nodes,
    start,
    end: start + hours * hour,
    activity,
    zeek: "json",
    accounting: "jobcomp",
    interval: hour,
  };
  const simulation = new Simulation(options, stage(quiet ? ["none"] : Array.from({ length: each }, () => "all"), hours * hour));
  const networks = allow ? allowed.map((name) => serviceNamed(name).address) : [];
  const detectors = allow ? { connect_back: { allow: networks }, silent_miner: { allow: networks } } : {};
  const judge = await Judge.of(simulation, { detectors, without: ["metrics"], samples: option("samples") });
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
      activity,
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
