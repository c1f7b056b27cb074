/** How a component is declared: one `define…` call carries its config, its documentation and its examples. Knows no concrete component. */
import type { Event, Fields, Finding, Flaw, Match, Micros, RawRecord, Sample, Severity } from "@vedette/model";
import type { z } from "zod";
import type { EnricherSpec } from "./enricher.ts";
import type { ErrorCode } from "./errors.ts";
import type { Clock } from "./ports.ts";
import type { SinkSpec } from "./sink.ts";
import type { Spec } from "./spec.ts";

/** What the runtime gives a source or endpoint to hand records on. */
export interface Intake {
  /**
   * Resolves when the records are durable in the log: only then may the sender be told so.
   * @returns indices (of `records`) whose sender id was seen before within 24 h; those were not stored again.
   * @throws UnavailableError `backpressure`, `log_full`, `log_closed`: nothing of the call was accepted.
   */
  accept(records: readonly RawRecord[], options?: AcceptOptions): Promise<Accepted>;
}
export interface AcceptOptions {
  /** Where to resume after these records; remembered in the same commit. */
  readonly position?: string;
  /** Text that explains the records (a Zeek TSV header); kept with the batch, at most 64 KiB. */
  readonly preamble?: string;
  readonly stream?: string;
  /** Records that are known to be lost on their way here, by reason (`sequence_gap`): the ledger counts them in and as dropped. */
  readonly lost?: { readonly [reason: string]: number };
}
export interface Accepted {
  readonly duplicates: readonly number[];
}

export interface SourceContext<C> {
  /** The source's name in the configuration (`sources: {NAME: …}`). */
  readonly name: string;
  readonly config: C;
  readonly intake: Intake;
  /** What the last durable `accept` of each `stream` (file, connection) gave as `position`. */
  readonly positions: ReadonlyMap<string, string>;
  readonly clock: Clock;
  /** Something a person should know: shown by `doctor` and on the source's page; never throws. */
  readonly warn: (code: string, message: string) => void;
  /** Aborts on shutdown: finish what was read, return. */
  readonly signal: AbortSignal;
}

/** Reads or listens; the runtime restarts it with back-off if it throws an error that is not permanent. */
export interface SourceSpec<C extends z.ZodType = z.ZodType> extends Spec<C> {
  readonly kind: "source";
  /** It asks somebody else for data, who would tell two askers the same: of several processes one reads it. */
  readonly asks?: true;
  /** Runs until the input is exhausted or `signal` aborts. */
  run(context: SourceContext<z.output<C>>): Promise<void>;
  readonly examples: readonly { readonly title: string; readonly config: z.input<C> }[];
}

/** An HTTP request as an endpoint sees it: already authenticated, body not yet read. */
export interface EndpointRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: { readonly [name: string]: string | undefined };
  readonly body: AsyncIterable<Uint8Array>;
  readonly peer: string;
}
export interface EndpointResponse {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string | Uint8Array;
}
/** What the server itself refuses: no or a wrong token before `handle`, no room while it runs. */
export interface EndpointRefusal {
  /** 401, 403, 429 or 503. */
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** Whether the sender gave any credentials. */
  readonly presented: boolean;
}
export interface EndpointContext {
  /** Intake of a source with the given name, made on first use. */
  intake(source: string): Intake;
  readonly clock: Clock;
  readonly warn: (code: string, message: string) => void;
}

/** A protocol spoken over our own HTTP port; paths are outside API_V1_STR. */
export interface EndpointSpec<C extends z.ZodType = z.ZodType> extends Spec<C> {
  readonly kind: "endpoint";
  /** Paths with `:name` segments and, at most once and last, a `*` for any rest; `open` routes need no token (a banner). */
  readonly routes: readonly { readonly method: "GET" | "HEAD" | "POST" | "PUT"; readonly path: string; readonly open?: boolean }[];
  /** Never throws for what a client sent; an UnavailableError of the intake may pass through and becomes 429 or 503. */
  handle(request: EndpointRequest, config: z.output<C>, context: EndpointContext): Promise<EndpointResponse>;
  /** A refusal in the protocol's own words; without it the answer is a problem document. Retry-After is set by the server. */
  refuse?(refusal: EndpointRefusal, request: Pick<EndpointRequest, "method" | "path" | "headers">): EndpointResponse;
  readonly examples: readonly { readonly title: string; readonly config: z.input<C>; readonly request: string; readonly status: number }[];
}

