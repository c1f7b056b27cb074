/** What pass 1 is given and what it comes to: the shapes that workers, the engine and the ledger share. Types only. */
import type { DeadLetter, Event, Fields, Finding, Flaw, Micros } from "@vedette/model";
import type { EncodedEvents, EncodedSamples } from "@vedette/store";
import type { CanaryRef } from "./canary/mark.ts";
import type { KeyedStep } from "./keyed.ts";
import type { QualityDelta } from "./quality/tally.ts";
import type { Cost } from "./rules/trial.ts";

/** What one source's records came to: `in + split = stored + dead + dropped`. */
export interface SourceDelta {
  in: number;
  /** Events beyond one a record (a container document). */
  split: number;
  stored: number;
  dead: number;
  dropped: { [reason: string]: number };
}

export interface CanaryTrace extends CanaryRef {
  /** Of the events that its records became, the first few. */
  readonly events: readonly Fields[];
  readonly flaw?: Flaw;
  /** Records left out on purpose, by reason. */
  readonly dropped?: string;
  /** Rules that matched one of the events, silent ones too. */
  readonly matched: readonly string[];
  readonly found: boolean;
}

/** What one job (some adjacent raw batches) came to. */
export interface Analysis {
  readonly first: number;
  readonly last: number;
  readonly program: string;
  readonly received: Micros;
  readonly events: EncodedEvents | undefined;
  readonly findings: readonly Finding[];
  /** Observations and ticks in log order. */
  readonly keyed: readonly KeyedStep[];
  readonly dead: readonly DeadLetter[];
  readonly sources: { readonly [source: string]: SourceDelta };
  /** Per rule id: [seen, matched]. */
  readonly rules: { readonly [rule: string]: readonly [seen: number, matched: number] };
  /** Per rule id: matches of which no finding was written, see rules/flood.ts. */
  readonly capped: { readonly [rule: string]: number };
  /** Days of event time (dayOf) its events lie in, ascending; the last few where a clock is broken. */
  readonly days: readonly number[];
  /** Per rule id, what evaluating it took: measured, so no two runs agree; no answer rests on it. */
  readonly costs: { readonly [rule: string]: Cost };
  /** Raw batches that no longer read: offset and reason. */
  readonly damaged: readonly { readonly offset: number; readonly reason: string }[];
  /** Values of series, for the series store. */
  readonly samples: EncodedSamples | undefined;
  /** Up to 20 of the newest events, when asked for. */
  readonly sample: readonly Event[];
  /** Events that `Job.select` finds; absent where it is. */
  readonly selected?: readonly Event[];
  /** How well data came in: before each tick of `keyed` and after the last; canaries, demos and old logs apart. */
  readonly quality?: readonly (QualityDelta | undefined)[];
  /** Where the job was a canary: then nothing of it is counted above. */
  readonly canary?: CanaryTrace;
}

export interface Job {
  readonly entries: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
  readonly sample: boolean;
  /** False when the event store has these already. */
  readonly store: boolean;
  /** Findings written out per rule, where it is not `findingsPerBatch`: whoever reads a file wants every match. */
  readonly findingsPerRule?: number;
  /** A query: events are decoded once more for whoever wants those that it finds, and judged by no rule. */
  readonly select?: string;
  /** The one entry is this canary. */
  readonly canary?: CanaryRef;
}
