/** Wires the heartbeat: who takes it, and how it is sent. Decides nothing about what is alive. */
import { hostname } from "node:os";
import type { Clock } from "@vedette/kit";
import { Heartbeat, type Runtime } from "@vedette/pipeline";
import type { Config } from "./config/schema.ts";
import { post } from "./post.ts";

/** With an interval of twenty seconds it is known within a minute, and the receiver's own grace begins where the beats end. */
const patience = 25_000_000;

/** Until the signal; at once where none is configured. */
export async function runHeartbeat(
  { heartbeat, name, log }: Config,
  runtime: Runtime,
  clock: Clock,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (heartbeat === undefined) return;
  const { url, stopped_url, token_file, every_s } = heartbeat;
  const standing = new Map<string, string>();
  await new Heartbeat({
    // canaries go through one process; where there are several, what is left is whether each says that it is ready
    prover: log.driver === "segments" ? runtime.prover : undefined,
    ready: () => runtime.ready(),
    clock,
    every: every_s * 1e6,
    patience,
    send: async (what, why) => {
      const to = what === "alive" ? url : stopped_url;
      if (to === undefined) return;
      await post(new URL(to), token_file, { vedette: name, host: hostname(), what, ...(why && { why }) }, signal);
    },
    onProblem: (code, message) => {
      if (standing.get(code) === message) return;
      if (message === undefined) {
        standing.delete(code);
        say(`${code}: over`);
      } else {
        standing.set(code, message);
        say(`${code}: ${message}`);
      }
    },
  }).run(signal);
}
