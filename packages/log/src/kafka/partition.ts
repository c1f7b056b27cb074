/** What this process knows of one partition: its newest frames, its end, how much lies in it, and who waits. Asks no broker. */
import type { TailCache } from "../cache.ts";
import type { Topic } from "../log.ts";
import type { Message } from "./reader.ts";

/** Sizes are known to the nearest of these. */
const markBytes = 1 << 20;
/** Marks kept; of more, every second one goes. */
const maxMarks = 4_096;

export interface Waiter {
  readonly offset: number;
  readonly wake: () => void;
}

export class KafkaPartition {
  /** Newest frames as stored, by offset: copies of their own. */
  readonly frames = new Map<number, Uint8Array>();
  /** Next offset, as far as known. */
  end = 0;
  waiters: Waiter[] = [];
  readonly sizes = new Sizes();
  readonly topic: Topic;
  readonly number: number;
  /** As Kafka names the topic. */
  readonly name: string;

  constructor(topic: Topic, number: number, name: string) {
    this.topic = topic;
    this.number = number;
    this.name = name;
  }

  get key(): string {
    return `${this.topic}/${this.number}`;
  }
  get place(): { readonly topic: string; readonly partition: number } {
    return { topic: this.name, partition: this.number };
  }

  /** What was appended or fetched. */
  keep({ offset, value }: Message, cache: TailCache): void {
    this.sizes.seen(offset, value.length);
    if (!this.frames.has(offset)) cache.put(this.frames, offset, new Uint8Array(value));
  }

  reaches(end: number): void {
    if (end > this.end) this.end = end;
    const woken = this.waiters.filter(({ offset }) => offset < this.end);
    if (woken.length === 0) return;
    this.waiters = this.waiters.filter(({ offset }) => offset >= this.end);
    for (const { wake } of woken) wake();
  }
}

/** How many stored bytes lie behind an offset: Kafka tells that of no offset, so what passes by is added up. */
export class Sizes {
  #marks: { readonly offset: number; readonly before: number }[] = [];
  #next = -1;
  #total = 0;

  seen(offset: number, bytes: number): void {
    if (offset < this.#next) return;
    if (offset !== this.#next) {
      // what lies between is not known: everything before it counts as older than all that is known
      this.#marks = [];
      this.#total = 0;
    }
    const last = this.#marks.at(-1);
    if (last === undefined || this.#total - last.before >= markBytes) this.#marks.push({ offset, before: this.#total });
    if (this.#marks.length > maxMarks) this.#marks = this.#marks.filter((_, index) => index % 2 === 0);
    this.#total += bytes;
    this.#next = offset + 1;
  }

  /** The last offset from which on at least so many bytes are known to lie, undefined where they are not. */
  keeping(bytes: number): number | undefined {
    if (bytes === 0) return Number.POSITIVE_INFINITY;
    return this.#marks.findLast(({ before }) => this.#total - before >= bytes)?.offset;
  }
}
