/** The `kafka` sink: one message a record into a topic, waiting for all replicas in sync. Knows no record's schema. */
import {
  connectionOf,
  type KafkaProducer,
  kafkaBroker,
  kafkaCode,
  kafkaProducer,
  kafkaSasl,
  kafkaTls,
  kafkaTopic,
  reasonOf,
} from "@vedette/kafka";
import { ConfigError, type Delivery, defineSink, type Outgoing, z } from "@vedette/kit";
import { brief } from "../http.ts";

const config = z.strictObject({
  brokers: z.array(kafkaBroker).min(1).max(64).describe("Brokers to ask first, each as HOST:PORT."),
  topic: kafkaTopic.describe("Topic to write to; it must be there."),
  key: z
    .enum(["id", "host", "none"])
    .default("id")
    .describe(
      "Key of the messages: the alert's, finding's or event's own id, so that all states of an alert are in one partition and in order; its host; or none.",
    ),
  tls: kafkaTls,
  sasl: kafkaSasl,
  compression: z.enum(["none", "gzip", "zstd"]).default("zstd").describe("How batches are compressed."),
  max_message_bytes: z
    .int()
    .min(1_024)
    .max(104_857_600)
    .default(1_000_000)
    .describe("Largest message in bytes, at most what the topic takes (`max.message.bytes`); a larger one becomes a dead letter."),
  timeout_s: z.number().positive().max(600).default(30).describe("How long one batch may take to be taken by all replicas, in seconds."),
});
export type KafkaSinkConfig = z.output<typeof config>;

/** What is used of a producer: a test may have its own. */
type Producer = Pick<KafkaProducer, "send" | "close">;

export default defineSink({
  name: "kafka",
  summary: "Writes messages to a topic of Kafka.",
  description:
    "A batch counts as sent when all replicas in sync have it. Within one connection the broker recognises what is repeated; after a lost connection the last batch may be there twice, and the header `vedette-id` tells. " +
    "Headers are `vedette-id`, `vedette-kind` (alert, finding, event), `vedette-severity` and `content-type`. A topic that is missing or that we may not write to is waited for.",
  stability: "beta",
  config,
  // a broker takes a megabyte a message by default, and the driver splits what goes to several of them
  batch: { records: 2_000, bytes: 900_000, wait_ms: 200 },
  examples: [
    { title: "Alerts to a topic", config: { brokers: ["127.0.0.1:9092"], topic: "soc-alerts" } },
    {
      title: "By TLS and password, keyed by host",
      config: {
        brokers: ["kafka1.example.org:9093", "kafka2.example.org:9093"],
        topic: "auth",
        key: "host",
        tls: { ca_file: "/etc/vedette/kafka-ca.pem" },
        sasl: { mechanism: "SCRAM-SHA-512", username: "vedette", password_file: "/etc/vedette/kafka.password" },
      },
    },
  ],
  async open({ name, config: c }) {
    const connection = await connectionOf(c).catch((cause: Error) => {
      throw new ConfigError("config_invalid", `sinks.${name}: ${cause.message}`, { cause });
    });
    return topicSink(c, () => kafkaProducer(connection, { retries: 2, retry_ms: 200, request_ms: Math.ceil(c.timeout_s * 1_000) }));
  },
});

/** @param open makes a producer; another after one has failed: the numbers of its messages may have a hole */
export function topicSink(c: KafkaSinkConfig, open: () => Promise<Producer>) {
  let producer: Promise<Producer> | undefined;
  const giveUp = () => {
    void producer?.then((one) => one.close(true)).catch(() => {});
    producer = undefined;
  };
  return {
    async send(records: readonly Outgoing[], signal: AbortSignal): Promise<Delivery> {
      const sizes = records.map(({ body }) => Buffer.byteLength(body));
      const refused = sizes.flatMap((size, index) =>
        size > c.max_message_bytes ? [{ index, reason: `${size} bytes, at most ${c.max_message_bytes} go` }] : [],
      );
      const messages = records.filter((_, index) => sizes[index]! <= c.max_message_bytes).map((record) => messageOf(record, c));
      try {
        producer ??= open();
        const opened = producer;
        const write = async () => (await opened).send({ messages, acks: -1, compression: c.compression });
        if (messages.length > 0) await inTime(write(), c.timeout_s, signal);
      } catch (error) {
        giveUp();
        return failed(error, c);
      }
      return { outcome: "answered", answer: `${messages.length} of ${records.length} written to ${c.topic}`, refused };
    },
    async close() {
      await producer?.then((one) => one.close()).catch(() => {});
    },
  };
}

/** An id says which thing, and behind a dot in which state. */
const keyOf = ({ id, host }: Outgoing, key: KafkaSinkConfig["key"]): string =>
  key === "host" ? host : key === "id" ? id.split(".", 1)[0]! : "";

function messageOf(record: Outgoing, { topic, key }: KafkaSinkConfig) {
  const named = keyOf(record, key);
  const headers = {
    "vedette-id": record.id,
    "vedette-kind": record.kind,
    "vedette-severity": record.severity,
    "content-type": "application/json",
  };
  return {
    topic,
    value: Buffer.from(record.body),
    ...(named !== "" && { key: Buffer.from(named) }),
    headers: new Map(Object.entries(headers).map(([name, value]) => [Buffer.from(name), Buffer.from(value)])),
  };
}

async function inTime(work: Promise<unknown>, timeout_s: number, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(timeout_s * 1_000))]);
  let late = () => {};
  const aborted = new Promise((_, reject) => {
    late = () => reject(new Error(`no answer within ${timeout_s} s`));
    deadline.addEventListener("abort", late, { once: true });
    if (deadline.aborted) late();
  });
  work.catch(() => {});
  await Promise.race([work, aborted]).finally(() => deadline.removeEventListener("abort", late));
}

/** What a broker says of the messages themselves; anything else is between it and our settings, and passes or is mended. */
const aboutMessages = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "CORRUPT_MESSAGE"]);

function failed(error: unknown, { brokers, topic }: KafkaSinkConfig): Delivery {
  const reason = brief(`Kafka at ${brokers.join(", ")}, topic ${topic}: ${reasonOf(error)}`);
  return aboutMessages.has(kafkaCode(error) ?? "") ? { outcome: "refused", reason } : { outcome: "unavailable", reason };
}
