/** What detection claims and what people work on. Types only. */
import type { Micros } from "./event.ts";

export type Severity = "informational" | "low" | "medium" | "high" | "critical";
export const severities: readonly Severity[] = ["informational", "low", "medium", "high", "critical"];

/** `type` in ECS terms: `host`, `user`, `source.ip`, `process`, `slurm.job`. */
export interface Entity {
  readonly type: string;
  readonly id: string;
}

/** Why a rule matched: this clause, this field, this value. */
export interface Match {
  /** The selection or detector clause, e.g. `selection_img`. */
  readonly clause: string;
  readonly field: string;
  readonly value: string;
}

/** One contributing event as the evidence keeps it, independent of the event store's retention. */
export interface EvidenceEvent {
  readonly id: string;
  readonly time: Micros;
  readonly source: string;
  /** Sequence number within the source: the record's place in a scanned file, from 0. */
  readonly seq: number;
  readonly matches: readonly Match[];
  /** At most 64 fields of at most 512 characters. */
  readonly fields: { readonly [ecs: string]: string };
  /** At most 2,048 characters. */
  readonly original: string;
}

/** One rule's or detector's claim. `id` = hash(rule id, rule content hash, key, window). */
export interface Finding {
  readonly id: string;
  readonly tenant: string;
  readonly rule: { readonly id: string; readonly title: string; readonly hash: string; readonly kind: "sigma" | "detector" };
  readonly severity: Severity;
  readonly key: string;
  readonly window: { readonly start: Micros; readonly end: Micros };
  readonly time: Micros;
  /** Every contributing event id; `evidence` holds the first few in full. */
  readonly events: readonly string[];
  readonly count: number;
  readonly entities: readonly Entity[];
  readonly evidence: readonly EvidenceEvent[];
  /** ATT&CK ids, e.g. `T1110.001`. */
  readonly attack: readonly string[];
  readonly summary: string;
  /** 0 for the first; an amended episode counts up and keeps its id. */
  readonly revision: number;
  /** The id this one replaces, where an earlier event changed the episode's window. */
  readonly supersedes?: string;
  /** True once the watermark has passed: nothing can change it any more. */
  readonly canonical: boolean;
  /** An earlier event, come later, proved it wrong: nothing claims it any longer. */
  readonly withdrawn?: true;
  /** Raised or changed by events that came later than the lateness: stale evidence, on which nothing acts by itself. */
  readonly late?: true;
  readonly demo: boolean;
  /** Nonce of the canary that it proves: triage takes note of it and makes no alert. */
  readonly canary?: string;
  /** Of a rule on trial: kept apart, never an alert that calls a person. */
  readonly shadow?: true;
  /** Of events that were loaded after the fact: kept apart, calls nobody, acts on nothing. */
  readonly historical?: true;
  /** Receive time of the newest contributing event, for latency measurement. */
  readonly received: Micros;
}

export type AlertState = "open" | "acknowledged" | "closed";
export type Verdict = "true_positive" | "benign" | "false_positive";

/** One entry of an alert's history. */
export interface Change {
  readonly at: Micros;
  readonly by: string;
  readonly what: "opened" | "acknowledged" | "closed" | "reopened" | "note" | "escalated" | "retracted";
  readonly note?: string;
  readonly verdict?: Verdict;
}

/** What a person works on: findings of one rule about one entity. The only mutable noun; every change is in its history. */
export interface Alert {
  readonly id: string;
  readonly tenant: string;
  readonly severity: Severity;
  readonly title: string;
  readonly summary: string;
  readonly rule: { readonly id: string; readonly title: string };
  readonly entities: readonly Entity[];
  readonly attack: readonly string[];
  /** Findings grouped into it. */
  readonly count: number;
  /** Events behind those findings. */
  readonly events: number;
  readonly first_seen: Micros;
  readonly last_seen: Micros;
  readonly created: Micros;
  readonly updated: Micros;
  readonly state: AlertState;
  readonly verdict?: Verdict;
  readonly demo: boolean;
  /** Raised or changed by events that came later than the lateness. */
  readonly late?: true;
  /** Findings of a rule on trial: listed only when asked for. */
  readonly shadow?: true;
  /** Findings of a historical load: listed only when asked for. */
  readonly historical?: true;
  /** What each version of the rule (by content hash) gave, so that one version's findings can be taken back. */
  readonly versions?: { readonly [hash: string]: { readonly findings: number; readonly events: number } };
  /** When every finding in it had been taken back by a rollback. */
  readonly retracted?: Micros;
  readonly evidence: readonly EvidenceEvent[];
  readonly history: readonly Change[];
}
