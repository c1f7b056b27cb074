/** One record of the observations topic: what a job of one raw partition has for one shard. Stored format, docs/format/raw.md. */
import type { Micros } from "@vedette/model";
import type { KeyedStep } from "../keyed.ts";
import { newer } from "../newer.ts";

/** How far a raw partition has come in event time, by its own origins. */
export interface Progress {
  /** Of the slowest that is not far behind the others; the tick's wall time when none is active. */
  readonly mark: Micros;
  /** Origins far behind the wall's time, by name: they hold back what they feed. */
  readonly far: readonly (readonly [origin: string, mark: Micros])[];
}

export type ShardStep =
  | Extract<KeyedStep, { readonly observe: unknown } | { readonly capped: unknown }>
  | { readonly tick: Micros; readonly live: Progress; readonly past: Progress };

interface Head {
  readonly version: 1;
  /** Raw partition that it comes of. */
  readonly from: number;
  /** Of the engine that wrote it: what one with a lower number writes after one with a higher counts for nothing. */
  readonly epoch: number;
}
/** Nothing of a lower epoch counts after it. */
export interface FenceRecord extends Head {
  readonly kind: "fence";
}
export interface StepsRecord extends Head {
  readonly kind: "steps";
  /** Last raw offset of the job. */
  readonly last: number;
  readonly program: string;
  /** The event store has all of the partition that was received until then. */
  readonly stored: Micros;
  readonly steps: readonly ShardStep[];
}
export type ShardRecord = FenceRecord | StepsRecord;

export const encodeShardRecord = (record: ShardRecord): Uint8Array => Buffer.from(JSON.stringify(record));

/** @throws VedetteError `newer_version`; Error for anything else that no engine wrote */
export function decodeShardRecord(bytes: Uint8Array): ShardRecord {
  let record: Partial<ShardRecord> | undefined;
  try {
    record = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as ShardRecord;
  } catch {
    // as below
  }
  const ahead = newer("A record of observations", record?.version, 1);
  if (ahead) throw ahead;
  if (record?.version === 1 && (record.kind === "fence" || record.kind === "steps")) return record as ShardRecord;
  throw new Error("expected a record of observations, version 1");
}
