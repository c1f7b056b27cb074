/** Samples of a raw batch as bytes and back, in any thread: series named once, then numbers. Knows neither disk nor roll-ups. */
import type { Micros, Sample, SampleKind } from "@vedette/model";

/** Samples of one job as transferable bytes; made by `SampleWriter` in the worker that decoded them. */
export interface EncodedSamples {
  readonly count: number;
  readonly bytes: Uint8Array;
}
/** What a series is known by; all but `kind`. */
export interface SeriesName {
  readonly tenant: string;
  readonly source: string;
  readonly name: string;
  readonly kind: SampleKind;
  /** A JSON object, sorted by name. */
  readonly labels: string;
}
/** What became of a source's samples since the beginning. */
export interface SampleTotals {
  readonly kept: number;
  /** Not newer than their series' newest: sent again, or out of order. */
  readonly repeated: number;
  /** Of series beyond the source's limit. */
  readonly refused: number;
  /** Of these, measurements: they come beside events (spans), and the ledger knows only the events. */
  readonly refused_beside: number;
  /** The first few of the series refused. */
  readonly refused_series: readonly string[];
}
export interface SampleBatch {
  readonly series: readonly SeriesName[];
  /** By sample: place of its series in `series`. */
  readonly which: Uint32Array;
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** By source, where the store has written it. */
  readonly totals: { readonly [source: string]: SampleTotals };
}
interface Header {
  readonly version: 1;
  readonly count: number;
  readonly series: readonly (readonly [tenant: string, source: string, name: string, kind: SampleKind, labels: string])[];
  readonly totals: SampleBatch["totals"];
}

export const seriesKey = ({ tenant, source, name, labels }: SeriesName): string => `${tenant}\0${source}\0${name}\0${labels}`;

/** Label names come from senders: written by hand, `__proto__` is a name like any other. */
export const labelsText = (labels: Sample["labels"]): string =>
  `{${labels.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;

/** Gathers samples in the order they came. */
export class SampleWriter {
  readonly #places = new Map<string, number>();
  readonly #series: SeriesName[] = [];
  readonly #which: number[] = [];
  readonly #times: number[] = [];
  readonly #values: number[] = [];

  add(tenant: string, source: string, { name, labels, time, value, kind }: Sample): void {
    const series = { tenant, source, name, kind, labels: labelsText(labels) };
    const key = `${kind}\0${seriesKey(series)}`;
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.#series.push(series) - 1;
      this.#places.set(key, place);
    }
    this.#which.push(place);
    this.#times.push(time);
    this.#values.push(value);
  }

  /** Undefined where nothing was added. */
  done(): EncodedSamples | undefined {
    if (this.#which.length === 0) return undefined;
    const [times, values] = [Float64Array.from(this.#times), Float64Array.from(this.#values)];
    return encodeSamples({ series: this.#series, which: Uint32Array.from(this.#which), times, values, totals: {} });
  }
}

const align = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** [u32 header length][header JSON, padded to 8][times f64][values f64][places u32], little-endian. Stored format, docs/format/series.md. */
export function encodeSamples({ series, which, times, values, totals }: SampleBatch): EncodedSamples {
  const count = which.length;
  const named = series.map(({ tenant, source, name, kind, labels }) => [tenant, source, name, kind, labels] as const);
  const head = Buffer.from(JSON.stringify({ version: 1, count, series: named, totals } satisfies Header));
  const from = align(4 + head.length);
  const bytes = new Uint8Array(from + count * 20);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 4);
  new Float64Array(bytes.buffer, from, count).set(times);
  new Float64Array(bytes.buffer, from + count * 8, count).set(values);
  new Uint32Array(bytes.buffer, from + count * 16, count).set(which);
  return { count, bytes };
}

export function openSamples(encoded: Uint8Array): SampleBatch {
  // typed arrays want their place aligned
  const bytes = encoded.byteOffset % 8 === 0 ? encoded : encoded.slice();
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + 4, length).toString("utf8")) as Header;
  if (header.version !== 1) throw new Error(`samples of version ${header.version}; this program reads version 1`);
  const { count } = header;
  const from = bytes.byteOffset + align(4 + length);
  return {
    series: header.series.map(([tenant, source, name, kind, labels]) => ({ tenant, source, name, kind, labels })),
    times: new Float64Array(bytes.buffer, from, count),
    values: new Float64Array(bytes.buffer, from + count * 8, count),
    which: new Uint32Array(bytes.buffer, from + count * 16, count),
    totals: header.totals,
  };
}

/** A sample's time may be so far ahead of its receipt: one that is later would make all that follow seem out of order. */
export const maxSampleAhead: Micros = 600_000_000;
