/**
 * What the first offset of each partition is in a log that goes on where another ended, one that was restored from a backup: Kafka counts each
 * new topic from 0, and offsets stand in checkpoints. It is the first message of the topic of positions. Knows no batch.
 */
import { VedetteError, z } from "@vedette/kit";
import type { Topic } from "../log.ts";
import { topics } from "../segments.ts";

export interface StartsAt {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: number;
}

/** As Kafka names it. */
interface Place {
  readonly topic: string;
  readonly partition: number;
}
/** What it asks of a reader of messages. */
interface Messages {
  bounds(place: Place): Promise<{ readonly start: number; readonly end: number }>;
  fetch(
    wanted: Place & { readonly from: number; readonly maxBytes: number },
  ): Promise<{ readonly messages: readonly { readonly value: Buffer }[] } | undefined>;
}

const firstBytes = 1 << 20;
const schema = z.object({
  of: z.string(),
  starts: z.array(z.object({ topic: z.enum(topics), partition: z.int().min(0), offset: z.int().min(0) })),
});

export class Starts {
  /** Kafka's key: the newest of each is kept, and this one is written once. */
  static readonly key = "starts";
  readonly #of = new Map<string, number>();
  /** What the log goes on from. */
  from: string | undefined;

  /** @param topic as Kafka names it */
  of(topic: string, partition: number): number {
    return this.#of.get(`${topic}/${partition}`) ?? 0;
  }

  /** As snapshots in the topic: the length of the key, the key, and what it says. */
  encode(of: string, starts: readonly StartsAt[]): Buffer {
    const { key } = Starts;
    return Buffer.concat([Buffer.from([key.length]), Buffer.from(key), Buffer.from(JSON.stringify({ of, starts }))]);
  }

  /** @param place of the topic of positions @param named a partition as Kafka names it */
  async load(reader: Messages, place: Place, named: (one: StartsAt) => Place): Promise<void> {
    const { start, end } = await reader.bounds(place);
    if (start === end) return;
    const found = await reader.fetch({ ...place, from: start, maxBytes: firstBytes });
    const value = found?.messages.at(0)?.value;
    const length = value !== undefined && value.length > 0 ? value.readUInt8(0) : 0;
    if (value?.toString("latin1", 1, 1 + length) !== Starts.key) return;
    const parsed = schema.safeParse(JSON.parse(value.toString("utf8", 1 + length)));
    if (!parsed.success)
      throw new VedetteError("kafka_refused", true, `${place.topic}: its first message is of a newer version of Vedette`);
    const { of, starts } = parsed.data;
    for (const one of starts) {
      const { topic, partition } = named(one);
      this.#of.set(`${topic}/${partition}`, one.offset);
    }
    this.from = of;
  }
}
