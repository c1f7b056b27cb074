/**
 * What silent_miner and connect_back find on a simulated cluster: ten kinds of miners among honest jobs, of which twelve kinds look alike. Told are
 * recall and false alarms per 10,000 jobs; everything here is simulated. `--nodes N --hours N --seed N --each N` (plays of each miner) `--activity N`
 * (share of system programs and connections; jobs are played whole).
 */
import { formats } from "@vedette/normalise";
import { Analyser, compileProgram, KeyedEngine, makeProgram } from "@vedette/pipeline";
import { Simulation, stage, type WorldOptions } from "@vedette/simulate";
import { costOf, option, print, say } from "../harness.ts";
import { inventory, kindOf, rawBatch } from "../simulated.ts";

const start = Date.UTC(2026, 2, 3) * 1_000;
const hour = 3_600_000_000;
const second = 1_000_000;
const watched = ["silent_miner", "connect_back"];
/** By the first part of a stream's name. */
const formatOf: { readonly [stream: string]: string } = { zeek: "zeek", tetragon: "tetragon", slurm: "slurm_job", metrics: "prometheus" };
const kinds = [
  "miner_cpu",
  "miner_gpu",
  "miner_throttled",
  "miner_renamed",
  "miner_encrypted",
  "miner_in_container",
  "miner_at_night",
  "miner_short_array",
  "miner_in_browser",
  "miner_through_login_node",
];

async function program(simulation: Simulation, detectors: { readonly [name: string]: unknown }) {
  const table = inventory(simulation);
  const ref = { hash: "nodes", bytes: table.length, rows: 0, at: 0, by: "bench" };
  const parts = { rules: [], pipelines: [], detectors, lateness_s: 30, enrich: { assets: {}, job: {} }, tables: { assets: ref } };
  return compileProgram(makeProgram(parts, 0), undefined, { table: () => table });
}

export async function bench(): Promise<void> {
  const [nodes, hours, seed, each] = [option("nodes") ?? 60, option("hours") ?? 24, option("seed") ?? 1, option("each") ?? 1];
  const options: WorldOptions = {
    seed,
    nodes,
    start,
    end: start + hours * hour,
    activity: option("activity") ?? 0.02,
    zeek: "json",
    accounting: "jobcomp",
    interval: 60 * second,
  };
  const simulation = new Simulation(
    options,
    stage(
      [...kinds, "connect_back_tcp", "connect_back_udp"].filter(known).map((kind) => `${kind}*${each}`),
      hours * hour,
    ),
  );
  const every = (await compileProgram(makeProgram({ rules: [], pipelines: [], detectors: {}, lateness_s: 30 }, 0))).stage.detectors;
  const off = Object.fromEntries([...every.keys()].filter((name) => !watched.includes(name)).map((name) => [name, false]));
  const compiled = await program(simulation, off);
  const analyser = new Analyser(await formats());
  const keyed = new KeyedEngine(compiled.stage.detectors, undefined, { keys: 1_000_000, bytes: 1 << 30 });
  const alerts = new Map<string, { readonly rule: string; readonly job: string; readonly summary: string }>();
  const take = (found: ReturnType<KeyedEngine["take"]>) => {
    for (const { rule, entities, summary } of found) {
      const job = entities.find(({ type }) => type === "hpc.job.id")?.id;
      if (job !== undefined && !alerts.has(`${rule.id} ${job}`)) alerts.set(`${rule.id} ${job}`, { rule: rule.id, job, summary });
    }
  };
  let records = 0;
  const cost = await costOf(() => {
    const seqs = new Map<string, number>();
    for (const some of simulation.run()) {
      records += some.length;
      for (const [stream, own] of Map.groupBy(some, (one) => one.stream)) {
        const at = seqs.get(stream) ?? 0;
        const format = formatOf[kindOf(stream)];
        if (format === undefined) continue;
        const entry = rawBatch(kindOf(stream), stream, format, own, at);
        seqs.set(stream, at + own.length);
        take(keyed.take(analyser.analyse({ entries: [{ offset: 0, bytes: entry }], sample: false, store: false }, compiled).keyed));
      }
      take(keyed.take([{ tick: some.at(-1)!.time }]));
      keyed.drain();
    }
    take(keyed.take([{ tick: Number.POSITIVE_INFINITY }]));
  });
  say(`${records} records simulated and judged in ${cost.cpu_s.toFixed(1)} CPU seconds`);
  report(simulation, [...alerts.values()], { nodes, hours, seed, records, cpu_s: cost.cpu_s, late: keyed.counts.late });
}

const known = (kind: string): boolean => {
  try {
    return stage([kind], hour).length > 0;
  } catch {
    return false;
  }
};

function report(
  simulation: Simulation,
  alerts: readonly { readonly rule: string; readonly job: string; readonly summary: string }[],
  about: object,
): void {
  const jobs = [...simulation.takeJobs(), ...simulation.unfinishedJobs()];
  const [, ...incidents] = simulation.truth();
  const bad = new Map(incidents.flatMap((one) => one.jobs.map((job) => [String(job), one] as const)));
  const profiles = new Map(jobs.map((job) => [String(job.job), job]));
  for (const rule of watched) {
    const own = alerts.filter((one) => one.rule === rule);
    // an array's alert is named by the array, which is its first task's number
    const incidentOf = (job: string) => bad.get(job) ?? bad.get(String(Number(job) + 1));
    const hit = new Set(own.flatMap(({ job }) => incidentOf(job)?.id ?? []));
    const wrong = own.filter(({ job }) => incidentOf(job) === undefined);
    const played = incidents.filter(({ scenario }) => scenario.startsWith(rule === "silent_miner" ? "miner_" : "connect_back"));
    for (const { id, scenario, jobs: of } of played) say(`${rule}: ${scenario} (${of.length} jobs) ${hit.has(id) ? "found" : "MISSED"}`);
    for (const { job, summary } of wrong.slice(0, 12)) say(`${rule}: false: ${profiles.get(job)?.profile ?? "?"}: ${summary}`);
    const recall = played.length === 0 ? 0 : played.filter(({ id }) => hit.has(id)).length / played.length;
    print({
      name: `miners (simulated): ${rule}`,
      value: recall,
      unit: "recall",
      baseline: 0.95,
      details: {
        ...about,
        played: played.length,
        jobs: jobs.length,
        lookalike_jobs: jobs.filter((job) => job.lookalike).length,
        false_alarms: wrong.length,
        false_per_10000_jobs: Math.round((wrong.length / jobs.length) * 1e6) / 100,
      },
    });
  }
}
