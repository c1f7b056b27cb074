/** What rules would have done to the events that are stored. Types only. */
import type { View } from "@vedette/condition";
import type { Micros } from "./event.ts";
import type { Entity } from "./finding.ts";

/** Somebody who sees a part of the events: tests on that, and is told of what was started so only. */
export interface Viewer {
  readonly by: string;
  readonly view: View;
}

/** Rules by text, or running rules and detectors by id. */
export interface BacktestRequest {
  readonly rules: readonly { readonly file: string; readonly text: string }[];
  readonly ids: readonly string[];
  readonly range: { readonly from: Micros; readonly to: Micros };
  /** Who asks, where that is somebody who sees a part of the events. */
  readonly viewer?: Viewer;
}

/** What a backtest comes to, told before it starts. */
export interface BacktestEstimate {
  /** Events stored in the range. */
  readonly stored: number;
  /** Those that must be looked at: the rest cannot match. */
  readonly candidates: number;
  readonly seconds: number;
}

export interface BacktestRule {
  readonly id: string;
  readonly title: string;
  readonly level: string;
  readonly kind: "sigma" | "detector";
  /** Findings: matching events, or a detector's episodes. */
  readonly matched: number;
  /** Findings of one entity on one day are one alert, as if each day's alerts were closed in the evening. */
  readonly alerts: number;
  /** There were more alerts than are told apart. */
  readonly at_least?: true;
  readonly alerts_per_day: number;
  readonly days: readonly { readonly day: string; readonly matched: number; readonly alerts: number }[];
  readonly first?: Micros;
  readonly last?: Micros;
  /** Most findings first. */
  readonly entities: readonly (Entity & { readonly count: number })[];
  /** Ids of a few events that matched. */
  readonly samples: readonly string[];
  /** Evaluations, and what they took, from those of them that were timed; of a correlation, what the rules take that it rests on. */
  readonly cost: { readonly evaluated: number; readonly timed: number; readonly estimated_ms: number; readonly longest_ms: number };
}

export interface BacktestReport {
  readonly from: Micros;
  readonly to: Micros;
  /** Days that the stored events of the range span; of one that ended early, the share of them that was gone through. */
  readonly span_days: number;
  /** Stored events gone through. */
  readonly stored: number;
  /** Events that the store could not rule out. */
  readonly candidates: number;
  readonly seconds: number;
  /** CPU of judging, without the store's. */
  readonly cpu_s: number;
  readonly rules: readonly BacktestRule[];
  /** Rules that do not load, each with file and line. */
  readonly refused: readonly string[];
}

export type BacktestState = "waiting" | "running" | "done" | "cancelled" | "failed";
/** A backtest that a server runs. */
export interface Backtest {
  readonly id: string;
  readonly state: BacktestState;
  readonly from: Micros;
  readonly to: Micros;
  readonly rules: number;
  /** Stored events gone through, of about `stored`. */
  readonly read: number;
  readonly stored: number;
  readonly error?: string;
  readonly report?: BacktestReport;
}
