/** The one place that speaks Kafka: consumes topics as a member of a group. The driver is loaded at the first use. Knows no intake. */
import { UnavailableError } from "@vedette/kit";

export interface KafkaMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly value: Uint8Array | undefined;
}
/** What comes next of each partition. */
export interface KafkaOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly leaderEpoch: number;
}
export interface KafkaConsumer {
  /** Ends when `close` is called; throws when the brokers are out of reach for long. `more` says whether another message is here already. */
  messages(): AsyncIterable<{ readonly message: KafkaMessage & { readonly leaderEpoch: number }; readonly more: boolean }>;
  /** A topic's own id: one that was deleted and made again has another. */
  topicId(topic: string): Promise<string>;
  /** Tells the group where others may go on. */
  commit(offsets: readonly KafkaOffset[]): Promise<void>;
  close(): Promise<void>;
}

export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly topics: readonly string[];
  readonly group: string;
  readonly from: "start" | "end";
  readonly tls: { readonly ca: string | undefined } | undefined;
  readonly sasl:
    | { readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512"; readonly username: string; readonly password: string }
    | undefined;
  /** Largest fetch, bytes. */
  readonly fetchBytes: number;
}

/** A member that was killed is waited for so long before its partitions go to another, itself included. */
const session_ms = 10_000;
/** Messages read ahead. */
const ahead = 4_096;

/** @throws UnavailableError where no broker answers. */
export async function openKafka(options: KafkaOptions): Promise<KafkaConsumer> {
  const { Consumer, MessagesStreamFallbackModes, MessagesStreamModes } = await import("@platformatic/kafka");
  const consumer = new Consumer({
    clientId: "vedette",
    groupId: options.group,
    bootstrapBrokers: [...options.brokers],
    connectTimeout: 5_000,
    retries: 3,
    sessionTimeout: session_ms,
    heartbeatInterval: 3_000,
    ...(options.tls && { tls: options.tls.ca === undefined ? {} : { ca: options.tls.ca } }),
    ...(options.sasl && { sasl: options.sasl }),
  });
  try {
    const stream = await consumer.consume({
      topics: [...options.topics],
      autocommit: false,
      mode: MessagesStreamModes.COMMITTED,
      fallbackMode: options.from === "start" ? MessagesStreamFallbackModes.EARLIEST : MessagesStreamFallbackModes.LATEST,
      maxBytes: options.fetchBytes,
      maxWaitTime: 500,
      highWaterMark: ahead,
    });
    return {
      async *messages() {
        for await (const message of stream) yield { message, more: stream.readableLength > 0 };
      },
      topicId: async (topic) => (await consumer.metadata({ topics: [topic] })).topics.get(topic)?.id ?? "",
      commit: (offsets) => consumer.commit({ offsets: [...offsets] }),
      async close() {
        await stream.close();
        await consumer.close();
      },
    };
  } catch (error) {
    await consumer.close(true).catch(() => {});
    throw new UnavailableError("source_unavailable", `Kafka at ${options.brokers.join(", ")}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The driver wraps what brokers said; the innermost tells most. */
export function reasonOf(error: unknown): string {
  const seen: string[] = [];
  for (let one: unknown = error, depth = 0; one instanceof Error && depth < 8; depth++) {
    if (!seen.includes(one.message)) seen.push(one.message);
    one = one instanceof AggregateError ? one.errors[0] : one.cause;
  }
  return seen.join(": ").slice(0, 500);
}
