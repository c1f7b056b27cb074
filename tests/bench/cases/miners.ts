/**
 * What the rules and detectors of mining find on a simulated cluster: ten kinds of miners among honest jobs, of which twelve kinds look alike.
 * Told are which were found, and false alarms by kind of work and per 10,000 jobs; an alarm is an alert of medium severity or above. Everything
 * here is simulated. `--nodes N --hours N --seed N --each N` (plays of each miner) `--activity N` (share of system programs and connections; jobs
 * are played whole) `--interval N` (seconds from sample to sample).
 */
import { detectors } from "@vedette/detect";
import { type Claim, Simulation, scenarios, score, stage, type WorldOptions } from "@vedette/simulate";
import { costOf, option, print, say } from "../harness.ts";
import { Judge } from "../simulated.ts";

const start = Date.UTC(2026, 2, 3) * 1_000;
const hour = 3_600_000_000;
const second = 1_000_000;
/** Detectors of mining, and the rules about resource hijacking and about forwarders, by which a miner's node need not speak with the outside. */
const pack = ["silent_miner", "stratum", "mining_flow"];
const aboutMining = /attack\.t1496|attack\.t1090/;
const alarming = new Set(["medium", "high", "critical"]);

export async function bench(): Promise<void> {
  const [nodes, hours, seed, each] = [option("nodes") ?? 60, option("hours") ?? 24, option("seed") ?? 1, option("each") ?? 1];
  const [activity, interval] = [option("activity") ?? 0.02, option("interval") ?? 60];
  const options: WorldOptions = {
    seed,
    nodes,
    start,
    end: start + hours * hour,
    activity,
    zeek: "json",
    accounting: "jobcomp",
    interval: interval * second,
  };
  const kinds = scenarios.filter(({ name }) => name.startsWith("miner_")).map(({ name }) => `${name}*${each}`);
  const simulation = new Simulation(options, stage(kinds, hours * hour));
  const off = [...(await detectors()).keys()].filter((name) => !pack.includes(name)).map((name) => [name, false]);
  const judge = await Judge.of(simulation, { rules: (text) => aboutMining.test(text), detectors: Object.fromEntries(off) });
  const cost = await costOf(() => {
    for (const some of simulation.run()) judge.take(some);
    judge.end();
  });
  report(simulation, judge, { nodes, hours, seed, interval, records: judge.records, dead: judge.dead, cpu_s: cost.cpu_s });
}

function report(simulation: Simulation, judge: Judge, about: { readonly [name: string]: number }): void {
  const jobs = [...simulation.takeJobs(), ...simulation.unfinishedJobs()];
  const [head, ...incidents] = simulation.truth();
  const alarms = judge.alerts().filter(({ severity }) => alarming.has(severity));
  const judged = (claims: readonly Claim[]) => score({ ...head, jobs: jobs.length }, incidents, claims);
  const all = judged(alarms);
  for (const { scenario, played, found, first_alert_s, rules } of all.scenarios)
    say(`${scenario}: ${found} of ${played}${found > 0 ? ` after ${first_alert_s} s by ${rules.join(", ")}` : ""}`);
  const wrong = alarms.filter((one) => judged([one]).false_alerts > 0);
  const profiles = new Map(jobs.map((job) => [String(job.job), job]));
  const profileOf = ({ entities }: Claim): string => {
    const id = entities.find(({ type }) => type === "hpc.job.id")?.id;
    // an array's alert is named by the array, of which the first task may have another number
    return (id && (profiles.get(id) ?? profiles.get(String(Number(id) + 1)))?.profile) || "none told";
  };
  const falseBy = Map.groupBy(wrong, profileOf);
  for (const [profile, own] of [...Map.groupBy(jobs, ({ profile }) => profile)].sort())
    if (own[0]!.incident === undefined)
      say(`${profile}${own[0]!.lookalike ? " (look-alike)" : ""}: ${own.length} jobs, ${falseBy.get(profile)?.length ?? 0} alarms`);
  for (const one of wrong.slice(0, 12)) say(`false: ${profileOf(one)}: ${one.severity} ${one.title} ${JSON.stringify(one.entities)}`);
  const honest = jobs.filter(({ incident }) => incident === undefined);
  print({
    name: "miners (simulated)",
    value: all.recall,
    unit: "recall",
    baseline: 0.95,
    details: {
      ...about,
      played: incidents.length,
      jobs: honest.length,
      lookalike_jobs: honest.filter(({ lookalike }) => lookalike).length,
      false_alarms: wrong.length,
      false_per_10000_jobs: (wrong.length / honest.length) * 1e4,
    },
  });
}
