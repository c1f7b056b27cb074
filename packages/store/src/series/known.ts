/** The series of every source that lately had a sample: which samples are new, and which series there is room for. Knows no file. */
import type { Micros } from "@vedette/model";
import type { Point } from "./roll_up.ts";
import { type SampleBatch, type SampleTotals, type SeriesName, seriesKey } from "./samples.ts";

export interface Known {
  readonly series: SeriesName;
  newest: Point;
  /** The newest point before the open segment. */
  sealed: Point | undefined;
}
/** What of a batch is to be kept, decided without changing anything. */
export interface Admission {
  readonly kept: SampleBatch;
  readonly newest: ReadonlyMap<string, { readonly series: SeriesName; readonly point: Point }>;
}
/** As a file holds it. */
export interface KnownState {
  readonly version: 1;
  readonly totals: SampleBatch["totals"];
  readonly series: readonly (readonly [...string[], time: number, value: number])[];
}

/** A series that has been silent for so long makes room for others: pods and jobs come and go. */
const forgetAfter: Micros = 6 * 3_600_000_000;
const maxNamed = 10;
const maxNameLength = 200;
const nothing: SampleTotals = { kept: 0, repeated: 0, refused: 0, refused_beside: 0, refused_series: [] };
interface Counted {
  kept: number;
  repeated: number;
  refused: number;
  beside: number;
  readonly named: string[];
}
const sourceOf = ({ tenant, source }: SeriesName): string => `${tenant}\0${source}`;

export class KnownSeries {
  readonly all = new Map<string, Known>();
  readonly #counts = new Map<string, number>();
  readonly #limit: number;
  #totals = new Map<string, SampleTotals>();
  #newest: Micros = 0;

  /** @param limit series of one source */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** By source. */
  get totals(): SampleBatch["totals"] {
    return Object.fromEntries(this.#totals);
  }
  count(tenant: string, source: string): number {
    return this.#counts.get(`${tenant}\0${source}`) ?? 0;
  }

  /** In the order they came: a series' samples must each be newer than the one before, but for measurements, of which a moment has many. */
  admit(batch: SampleBatch): Admission {
    const keys = batch.series.map(seriesKey);
    const newest = new Map<string, { readonly series: SeriesName; readonly point: Point }>();
    const added = new Map<string, number>();
    const counts = new Map<string, Counted>();
    const rows: number[] = [];
    for (let i = 0; i < batch.which.length; i++) {
      const place = batch.which[i]!;
      const series = batch.series[place]!;
      const key = keys[place]!;
      const source = sourceOf(series);
      let count = counts.get(source);
      if (count === undefined) {
        count = { kept: 0, repeated: 0, refused: 0, beside: 0, named: [] };
        counts.set(source, count);
      }
      const known = newest.get(key)?.point ?? this.all.get(key)?.newest;
      const point = { time: batch.times[i]!, value: batch.values[i]! };
      if (known === undefined) {
        const more = added.get(source) ?? 0;
        if ((this.#counts.get(source) ?? 0) + more >= this.#limit) {
          count.refused++;
          if (series.kind === "measurement") count.beside++;
          if (count.named.length < maxNamed) count.named.push(`${series.name}${series.labels}`.slice(0, maxNameLength));
          continue;
        }
        added.set(source, more + 1);
      } else if (series.kind !== "measurement" && point.time <= known.time) {
        count.repeated++;
        continue;
      }
      count.kept++;
      rows.push(i);
      if (known === undefined || point.time >= known.time) newest.set(key, { series, point });
    }
    const totals = [...counts].map(([source, count]) => [source, this.#added(source, count)] as const);
    return { kept: { ...chosen(batch, rows), totals: Object.fromEntries(totals) }, newest };
  }

  #added(source: string, { kept, repeated, refused, beside, named }: Counted): SampleTotals {
    const before = this.#totals.get(source) ?? nothing;
    const names = [...new Set([...before.refused_series, ...named])].slice(0, maxNamed);
    return {
      kept: before.kept + kept,
      repeated: before.repeated + repeated,
      refused: before.refused + refused,
      refused_beside: before.refused_beside + beside,
      refused_series: names,
    };
  }

  /** Takes note of what was kept, once it is durable. */
  commit({ kept, newest }: Admission): void {
    for (const [key, { series, point }] of newest) this.#set(key, series, point);
    for (const [source, totals] of Object.entries(kept.totals)) this.#totals.set(source, totals);
  }

  /** The same of a batch that was kept before this start. */
  replay(batch: SampleBatch): void {
    const keys = batch.series.map(seriesKey);
    for (let i = 0; i < batch.which.length; i++) {
      const place = batch.which[i]!;
      const point = { time: batch.times[i]!, value: batch.values[i]! };
      const known = this.all.get(keys[place]!);
      if (known === undefined || point.time >= known.newest.time) this.#set(keys[place]!, batch.series[place]!, point);
    }
    for (const [source, totals] of Object.entries(batch.totals)) this.#totals.set(source, totals);
  }

  #set(key: string, series: SeriesName, point: Point): void {
    const known = this.all.get(key);
    if (point.time > this.#newest) this.#newest = point.time;
    if (known !== undefined) {
      known.newest = point;
      return;
    }
    this.all.set(key, { series, newest: point, sealed: undefined });
    const source = sourceOf(series);
    this.#counts.set(source, (this.#counts.get(source) ?? 0) + 1);
  }

  /** Another segment begins: what is known is before it, and what has long been silent is forgotten. */
  turn(): void {
    for (const [key, known] of this.all) {
      known.sealed = known.newest;
      if (known.newest.time >= this.#newest - forgetAfter) continue;
      this.all.delete(key);
      const source = sourceOf(known.series);
      this.#counts.set(source, this.#counts.get(source)! - 1);
    }
  }

  state(): KnownState {
    const series = [...this.all.values()].map(({ series: { tenant, source, name, kind, labels }, newest: { time, value } }) => {
      return [tenant, source, name, kind, labels, time, value] as const;
    });
    return { version: 1, totals: this.totals, series };
  }
  restore({ totals, series }: KnownState): void {
    this.#totals = new Map(Object.entries(totals));
    for (const [tenant, source, name, kind, labels, time, value] of series as readonly [
      string,
      string,
      string,
      never,
      string,
      number,
      number,
    ][]) {
      const one = { tenant, source, name, kind, labels };
      this.#set(seriesKey(one), one, { time, value });
    }
    for (const known of this.all.values()) known.sealed = known.newest;
  }
}

/** Some of a batch's samples, with the series they have. */
function chosen({ series, which, times, values }: SampleBatch, rows: readonly number[]): Omit<SampleBatch, "totals"> {
  if (rows.length === which.length) return { series, which, times, values };
  const places = new Map<number, number>();
  const kept: SeriesName[] = [];
  const moved = rows.map((row) => {
    const old = which[row]!;
    let place = places.get(old);
    if (place === undefined) {
      place = kept.push(series[old]!) - 1;
      places.set(old, place);
    }
    return place;
  });
  return {
    series: kept,
    which: Uint32Array.from(moved),
    times: Float64Array.from(rows, (row) => times[row]!),
    values: Float64Array.from(rows, (row) => values[row]!),
  };
}
