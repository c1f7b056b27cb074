/** The `kafka` source: the messages of topics, each known by its topic, partition and offset. What a message means is the normaliser's business. */

import { connectionOf, kafkaBroker, kafkaSasl, kafkaTls, kafkaTopic, reasonOf } from "@vedette/kafka";
import { defineSource, type SourceContext, UnavailableError, z } from "@vedette/kit";
import { Batch, flawedRecord, rawRecord } from "../batch.ts";
import { deliver } from "../deliver.ts";
import { recordBytes } from "../endpoint_config.ts";
import { type KafkaMessage, type KafkaOffset, type KafkaOptions, type KafkaReader, openKafka } from "../kafka.ts";

const MiB = 1024 ** 2;

const config = z.strictObject({
  brokers: z.array(kafkaBroker).min(1).max(64).describe("Brokers to ask first, each as HOST:PORT."),
  topics: z.array(kafkaTopic).min(1).max(256).describe("Topics to read."),
  group: z
    .string()
    .min(1)
    .max(255)
    .default("vedette")
    .describe("Consumer group; the partitions of the topics are shared out among its members."),
  from: z.enum(["start", "end"]).default("start").describe("Where to begin in partitions of which the group has read nothing yet."),
  tls: kafkaTls,
  sasl: kafkaSasl,
  max_record_bytes: recordBytes("message in bytes"),
  fetch_bytes: z
    .int()
    .min(65_536)
    .max(256 * MiB)
    .default(10 * MiB)
    .describe("Most bytes to fetch at once."),
});
type Config = z.output<typeof config>;
type Context = SourceContext<Config>;

export default defineSource({
  name: "kafka",
  summary: "Reads topics of Kafka as a member of a consumer group.",
  description:
    "A message is one record. Where reading stands is kept in the same commit as the records themselves and told to the group after it, so a message is taken once, whatever is killed and whenever; the group's own offsets only tell other members where to go on. " +
    "Keys, headers and the broker's time stamps are not kept.",
  stability: "beta",
  config,
  examples: [
    { title: "In the clear", config: { brokers: ["127.0.0.1:9092"], topics: ["zeek"] } },
    {
      title: "By TLS and password",
      config: {
        brokers: ["kafka1.example.org:9093", "kafka2.example.org:9093"],
        topics: ["auth", "zeek"],
        tls: { ca_file: "/etc/vedette/kafka-ca.pem" },
        sasl: { mechanism: "SCRAM-SHA-512", username: "vedette", password_file: "/etc/vedette/kafka.password" },
      },
    },
  ],
  run: async (context) => readTopics(await openKafka(await optionsOf(context.config)), context),
});

async function optionsOf(c: Config): Promise<KafkaOptions> {
  try {
    return { connection: await connectionOf(c), topics: c.topics, group: c.group, from: c.from, fetchBytes: c.fetch_bytes };
  } catch (error) {
    // the file may be put there later
    throw new UnavailableError("source_unavailable", (error as Error).message, { cause: error });
  }
}

/** Messages of one partition on their way to the intake. */
interface Gathered {
  readonly batch: Batch;
  next: KafkaOffset;
}

/** Resolves when `signal` has aborted; what was read but is not durable is read again by whoever comes next. */
export async function readTopics(consumer: KafkaReader, context: Context): Promise<void> {
  const { signal } = context;
  const stop = () => void consumer.close().catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  const reading = new Reading(consumer, context);
  try {
    for await (const { message, more } of consumer.messages()) {
      if (signal.aborted) return;
      const full = await reading.take(message);
      if ((full || !more) && !(await reading.flush())) return;
    }
  } catch (error) {
    if (signal.aborted) return;
    await consumer.close().catch(() => {});
    throw new UnavailableError("source_unavailable", `Kafka: ${reasonOf(error)}`, { cause: error });
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

class Reading {
  readonly #consumer: KafkaReader;
  readonly #context: Context;
  readonly #ids = new Map<string, string>();
  /** The next offset to take, by partition; what is before it is durable. */
  readonly #next = new Map<string, bigint>();
  readonly #gathered = new Map<string, Gathered>();

  constructor(consumer: KafkaReader, context: Context) {
    this.#consumer = consumer;
    this.#context = context;
  }

  /** True where enough is gathered. */
  async take(message: KafkaMessage & { readonly leaderEpoch: number }): Promise<boolean> {
    const { topic, partition, offset, leaderEpoch } = message;
    const stream = `${topic}/${partition}`;
    const id = await this.#topicId(topic);
    if (offset < this.#expected(stream, id)) return false;
    let gathered = this.#gathered.get(stream);
    if (gathered === undefined) {
      gathered = { batch: new Batch(), next: { topic, partition, offset, leaderEpoch } };
      this.#gathered.set(stream, gathered);
    }
    gathered.batch.push(this.#record(message, `${id}/${partition}/${offset}`));
    gathered.next = { topic, partition, offset: offset + 1n, leaderEpoch };
    this.#next.set(stream, offset + 1n);
    return gathered.batch.full;
  }

  /** False where it ended before everything was durable. */
  async flush(): Promise<boolean> {
    if (this.#gathered.size === 0) return true;
    const offsets: KafkaOffset[] = [];
    for (const [stream, { batch, next }] of this.#gathered) {
      const position = `${this.#ids.get(next.topic)!}:${next.offset}`;
      if (!(await deliver(batch, { stream, position }, this.#context))) return false;
      offsets.push(next);
    }
    this.#gathered.clear();
    try {
      await this.#consumer.commit(offsets);
    } catch (error) {
      // whoever gets the partition now begins earlier; what is here already is known by its position
      this.#context.warn("kafka_commit_failed", reasonOf(error));
    }
    return true;
  }

  #record({ value }: KafkaMessage, position: string) {
    const body = value ?? new Uint8Array();
    const { max_record_bytes: maxBytes } = this.#context.config;
    return body.length > maxBytes ? flawedRecord(position, body, undefined, maxBytes, undefined) : rawRecord(position, body);
  }

  /** What was durable before this run counts only for the same topic, not for another of its name. */
  #expected(stream: string, id: string): bigint {
    let next = this.#next.get(stream);
    if (next === undefined) {
      const [topic, offset] = (this.#context.positions.get(stream) ?? "").split(":");
      next = topic === id && offset !== undefined && /^\d{1,19}$/.test(offset) ? BigInt(offset) : 0n;
      this.#next.set(stream, next);
    }
    return next;
  }

  async #topicId(topic: string): Promise<string> {
    let id = this.#ids.get(topic);
    if (id === undefined) {
      id = (await this.#consumer.topicId(topic)) || topic;
      this.#ids.set(topic, id);
    }
    return id;
  }
}
