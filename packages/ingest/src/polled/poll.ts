/** Does something for each target every so often, targets spread over the interval. Knows nothing of what is done. */
import { hash } from "node:crypto";
import type { Clock } from "@vedette/kit";

export interface PollOptions<T> {
  readonly targets: readonly T[];
  /** What tells a target from the others: decides its moment within the interval. */
  readonly name: (target: T) => string;
  readonly interval_s: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Resolves when `signal` has aborted and what was under way has ended; rejects as soon as one piece of work does. */
export async function poll<T>(
  { targets, name, interval_s, clock, signal }: PollOptions<T>,
  work: (target: T) => Promise<void>,
): Promise<void> {
  const interval = Math.round(interval_s * 1e6);
  const one = async (target: T): Promise<void> => {
    // always the same moment, whoever else is asked: so a restart neither bunches targets nor moves their samples
    const offset = hash("sha256", name(target), "buffer").readUInt32BE(0) % interval;
    while (!signal.aborted) {
      const now = clock.now();
      const wait = interval - ((now - offset) % interval);
      await clock.sleep(Math.ceil(wait / 1_000), signal);
      if (!signal.aborted) await work(target);
    }
  };
  await Promise.all(targets.map(one));
}
