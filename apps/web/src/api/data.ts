/** The shapes of the HTTP API about data on its way in and out: quality, series, tables, pipelines, sinks, tokens, refusals. Times are RFC 3339 UTC strings. */
import type { Fields } from "./types.ts";

export interface SourceQuality {
  readonly name: string;
  readonly state: "ok" | "silent" | "maintenance" | "learning";
  readonly last: string;
  readonly silence_allowed_s?: number;
  readonly formats: readonly { readonly format: string; readonly records: number; readonly flaws: number; readonly failing: boolean }[];
  readonly unknown_fields: readonly { readonly field: string; readonly sampled: number }[];
  readonly drift: readonly {
    readonly kind: string;
    readonly appeared: readonly string[];
    readonly vanished: readonly string[];
    readonly at: string;
  }[];
}

export interface Quality {
  /** The last tick it rests on. */
  readonly at?: string;
  readonly sources: readonly SourceQuality[];
  readonly hosts: {
    readonly known: number;
    readonly unwatched: number;
    readonly silent: readonly { readonly name: string; readonly last?: string }[];
    readonly clocks: readonly { readonly host: string; readonly source: string; readonly lead_s: number }[];
  };
}

export interface SeriesLine {
  readonly source: string;
  readonly name: string;
  readonly kind: "gauge" | "counter" | "delta" | "measurement";
  readonly labels: { readonly [name: string]: string };
}

export interface SeriesPoints extends SeriesLine {
  readonly points: readonly (readonly [time: string, value: number])[];
}

export interface SeriesSource {
  readonly source: string;
  readonly series: number;
  readonly limit: number;
  readonly kept: number;
  readonly repeated: number;
  readonly refused: number;
  readonly refused_series: readonly string[];
}

export interface Enricher {
  readonly name: string;
  readonly summary: string;
  readonly state: "running" | "off" | "waiting" | "broken";
  readonly reason?: string;
  /** Whether its table may be put through the API. */
  readonly inventory: boolean;
  readonly table?: {
    readonly hash: string;
    readonly bytes: number;
    readonly rows: number;
    readonly at: string;
    readonly by: string;
    readonly file?: string;
  };
}

export interface DataLoss {
  readonly id: string;
  readonly title: string;
  readonly how: string;
}

export interface Pipeline {
  readonly name: string;
  readonly file: string;
  readonly steps: readonly { readonly name: string; readonly does: string; readonly dropped: number }[];
  readonly cases: number;
  readonly failing: number;
}

export interface PipelinePreview {
  readonly events: number;
  readonly from?: string;
  readonly to?: string;
  readonly dropped: { readonly [step: string]: number };
  readonly changed: number;
  readonly examples: readonly {
    readonly id: string;
    readonly time: string;
    readonly source: string;
    readonly dropped?: string;
    readonly before: Fields;
    readonly after: Fields;
    readonly original?: readonly string[];
    readonly class?: readonly string[];
  }[];
  readonly refused: readonly string[];
  readonly losses: readonly DataLoss[];
}

export interface Sink {
  readonly name: string;
  readonly type: string;
  readonly select: "alerts" | "findings" | "events";
  readonly format: "ecs" | "ocsf";
  readonly state: "idle" | "sending" | "waiting" | "failed" | "stopped";
  readonly read: number;
  readonly sent: number;
  readonly refused: { readonly [reason: string]: number };
  readonly skipped: number;
  readonly missed: number;
  readonly pending: number;
  readonly lag_ms: number;
  readonly problem?: string;
  readonly answer?: string;
  readonly last_sent?: string;
}

export interface SourceToken {
  readonly id: string;
  readonly source: string;
  readonly created: string;
  readonly events_per_second?: number;
  readonly bytes_per_second?: number;
}

/** A sender that was refused over HTTP. */
export interface Refusal {
  readonly first: string;
  readonly last: string;
  readonly count: number;
  readonly peer: string;
  readonly endpoint?: string;
  readonly source?: string;
  readonly cause: string;
  readonly status?: number;
  readonly message: string;
  readonly fix: string;
}

/** What one kind of sender is configured with; TOKEN stands for its token. */
export interface SenderConfig {
  readonly name: string;
  readonly summary: string;
  readonly file: string;
  readonly text: string;
}
