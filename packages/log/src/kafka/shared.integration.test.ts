/** Several processes on one log: what one appends another waits for, reads and finds in positions; retention, snapshots and strange messages. */
import { kafkaAdmin, kafkaProducer } from "@vedette/kafka";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { service } from "../../../../tests/e2e/services.ts";
import { type Log, newLogKey, openKafkaLogHere, openLog } from "../index.ts";

const kafka = service("kafka");
const prefix = `shared-${process.pid}`;
const never = new AbortController().signal;
const bytes = (text: string) => new TextEncoder().encode(text);

describe.skipIf(kafka === undefined)("the log on Kafka, shared", () => {
  const connection = { brokers: [`${kafka?.host}:${kafka?.port}`], tls: undefined, sasl: undefined };
  const options = { kafka: connection, prefix, partitions: { raw: 3, observations: 1 }, timeout_ms: 30_000 };
  const encryption = { keys: [newLogKey()], seal: true };
  let ingest: Log;
  let analyse: Log;
  beforeAll(async () => {
    // both at once: each makes the topics, none fails
    [ingest, analyse] = await Promise.all([openKafkaLogHere({ ...options, encryption }), openLog({ ...options, encryption })]);
  });
  afterAll(async () => {
    await ingest?.close();
    await analyse?.close();
    const admin = await kafkaAdmin(connection, { retries: 3 });
    const mine = (await admin.listTopics()).filter((topic) => topic.startsWith(`${prefix}.`));
    if (mine.length > 0) await admin.deleteTopics({ topics: mine });
    await admin.close();
  });
  const send = (log: Log, partition: number, number: number, text = `${partition}:${number}`) =>
    log.append("raw", partition, bytes(text), {
      positions: [{ stream: `s${partition}`, value: `${number}` }],
      counts: { [`in/${partition}`]: 1 },
    });
  const texts = async (log: Log, partition: number, from: number) =>
    (await log.read("raw", partition, from, 1 << 20)).map((entry) =>
      "bytes" in entry ? Buffer.from(entry.bytes).toString() : entry.damaged,
    );

  it("what another appends wakes who waits, and is read without asking again", async () => {
    for (let number = 0; number < 5; number++) {
      const woken = [1, 2].map((partition) => analyse.wait("raw", partition, number, never));
      expect(await Promise.all([send(ingest, 1, number), send(ingest, 2, number)])).toEqual([number, number]);
      await Promise.all(woken);
      expect(await texts(analyse, 1, number)).toEqual([`1:${number}`]);
      expect(await texts(analyse, 2, number)).toEqual([`2:${number}`]);
    }
    expect(await texts(ingest, 1, 3)).toEqual(["1:3", "1:4"]);
    const without = await openKafkaLogHere({ ...options, encryption: { keys: [], seal: false } });
    await expect(without.read("raw", 1, 0, 1)).rejects.toMatchObject({ code: "sealed_key_missing" });
    // positions need no key
    expect((await without.positions()).get("s1")).toBe("4");
    await without.close();
  });

  it("positions and counts are of all processes, also of what lies before a snapshot and is dropped", async () => {
    await send(analyse, 1, 5);
    await send(ingest, 1, 6);
    for (const log of [ingest, analyse]) {
      expect(await log.positions()).toEqual(
        new Map([
          ["s1", "6"],
          ["s2", "4"],
        ]),
      );
      expect(await log.counts()).toEqual(
        new Map([
          ["in/1", 7],
          ["in/2", 5],
        ]),
      );
    }
    await analyse.retain("raw", 1, 4, 0);
    await send(ingest, 1, 7);
    expect(await ingest.bounds("raw", 1)).toEqual({ start: 4, end: 8 });
    const fresh = await openKafkaLogHere({ ...options, encryption });
    expect((await fresh.positions()).get("s1")).toBe("7");
    expect((await fresh.counts()).get("in/1")).toBe(8);
    // what is gone is passed over, as at any log's start
    expect(await texts(fresh, 1, 0)).toEqual(["1:4", "1:5", "1:6", "1:7"]);
    await fresh.close();
    // a stream that moved to another partition stands where it wrote last
    await ingest.append("raw", 0, bytes("moved"), { positions: [{ stream: "s1", value: "moved" }] });
    expect((await analyse.positions()).get("s1")).toBe("moved");
  });

  it("a message that is no batch is damage, told once, and what follows it is read", async () => {
    const producer = await kafkaProducer(connection, { retries: 3 });
    const { end } = await ingest.bounds("raw", 2);
    await producer.send({ messages: [{ topic: `${prefix}.raw`, partition: 2, value: Buffer.from("not ours") }] });
    await producer.close();
    await send(ingest, 2, 5);
    await analyse.wait("raw", 2, end + 1, never);
    for (let again = 0; again < 2; again++) expect(await texts(analyse, 2, end)).toEqual(["no frame of this log", "2:5"]);
    expect(await analyse.damage()).toEqual([
      { topic: "raw", partition: 2, where: `${prefix}.raw/2@${end}`, reason: "no frame of this log", bytes: 8 },
    ]);
    expect((await analyse.counts()).get("in/2")).toBe(6);
  });
});
