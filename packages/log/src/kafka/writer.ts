/** Sends messages in groups, each group waiting for all replicas in sync. Knows nothing of what a message holds, and asks for none again. */
import { type KafkaConnection, type KafkaProducer, kafkaError, kafkaProducer } from "@vedette/kafka";
import { type Clock, UnavailableError, type VedetteError } from "@vedette/kit";
import type { Starts } from "./starts.ts";

export interface WriterOptions {
  readonly connection: KafkaConnection;
  /** By which its offsets are ours. */
  readonly starts: Starts;
  readonly clock: Clock;
  /** After so long without an answer an append is refused; it may have become durable all the same. */
  readonly timeout_ms: number;
  /** Sent together, at most (and at least one message). */
  readonly groupBytes: number;
}

interface Waiting {
  readonly topic: string;
  readonly partition: number;
  readonly value: Buffer;
  /** Of a compacted topic: the newest of each is kept. */
  readonly key: string | undefined;
  readonly resolve: (offset: number) => void;
  readonly reject: (cause: unknown) => void;
}

/** A broker that restarts is found again within this. */
const probeEvery_ms = 500;
const retry_ms = 200;

export class KafkaWriter {
  readonly #options: WriterOptions;
  #producer: Promise<KafkaProducer>;
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;
  #down: VedetteError | undefined;
  readonly #closing = new AbortController();

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#producer = this.#open();
  }

  #open(): Promise<KafkaProducer> {
    const { connection, timeout_ms } = this.#options;
    const opening = kafkaProducer(connection, { retries: Math.ceil(timeout_ms / retry_ms), retry_ms, request_ms: timeout_ms });
    // whoever sends by it hears of it
    opening.catch(() => {});
    return opening;
  }

  /** Resolves with the offset when the message is durable. While no broker answers, it is refused at once. */
  append(topic: string, partition: number, value: Buffer, key?: string): Promise<number> {
    if (this.#down !== undefined) return Promise.reject(this.#down);
    return new Promise((resolve, reject) => {
      this.#queue.push({ topic, partition, value, key, resolve, reject });
      // appends of one turn travel together
      this.#running ??= Promise.resolve().then(() => this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#take();
      try {
        const offsets = await this.#send(group);
        for (const [index, { resolve }] of group.entries()) resolve(offsets[index]!);
      } catch (error) {
        this.#fail(group, error);
      }
    }
    this.#running = undefined;
  }

  #take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { value } of this.#queue) {
      bytes += value.length;
      if (count > 0 && bytes > this.#options.groupBytes) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  /** The offset of each, in order. */
  async #send(group: readonly Waiting[]): Promise<number[]> {
    const messages = group.map(({ topic, partition, value, key }) => ({
      topic,
      partition,
      value,
      ...(key !== undefined && { key: Buffer.from(key) }),
    }));
    const producer = await this.#producer;
    const { offsets = [] } = await this.#inTime(producer.send({ messages }));
    const { starts } = this.#options;
    const next = new Map(
      offsets.map(({ topic, partition, offset }) => [`${topic}/${partition}`, starts.of(topic, partition) + Number(offset)]),
    );
    return group.map(({ topic, partition }) => {
      const offset = next.get(`${topic}/${partition}`)!;
      next.set(`${topic}/${partition}`, offset + 1);
      return offset;
    });
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    const { clock, timeout_ms } = this.#options;
    const done = new AbortController();
    const late = clock.sleep(timeout_ms, done.signal).then(() => {
      throw new Error(`no answer within ${timeout_ms} ms`);
    });
    late.catch(() => {});
    work.catch(() => {});
    return await Promise.race([work, late]).finally(() => done.abort());
  }

  /** Whoever waits hears of it, and whoever comes until a broker answers again: none of them has to wait in vain. */
  #fail(group: readonly Waiting[], error: unknown): void {
    this.#down = kafkaError(error, this.#options.connection, "kafka");
    for (const { reject } of [...group, ...this.#queue]) reject(this.#down);
    this.#queue = [];
    void this.#recover();
  }

  /** With a new producer: the numbers of the old one's messages may have a hole now. */
  async #recover(): Promise<void> {
    const { clock, connection } = this.#options;
    const { signal } = this.#closing;
    for (let known = false; !known && !signal.aborted; ) {
      const before = this.#producer;
      void before.then((producer) => producer.close(true)).catch(() => {});
      await clock.sleep(probeEvery_ms, signal);
      this.#producer = this.#open();
      try {
        const producer = await this.#producer;
        await this.#inTime(producer.initIdempotentProducer({}));
        known = true;
      } catch (error) {
        this.#down = kafkaError(error, connection, "kafka");
      }
    }
    if (!signal.aborted) this.#down = undefined;
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#running;
    this.#closing.abort();
    this.#down ??= new UnavailableError("log_closed", "The log is closing; nothing was accepted.");
    await this.#producer.then((producer) => producer.close(true)).catch(() => {});
  }
}
