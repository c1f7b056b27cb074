/** Series as a chart needs them: names, one time axis for all, figures. Pure. */
import type { SeriesLine, SeriesPoints } from "../api/data.ts";

/** `name{label="value"}` less the name, as Prometheus writes it. */
export function labelText(labels: SeriesLine["labels"]): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? "no labels" : pairs.join(" ");
}

export interface MetricGroup {
  readonly name: string;
  readonly series: readonly SeriesPoints[];
}

/** By name, in the order they come. */
export function groupByName(series: readonly SeriesPoints[]): readonly MetricGroup[] {
  const groups = new Map<string, SeriesPoints[]>();
  for (const one of series) {
    const group = groups.get(one.name);
    if (group === undefined) groups.set(one.name, [one]);
    else group.push(one);
  }
  return [...groups].map(([name, members]) => ({ name, series: members }));
}

/** Seconds, then a row of values for each series; null where it had no sample, so that a gap is seen as one. */
export function alignSeries(series: readonly SeriesPoints[], step_s: number): [number[], ...(number | null)[][]] {
  const known = series.map(({ points }) => new Map(points.map(([time, value]) => [Date.parse(time) / 1_000, value])));
  const all = [...new Set(known.flatMap((points) => [...points.keys()]))].sort((a, b) => a - b);
  const times: number[] = [];
  for (const [at, time] of all.entries()) {
    const before = all[at - 1];
    // One empty step stands for a gap of any length.
    if (before !== undefined && time - before > step_s * 1.5) times.push(before + step_s);
    times.push(time);
  }
  return [times, ...known.map((points) => times.map((time) => points.get(time) ?? null))];
}

export interface Figures {
  readonly last: number;
  readonly min: number;
  readonly max: number;
}

export function figuresOf({ points }: SeriesPoints): Figures | undefined {
  const last = points.at(-1);
  if (last === undefined) return undefined;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const [, value] of points) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return { last: last[1], min, max };
}