/** What a format makes of one record. */
export interface Decoded {
  /** Undefined where the record tells no time. */
  time: Micros | undefined;
  fields: Fields;
  /** Overrides the record's text as the event's original (one item of a container document). */
  original?: string;
  /** What is measured besides: a span's duration. */
  samples?: readonly Sample[];
}
export interface DecodeContext {
  readonly preamble: string | undefined;
  readonly received: Micros;
  readonly peer: string | undefined;
  readonly source: string;
  /** File path, connection or index the record came by: a Zeek JSON file without `_path` is named by it. */
  readonly stream: string;
}
export interface Skip {
  /** Dropped on purpose, counted in the loss ledger: `comment`, `blank`. */
  readonly skip: string;
  /** Values of series, where the record holds such: it is no event, and dropped only if it has none. */
  readonly samples?: readonly Sample[];
  /** Values left out, by reason. */
  readonly dropped?: { readonly [reason: string]: number };
}
export type DecodeResult = Decoded | readonly Decoded[] | Flaw | Skip;
/** Pure but for private caches; never throws; linear in the record's length. */
export type Decode = (text: string, context: DecodeContext) => DecodeResult;

/** What `JSON.parse` gives. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue | undefined };
/** A format's part in streams that carry JSON documents of several kinds: each document is parsed once and goes to the best claimant. */
export interface JsonKind {
  /**
   * Top-level names of which each document that is claimed has at least one, as written here or small: about others the dispatch does not ask.
   * Absent: it is asked about all.
   */
  readonly anyOf?: readonly string[];
  /**
   * 0 to 1: how sure that this document is of the format's kind, by a few key look-ups; 0.5 and more is a claim, the highest wins, ties by name.
   * Exactly 1 means that it cannot be of any other kind: the dispatch then asks nobody else. Never throws.
   */
  claims(object: JsonObject, context: DecodeContext): number;
  /** As `Decode`; `object` is at most 64 deep; `text` is where it stood. */
  decode(object: JsonObject, text: string, context: DecodeContext): DecodeResult;
}

/** Turns raw records into ECS. */
export interface FormatSpec<C extends z.ZodType = z.ZodType> extends Spec<C> {
  readonly kind: "format";
  /** 0 to 1: how sure, from up to 32 records of one source; 0.5 and more is a claim; the highest wins, ties by name. */
  detect(sample: readonly string[], preamble: string | undefined, stream: string): number;
  /** Called once per worker and source. */
  decoder(config: z.output<C>): Decode;
  /** Present where the format reads single JSON documents: `json`, `syslog` and others hand such documents to it. */
  readonly json?: JsonKind;
  /** Documentation and test: `input` decodes to these fields (all of them, plus `@timestamp` in RFC 3339 where it has a time), or to a flaw code, or to a skip. */
  readonly examples: readonly {
    readonly title: string;
    readonly config?: z.input<C>;
    readonly input: string;
    readonly preamble?: string;
    readonly expect:
      | readonly { readonly [field: string]: unknown }[]
      | { readonly flaw: string }
      | { readonly skip: string }
      /** `name{label="value"} 1.5 gauge 2024-05-01T10:00:00.000000Z`, labels sorted. */
      | { readonly samples: readonly string[]; readonly dropped?: { readonly [reason: string]: number } };
  }[];
}

/** One observation as a keyed detector folds it. */
export interface KeyedInput {
  /** The key as `key` gave it: where a detector counts by several, it tells which. */
  readonly key: string;
  /** The event's time; for a tally, the newest event's in the bucket. */
  readonly time: Micros;
  /** The event's id; for a tally, the oldest event's in the bucket. */
  readonly event: string;
  /** The projected fields; for a tally, those of the oldest event in the bucket. */
  readonly fields: Fields;
  /** Present where the detector tallies: what all events of the key in one bucket come to. */
  readonly tally?: { readonly start: Micros; readonly count: number; readonly value: unknown; readonly events: readonly string[] };
}
/**
 * How a detector over high-volume events (connections) sums them up: pass 1 makes one observation of all events of a key in one bucket of
 * event time, pass 2 merges what several batches brought before it folds the bucket. `merge` is commutative and associative, so that
 * batches and workers decide nothing.
 */
// biome-ignore lint/suspicious/noExplicitAny: as in DetectorSpec
export interface TallySpec<C extends z.ZodType = z.ZodType, T = any> {
  /** Width of a bucket, µs; buckets begin at multiples of it. */
  bucket(config: z.output<C>): Micros;
  /** What one event adds. JSON, bounded. */
  of(fields: Fields, time: Micros, config: z.output<C>, event: string): T;
  /** Events that stand for a bucket before older ones: what a finding would be about, where the others are only the background. */
  stands?(fields: Fields): boolean;
  /** May change and return `into`. Bounded, whatever comes. */
  merge(into: T, more: T, config: z.output<C>): T;
}
/**
 * What a detector claims about a key; ids, evidence and grouping are the engine's work. Claims of a key with the same `window.start` are one
 * finding, amended; with another start it is another finding.
 */
