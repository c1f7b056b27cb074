/** What became of backups and of trials to restore them. Types only. */
import type { Micros } from "./event.ts";

/** One backup that was made. */
export interface BackupReport {
  readonly id: string;
  /** The folder that it went to. */
  readonly to: string;
  /** When the state that it holds was taken: what came later is not in it. */
  readonly taken: Micros;
  readonly finished: Micros;
  readonly files: number;
  /** What its files come to. */
  readonly bytes: number;
  /** Bytes that had to be read, and bytes that the folder grew by. */
  readonly read: number;
  readonly stored: number;
  /** Backups that were removed, and bytes that this freed. */
  readonly removed: number;
  readonly freed: number;
  /** What of the installation lies elsewhere and is not in it, and what keeps that. */
  readonly not_in_it?: string;
}

/** A trial: a backup restored beside the running installation, and held against what was noted of it. */
export interface DrillReport {
  readonly backup: string;
  readonly begun: Micros;
  readonly finished: Micros;
  readonly ok: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

export interface BackupStatus {
  /** Absent where no backups are scheduled. */
  readonly schedule?: { readonly to: string; readonly every_min: number; readonly drill_every_days: number };
  readonly running: boolean;
  readonly last?: BackupReport;
  readonly failure?: { readonly at: Micros; readonly message: string };
  /** The last success is longer ago than the schedule allows. */
  readonly overdue: boolean;
  readonly drill?: DrillReport;
}
