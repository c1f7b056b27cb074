/** What a real broker refuses, and what is said of it. */
import { kafkaAdmin } from "@vedette/kafka";
import { describe, expect, it } from "vitest";
import { freePort } from "../../../../tests/e2e/free_port.ts";
import { service } from "../../../../tests/e2e/services.ts";
import { inspectKafkaLog, type KafkaLogOptions, openKafkaLogHere } from "../index.ts";

const kafka = service("kafka");
/** Another in every run: one that was ended leaves its topic behind. */
const prefix = `refused-${process.pid}`;
const few = { observations: 1 };

describe.skipIf(kafka === undefined)("the log on a Kafka that is not as it has to be", () => {
  const { host, port, sasl } = kafka ?? { host: "", port: 0, sasl: { port: 0, username: "", guest: "", password: "" } };
  const plain = { brokers: [`${host}:${port}`], tls: undefined, sasl: undefined };
  const as = (username: string, password: string) => ({
    brokers: [`${host}:${sasl.port}`],
    tls: undefined,
    sasl: { mechanism: "PLAIN" as const, username, password },
  });
  const refuses = (options: Partial<KafkaLogOptions>) =>
    expect(openKafkaLogHere({ kafka: plain, prefix, partitions: few, timeout_ms: 20_000, ...options })).rejects;

  it("names the setting or the command that mends it", async () => {
    const admin = await kafkaAdmin(plain, { retries: 3 });
    const topic = (name: string, value: string) =>
      admin.createTopics({ topics: [`${prefix}.raw`], partitions: 1, replicas: 1, configs: [{ name, value }] });
    const gone = () => admin.deleteTopics({ topics: [`${prefix}.raw`] });
    await refuses({ kafka: as(sasl.username, "wrong") }).toMatchObject({
      code: "kafka_refused",
      message: expect.stringContaining("refuses the user vedette: look at kafka.sasl"),
    });
    await refuses({ kafka: as(sasl.guest, sasl.password) }).toMatchObject({
      code: "kafka_refused",
      message: expect.stringContaining("does not let the user guest do this: give it the rights Read, Write"),
    });
    await refuses({ kafka: { ...plain, brokers: [`127.0.0.1:${await freePort()}`] } }).toMatchObject({
      code: "kafka_unavailable",
      message: expect.stringContaining("look at kafka.server"),
    });
    await refuses({ kafka: { ...plain, tls: {} } }).toMatchObject({
      code: "kafka_refused",
      message: expect.stringContaining("take kafka.tls away"),
    });
    await refuses({ prefix: `${prefix}-copies`, replicas: 3 }).toMatchObject({
      code: "kafka_refused",
      message: expect.stringContaining("Set kafka.replicas to less"),
    });
    await topic("retention.ms", "60000");
    await refuses({ partitions: { ...few, raw: 4 } }).toMatchObject({
      code: "kafka_refused",
      message: expect.stringMatching(
        /refused-\d+\.raw has 1 partition, not 4: kafka-topics\.sh --alter --topic refused-\d+\.raw --partitions 4\n.*retention\.ms=60000: kafka-configs\.sh .*--add-config retention\.ms=-1/,
      ),
    });
    await gone();
    await admin.close();
  });

  it("says what is there without making anything", async () => {
    expect(await inspectKafkaLog({ kafka: as(sasl.username, sasl.password), prefix: "nowhere" })).toMatch(
      /1 broker, 0 of 6 topics nowhere\.\*, the others are made at the start$/,
    );
  });
});
