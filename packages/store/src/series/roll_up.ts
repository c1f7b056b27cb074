/** Samples of a series to one row per bucket of time, and rows to wider ones. Pure; knows no file. */
import type { Micros, SampleKind } from "@vedette/model";

/** What the samples of one bucket come to. */
export interface RollUp {
  /** A multiple of the bucket's width. */
  readonly start: Micros;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly last: number;
  readonly last_time: Micros;
  /** By how much a counter grew, over its resets; the sum of deltas; 0 for other kinds. */
  readonly increase: number;
}
export interface Point {
  readonly time: Micros;
  readonly value: number;
}

/** Widths kept, µs: fine for a few days, coarse for months. */
export const fine: Micros = 10_000_000;
export const coarse: Micros = 60_000_000;

/** By how much a counter grew: one that is lower than before began again at zero. */
export const grown = (before: number, now: number): number => (now >= before ? now - before : now);

/** @param points in order of time @param before the newest point before them, of a counter */
export function rollUp(kind: SampleKind, points: readonly Point[], width: Micros, before: Point | undefined): RollUp[] {
  const rows: RollUp[] = [];
  let open: { -readonly [K in keyof RollUp]: RollUp[K] } | undefined;
  let previous = before;
  for (const point of points) {
    const { time, value } = point;
    const start = Math.floor(time / width) * width;
    const increase = kind === "delta" ? value : kind === "counter" && previous !== undefined ? grown(previous.value, value) : 0;
    previous = point;
    if (open?.start !== start) {
      open = { start, count: 0, sum: 0, min: value, max: value, last: value, last_time: time, increase: 0 };
      rows.push(open);
    }
    open.count++;
    open.sum += value;
    if (value < open.min) open.min = value;
    if (value > open.max) open.max = value;
    open.last = value;
    open.last_time = time;
    open.increase += increase;
  }
  return rows;
}

const joined = (a: RollUp, b: RollUp, start: Micros): RollUp => {
  const newer = b.last_time >= a.last_time ? b : a;
  return {
    start,
    count: a.count + b.count,
    sum: a.sum + b.sum,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    last: newer.last,
    last_time: newer.last_time,
    increase: a.increase + b.increase,
  };
};

/** Rows in buckets of a width that theirs divides, in order of time. */
export function widened(rows: readonly RollUp[], width: Micros): RollUp[] {
  const found = new Map<Micros, RollUp>();
  for (const row of rows) {
    const start = Math.floor(row.start / width) * width;
    const known = found.get(start);
    found.set(start, known === undefined ? { ...row, start } : joined(known, row, start));
  }
  return [...found.values()].sort((a, b) => a.start - b.start);
}
