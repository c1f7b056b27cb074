/** Machines, their certificates and enrolments as the state store keeps them; what a body says is for `@vedette/machines` to know. Types only. */
import type { Micros } from "./event.ts";

export interface MachineRow {
  /** `ROLE:NAME`. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
}

export interface MachineCertificateRow {
  readonly serial: string;
  /** Whose. */
  readonly machine: string;
  readonly expires: Micros;
  /** JSON. */
  readonly body: string;
}

/** A token that somebody may enrol a machine with, or has. */
export interface EnrolmentRow {
  readonly hash: string;
  readonly expires: Micros;
  /** JSON. */
  readonly body: string;
}

/** What is written at once, or not at all; a row takes the place of the one with its key. */
export interface MachineChange {
  readonly machines?: readonly MachineRow[];
  readonly certificates?: readonly MachineCertificateRow[];
  readonly enrolments?: readonly EnrolmentRow[];
}

export interface MachineStore {
  /** All machines, and certificates and enrolments that expire after `now`; the others are deleted. */
  load(now: Micros): Promise<{
    readonly machines: readonly MachineRow[];
    readonly certificates: readonly MachineCertificateRow[];
    readonly enrolments: readonly EnrolmentRow[];
  }>;
  /** Resolves when durable. */
  save(change: MachineChange): Promise<void>;
  /** Where the enrolment's body is still `before`, in one step whoever else does the same. @returns whether it was */
  replaceEnrolment(hash: string, before: string, after: string): Promise<boolean>;
}
