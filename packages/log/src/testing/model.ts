/** What a log under test must hold: batches that name themselves, and the checks every restart has to pass. For tests. */
import type { Log } from "../log.ts";

export interface Batch {
  readonly partition: number;
  /** Counts the append calls of its partition. */
  readonly number: number;
}

/** A batch of about `size` bytes that says which one it is. */
export function batchBytes({ partition, number }: Batch, size: number): Uint8Array {
  return Buffer.from(`${partition}:${number}:${"VLF1 filler ".repeat(Math.ceil(size / 12)).slice(0, size)}`);
}
export function batchOf(bytes: Uint8Array): Batch {
  const [partition, number] = Buffer.from(bytes).toString("latin1", 0, 40).split(":");
  return { partition: Number(partition), number: Number(number) };
}

export const stream = (partition: number) => `file:${partition}`;
export const counter = (partition: number) => `in:${partition}`;

/** All that is readable of one partition, from its start. Fails if the log gives an offset twice, out of order, or none at all. */
export async function readAll(
  log: Log,
  partition: number,
): Promise<{ batches: Map<number, number>; damaged: Set<number>; start: number; end: number }> {
  const { start, end } = await log.bounds("raw", partition);
  const batches = new Map<number, number>();
  const damaged = new Set<number>();
  for (let next = start; next < end; ) {
    const found = await log.read("raw", partition, next, 3000);
    if (found.length === 0) throw new Error(`nothing at ${next} of ${start}..${end}`);
    for (const entry of found) {
      if (entry.offset !== next) throw new Error(`offset ${entry.offset} where ${next} is due`);
      if ("damaged" in entry) damaged.add(next);
      else {
        const batch = batchOf(entry.bytes);
        if (batch.partition !== partition) throw new Error(`a batch of partition ${batch.partition} in ${partition}`);
        batches.set(next, batch.number);
      }
      next++;
    }
  }
  return { batches, damaged, start, end };
}

/** Each life of the log numbers its batches from a multiple of this; the last number of a life is its probe after the crash. */
export const LIFE = 1_000_000;

/** Numbers rise with the offsets, and within a life none is left out: a later position never outlives an earlier batch. */
export function assertOrdered(batches: ReadonlyMap<number, number>): void {
  let last: number | undefined;
  for (const [offset, number] of batches) {
    const first = number % LIFE === 0 || number % LIFE === LIFE - 1;
    if (last !== undefined && (number <= last || (number !== last + 1 && !first))) {
      throw new Error(`batch ${number} at offset ${offset} follows batch ${last}`);
    }
    last = number;
  }
}
