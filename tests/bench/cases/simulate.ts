/** A simulated day of a cluster: what making it costs, and the main job over it, events per CPU second with the alerts that came of it. Everything is simulated. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { loadavg } from "node:os";
import { basename, join } from "node:path";
import { Folder, Simulation, score, stage, type WorldOptions } from "@vedette/simulate";
import { temporary } from "../corpus.ts";
import { costOf, option, print, say } from "../harness.ts";
import { Program } from "../program.ts";
import { sealRest, takeIn } from "./ingest.ts";

/** The goal for the main job over a simulated cluster. */
const goal = 25_000;
const hour = 3_600_000_000;
/** Records a simulated node gives an hour at this activity; measured once, only decides how long is simulated. */
const perNodeHour = 480;
const activity = 0.01;

const config = `sources:
  cluster: { file: { paths: ["in/*"] } }
`;

interface Alert {
  readonly title: string;
  readonly severity: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly rule: { readonly id: string };
  readonly entities: readonly { readonly type: string; readonly id: string }[];
}

export async function bench(events = 500_000): Promise<void> {
  const nodes = option("nodes") ?? 200;
  mkdirSync(temporary, { recursive: true });
  const directory = mkdtempSync(join(temporary, "simulate-"));
  const start = Date.UTC(2026, 2, 2, 8) * 1_000;
  const end = start + Math.ceil((events / nodes / perNodeHour) * hour);
  const world: WorldOptions = { seed: 1, nodes, start, end, activity, zeek: "json", accounting: "jobcomp", interval: 60_000_000 };
  const simulation = new Simulation(world, stage(["all"], end - start));
  const folder = new Folder(join(directory, "site"), world.zeek);
  const program = new Program("simulate", config);
  try {
    let [records, jobs] = [0, 0];
    const making = await costOf(() => {
      for (const batch of simulation.run()) {
        // samples are no events: bench protocols and the series store have figures of their own
        const wanted = batch.filter((one) => one.stream !== "metrics");
        folder.write(wanted);
        records += wanted.length;
        jobs += simulation.takeJobs().length;
      }
      folder.close(simulation.truth());
    });
    say(`${records} records of ${(end - start) / hour} simulated hours, ${jobs} jobs ended`);
    const site = join(directory, "site");
    const files = Object.fromEntries(
      readdirSync(site, { recursive: true, encoding: "utf8" })
        .filter((name) => name.includes("/") && statSync(join(site, name)).isFile())
        .map((name) => [basename(name), join(site, name)]),
    );
    mkdirSync(join(program.directory, "in"));
    await program.start();
    const run = await takeIn(program, files, records);
    const { peak_mb } = program.memory();
    const { alerts } = await program.get<{ alerts: readonly Alert[] }>("/api/v1/alerts?limit=1000");
    const { sources } = await program.get<{ sources: readonly { readonly dead: number; readonly balance: number }[] }>("/api/v1/ledger");
    await program.kill();
    const { seal_cpu_s, bytes } = await sealRest(program.data);
    const [head, ...incidents] = simulation.truth();
    const judged = score(
      head,
      incidents,
      alerts.map((a) => ({ ...a, rule: a.rule.id, first: Date.parse(a.first_seen), last: Date.parse(a.last_seen) })),
    );
    print({
      name: "simulate",
      value: records / (run.cpu_s + seal_cpu_s),
      unit: "simulated events per CPU second, sealing included",
      baseline: goal,
      details: {
        records,
        nodes,
        simulated_hours: (end - start) / hour,
        made_per_cpu_s: records / making.cpu_s,
        cpu_s: run.cpu_s,
        wall_s: run.wall_s,
        peak_mb,
        dead: sources.reduce((n, s) => n + s.dead, 0),
        unbalanced: sources.reduce((n, s) => n + Math.abs(s.balance), 0),
        sealed_bytes_per_event: bytes,
        jobs,
        alerts: judged.alerts,
        alerts_per_simulated_day: judged.alerts_per_day,
        false_per_simulated_day: judged.false_per_day,
        recall: judged.recall,
        load_average: loadavg()[0]!,
      },
    });
  } finally {
    await program.remove();
    rmSync(directory, { recursive: true, force: true });
  }
}
