/** Order statistics over plain lists and over histograms. Knows no detector. */

/** Value and how often it came, in any order. */
export type Histogram = readonly (readonly [value: number, count: number])[];

/**
 * Six significant binary digits, so that a histogram of any values stays small: exact below 64, within 1.6 % above.
 * Values beyond 2^50 are that.
 */
export function coarse(value: number): number {
  const x = Math.min(Math.max(0, Math.round(value)), 2 ** 50);
  if (x < 64) return x;
  const step = 2 ** (Math.floor(Math.log2(x)) - 5);
  return Math.round(x / step) * step;
}

/** Adds counts; the `most` most frequent values stay, of equal ones the smaller. */
export function addCounts(a: Histogram, b: Histogram, most: number): Histogram {
  if (b.length === 0 && a.length <= most) return a;
  const sum = new Map(a);
  for (const [value, n] of b) sum.set(value, (sum.get(value) ?? 0) + n);
  const all = [...sum];
  return all.length <= most ? all : all.sort((x, y) => y[1] - x[1] || x[0] - y[0]).slice(0, most);
}

/** The values below which the given shares lie (nearest rank). `sorted` is ascending by value. */
function quantile(sorted: Histogram, total: number, share: number): number {
  let rank = Math.max(1, Math.ceil(share * total));
  for (const [value, n] of sorted) {
    rank -= n;
    if (rank <= 0) return value;
  }
  return 0;
}

export interface Quartiles {
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  /** Median absolute deviation from the median. */
  readonly mad: number;
  readonly total: number;
}
export function quartilesOf(histogram: Histogram): Quartiles {
  const sorted = [...histogram].sort((a, b) => a[0] - b[0]);
  const total = sorted.reduce((sum, [, n]) => sum + n, 0);
  const [q1, median, q3] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, total, share)) as [number, number, number];
  const deviations = sorted.map(([value, n]) => [Math.abs(value - median), n] as const).sort((a, b) => a[0] - b[0]);
  return { q1, median, q3, mad: quantile(deviations, total, 0.5), total };
}
