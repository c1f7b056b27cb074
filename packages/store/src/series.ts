/** What the series store promises to the rest. Knows no driver. */
import type { Condition, View } from "@vedette/condition";
import type { Micros, SampleKind } from "@vedette/model";
import type { TimeRange } from "./range.ts";
import type { RollUp } from "./series/roll_up.ts";
import type { EncodedSamples, SampleTotals } from "./series/samples.ts";

export type { EncodedSamples, RollUp, SampleTotals };

export interface SeriesRetention {
  /** How long roll-ups of ten seconds and of a minute are kept. */
  readonly fine: Micros;
  readonly coarse: Micros;
}

export interface SeriesQuery {
  readonly tenant: string;
  readonly range: TimeRange;
  /** Over `metric.name`, `metric.kind`, `labels.<name>`, `vedette.source`, and `host.name` and `service.name` where a label tells them. */
  readonly where: Condition;
  /** What who asks may see of the series, judged on the same fields: the answer is as if there were nothing else. */
  readonly view?: View;
  readonly limit: number;
}
export interface SeriesLine {
  readonly source: string;
  readonly name: string;
  readonly kind: SampleKind;
  readonly labels: { readonly [name: string]: string };
}
export interface SeriesList {
  readonly series: readonly SeriesLine[];
  /** True where more than `limit` fit. */
  readonly more: boolean;
}
export interface SeriesRange {
  readonly series: readonly (SeriesLine & { readonly rows: readonly RollUp[] })[];
  readonly more: boolean;
}
export interface SourceSeries extends SampleTotals {
  readonly source: string;
  /** Series that had a sample lately. */
  readonly series: number;
  readonly limit: number;
}

export interface SeriesStore {
  /** Stores the samples of raw batches up to `offset`; resolves when durable. At or below what is applied nothing changes. */
  put(offset: number, received: Micros, samples: EncodedSamples): Promise<void>;
  /** The highest applied raw offset, -1 for none. */
  applied(): Promise<number>;
  list(query: SeriesQuery, signal?: AbortSignal): Promise<SeriesList>;
  /** Rows per bucket of `step` µs, a multiple of ten seconds; buckets without samples are left out. */
  range(query: SeriesQuery & { readonly step: Micros }, signal?: AbortSignal): Promise<SeriesRange>;
  /** What became of each source's samples. */
  sources(tenant: string): Promise<readonly SourceSeries[]>;
  /** Seals what is due; `all` what is open too. */
  seal(all?: boolean): Promise<void>;
  retain(retention: SeriesRetention): Promise<{ readonly dropped: number }>;
  usage(): Promise<{ readonly openBytes: number; readonly sealedBytes: number; readonly files: number }>;
}
