/** Topics of Kafka as a member of a consumer group reads them. Knows no intake. */

import { consumeModes, type KafkaConnection, kafkaConsumer, reasonOf } from "@vedette/kafka";
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
export interface KafkaReader {
  /** Ends when `close` is called; throws when the brokers are out of reach for long. `more` says whether another message is here already. */
  messages(): AsyncIterable<{ readonly message: KafkaMessage & { readonly leaderEpoch: number }; readonly more: boolean }>;
  /** A topic's own id: one that was deleted and made again has another. */
  topicId(topic: string): Promise<string>;
  /** Tells the group where others may go on. */
  commit(offsets: readonly KafkaOffset[]): Promise<void>;
  close(): Promise<void>;
}

export interface KafkaOptions {
  readonly connection: KafkaConnection;
  readonly topics: readonly string[];
  readonly group: string;
  readonly from: "start" | "end";
  /** Largest fetch, bytes. */
  readonly fetchBytes: number;
}

/** Messages read ahead. */
const ahead = 4_096;

/** @throws UnavailableError where no broker answers. */
export async function openKafka(options: KafkaOptions): Promise<KafkaReader> {
  const { MessagesStreamFallbackModes, MessagesStreamModes } = await consumeModes();
  const consumer = await kafkaConsumer(options.connection, { retries: 3 }, { group: options.group });
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
    throw new UnavailableError("source_unavailable", `Kafka at ${options.connection.brokers.join(", ")}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}
