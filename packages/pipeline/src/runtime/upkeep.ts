/** What happens by the clock while Vedette runs: ticks into the log, sealing and retention of what is stored. Detects nothing. */
import type { Clock } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { EventClass, Micros } from "@vedette/model";
import type { EventHold, SeriesRetention, Store } from "@vedette/store";
import { encodeTick } from "../batch.ts";
import type { OnProblem } from "./problems.ts";

const tickEvery_ms = 1_000;
export const upkeepEvery_ms = 30_000;

/** Silence is seen in the log too: each partition of raw is told the time every second. */
export async function appendTicks(log: Log, partitions: number, clock: Clock, onProblem: OnProblem, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(tickEvery_ms, signal);
    try {
      const tick = encodeTick(clock.now());
      await Promise.all(Array.from({ length: partitions }, (_, n) => log.append("raw", n, tick)));
      onProblem("log_full", undefined);
    } catch (e) {
      if ((e as { code?: string }).code === "log_closed") return;
      onProblem("log_full", (e as Error).message);
    }
  }
  // it is another's now: whether that one comes through is not known here
  onProblem("log_full", undefined);
}

export interface UpkeepOptions {
  readonly store: Pick<Store, "events" | "series">;
  readonly retention: { readonly [C in EventClass]?: { readonly maxAge?: Micros; readonly maxBytes?: number } };
  /** Without it roll-ups of series are kept for ever. */
  readonly seriesRetention?: SeriesRetention;
  /** Events that retention leaves alone. */
  readonly holds?: () => Promise<readonly EventHold[]>;
  /** What else is kept in order each time. */
  readonly also: () => Promise<void>;
}

export async function keepInOrder(options: UpkeepOptions, clock: Clock, onProblem: OnProblem, signal: AbortSignal): Promise<void> {
  const { events, series } = options.store;
  while (!signal.aborted) {
    await clock.sleep(upkeepEvery_ms, signal);
    if (signal.aborted) return;
    try {
      await events.seal();
      await events.retain(options.retention, await options.holds?.());
      await series.seal();
      if (options.seriesRetention) await series.retain(options.seriesRetention);
      await options.also();
      onProblem("upkeep_failed", undefined);
    } catch (e) {
      onProblem("upkeep_failed", (e as Error).message);
    }
  }
}
