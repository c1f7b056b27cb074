import { expect, test } from "vitest";
import { contextOf, sendable } from "../receiver.fixture.ts";
import kafka, { topicSink } from "./kafka.ts";

type Producer = Awaited<ReturnType<Parameters<typeof topicSink>[1]>>;
interface Sent {
  readonly topic: string;
  readonly key: string | undefined;
  readonly value: string;
  readonly headers: { readonly [name: string]: string };
}

/** A broker that does with each batch as it is told. */
class Broker {
  readonly sent: Sent[] = [];
  opened = 0;
  closed = 0;
  behave: () => Promise<unknown> = async () => ({});
  readonly open = async (): Promise<Producer> => {
    this.opened++;
    const send = async ({
      messages,
      acks,
    }: {
      messages: { topic: string; key?: Buffer; value?: Buffer; headers?: unknown }[];
      acks?: number;
    }) => {
      expect(acks).toBe(-1);
      await this.behave();
      for (const { topic, key, value, headers } of messages)
        this.sent.push({
          topic,
          key: key?.toString(),
          value: value!.toString(),
          headers: Object.fromEntries([...(headers as Map<Buffer, Buffer>)].map(([name, text]) => [name.toString(), text.toString()])),
        });
      return {};
    };
    return { send, close: async () => void this.closed++ } as never;
  };
}
const configOf = (more: object = {}) => kafka.config.parse({ brokers: ["127.0.0.1:9092"], topic: "soc", ...more });
const signal = new AbortController().signal;
/** As the driver nests what brokers say. */
const said = (apiId: string) => new Error("produce failed", { cause: Object.assign(new Error(`said ${apiId}`), { apiId }) });

test("a message a record: its whole body, its id as header, and all states of a thing under one key", async () => {
  const broker = new Broker();
  const records = sendable(4);
  const sink = topicSink(configOf(), broker.open);
  expect(await sink.send(records, signal)).toEqual({ outcome: "answered", answer: "4 of 4 written to soc", refused: [] });
  await sink.close();
  expect(broker.sent.map(({ topic, value }) => [topic, value])).toEqual(records.map(({ body }) => ["soc", body]));
  expect(broker.sent.map(({ key }) => key)).toEqual(["alert-1", "event-0", "event-1", "event-2"]);
  expect(broker.sent[0]!.headers).toEqual({
    "vedette-id": records[0]!.id,
    "vedette-kind": "alert",
    "vedette-severity": "high",
    "content-type": "application/json",
  });
  expect([broker.opened, broker.closed]).toEqual([1, 1]);
});

test("keys are hosts, or none, where that is asked for", async () => {
  const broker = new Broker();
  await topicSink(configOf({ key: "host" }), broker.open).send([...sendable(2), { ...sendable(1)[0]!, host: "" }], signal);
  await topicSink(configOf({ key: "none" }), broker.open).send(sendable(1), signal);
  expect(broker.sent.map(({ key }) => key)).toEqual(["login1", "login1", undefined, undefined]);
});

test("what is too long is refused alone", async () => {
  const broker = new Broker();
  const [one, two, three] = sendable(3);
  const long = { ...two!, body: JSON.stringify("ü".repeat(600)) };
  const delivery = await topicSink(configOf({ max_message_bytes: 1_024 }), broker.open).send(
    [{ ...one!, body: "{}" }, long, { ...three!, body: "{}" }],
    signal,
  );
  expect(delivery).toEqual({
    outcome: "answered",
    answer: "2 of 3 written to soc",
    refused: [{ index: 1, reason: "1202 bytes, at most 1024 go" }],
  });
  expect(broker.sent).toHaveLength(2);
});

test.each([
  ["MESSAGE_TOO_LARGE", "refused"],
  ["INVALID_RECORD", "refused"],
  ["UNKNOWN_TOPIC_OR_PARTITION", "unavailable"],
  ["TOPIC_AUTHORIZATION_FAILED", "unavailable"],
  ["NOT_ENOUGH_REPLICAS", "unavailable"],
])("a broker that says %s: %s, and the next batch goes by a new producer", async (code, outcome) => {
  const broker = new Broker();
  const sink = topicSink(configOf(), broker.open);
  broker.behave = () => Promise.reject(said(code));
  expect(await sink.send(sendable(2), signal)).toEqual({
    outcome,
    reason: `Kafka at 127.0.0.1:9092, topic soc: produce failed: said ${code}`,
  });
  broker.behave = async () => ({});
  expect(await sink.send(sendable(2), signal)).toMatchObject({ outcome: "answered" });
  expect([broker.opened, broker.closed, broker.sent.length]).toEqual([2, 1, 2]);
});

test("a broker that stalls is given up, at once where the sink is stopped", async () => {
  const broker = new Broker();
  broker.behave = () => new Promise(() => {});
  expect(await topicSink(configOf({ timeout_s: 0.05 }), broker.open).send(sendable(1), signal)).toMatchObject({
    outcome: "unavailable",
    reason: expect.stringContaining("no answer within 0.05 s"),
  });
  const stop = new AbortController();
  const sending = topicSink(configOf(), broker.open).send(sendable(1), stop.signal);
  stop.abort();
  expect(await sending).toMatchObject({ outcome: "unavailable" });
});

test("nobody there: waited for", async () => {
  const sink = await kafka.open(contextOf(kafka.config.parse({ brokers: ["127.0.0.1:1"], topic: "soc", timeout_s: 1 })));
  expect(await sink.send(sendable(1), signal)).toMatchObject({
    outcome: "unavailable",
    reason: expect.stringMatching(/^Kafka at 127\.0\.0\.1:1, topic soc: /),
  });
  await sink.close();
});

test("a file of a secret that is not there names the sink", async () => {
  const sasl = { mechanism: "PLAIN", username: "vedette", password_file: "/nowhere/password" };
  await expect(kafka.open(contextOf(configOf({ sasl })))).rejects.toMatchObject({
    code: "config_invalid",
    message: expect.stringMatching(/^sinks\.test: .*\/nowhere\/password/),
  });
});
