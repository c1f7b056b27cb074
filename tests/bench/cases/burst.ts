/**
 * A large MPI job starts: program starts arrive at many times the usual rate for a minute. Told are what was acknowledged and lost, the peak of memory
 * and how long it takes until all of it is analysed and stored. Everything is simulated. The rate is the model's 200,000 events/s for 5,000 nodes,
 * scaled to this machine's share of the cores that such an installation is given. `--rate N` (events/s, instead of that), `--seconds N` (60).
 */
import { availableParallelism, loadavg } from "node:os";
import { Simulation } from "@vedette/simulate";
import { option, print, say, spread } from "../harness.ts";
import { Program } from "../program.ts";
import { offer } from "../sender.ts";

/** Of 5,000 nodes on which 128 ranks each start within ten seconds, and the cores that `vedette sizing` gives them at the goal of 25,000 events per core and second. */
const model = { events_per_s: 200_000, cores: 8 };
/** The goal. */
const goal_s = 300;
const perPost = 500;
const distinct = 100_000;
const hour = 3_600_000_000;
const patience_ms = 3_600_000;

/** Program starts and ends of a simulated cluster at full activity: mostly ranks of large jobs. */
function bodies(): readonly Buffer[] {
  const start = Date.UTC(2026, 2, 2, 8) * 1_000;
  const world = {
    seed: 1,
    nodes: 100,
    start,
    end: start + 24 * hour,
    activity: 1,
    zeek: "json",
    accounting: "jobcomp",
    interval: hour,
  } as const;
  const made: Buffer[] = [];
  let lines: string[] = [];
  for (const some of new Simulation(world, []).run()) {
    for (const { stream, line } of some) if (stream === "tetragon") lines.push(line);
    while (lines.length >= perPost) {
      made.push(Buffer.from(`${lines.slice(0, perPost).join("\n")}\n`));
      lines = lines.slice(perPost);
    }
    if (made.length * perPost >= distinct) break;
  }
  return made;
}

export async function bench(): Promise<void> {
  const rate = option("rate") ?? (model.events_per_s * availableParallelism()) / model.cores;
  const seconds = option("seconds") ?? 60;
  const posts = bodies();
  const program = new Program("burst");
  try {
    await program.start();
    say(`${rate} events/s offered for ${seconds} s`);
    const sent = await offer(program, posts, perPost, rate / perPost, AbortSignal.timeout(seconds * 1_000));
    const at_end = program.memory();
    const begun = performance.now();
    const { taken, unbalanced } = await program.settled(patience_ms);
    const drained_s = (performance.now() - begun) / 1_000;
    const accepted_per_s = sent.accepted / sent.elapsed_s;
    print({
      name: "burst (simulated)",
      value: drained_s,
      unit: "s until all that was acknowledged is analysed and stored",
      baseline: goal_s,
      details: {
        offered_per_s: rate,
        seconds,
        acknowledged: sent.accepted,
        acknowledged_per_s: accepted_per_s,
        refused_posts: sent.refused,
        // the sender leaves out what it has no room for
        left_out_posts: sent.failed,
        ...spread(sent.latency_ms, "ack"),
        // acknowledged and not in the ledger would be a loss
        lost: Math.max(0, sent.accepted - taken) + unbalanced,
        rss_at_end_mb: at_end.rss_mb,
        peak_mb: program.memory().peak_mb,
        server_cpu_s: program.cpu_s(),
        cores: availableParallelism(),
        load_average: loadavg()[0]!,
      },
    });
  } finally {
    await program.remove();
  }
}
