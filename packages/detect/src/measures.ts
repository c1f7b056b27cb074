/** Samples of one entity within ten seconds, summed up so that the order in which they come, and coming twice, changes nothing. Knows no limit. */
import type { Fields, Micros } from "@vedette/model";
import { markOf } from "./watches.ts";

type Point = readonly [time: Micros, value: number];
/** What one series said: its points, or for measurements, of which a moment has many, what they come to. */
type OfSeries =
  | { readonly kind: "gauge" | "counter" | "delta"; readonly points: readonly Point[] }
  | {
      readonly kind: "measurement";
      readonly n: number;
      readonly sum: number;
      readonly min: number;
      readonly max: number;
      readonly last: Point;
    };
/** By a mark of the series' name and labels. */
export type Measure = { readonly [series: string]: OfSeries };

/** Series of one entity that are looked at, and points of each: one a second and a few more. */
const maxSeries = 64;
const maxPoints = 16;

export function measureOf(fields: Fields, time: Micros): Measure {
  const value = fields["metric.value"] as number;
  const labels = Object.keys(fields)
    .filter((name) => name.startsWith("labels."))
    .sort()
    .map((name) => [name, fields[name]]);
  const series = markOf(JSON.stringify([fields["vedette.source"], fields["metric.name"], labels]));
  const kind = fields["metric.kind"];
  if (kind === "measurement") return { [series]: { kind, n: 1, sum: value, min: value, max: value, last: [time, value] } };
  return { [series]: { kind: kind === "counter" || kind === "delta" ? kind : "gauge", points: [[time, value]] } };
}

/** Commutative and associative; of a moment's points of a series one stays. */
export function mergeMeasures(into: Measure, more: Measure): Measure {
  const all: { [series: string]: OfSeries } = { ...into };
  for (const [series, one] of Object.entries(more)) {
    const known = all[series];
    all[series] = known === undefined ? one : joined(known, one);
  }
  const names = Object.keys(all);
  if (names.length <= maxSeries) return all;
  return Object.fromEntries(
    names
      .sort()
      .slice(0, maxSeries)
      .map((name) => [name, all[name]!]),
  );
}

function joined(a: OfSeries, b: OfSeries): OfSeries {
  if (a.kind === "measurement" && b.kind === "measurement")
    return {
      kind: a.kind,
      n: a.n + b.n,
      sum: a.sum + b.sum,
      min: Math.min(a.min, b.min),
      max: Math.max(a.max, b.max),
      last: later(a.last, b.last) ? a.last : b.last,
    };
  if (a.kind === "measurement") return a;
  if (b.kind === "measurement") return b;
  const points = new Map<Micros, Point>();
  for (const point of [...a.points, ...b.points]) {
    const known = points.get(point[0]);
    if (known === undefined || point[1] < known[1]) points.set(point[0], point);
  }
  return { kind: a.kind < b.kind ? a.kind : b.kind, points: [...points.values()].sort((x, y) => x[0] - y[0]).slice(0, maxPoints) };
}
const later = (a: Point, b: Point): boolean => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);

export interface Bucket {
  readonly start: Micros;
  readonly n: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly last: number;
  readonly increase: number;
}
type Newest = { readonly [series: string]: Point };

/** All of an entity's series together. @param before each counter's newest point so far */
export function bucketOf(start: Micros, measure: Measure, before: Newest): { readonly bucket: Bucket; readonly newest: Newest } {
  let [n, sum, min, max, increase] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  let last: Point = [Number.NEGATIVE_INFINITY, 0];
  const newest: { [series: string]: Point } = { ...before };
  for (const series of Object.keys(measure).sort()) {
    const one = measure[series]!;
    const points = one.kind === "measurement" ? [one.last] : one.points;
    if (one.kind === "measurement") [n, sum, min, max] = [n + one.n, sum + one.sum, Math.min(min, one.min), Math.max(max, one.max)];
    else for (const [, value] of points) [n, sum, min, max] = [n + 1, sum + value, Math.min(min, value), Math.max(max, value)];
    for (const point of points) {
      if (later(point, last)) last = point;
      if (one.kind === "delta") increase += point[1];
      if (one.kind !== "counter") continue;
      const known = newest[series];
      // lower than before: it began again at zero
      if (known !== undefined) increase += point[1] >= known[1] ? point[1] - known[1] : point[1];
      newest[series] = point;
    }
  }
  const names = Object.keys(newest);
  const kept = names.length <= 2 * maxSeries ? newest : Object.fromEntries(names.slice(-maxSeries).map((name) => [name, newest[name]!]));
  return { bucket: { start, n, sum, min, max, last: last[1], increase }, newest: kept };
}
