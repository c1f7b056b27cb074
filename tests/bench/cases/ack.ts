/** How long a sender waits for the durable acknowledgement of a small post, at 5,000 events a second over HTTP. */
import { option, print, say, spread } from "../harness.ts";
import { Program } from "../program.ts";
import { bodies, offer, type Sent } from "../sender.ts";

/** The goal for p99. */
const goal_ms = 50;
const eventsPerSecond = 5_000;
/** Posts a second × events a post: a forwarder that gathers, and one that hardly does. */
const variants = [
  { name: "50x100", events: 100 },
  { name: "500x10", events: 10 },
] as const;

/** @param events offered in each variant; by default 20 s worth */
export async function bench(events = eventsPerSecond * (option("seconds") ?? 20)): Promise<void> {
  const details: { [name: string]: number | string } = { offered_per_s: eventsPerSecond, seconds: events / eventsPerSecond };
  let worst = 0;
  for (const variant of variants) {
    const program = new Program("ack");
    try {
      await program.start();
      const { sent, before } = await run(program, variant.events, events / eventsPerSecond);
      const { taken, unbalanced } = await program.settled(60_000);
      const latency = spread(sent.latency_ms, variant.name);
      worst = Math.max(worst, latency[`${variant.name}_p99_ms`]!);
      Object.assign(details, latency, {
        [`${variant.name}_achieved_per_s`]: sent.accepted / sent.elapsed_s,
        [`${variant.name}_refused_or_failed_posts`]: sent.refused + sent.failed,
        // acknowledged and not in the ledger would be a loss
        [`${variant.name}_lost`]: Math.max(0, before + sent.accepted - taken) + unbalanced,
        [`${variant.name}_server_cpu_s`]: program.cpu_s(),
        [`${variant.name}_server_peak_mb`]: program.memory().peak_mb,
      });
    } finally {
      await program.remove();
    }
  }
  print({ name: "ack", value: worst, unit: "ms, p99 of the worse variant", baseline: goal_ms, details });
}

async function run(program: Program, size: number, seconds: number): Promise<{ readonly sent: Sent; readonly before: number }> {
  const posts = await bodies(Math.max(size, Math.round(eventsPerSecond * Math.min(seconds, 20))), size);
  say(`${eventsPerSecond / size} posts/s of ${size} events for ${seconds} s`);
  // the first seconds compile code and open connections
  const warm = await offer(program, posts, size, eventsPerSecond / size, AbortSignal.timeout(Math.min(3_000, seconds * 1_000)));
  const sent = await offer(program, posts, size, eventsPerSecond / size, AbortSignal.timeout(seconds * 1_000));
  return { sent, before: warm.accepted };
}
