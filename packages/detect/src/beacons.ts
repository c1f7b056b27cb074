/** RITA's four measures of a beacon over a sliding histogram of connections. Knows no addresses. */
import type { Micros } from "@vedette/model";
import { addCounts, type Histogram, quartilesOf } from "./statistics.ts";

/** Connections that began within one bar. */
export interface Slot {
  readonly start: Micros;
  /** Seconds in which connections began, as RITA counts. */
  readonly count: number;
  /** Connections, of which `odd` nobody answered or were in a protocol that the sensor does not know. */
  readonly calls: number;
  readonly odd: number;
  /** Seconds since the epoch. */
  readonly first: number;
  readonly last: number;
  /** Seconds between successive connections, the first counted from the bar before. */
  readonly gaps: Histogram;
  readonly sizes: Histogram;
}
export interface Scores {
  readonly total: number;
  readonly gaps: number;
  readonly sizes: number;
  readonly duration: number;
  readonly evenness: number;
  readonly connections: number;
  /** Whether most of them were odd. */
  readonly odd: boolean;
  /** Median gap, seconds. */
  readonly gap: number;
  readonly first: number;
  readonly last: number;
}

/** Bars of the histogram, as RITA divides a day. */
const bars = 24;
/** Of RITA: fewer bars than these with connections say nothing about duration; so many in a row are a whole day's worth. */
const leastBars = 6;
const idealRun = 12;
/** Different gaps or sizes remembered of a bar: a beacon has few, and what has more is none. */
const maxValues = 64;

/** The slots of the last 24 bars with `slot` added to its own. */
export function slotsWith(slots: readonly Slot[], slot: Slot, width: Micros): readonly Slot[] {
  const start = Math.floor(slot.start / width) * width;
  const kept = slots.filter((s) => s.start > start - bars * width);
  const before = kept.at(-1);
  if (before?.start !== start) return [...kept, { ...slot, start }];
  const merged: Slot = {
    start,
    count: before.count + slot.count,
    calls: before.calls + slot.calls,
    odd: before.odd + slot.odd,
    first: before.first,
    last: slot.last,
    gaps: addCounts(before.gaps, slot.gaps, maxValues),
    sizes: addCounts(before.sizes, slot.sizes, maxValues),
  };
  return [...kept.slice(0, -1), merged];
}

/** Undefined while there are too few bars, or fewer seconds with connections than `least`, to say anything. */
export function scoresOf(slots: readonly Slot[], width: Micros, least: number): Scores | undefined {
  if (slots.length <= leastBars || slots.reduce((sum, s) => sum + s.count, 0) < least) return undefined;
  const [first, last] = [slots[0]!, slots.at(-1)!];
  const gaps = slots.reduce<Histogram>(
    (all, s, n) => addCounts(all, n === 0 ? s.gaps.filter(([gap]) => gap <= s.last - s.first) : s.gaps, bars * maxValues),
    [],
  );
  const sizes = slots.reduce<Histogram>((all, s) => addCounts(all, s.sizes, bars * maxValues), []);
  const parts = {
    gaps: likeness(gaps, 0),
    sizes: likeness(sizes, 1),
    duration: durationOf(slots, width),
    evenness: evennessOf(slots, width),
  };
  return {
    ...parts,
    total: Math.round(250 * (parts.gaps + parts.sizes + parts.duration + parts.evenness)) / 1_000,
    connections: slots.reduce((sum, s) => sum + s.count, 0),
    odd: slots.reduce((sum, s) => sum + 2 * s.odd - s.calls, 0) > 0,
    gap: quartilesOf(gaps).median,
    first: first.first,
    last: last.last,
  };
}

/** Mean of one less Bowley's skewness and one less the relative median absolute deviation. @param small the second where the median is below 1 */
function likeness(histogram: Histogram, small: number): number {
  const { q1, median, q3, mad, total } = quartilesOf(histogram);
  if (total === 0) return 0;
  // where the median is a quartile the skewness says nothing, and it is taken as none
  const skewness = q3 === q1 || median === q1 || median === q3 ? 0 : (q1 + q3 - 2 * median) / (q3 - q1);
  const deviation = median < 1 ? small : Math.max(0, 1 - mad / median);
  return (1 - Math.abs(skewness) + deviation) / 2;
}

/** The share of the histogram's time that it covers, or how much of an ideal run it goes on without a gap; the better. */
function durationOf(slots: readonly Slot[], width: Micros): number {
  const coverage = ((slots.at(-1)!.last - slots[0]!.first) * 1_000_000) / (bars * width);
  let run = 0;
  let longest = 0;
  slots.forEach((s, n) => {
    run = n > 0 && s.start === slots[n - 1]!.start + width ? run + 1 : 1;
    longest = Math.max(longest, run);
  });
  return Math.min(1, Math.max(coverage, longest / idealRun));
}

/** One less the variation of the bars, empty ones since the first included. */
function evennessOf(slots: readonly Slot[], width: Micros): number {
  const n = (slots.at(-1)!.start - slots[0]!.start) / width + 1;
  const mean = slots.reduce((sum, s) => sum + s.count, 0) / n;
  const squares = slots.reduce((sum, s) => sum + (s.count - mean) ** 2, 0) + (n - slots.length) * mean ** 2;
  return Math.max(0, 1 - Math.sqrt(squares / n) / mean);
}
