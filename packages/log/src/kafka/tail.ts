/** Follows the ends of the partitions that somebody waits for: one long poll a broker, shared by all who wait. Decodes nothing. */
import type { Clock } from "@vedette/kit";
import type { KafkaPartition } from "./partition.ts";
import type { Fetched, KafkaReader } from "./reader.ts";

/** A partition that joins the others waits at most so long for the poll that is under way; idle, a process asks each broker so often. */
const poll_ms = 250;
/** Whoever was woken reads and waits again: until then its partition stays among the others. */
const linger_us = 5_000_000;
const pollBytes = 1 << 20;
const retry_ms = 500;

interface Followed {
  readonly at: KafkaPartition;
  /** Next to fetch. */
  next: number;
  leader: number;
  wanted: number;
}

export interface TailOptions {
  readonly clock: Clock;
  /** Takes what was fetched of a partition. */
  readonly took: (at: KafkaPartition, fetched: Fetched) => void;
}

export class Tail {
  readonly #reader: KafkaReader;
  readonly #options: TailOptions;
  readonly #followed = new Map<string, Followed | "joining">();
  readonly #loops = new Set<number>();
  readonly #closing = new AbortController();

  constructor(reader: KafkaReader, options: TailOptions) {
    this.#reader = reader;
    this.#options = options;
  }

  /** Whether what comes is noticed without asking. */
  follows(at: KafkaPartition): boolean {
    const found = this.#followed.get(at.key);
    return found !== undefined && found !== "joining";
  }

  async wait(at: KafkaPartition, offset: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || offset < at.end || this.#closing.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        signal.removeEventListener("abort", wake);
        this.#closing.signal.removeEventListener("abort", wake);
        at.waiters = at.waiters.filter((waiter) => waiter.wake !== wake);
        resolve();
      };
      for (const one of [signal, this.#closing.signal]) one.addEventListener("abort", wake);
      at.waiters.push({ offset, wake });
      this.#want(at);
    });
  }

  #want(at: KafkaPartition): void {
    const found = this.#followed.get(at.key);
    if (found === undefined) {
      this.#followed.set(at.key, "joining");
      void this.#join(at);
    } else if (found !== "joining") found.wanted = this.#options.clock.now();
  }

  /** Begins at the end as it is now; what was there already wakes at once. */
  async #join(at: KafkaPartition): Promise<void> {
    const { clock } = this.#options;
    while (!this.#closing.signal.aborted) {
      try {
        const { end } = await this.#reader.bounds(at.place);
        const leader = await this.#reader.leader(at.place);
        this.#followed.set(at.key, { at, next: end, leader, wanted: clock.now() });
        at.reaches(end);
        if (!this.#loops.has(leader)) {
          this.#loops.add(leader);
          void this.#follow(leader);
        }
        return;
      } catch {
        // no broker answers, or the partition is on its way to another
        this.#reader.forget();
        await clock.sleep(retry_ms, this.#closing.signal);
      }
    }
  }

  async #follow(leader: number): Promise<void> {
    for (;;) {
      const mine = this.#wantedOf(leader);
      if (mine.length === 0 || this.#closing.signal.aborted) {
        this.#loops.delete(leader);
        return;
      }
      try {
        const wanted = mine.map(({ at, next }) => ({ ...at.place, from: next, maxBytes: pollBytes }));
        for (const fetched of await this.#reader.fetchFrom(leader, wanted, poll_ms)) {
          const one = mine.find(({ at }) => at.name === fetched.topic && at.number === fetched.partition);
          if (one !== undefined) this.#took(one, fetched);
        }
      } catch {
        for (const { at } of mine) {
          this.#followed.set(at.key, "joining");
          void this.#join(at);
        }
        this.#reader.forget();
        await this.#options.clock.sleep(retry_ms, this.#closing.signal);
      }
    }
  }

  #took(one: Followed, fetched: Fetched): void {
    const last = fetched.messages.at(-1);
    this.#options.took(one.at, fetched);
    if (last !== undefined) one.next = last.offset + 1;
    one.at.reaches(one.next);
  }

  /** Those nobody has waited for lately are left alone. */
  #wantedOf(leader: number): Followed[] {
    const now = this.#options.clock.now();
    const mine: Followed[] = [];
    for (const [key, one] of this.#followed) {
      if (one === "joining" || one.leader !== leader) continue;
      if (one.at.waiters.length > 0 || now - one.wanted < linger_us) mine.push(one);
      else this.#followed.delete(key);
    }
    return mine;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#reader.close();
  }
}
