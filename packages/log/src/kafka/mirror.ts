/** Takes a log on Kafka into segment files, and segment files into a log on Kafka that goes on from them. Knows no backup. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { shardCount, systemClock, VedetteError } from "@vedette/kit";
import type { Topic } from "../log.ts";
import { type Mirrored, type MirrorPlace, mirror } from "../mirror.ts";
import type { LogEncryption } from "../seal.ts";
import { SegmentLog, topics } from "../segments.ts";
import { KafkaLog, type KafkaLogOptions } from "./log.ts";

export interface KafkaMirror {
  readonly kafka: KafkaLogOptions;
  /** The segment files come to lie below its `log`. */
  readonly directory: string;
  /** Of each shard, from where on its observations are wanted; none are without it. */
  readonly observations?: readonly number[];
}

/** A backup keeps again what changed of a file, and a restore reads all of it. */
const segmentBytes = 16 << 20;
const readBytes = 4 << 20;

const partitionsOf = ({ partitions }: KafkaLogOptions, topic: Topic): number =>
  topic === "observations" ? shardCount : (partitions?.[topic] ?? 1);

function placesOf({ kafka, observations }: KafkaMirror): readonly MirrorPlace[] {
  const whole = (topic: Topic): readonly MirrorPlace[] =>
    Array.from({ length: partitionsOf(kafka, topic) }, (_, partition) => ({ topic, partition }));
  const shards = observations?.map((from, partition): MirrorPlace => ({ topic: "observations", partition, from })) ?? [];
  // raw last: what the others tell of was accepted before
  return [...shards, ...whole("dead"), ...whole("findings"), ...whole("control"), ...whole("raw")];
}

/** In this thread; one that was cut short, or is of another log, begins anew. @throws VedetteError `kafka_unavailable`, `kafka_refused` */
export async function mirrorHere(ask: KafkaMirror): Promise<readonly Mirrored[]> {
  const { kafka, directory } = ask;
  const [of, unfinished] = [join(directory, "log.of"), join(directory, "log.unfinished")];
  const log = await KafkaLog.open(kafka, systemClock);
  try {
    const identity = await log.identity();
    const known = existsSync(of) ? readFileSync(of, "utf8") : undefined;
    if (known !== identity || existsSync(unfinished)) rmSync(join(directory, "log"), { recursive: true, force: true });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(unfinished, "");
    writeFileSync(of, identity);
    const { encryption } = kafka;
    const copy = await SegmentLog.open({ directory, segmentBytes, ...(encryption && { encryption }) }, {});
    const mirrored = await mirror(log, copy, placesOf(ask)).finally(() => copy.close());
    rmSync(unfinished);
    return mirrored;
  } finally {
    await log.close();
  }
}

export interface KafkaFill {
  readonly kafka: KafkaLogOptions;
  /** Whose log it is to be. */
  readonly directory: string;
  readonly encryption?: LogEncryption;
  /** By which a fill that was cut short is known again. */
  readonly of: string;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Makes a log on Kafka that goes on where segment files end: the same offsets, batches, positions and counts. Cut short, it goes on where it was.
 * @returns batches that are there now
 * @throws VedetteError `kafka_refused` where topics of the name hold another log, `kafka_unavailable`
 */
export async function fillKafkaLog({ kafka, directory, encryption, of, onProgress }: KafkaFill): Promise<number> {
  const from = await SegmentLog.open({ directory, ...(encryption && { encryption }) }, {});
  const log = await KafkaLog.open(kafka, systemClock).catch(async (error: unknown) => {
    await from.close();
    throw error;
  });
  try {
    const places = await Promise.all(
      topics.flatMap((topic) =>
        Array.from({ length: partitionsOf(kafka, topic) }, async (_, partition) => ({
          topic,
          partition,
          ...(await from.bounds(topic, partition)),
        })),
      ),
    );
    if (log.goesOnFrom === undefined) {
      for (const { topic, partition } of places) await mustBeEmpty(log, topic, partition);
      await log.beginAt(
        of,
        places.map(({ topic, partition, start }) => ({ topic, partition, offset: start })),
      );
    } else if (log.goesOnFrom !== of)
      throw refused(`${kafka.prefix}.* goes on from another backup, ${log.goesOnFrom}; choose another kafka.topic, or delete these topics`);
    const total = places.reduce((sum, { start, end }) => sum + end - start, 0);
    let done = 0;
    for (const { topic, partition, start, end } of places) {
      const before = done;
      done += end - start;
      // it was filled, and has gone on
      if ((await log.bounds(topic, partition)).end > end) continue;
      await fillPlace(log, from, { topic, partition, end }, (at) => onProgress?.(before + at - start, total));
      const { ledger } = await from.copyOf(topic, partition);
      if (ledger.sequence >= 0) await log.adopt(topic, partition, ledger, end);
    }
    return total;
  } finally {
    await log.close();
    await from.close();
  }
}

async function mustBeEmpty(log: KafkaLog, topic: Topic, partition: number): Promise<void> {
  const { end } = await log.bounds(topic, partition);
  if (end > 0)
    throw refused(`the topic of ${topic} holds ${end} batches of another log; choose another kafka.topic, or delete these topics`);
}

async function fillPlace(
  log: KafkaLog,
  from: SegmentLog,
  { topic, partition, end }: { readonly topic: Topic; readonly partition: number; readonly end: number },
  onProgress: (offset: number) => void,
): Promise<void> {
  let { end: at } = await log.bounds(topic, partition);
  while (at < end) {
    const found = await from.read(topic, partition, at, readBytes);
    const offsets = await Promise.all(
      found.map((one) => ("bytes" in one ? log.append(topic, partition, one.bytes) : log.appendNothing(topic, partition))),
    );
    for (const [n, { offset }] of found.entries())
      if (offsets[n] !== offset)
        throw refused(`${topic}/${partition}: what is batch ${offset} became ${offsets[n]}; delete its topics and begin again`);
    at += found.length;
    onProgress(at);
  }
}

const refused = (message: string) => new VedetteError("kafka_refused", true, message);
