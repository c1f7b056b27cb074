/** Fetches messages by their offsets, as no member of any group. Knows nothing of what a message holds. */
import { isUnreadable, type KafkaConnection, type KafkaConsumer, kafkaConsumer } from "@vedette/kafka";
import type { Starts } from "./starts.ts";

export interface Place {
  /** As Kafka names it. */
  readonly topic: string;
  readonly partition: number;
}
export interface Wanted extends Place {
  readonly from: number;
  readonly maxBytes: number;
}
export interface Message {
  readonly offset: number;
  readonly value: Buffer;
}
export interface Fetched extends Place {
  readonly messages: readonly Message[];
  /** Next offset that will be readable. */
  readonly end: number;
}

/** ListOffsets' words for the first and the next offset. */
const [earliest, latest] = [-2n, -1n];
const readUncommitted = 0;

export class KafkaReader {
  readonly #consumer: KafkaConsumer;
  readonly #starts: Starts;
  readonly #topics: readonly string[];
  #stale = false;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(consumer: KafkaConsumer, topics: readonly string[], starts: Starts) {
    this.#consumer = consumer;
    this.#topics = topics;
    this.#starts = starts;
  }

  /** @param starts by which its offsets are ours */
  static async open(connection: KafkaConnection, topics: readonly string[], request_ms: number, starts: Starts): Promise<KafkaReader> {
    // the group's name is never used; whoever calls tries again
    const consumer = await kafkaConsumer(connection, { retries: 0, request_ms }, { group: "vedette" });
    consumer.topics.trackAll(...topics);
    return new KafkaReader(consumer, topics, starts);
  }

  async leader({ topic, partition }: Place): Promise<number> {
    const topics = await this.#known([topic]);
    const leader = topics.get(topic)?.partitions[partition]?.leader;
    if (leader === undefined || leader < 0) throw new Error(`${topic}/${partition} has no leader`);
    return leader;
  }

  /**
   * After leadership moved, or a broker went away: the next question looks again. The driver's own way to forget is not used: a question that is
   * under way then finds topics without an entry and throws where nobody can catch it, which ends the thread.
   */
  forget(): void {
    this.#stale = true;
  }
  async #known(topics: readonly string[]) {
    if (this.#stale) {
      await this.#consumer.metadata({ topics: [...this.#topics], forceUpdate: true });
      this.#stale = false;
    }
    return (await this.#consumer.metadata({ topics: [...topics] })).topics;
  }

  /** Of one broker, all at once; waits up to `wait_ms` where there is nothing. A caller asks a broker one thing at a time. */
  async fetchFrom(node: number, wanted: readonly Wanted[], wait_ms: number): Promise<readonly Fetched[]> {
    const topics = await this.#known([...new Set(wanted.map(({ topic }) => topic))]);
    const names = new Map([...topics].map(([name, topic]) => [topic?.id ?? "", name]));
    const asked = [...names].map(([topicId, name]) => ({
      topicId,
      partitions: wanted
        .filter(({ topic }) => topic === name)
        .map(({ topic, partition, from, maxBytes }) => ({
          partition,
          currentLeaderEpoch: -1,
          lastFetchedEpoch: -1,
          fetchOffset: BigInt(Math.max(0, from - this.#starts.of(topic, partition))),
          partitionMaxBytes: maxBytes,
        })),
    }));
    const maxBytes = wanted.reduce((sum, one) => sum + one.maxBytes, 0);
    const options = { node, topics: asked, minBytes: 1, maxBytes, maxWaitTime: wait_ms, isolationLevel: readUncommitted } as const;
    const { responses } = await this.#consumer.fetch(options);
    return responses.flatMap(({ topicId, partitions }) =>
      partitions.map(({ partitionIndex, records, highWatermark }) => {
        const topic = names.get(topicId) ?? "";
        const start = this.#starts.of(topic, partitionIndex);
        return {
          topic,
          partition: partitionIndex,
          end: Number(highWatermark) + start,
          messages: (records ?? []).flatMap((group) => messagesOf(group, start)),
        };
      }),
    );
  }

  /**
   * Of one partition, what is there; whole groups, so the first ones may lie before `from`. One caller after the other.
   * A group that cannot be taken apart is passed over one message at a time, each of them empty: they are no frames.
   */
  fetch(wanted: Wanted): Promise<Fetched | undefined> {
    const mine = this.#last.then(async () => {
      const leader = await this.leader(wanted);
      // the broken group may lie behind whole ones: of those the next question is about one alone
      for (const maxBytes of [wanted.maxBytes, 1]) {
        try {
          const [found] = await this.fetchFrom(leader, [{ ...wanted, maxBytes }], 0);
          return found;
        } catch (error) {
          if (!isUnreadable(error)) throw error;
        }
      }
      return { ...wanted, messages: [{ offset: wanted.from, value: Buffer.alloc(0) }], end: wanted.from + 1 };
    });
    this.#last = mine.catch(() => {});
    return mine;
  }

  async bounds({ topic, partition }: Place): Promise<{ readonly start: number; readonly end: number }> {
    await this.#known([topic]);
    const ask = async (timestamp: bigint) => {
      const found = await this.#consumer.listOffsets({
        topics: [topic],
        partitions: { [topic]: [partition] },
        timestamp,
        isolationLevel: readUncommitted,
      });
      return Number(found.get(topic)![partition]!) + this.#starts.of(topic, partition);
    };
    const [start, end] = await Promise.all([ask(earliest), ask(latest)]);
    return { start, end };
  }

  async close(): Promise<void> {
    await this.#consumer.close(true).catch(() => {});
  }
}

interface Group {
  readonly firstOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly records: readonly { readonly offsetDelta: number; readonly value: Buffer | null }[];
}

/** @throws RangeError where offsets do not rise: the driver verifies no checksum, and a frame's own says nothing of its place */
function messagesOf({ firstOffset, lastOffsetDelta, records }: Group, start: number): Message[] {
  let before = -1;
  return records.map(({ offsetDelta, value }) => {
    if (offsetDelta <= before || offsetDelta > lastOffsetDelta) throw new RangeError("offsets of a group of messages do not rise");
    before = offsetDelta;
    return { offset: start + Number(firstOffset) + offsetDelta, value: value ?? Buffer.alloc(0) };
  });
}
