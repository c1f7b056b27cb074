/** Whether rules are proved able to fire. Types only. */
import type { Micros } from "./event.ts";

/** `unproved`: nothing could be made that it should match; `waiting`: its turn has not come, or its canary is under way. */
export type ProofState = "proved" | "silent" | "unproved" | "waiting";
/** What went through: its case as the line on the wire, its case as an event, or an event made up from its conditions. */
export type ProofKind = "wire" | "event" | "synthesised";
/** Where a canary was lost. */
export type LostAt =
  | "not_ingested"
  | "not_analysed"
  | "dead_letter"
  | "dropped"
  | "decoder_changed_fields"
  | "not_matched"
  | "finding_lost"
  | "alert_lost";

export interface ProofLine {
  readonly id: string;
  readonly title: string;
  readonly state: ProofState;
  readonly how?: ProofKind;
  /** When it was last proved, or found silent. */
  readonly at?: Micros;
  readonly lost?: LostAt;
  /** Why it cannot be proved, or what became of the canary. */
  readonly reason?: string;
}

export interface ProofReport {
  readonly enabled: boolean;
  readonly every_s: number;
  readonly counts: { readonly [S in ProofState]: number };
  /** The newest proof of any rule. */
  readonly last?: Micros;
  /** Batches in the log that bore a mark that is none of ours. */
  readonly forged: number;
  readonly rules: readonly ProofLine[];
}