export interface Claim {
  readonly window: { readonly start: Micros; readonly end: Micros };
  readonly severity: Severity;
  readonly summary: string;
  /** Contributing event ids, at most 1,000. */
  readonly events: readonly string[];
  /** All contributing events, where more than `events` holds. */
  readonly count: number;
  readonly entities: Finding["entities"];
  readonly attack?: readonly string[];
  /** What detectors that follow this one see besides the entities. */
  readonly fields?: Fields;
  /** Why: shown with the first event of the evidence. */
  readonly matches?: readonly Match[];
}
/** Folds observations of one key in order-key order. Pure: no I/O, clock, randomness, nothing remembered outside `state`; `state` is never changed in place and is JSON. */
// biome-ignore lint/suspicious/noExplicitAny: a table of detectors holds states of different types; each spec checks its own
export interface DetectorSpec<C extends z.ZodType = z.ZodType, S = any> extends Spec<C> {
  readonly kind: "detector";
  readonly title: string;
  /** What whoever reads its alert looks at first, and does when it is true: a step each. */
  readonly response?: readonly string[];
  /** Which events concern it, in the query language: evaluated in pass 1. Empty for one that only follows others. */
  readonly where: string;
  /** Where settings say which events: queries of which an event must satisfy one, besides `where`. */
  asks?(config: z.output<C>): readonly string[];
  /** Fields projected into the observation. */
  readonly fields: readonly string[];
  /** What it counts by, one key or several; undefined: not concerned. */
  key(fields: Fields, config: z.output<C>): string | readonly string[] | undefined;
  /** Most keys of one event, where 16 are too few: a batch job runs on many nodes. */
  readonly fan?: number;
  /**
   * When an event counts, where that is not when it happened: a connection is written when it ends, with the time at which it began; a queue is
   * listed with the starts of its jobs. Undefined: at its own time. Never before that, nor after it was received.
   */
  at?(fields: Fields, time: Micros, received: Micros): Micros | undefined;
  readonly tally?: TallySpec<C>;
  /** How much disorder in event time it asks for, µs; the program's lateness holds where that is more. */
  lateness?(config: z.output<C>): Micros;
  /**
   * Fields that an event must share with another to have a key in common with it: what the store is asked by when events that came too late
   * are folded in after all. Without them all that `where` finds in the time in question is read.
   */
  readonly by?: readonly string[];
  /** What it looks at is not in the event store (samples): what comes too late is lost to it, and counted. */
  readonly unstored?: boolean;
  /** Names of those parts of its settings whose claims a correlation can take by themselves: `detector.<detector>.<part>`, their claims' `rule.id`. */
  parts?(config: z.output<C>): readonly string[];
  /**
   * Detectors whose claims it observes besides events: one observation a finding, at the time of the finding's first claim, with the claim's
   * `fields`, its entities by type, and `rule.id`. A chain of them must not lead back to its start.
   */
  readonly follows?: readonly string[];
  /**
   * A second step over this one's claims, by other keys and with the same settings: what many keys have in common. The findings are then its own;
   * this one's claims are seen by it alone, as those that `follows` names would be.
   */
  readonly second?: Pick<DetectorSpec<C>, "fields" | "key" | "fold" | "expires">;
  fold(
    input: KeyedInput,
    state: S | undefined,
    config: z.output<C>,
  ): { readonly state?: S | undefined; readonly claims?: readonly Claim[] };
  /** The end of a window of which the last word is only said when it is over; undefined while none is open. Then `fold` with a later input says it. */
  closes?(state: S, config: z.output<C>): Micros | undefined;
  /** What it says when nothing came after it: the state is used up by it. */
  close?(state: S, key: string, config: z.output<C>): readonly Claim[];
  /** The oldest time that still matters for a key with this state; the engine forgets the key when the watermark passes it. */
  expires(state: S, config: z.output<C>): Micros;
  readonly examples: readonly {
    readonly title: string;
    readonly config?: z.input<C>;
    readonly events: readonly { readonly time: Micros; readonly fields: { readonly [ecs: string]: Event["fields"][string] } }[];
    /** Summaries of the claims, in order. */
    readonly finds: readonly string[];
  }[];
}

export type Component = SourceSpec | EndpointSpec | FormatSpec | DetectorSpec | EnricherSpec | SinkSpec;

export const defineSource = <C extends z.ZodType>(s: Omit<SourceSpec<C>, "kind">): SourceSpec<C> => ({ kind: "source", ...s });
export const defineEndpoint = <C extends z.ZodType>(s: Omit<EndpointSpec<C>, "kind">): EndpointSpec<C> => ({ kind: "endpoint", ...s });
export const defineFormat = <C extends z.ZodType>(s: Omit<FormatSpec<C>, "kind">): FormatSpec<C> => ({ kind: "format", ...s });
export const defineDetector = <C extends z.ZodType, S>(s: Omit<DetectorSpec<C, S>, "kind">): DetectorSpec<C, S> => ({
  kind: "detector",
  ...s,
});
