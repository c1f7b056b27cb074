/** The sink on a real broker: what it wrote is there with keys and headers, and what the broker refuses is named. */
import { randomBytes } from "node:crypto";
import { consumeModes, kafkaAdmin, kafkaConsumer } from "@vedette/kafka";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { service } from "../../../../tests/e2e/services.ts";
import { contextOf, sendable } from "../receiver.fixture.ts";
import kafka from "./kafka.ts";

const broker = service("kafka");
const topic = `sink-${randomBytes(6).toString("hex")}`;
const signal = new AbortController().signal;

if (broker === undefined) describe.skip("the kafka sink on a broker", () => it("needs a broker"));
else
  describe("the kafka sink on a broker", { timeout: 120_000 }, () => {
    const address = `${broker.host}:${broker.port}`;
    const connection = { brokers: [address], tls: undefined, sasl: undefined };
    const open = (more: object = {}) => kafka.open(contextOf(kafka.config.parse({ brokers: [address], topic, ...more })));
    beforeAll(async () => {
      const admin = await kafkaAdmin(connection, { retries: 10 });
      await admin.createTopics({ topics: [topic], partitions: 3, replicas: 1, configs: [{ name: "max.message.bytes", value: "20000" }] });
      await admin.close();
    }, 120_000);
    afterAll(async () => {
      const admin = await kafkaAdmin(connection, { retries: 3 });
      await admin.deleteTopics({ topics: [topic] });
      await admin.close();
    }, 120_000);

    it("writes every record once, in all three compressions", async () => {
      const records = sendable(50);
      for (const compression of ["none", "gzip", "zstd"]) {
        const sink = await open({ compression });
        // a topic's partitions may have no leader for a moment after it was made
        let delivery = await sink.send(records, signal);
        for (let tries = 0; delivery.outcome === "unavailable" && tries < 100; tries++) delivery = await sink.send(records, signal);
        expect(delivery).toEqual({ outcome: "answered", answer: `50 of 50 written to ${topic}`, refused: [] });
        await sink.close();
      }
      const consumer = await kafkaConsumer(connection, { retries: 10 }, { group: topic });
      const { MessagesStreamFallbackModes, MessagesStreamModes } = await consumeModes();
      const stream = await consumer.consume({
        topics: [topic],
        autocommit: false,
        mode: MessagesStreamModes.COMMITTED,
        fallbackMode: MessagesStreamFallbackModes.EARLIEST,
      });
      const seen = new Map<string, number>();
      const partitions = new Map<string, Set<number>>();
      let left = 3 * records.length;
      for await (const { key, value, headers, partition } of stream) {
        const id = new Map([...headers].map(([name, text]) => [name.toString(), text.toString()])).get("vedette-id")!;
        expect(value.toString()).toBe(records.find((one) => one.id === id)!.body);
        seen.set(id, (seen.get(id) ?? 0) + 1);
        partitions.set(key.toString(), (partitions.get(key.toString()) ?? new Set()).add(partition));
        if (--left === 0) break;
      }
      await stream.close();
      await consumer.close(true);
      expect([...seen].sort()).toEqual(records.map(({ id }) => [id, 3] as const).sort());
      // one key, one partition; and not all keys the same
      expect([...partitions.values()].map((own) => own.size)).toEqual(records.map(() => 1));
      expect(new Set([...partitions.values()].flatMap((own) => [...own])).size).toBeGreaterThan(1);
    });

    it("a message that the topic does not take is refused, and the rest is taken", async () => {
      const sink = await open({ compression: "none" });
      const long = { ...sendable(1)[0]!, body: JSON.stringify("x".repeat(50_000)) };
      expect(await sink.send([long], signal)).toMatchObject({
        outcome: "refused",
        reason: expect.stringContaining("larger than the max message size"),
      });
      expect(await sink.send(sendable(2), signal)).toMatchObject({ outcome: "answered" });
      await sink.close();
    });

    it("a topic that is not there is waited for", async () => {
      const absent = await open({ topic: `${topic}-absent`, timeout_s: 20 });
      expect(await absent.send(sendable(1), signal)).toMatchObject({
        outcome: "unavailable",
        reason: expect.stringMatching(/, topic sink-.*-absent: /),
      });
      await absent.close();
    });
  });
