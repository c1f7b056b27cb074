/** What a running Vedette says of its parts: sources and their ledger, detectors, sinks, problems, and the news it spreads. Types only. */
import type { Event, Micros } from "./event.ts";
import type { Alert } from "./finding.ts";

/** Something that is wrong now. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

/** One source's part of the loss ledger: `in + split = stored + dead + dropped + pending`. */
export interface LedgerLine {
  readonly name: string;
  readonly in: number;
  /** Events beyond the first of records that held several. */
  readonly split: number;
  readonly stored: number;
  readonly dead: number;
  readonly dropped: { readonly [reason: string]: number };
  readonly pending: number;
  /** 0 when nothing is lost. */
  readonly balance: number;
}

export interface SourceState extends Omit<LedgerLine, "balance"> {
  readonly type: string;
  readonly state: "running" | "idle" | "failed" | "stopped";
  readonly lastReceived?: Micros;
  /** Events a second, mean over 10 s. */
  readonly rate: number;
  readonly warnings: readonly { readonly at: Micros; readonly code: string; readonly message: string; readonly count?: number }[];
}

/** What happened to one detector's observations. */
export interface DetectorLine {
  readonly name: string;
  /** Keys in memory; others may wait in the checkpoint store. */
  readonly keys: number;
  /** Taken from pass 1 (a tally counts its events) and from detectors it follows. */
  readonly observations: number;
  /** Came later than the lateness: of those, `caught_up` were folded in after all and `skipped` were not. */
  readonly late: number;
  readonly caught_up: number;
  readonly skipped: number;
  readonly repeated: number;
  /** Keys of single events beyond the bound, left out. */
  readonly capped: number;
  /** Settled before their time because one key had too many open. */
  readonly crowded: number;
  /** Keys moved from memory to the checkpoint store. */
  readonly spilled: number;
}

/** A sink, and what became of what it read: `read = sent + refused + skipped`. */
export interface SinkState {
  readonly name: string;
  readonly type: string;
  readonly select: "alerts" | "findings" | "events";
  readonly format: "ecs" | "ocsf";
  readonly state: "idle" | "sending" | "waiting" | "failed" | "stopped";
  readonly read: number;
  readonly sent: number;
  readonly refused: { readonly [reason: string]: number };
  /** Not asked for. */
  readonly skipped: number;
  /** Batches that the log dropped before they were sent. */
  readonly missed: number;
  /** Batches (alerts: changes) that it has not gone through. */
  readonly pending: number;
  /** How long the oldest of what is read and not sent has waited. */
  readonly lag: Micros;
  /** Why it waits, or failed. */
  readonly problem?: string;
  /** What the receiver said last. */
  readonly answer?: string;
  /** When the receiver last took something. */
  readonly lastSent?: Micros;
}

/** What listeners are told while it happens. */
export type Notice =
  | { readonly kind: "alert"; readonly alert: Alert }
  /** The newest events of a batch; `count` is how many the batch had in all. */
  | { readonly kind: "events"; readonly events: readonly Event[]; readonly count?: number };
