/** The bus as every stage sees it: append-only topics of batches. Knows nothing of what a batch holds. */
import type { LogEncryption, SealedBelow } from "./seal.ts";

export type Topic = "raw" | "control" | "observations" | "findings" | "dead";

/** One appended batch. Offsets count batches of a partition from 0, without gaps. */
export interface Entry {
  readonly offset: number;
  readonly bytes: Uint8Array;
}
/** A batch that was appended but whose frame no longer reads back: quarantined alone, reported, skipped. */
export interface Damaged {
  readonly offset: number;
  readonly damaged: string;
}

export interface AppendOptions {
  /** Remembered in the same commit: after a crash `positions()` gives exactly what the surviving batches say. */
  readonly positions?: readonly { readonly stream: string; readonly value: string }[];
  /** Numbers added to named counters in the same commit (the loss ledger's `in`). */
  readonly counts?: { readonly [counter: string]: number };
}

export interface Log {
  /**
   * Resolves with the offset when the batch is durable (its group's fdatasync has returned).
   * @throws UnavailableError `log_full` (disk full or failing: nothing of this batch will ever be read), `log_closed`.
   */
  append(topic: Topic, partition: number, batch: Uint8Array, options?: AppendOptions): Promise<number>;
  /** Batches from `from` on, at least one if there is any, at most about `maxBytes`; waits for none. Their bytes are the caller's own. Below the retained start it begins at the start. */
  read(topic: Topic, partition: number, from: number, maxBytes: number): Promise<readonly (Entry | Damaged)[]>;
  /** Resolves when a batch at `offset` exists, or when `signal` aborts. */
  wait(topic: Topic, partition: number, offset: number, signal: AbortSignal): Promise<void>;
  /** First retained and next offset. */
  bounds(topic: Topic, partition: number): Promise<{ readonly start: number; readonly end: number }>;
  /** Last durable position of every stream. */
  positions(): Promise<ReadonlyMap<string, string>>;
  counts(): Promise<ReadonlyMap<string, number>>;
  /** Drops whole sealed segments that end before `offset` (consumers are done with them) beyond the given bytes. */
  retain(topic: Topic, partition: number, before: number, keepBytes: number): Promise<void>;
  /** What start-up or reading found damaged: one entry a frame or torn tail. */
  damage(): Promise<
    readonly {
      readonly topic: Topic;
      readonly partition: number;
      readonly where: string;
      readonly reason: string;
      readonly bytes: number;
    }[]
  >;
  close(): Promise<void>;
}

/** A log whose keys change while it is used. */
export interface SealedLog extends Log {
  /** Other keys from now on. @returns where what older keys sealed ends; undefined where others write to the same log */
  encrypt(encryption: LogEncryption): Promise<SealedBelow | undefined>;
}
