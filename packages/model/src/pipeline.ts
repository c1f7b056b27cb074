/** What users' pipelines do to events, as people see it. Types only. */
import type { Fields, Micros } from "./event.ts";

/** A pipeline in force. */
export interface PipelineLine {
  readonly name: string;
  readonly file: string;
  readonly steps: readonly {
    readonly name: string;
    /** drop, sample, route, redact, rename, compute, pseudonymise */
    readonly does: string;
    /** Events it left out so far, by the loss ledger. */
    readonly dropped: number;
  }[];
  /** Its own cases, and how many of them do not come out as they say. */
  readonly cases: number;
  readonly failing: number;
}

/** A rule or detector that pipelines keep from firing on what it is made for. */
export interface DataLoss {
  readonly id: string;
  readonly title: string;
  /** The pipeline and step that leaves its event out; `changed`: the event is kept but is not what it was. */
  readonly how: string;
}

/** What pipelines would do to the newest stored events. */
export interface PipelinePreview {
  readonly events: number;
  readonly from?: Micros;
  readonly to?: Micros;
  /** By pipeline and step. */
  readonly dropped: { readonly [reason: string]: number };
  readonly changed: number;
  /** A few of the events that are dropped or changed; only fields that differ. */
  readonly examples: readonly {
    readonly id: string;
    readonly time: Micros;
    readonly source: string;
    readonly dropped?: string;
    readonly before: Fields;
    readonly after: Fields;
    readonly original?: readonly [before: string, after: string];
    readonly class?: readonly [before: string, after: string];
  }[];
  /** `file:line:column: why`. */
  readonly refused: readonly string[];
  readonly losses: readonly DataLoss[];
}
