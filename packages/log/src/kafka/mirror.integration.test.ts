/** A log on a real Kafka taken into segment files, and from them into another log on Kafka that goes on where the first was. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kafkaAdmin } from "@vedette/kafka";
import { afterAll, describe, expect, it } from "vitest";
import { service } from "../../../../tests/e2e/services.ts";
import { fillKafkaLog, type Log, mirrorKafkaLog, newLogKey, openKafkaLogHere, openLog } from "../index.ts";

const kafka = service("kafka");
const prefix = `mirror-${process.pid}`;
const root = mkdtempSync(join(tmpdir(), "vedette-mirror-"));
const never = new AbortController().signal;

describe.skipIf(kafka === undefined)("a log on Kafka and its copy", () => {
  const connection = { brokers: [`${kafka?.host}:${kafka?.port}`], tls: undefined, sasl: undefined };
  const encryption = { keys: [newLogKey()], seal: true };
  const options = (name: string) => ({
    kafka: connection,
    prefix: `${prefix}${name}`,
    partitions: { raw: 2 },
    timeout_ms: 60_000,
    encryption,
  });
  afterAll(async () => {
    const admin = await kafkaAdmin(connection, { retries: 3 });
    const mine = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    if (mine.length > 0) await admin.deleteTopics({ topics: mine });
    await admin.close();
    rmSync(root, { recursive: true, force: true });
  });

  const text = (at: string) => Buffer.from(at.padEnd(400, "."));
  const send = (log: Log, partition: number, n: number) =>
    log.append("raw", partition, text(`${partition}:${n}`), {
      positions: [{ stream: `s${partition}`, value: `${n}` }],
      counts: { [`in/${partition}`]: 1 },
    });
  /** All that is said of a log, from where on it is compared. */
  const told = async (log: Log, from: number) => {
    const raw = await Promise.all([0, 1].map((partition) => log.read("raw", partition, from, 1 << 30)));
    return {
      raw: raw.map((all) => all.map((one) => [one.offset, "bytes" in one ? Buffer.from(one.bytes).toString() : ""])),
      control: (await log.read("control", 0, 0, 1 << 20)).length,
      ends: await Promise.all([0, 1].map((partition) => log.bounds("raw", partition).then(({ end }) => end))),
      positions: new Map(await log.positions()),
      counts: new Map(await log.counts()),
    };
  };

  it("holds the same, goes on with the same, and is taken up by another Kafka at the same offsets", { timeout: 300_000 }, async () => {
    const log = await openKafkaLogHere(options("a"));
    await log.append("control", 0, text("rules"));
    for (let n = 0; n < 30; n++) for (const partition of [0, 1]) await send(log, partition, n);
    for (let n = 0; n < 5; n++) await log.append("observations", 7, text(`o${n}`));
    await log.retain("raw", 0, 12, 0);
    for (let n = 30; n < 33; n++) await send(log, 0, n);
    const directory = join(root, "copy");
    const observations = Array.from({ length: 64 }, (_, shard) => (shard === 7 ? 3 : 0));
    await mirrorKafkaLog({ kafka: options("a"), directory });
    for (let n = 33; n < 36; n++) await send(log, 0, n);
    const places = await mirrorKafkaLog({ kafka: options("a"), directory, observations });
    expect(places.find(({ topic, partition }) => topic === "observations" && partition === 7)).toMatchObject({ start: 3, end: 5 });
    const wanted = await told(log, 12);
    expect(wanted.ends).toEqual([36, 30]);
    await log.close();

    const copy = await openLog({ directory, encryption });
    expect(await told(copy, 12)).toEqual(wanted);
    await copy.close();

    const fill = { kafka: options("b"), directory, encryption, of: "backup 1" };
    const count = await fillKafkaLog(fill);
    // as a fill that was killed at its end
    expect(await fillKafkaLog(fill)).toBe(count);
    await expect(fillKafkaLog({ ...fill, of: "backup 2" })).rejects.toMatchObject({ code: "kafka_refused" });
    await expect(fillKafkaLog({ ...fill, kafka: options("a") })).rejects.toMatchObject({ code: "kafka_refused" });

    const other = await openLog(options("b"));
    expect(await told(other, 12)).toEqual(wanted);
    expect(await other.bounds("observations", 7)).toEqual({ start: 3, end: 5 });
    // what is below the start begins at the start; what is appended goes on, is waited for, and retention finds its place
    expect((await other.read("raw", 0, 0, 1))[0]!.offset).toBe((await other.bounds("raw", 0)).start);
    const woken = other.wait("raw", 0, 36, never);
    expect(await send(other, 0, 36)).toBe(36);
    await woken;
    expect((await other.read("raw", 0, 36, 1))[0]!.offset).toBe(36);
    expect(await other.append("observations", 7, text("o5"))).toBe(5);
    expect((await other.positions()).get("s0")).toBe("36");
    expect((await other.counts()).get("in/0")).toBe(37);
    await other.retain("raw", 0, 20, 0);
    expect(await other.bounds("raw", 0)).toEqual({ start: 20, end: 37 });
    await other.close();
    // a fill that comes once more changes nothing of what has gone on
    await fillKafkaLog(fill);
    const again = await openLog(options("b"));
    expect((await again.read("raw", 0, 0, 1))[0]!.offset).toBe(20);
    expect((await again.counts()).get("in/0")).toBe(37);
    await again.close();
  });
});
