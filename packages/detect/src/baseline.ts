/** What an entity usually does per bucket, and from where on a bucket is out of the ordinary. Knows no detector. */
import type { Micros } from "@vedette/model";
import { quartilesOf } from "./statistics.ts";

/** Values of an entity's buckets that had any, oldest first; buckets between them were empty. */
export interface Baseline {
  /** Start of the first bucket ever seen. */
  readonly since: Micros;
  readonly values: readonly (readonly [start: Micros, value: number])[];
}
export interface Usual {
  /** From here on a bucket is out of the ordinary. */
  readonly limit: number;
  /** Of all buckets within the memory, empty ones included. */
  readonly median: number;
  /** The most a bucket had. */
  readonly most: number;
  /** Buckets within the memory, from the first one seen. */
  readonly buckets: number;
}

/**
 * Six deviations of a normal distribution, 1.4826 MAD each: one bucket in a thousand million would be higher by chance. Traffic has heavier tails
 * than that, which is why a bucket must also exceed all within the memory by half.
 */
const deviations = 6;
const beyondMost = 1.5;

/** @param width of a bucket, µs; @param memory how far back, µs; @param at start of the bucket to be judged */
export function usualOf(baseline: Baseline, width: Micros, memory: Micros, at: Micros): Usual {
  const kept = baseline.values.filter(([start]) => start >= at - memory && start < at).map(([, value]) => value);
  const buckets = Math.max(kept.length, Math.min(Math.round((at - baseline.since) / width), Math.round(memory / width)));
  const { median, mad } = quartilesOf([[0, buckets - kept.length], ...kept.map((value) => [value, 1] as const)]);
  const most = kept.reduce((a, b) => Math.max(a, b), 0);
  return { limit: Math.max(median + deviations * 1.4826 * mad, beyondMost * most), median, most, buckets };
}

/** The baseline with a bucket added and what is older than the memory forgotten; a bucket that was out of the ordinary counts as the limit, so that it does not become usual at once. */
export function remembered(
  baseline: Baseline | undefined,
  memory: Micros,
  start: Micros,
  value: number,
  limit = Number.POSITIVE_INFINITY,
): Baseline {
  const values = (baseline?.values ?? []).filter(([at]) => at >= start - memory);
  return { since: baseline?.since ?? start, values: [...values, [start, Math.min(value, limit)]] };
}
