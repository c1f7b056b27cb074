/** Wires the heartbeat: who takes it, and how it is sent. Decides nothing about what is alive. */
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { type Clock, outsideRequest, whereabouts } from "@vedette/kit";
import { Heartbeat, type Runtime } from "@vedette/pipeline";
import type { Config } from "./config/schema.ts";

/** With an interval of twenty seconds it is known within a minute, and the receiver's own grace begins where the beats end. */
const patience = 25_000_000;
const timeout_ms = 10_000;

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
    tell: async (what, why) => {
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

async function post(url: URL, tokenFile: string | undefined, body: object, signal: AbortSignal): Promise<void> {
  const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, "utf8")).split("\n", 1)[0]!.trim();
  const answer = await outsideRequest(url, {
    may: (address) => whereabouts(address) !== "link",
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": "vedette",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: Buffer.from(JSON.stringify(body)),
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout_ms)]),
  });
  answer.destroy();
  const { statusCode = 0 } = answer;
  // where it goes is a secret of some receivers: only the host is named
  if (statusCode < 200 || statusCode > 299) throw new Error(`${url.host} answers ${statusCode}`);
}
