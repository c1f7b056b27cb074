/** Cuts series into raw records, each a list of some, and tells those that are none from those that are. Knows neither HTTP nor what a value means. */
import type { RawRecord } from "@vedette/model";
import { flawedRecord, rawRecord } from "../batch.ts";
import type { Told } from "../protobuf.ts";

export interface SeriesOptions {
  /** Positions are `<token>:<n>`. */
  readonly token: string;
  readonly maxRecordBytes: number;
  readonly peer: string | undefined;
}
interface Label {
  readonly name: string;
  readonly value: string;
}
/** As the records hold it. */
export interface Series {
  readonly labels: readonly Label[];
  /** Number of Metadata.MetricType, where the sender tells it. */
  readonly type?: unknown;
  readonly samples?: readonly unknown[];
  readonly histograms?: readonly unknown[];
}

/** A raw record is closed beyond it: a batch of workers' work, and small enough for a dead letter. */
const enough = 65_536;
/** What a request may come to as text: names in a table of symbols can be said again and again for two bytes each. */
const maxText = 128 * 1024 ** 2;

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export function* seriesOf1(request: Told): Generator<Series> {
  for (const one of listOf(request["timeseries"]) as readonly Told[]) {
    const labels = (listOf(one["labels"]) as readonly Told[]).map(({ name = "", value = "" }) => ({ name, value }) as Label);
    yield { ...one, labels };
  }
}

/** Names and values are places in a table, in turns; one that is not there makes an empty name, which no label has. */
export function* seriesOf2(request: Told): Generator<Series> {
  const symbols = listOf(request["symbols"]) as readonly string[];
  for (const one of listOf(request["timeseries"]) as readonly Told[]) {
    const refs = listOf(one["labelsRefs"]) as readonly number[];
    const labels: Label[] = [];
    for (let i = 0; i < refs.length; i += 2) labels.push({ name: symbols[refs[i]!] ?? "", value: symbols[refs[i + 1] ?? -1] ?? "" });
    const { samples, histograms, metadata } = one;
    const type = (metadata as Told | undefined)?.["type"];
    yield {
      labels,
      ...(type === undefined ? {} : { type }),
      ...(samples === undefined ? {} : { samples: listOf(samples) }),
      ...(histograms === undefined ? {} : { histograms: listOf(histograms) }),
    };
  }
}

/** What is wrong with a series' labels, by the specification's words; undefined: nothing. */
function problemOf(labels: readonly Label[]): string | undefined {
  const names = new Set<string>();
  for (const { name } of labels) {
    if (name === "") return "a label without a name";
    if (names.has(name)) return `the label ${name.slice(0, 100)} twice`;
    names.add(name);
  }
  return labels.some(({ name, value }) => name === "__name__" && value !== "") ? undefined : "no __name__";
}

export class SeriesCutter {
  samples = 0;
  histograms = 0;
  /** Series that became dead letters, and what was wrong with the first. */
  rejected = 0;
  problem: string | undefined;
  readonly #options: SeriesOptions;
  #made = 0;

  constructor(options: SeriesOptions) {
    this.#options = options;
  }

  *records(all: Iterable<Series>): Generator<RawRecord> {
    let open: string[] = [];
    let [size, told] = [0, 0];
    for (const series of all) {
      const length = series.labels.reduce((n, { name, value }) => n + name.length + value.length, 0);
      told += length;
      const text = told > maxText || length > this.#options.maxRecordBytes ? undefined : JSON.stringify(series);
      const problem =
        text === undefined || text.length > this.#options.maxRecordBytes ? "larger than max_record_bytes" : problemOf(series.labels);
      if (problem !== undefined) {
        this.rejected++;
        this.problem ??= problem;
        yield this.#flawed(text ?? "", problem);
        if (told > maxText) return;
        continue;
      }
      this.samples += series.samples?.length ?? 0;
      this.histograms += series.histograms?.length ?? 0;
      open.push(text!);
      size += text!.length;
      if (size < enough) continue;
      yield this.#record(open);
      [open, size] = [[], 0];
    }
    if (open.length > 0) yield this.#record(open);
  }

  #record(texts: readonly string[]): RawRecord {
    const body = Buffer.from(`{"timeseries":[${texts.join(",")}]}`);
    return rawRecord(this.#position(), body, undefined, undefined, this.#options.peer);
  }
  #flawed(text: string, problem: string): RawRecord {
    const { maxRecordBytes, peer } = this.#options;
    const flaw = { code: "bad_series", expected: `a series with a name and labels of distinct names: ${problem}` };
    return flawedRecord(this.#position(), Buffer.from(text), flaw, maxRecordBytes, peer);
  }
  #position(): string {
    return `${this.#options.token}:${this.#made++}`;
  }
}
