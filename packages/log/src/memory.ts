/** The log in memory, for tests and demonstrations: same contract, nothing survives. */
import { BadInputError } from "@vedette/kit";
import type { AppendOptions, Damaged, Entry, Log, Topic } from "./log.ts";
import { closedError, encodeOptions, segmentLogDefaults, topics } from "./segments.ts";

interface Waiter {
  readonly offset: number;
  readonly wake: () => void;
}
interface MemoryPartition {
  start: number;
  batches: Uint8Array[];
  waiters: Waiter[];
}

class MemoryLog implements Log {
  readonly #partitions = new Map<string, MemoryPartition>();
  readonly #positions = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  #closed = false;

  #at(topic: Topic, partition: number): MemoryPartition {
    if (this.#closed) throw closedError();
    if (!topics.includes(topic) || !Number.isInteger(partition) || partition < 0) {
      throw new BadInputError("bad_request", `There is no partition ${partition} of topic ${topic}.`);
    }
    const key = `${topic}/${partition}`;
    let found = this.#partitions.get(key);
    if (found === undefined) {
      found = { start: 0, batches: [], waiters: [] };
      this.#partitions.set(key, found);
    }
    return found;
  }

  async append(topic: Topic, partition: number, batch: Uint8Array, options?: AppendOptions): Promise<number> {
    const to = this.#at(topic, partition);
    encodeOptions(options);
    if (batch.length > segmentLogDefaults.batchBytes) throw new BadInputError("too_large", `A batch of ${batch.length} bytes.`);
    to.batches.push(new Uint8Array(batch));
    for (const { stream, value } of options?.positions ?? []) this.#positions.set(stream, value);
    for (const [counter, value] of Object.entries(options?.counts ?? {})) {
      this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + value);
    }
    const end = to.start + to.batches.length;
    const woken = to.waiters.filter(({ offset }) => offset < end);
    to.waiters = to.waiters.filter(({ offset }) => offset >= end);
    for (const { wake } of woken) wake();
    return end - 1;
  }

  async read(topic: Topic, partition: number, from: number, maxBytes: number): Promise<readonly (Entry | Damaged)[]> {
    const { start, batches } = this.#at(topic, partition);
    const found: Entry[] = [];
    let room = maxBytes;
    for (let at = Math.max(0, from - start); at < batches.length && (room > 0 || found.length === 0); at++) {
      const bytes = new Uint8Array(batches[at]!);
      found.push({ offset: start + at, bytes });
      room -= bytes.length;
    }
    return found;
  }

  async wait(topic: Topic, partition: number, offset: number, signal: AbortSignal): Promise<void> {
    const at = this.#at(topic, partition);
    if (signal.aborted || offset < at.start + at.batches.length) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        signal.removeEventListener("abort", wake);
        at.waiters = at.waiters.filter((waiter) => waiter.wake !== wake);
        resolve();
      };
      signal.addEventListener("abort", wake);
      at.waiters.push({ offset, wake });
    });
  }

  async bounds(topic: Topic, partition: number): Promise<{ readonly start: number; readonly end: number }> {
    const { start, batches } = this.#at(topic, partition);
    return { start, end: start + batches.length };
  }
  async positions(): Promise<ReadonlyMap<string, string>> {
    return new Map(this.#positions);
  }
  async counts(): Promise<ReadonlyMap<string, number>> {
    return new Map(this.#counts);
  }

  /** Every batch but the last is a sealed segment of its own. */
  async retain(topic: Topic, partition: number, before: number, keepBytes: number): Promise<void> {
    const at = this.#at(topic, partition);
    let total = at.batches.reduce((sum, { length }) => sum + length, 0);
    while (at.batches.length > 1 && at.start < before && total - at.batches[0]!.length >= keepBytes) {
      total -= at.batches.shift()!.length;
      at.start++;
    }
  }
  async damage(): ReturnType<Log["damage"]> {
    return [];
  }
  async close(): Promise<void> {
    this.#closed = true;
    for (const { waiters } of this.#partitions.values()) for (const { wake } of [...waiters]) wake();
  }
}

/** A fresh, empty log in memory. */
export function memoryLog(): Log {
  return new MemoryLog();
}
