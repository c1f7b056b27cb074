/** Whether a worker of a sensor sees what passes. Pure; the limits are those of the detector zeek_health. */
import type { Worker } from "./data.ts";

/** Of packets, and seconds behind the wire: what zeek_health alerts at by default. */
const most_lost_percent = 1;
const most_lag_s = 60;

export interface Health {
  readonly tone: "good" | "warn" | "bad" | "quiet";
  readonly word: string;
}

export function healthOf({ lost_percent, dropped, lag_s }: Worker): Health {
  if (lost_percent === null && dropped === null && lag_s === null) return { tone: "quiet", word: "not known" };
  if ((lost_percent ?? 0) > most_lost_percent) return { tone: "bad", word: "loses packets" };
  if ((lag_s ?? 0) > most_lag_s) return { tone: "bad", word: "lags" };
  return (dropped ?? 0) > 0 ? { tone: "warn", word: "drops some" } : { tone: "good", word: "sees all" };
}
