/** One measured value of a series. Types only. */
import type { Micros } from "./event.ts";

/**
 * What a value means: a `gauge` is read off; a `counter` only grows, and begins again at zero after a restart; a `delta` is what was counted
 * since the sample before; a `measurement` is one of many of the same moment (a request's duration).
 */
export type SampleKind = "gauge" | "counter" | "delta" | "measurement";
export const sampleKinds: readonly SampleKind[] = ["gauge", "counter", "delta", "measurement"];

/** Name and labels are its series within a source. Histograms come as the series that Prometheus makes of them: `_bucket` with `le`, `_sum`, `_count`. */
export interface Sample {
  readonly name: string;
  /** Sorted by name; no name twice, none empty. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly time: Micros;
  /** Finite. */
  readonly value: number;
  readonly kind: SampleKind;
}
