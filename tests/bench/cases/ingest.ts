/** file → parse → normalise → rules and detectors → stored and durable, by the built program: events per CPU second over everything. */
import { linkSync, mkdirSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { openStore } from "@vedette/store";
import { corpus } from "../corpus.ts";
import { costOf, print, say } from "../harness.ts";
import { Program } from "../program.ts";
import { naive } from "./naive.ts";

/** The goals: events per CPU second, MB of resident memory, wall time of one core's. */
const goal = 40_000;
const goal_mb = 512;
const goal_cores = 1.5;
const plainEvents = 500_000;
/** A hundredth of the goal: a run that is slower has stopped. */
const patience_ms = (events: number) => 60_000 + (events / (goal / 100)) * 1_000;

const config = `sources:
  zeek: { file: { paths: ["in/*.ndjson"] } }
  sshd: { file: { paths: ["in/*.log"] } }
`;

export async function bench(events = 5_000_000): Promise<void> {
  const data = await corpus(events);
  const program = new Program("ingest", config);
  try {
    mkdirSync(join(program.directory, "in"));
    await program.start();
    const ready = { mb: program.memory().rss_mb, cpu_s: program.cpu_s() };
    const run = await takeIn(program, { "zeek.ndjson": data.zeek, "sshd.log": data.sshd }, events);
    const { sources } = await program.get<{ sources: readonly { readonly dead: number; readonly balance: number }[] }>("/api/v1/ledger");
    const { rules } = await program.get<{ rules: readonly unknown[] }>("/api/v1/rules");
    const { total } = await program.get<{ total: number }>("/api/v1/alerts?limit=1");
    const { rss_mb, peak_mb } = program.memory();
    await program.kill();
    const { seal_cpu_s, bytes } = await sealRest(program.data);
    // after the measurement, on a part: the same lines through a plain pipeline
    const part = await corpus(Math.min(events, plainEvents));
    const plain = part.events / (await naive(part)).cost.cpu_s;
    const cpu_s = run.cpu_s + seal_cpu_s;
    print({
      name: "ingest",
      value: events / cpu_s,
      unit: "events per CPU second, sealing included",
      baseline: goal,
      details: {
        events,
        input_mb: data.bytes / 1e6,
        start_cpu_s: ready.cpu_s,
        cpu_s: run.cpu_s,
        seal_rest_cpu_s: seal_cpu_s,
        wall_s: run.wall_s,
        events_per_wall_s: events / run.wall_s,
        cores: run.cpu_s / run.wall_s,
        goal_cores,
        ready_mb: ready.mb,
        end_mb: rss_mb,
        peak_mb,
        goal_mb,
        naive_events_per_cpu_s: plain,
        of_naive: events / cpu_s / plain,
        rules: rules.length,
        alerts: total,
        dead: sources.reduce((n, s) => n + s.dead, 0),
        unbalanced: sources.reduce((n, s) => n + Math.abs(s.balance), 0),
        sealed_bytes_per_event: bytes,
        load_average: loadavg()[0]!,
      },
    });
  } finally {
    await program.remove();
  }
}

/** Lets the program see the files, under names of their own; resolves when it has stored every line of them durably. */
export async function takeIn(
  program: Program,
  files: { readonly [name: string]: string },
  events: number,
): Promise<{ readonly cpu_s: number; readonly wall_s: number }> {
  const cpu_s = program.cpu_s();
  const begun = performance.now();
  for (const [name, file] of Object.entries(files)) linkSync(file, join(program.directory, "in", name));
  for (;;) {
    await new Promise((r) => setTimeout(r, 500));
    const { taken, stored, pending } = await program.taken();
    const wall_s = (performance.now() - begun) / 1_000;
    say(`${wall_s.toFixed(1)} s: ${taken} taken in, ${stored} stored, ${Math.round(program.memory().rss_mb)} MB`);
    if (taken >= events && pending === 0) return { cpu_s: program.cpu_s() - cpu_s, wall_s };
    if (wall_s * 1_000 > patience_ms(events)) throw new Error(`only ${stored} events were stored:\n${program.output}`);
  }
}

/** Seals what the program had still open, and says how many bytes an event takes then. */
export async function sealRest(directory: string): Promise<{ readonly seal_cpu_s: number; readonly bytes: number }> {
  const store = await openStore({ directory });
  const { cpu_s } = await costOf(() => store.events.seal(true));
  const { sealedBytes, events } = await store.events.usage();
  await store.close();
  return { seal_cpu_s: cpu_s, bytes: sealedBytes / events };
}
