/** Rates counted together, perhaps by several processes; and within one. Knows nothing of what they bound. */
import type { Micros } from "@vedette/model";
import type { Clock } from "./ports.ts";
import { RateLimit } from "./rate_limit.ts";

export interface Rate {
  readonly perMinute: number;
  /** How many at once. */
  readonly burst: number;
}
export interface Draw {
  readonly key: string;
  readonly rate: Rate;
  readonly cost: number;
}
export interface Drawn {
  /** Until it fits; 0 where it does. */
  readonly wait: Micros;
  /** How many more fit now. */
  readonly left: number;
  /** Until all fit again. */
  readonly recovered: Micros;
}

/**
 * Rates counted over all processes (GCRA, as RateLimit), by one clock. Fails open: where the shared place does not answer, a process counts
 * its own part alone, so that a rate is at most as many times larger as there are processes.
 */
export interface Counters {
  /** Counts all draws, or none where one does not fit. What costs more than the burst fits when nothing is owed. */
  take(draws: readonly Draw[]): Promise<readonly Drawn[]>;
  /** Counts all, whether they fit or not; what costs less than nothing is given back. */
  charge(draws: readonly Draw[]): Promise<void>;
}

/** Counts by the process's own clock. */
export function inProcessCounters(clock: Clock): Counters {
  const limits = new Map<string, RateLimit>();
  const limitOf = ({ perMinute, burst }: Rate): RateLimit => {
    const name = `${perMinute}/${burst}`;
    const limit = limits.get(name) ?? new RateLimit(perMinute, burst);
    limits.set(name, limit);
    return limit;
  };
  const charge = (draws: readonly Draw[], now: Micros) => {
    for (const { key, rate, cost } of draws) limitOf(rate).charge(key, now, cost);
  };
  return {
    async take(draws) {
      const now = clock.now();
      const waits = draws.map(({ key, rate, cost }) => limitOf(rate).wait(key, now, cost));
      if (waits.every((wait) => wait === 0)) charge(draws, now);
      return draws.map(({ key, rate }, index) => ({ wait: waits[index]!, ...limitOf(rate).state(key, now) }));
    },
    charge: async (draws) => charge(draws, clock.now()),
  };
}
