import fc from "fast-check";
import { expect, test } from "vitest";
import type { KafkaMessage, KafkaOffset, KafkaReader } from "../kafka.ts";
import { ManualClock, RecordingIntake } from "../recording.fixture.ts";
import kafka, { readTopics } from "./kafka.ts";

type Message = KafkaMessage & { readonly leaderEpoch: number };

/** A broker's partitions and a group's committed offsets; a consumer begins where the group stands, or anywhere before. */
class Broker {
  readonly committed = new Map<string, bigint>();
  readonly #messages: readonly Message[];
  id = "id-1";
  commits = 0;
  failCommits = false;
  constructor(messages: readonly Message[]) {
    this.#messages = messages;
  }
  consumer(): KafkaReader {
    const { committed } = this;
    const left = this.#messages.filter(({ topic, partition, offset }) => offset >= (committed.get(`${topic}/${partition}`) ?? 0n));
    let closed = false;
    return {
      async *messages() {
        for (const [i, message] of left.entries()) {
          if (closed) return;
          yield { message, more: i + 1 < left.length && i % 7 !== 6 };
        }
      },
      topicId: async () => this.id,
      commit: async (offsets: readonly KafkaOffset[]) => {
        if (this.failCommits) throw new Error("rebalancing");
        this.commits++;
        for (const { topic, partition, offset } of offsets) committed.set(`${topic}/${partition}`, offset);
      },
      close: async () => {
        closed = true;
      },
    };
  }
}

const message = (partition: number, offset: number, text: string | undefined = `${partition}:${offset}`): Message => ({
  topic: "zeek",
  partition,
  offset: BigInt(offset),
  leaderEpoch: 0,
  value: text === undefined ? undefined : Buffer.from(text),
});
const forty = Array.from({ length: 40 }, (_, i) => message(i % 3, Math.floor(i / 3)));

const run = (broker: Broker, intake: RecordingIntake, warnings: string[] = [], config: object = {}) =>
  readTopics(broker.consumer(), {
    name: "test",
    config: kafka.config.parse({ brokers: ["127.0.0.1:9092"], topics: ["zeek"], ...config }) as never,
    intake,
    positions: new Map(intake.positions),
    clock: new ManualClock(),
    warn: (code) => void warnings.push(code),
    signal: new AbortController().signal,
  });

test("each message once, by topic, partition and offset; the group is told after they are durable", async () => {
  const [broker, intake] = [new Broker(forty), new RecordingIntake()];
  await run(broker, intake);
  expect(intake.texts.toSorted()).toEqual(forty.map((one) => Buffer.from(one.value!).toString()).toSorted());
  expect(intake.records[0]!.position).toBe("id-1/0/0");
  expect(intake.positions.get("zeek/0")).toBe("id-1:14");
  expect(Object.fromEntries(broker.committed)).toEqual({ "zeek/0": 14n, "zeek/1": 13n, "zeek/2": 13n });
});

test("wherever it dies, and whether or not the group was told, nothing is missing and nothing is there twice", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(8), fc.boolean()), { maxLength: 5 }), async (deaths) => {
      const [broker, intake] = [new Broker(forty), new RecordingIntake()];
      for (const [after, failCommits] of deaths) {
        intake.dieAfter = after;
        broker.failCommits = failCommits;
        await run(broker, intake).catch(() => {});
      }
      intake.dieAfter = Number.POSITIVE_INFINITY;
      broker.failCommits = false;
      await run(broker, intake);
      expect(intake.texts.toSorted()).toEqual(forty.map((one) => Buffer.from(one.value!).toString()).toSorted());
    }),
    { numRuns: 100 },
  );
});

test("a topic that was made again begins anew", async () => {
  const intake = new RecordingIntake();
  await run(new Broker(forty), intake);
  const again = new Broker([message(0, 0, "new")]);
  again.id = "id-2";
  await run(again, intake);
  expect(intake.records.at(-1)).toMatchObject({ position: "id-2/0/0" });
  expect(intake.texts.at(-1)).toBe("new");
});

test("large and empty messages, a group that cannot be told, and brokers that go away", async () => {
  const [broker, intake, warnings] = [
    new Broker([message(0, 0, "x".repeat(300)), { ...message(0, 1), value: undefined }]),
    new RecordingIntake(),
    [],
  ];
  broker.failCommits = true;
  await run(broker, intake, warnings, { max_record_bytes: 256 });
  expect(intake.records.map(({ flaw, body }) => [flaw?.code, body.length])).toEqual([
    ["too_long", 300],
    [undefined, 0],
  ]);
  expect(warnings).toEqual(["kafka_commit_failed"]);
  const gone: KafkaReader = {
    ...broker.consumer(),
    // biome-ignore lint/correctness/useYield: it fails before it has anything
    async *messages() {
      throw new Error("outer", { cause: new AggregateError([new Error("connect ECONNREFUSED 127.0.0.1:9092")], "many") });
    },
  };
  broker.consumer = () => gone;
  await expect(run(broker, intake)).rejects.toMatchObject({
    code: "source_unavailable",
    permanent: false,
    message: "Kafka: outer: many: connect ECONNREFUSED 127.0.0.1:9092",
  });
});

test.each([
  [{ brokers: ["127.0.0.1:9092"], topics: ["zeek"] }, true],
  [{ brokers: [], topics: ["zeek"] }, false],
  [{ brokers: ["127.0.0.1"], topics: ["zeek"] }, false],
  [{ brokers: ["k:1"], topics: ["a b"] }, false],
  [{ brokers: ["k:1"], topics: ["a"], sasl: { mechanism: "GSSAPI", username: "a", password_file: "b" } }, false],
])("settings: %j", (config, fine) => expect(kafka.config.safeParse(config).success).toBe(fine));
