/** Who analyses, as the runtime and whoever reports see it: an engine in this process, or the workers of a cluster. */
import type { DetectorLine, Micros } from "@vedette/model";
import type { Ledger } from "./ledger.ts";

export interface Detection {
  /** As of the last checkpoints. */
  readonly ledger: Ledger;
  /** Receive time of the newest record analysed since the start; 0 before the first. */
  readonly reached: Micros;
  /** Everything of a raw partition below it is analysed, and its outputs are durable. */
  durableOf(partition: number): number;
  /** What happened to each detector's observations. */
  detectors(): readonly DetectorLine[];
  load(): Promise<void>;
  /** Until `signal` aborts, then checkpoints. */
  run(signal: AbortSignal): Promise<void>;
  /** Batches of raw, of all partitions, that are not analysed yet, or whose outputs are not durable. */
  behind(): Promise<number>;
  /** @returns a question: has everything that is in the log by now been gone through? */
  waitsFor(): Promise<() => Promise<boolean>>;
}
