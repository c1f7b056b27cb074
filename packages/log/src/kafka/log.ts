/** The log on Kafka: a batch is a frame (docs/format/log.md) is a message; offsets are Kafka's. Runs in whatever thread calls it. */
import { randomFillSync } from "node:crypto";
import { type KafkaAdmin, type KafkaConnection, kafkaAdmin, kafkaError } from "@vedette/kafka";
import { BadInputError, type Clock, systemClock, UnavailableError, type VedetteError } from "@vedette/kit";
import { TailCache } from "../cache.ts";
import type { DamageEntry } from "../damage.ts";
import { decodeFrameHeader, decodeMeta, decodePayload, encodeFrame, type FrameInput, GroupBuffer, SALT_BYTES } from "../frame.ts";
import { type Ledger, newestPositions, sumCounts } from "../ledger.ts";
import type { AppendOptions, Damaged, Entry, Log, Topic } from "../log.ts";
import type { Frame, FrameSource } from "../mirror.ts";
import { type LogEncryption, noEncryption, Seals } from "../seal.ts";
import { closedError, encodeOptions, segmentLogDefaults, topics } from "../segments.ts";
import { Ledgers, metaOf } from "./ledgers.ts";
import { KafkaPartition } from "./partition.ts";
import { KafkaReader, type Message } from "./reader.ts";
import { Starts, type StartsAt } from "./starts.ts";
import { Tail } from "./tail.ts";
import { ensureTopics, inspectTopics, type Layout, topicName } from "./topics.ts";
import { KafkaWriter } from "./writer.ts";

export interface KafkaLogOptions {
  readonly kafka: KafkaConnection;
  /** Names of topics begin with it and a dot. */
  readonly prefix: string;
  /** Partitions of each topic; `observations` has one a shard. */
  readonly partitions?: { readonly [topic in Topic]?: number };
  /** Copies of each partition; without it three, or as many as there are brokers. */
  readonly replicas?: number;
  /** How long an append may go unanswered, and reading goes on trying. */
  readonly timeout_ms?: number;
  readonly encryption?: LogEncryption;
}

const partitionDefaults = { raw: 1, control: 1, observations: 64, findings: 1, dead: 1 } as const;
/** A leader that died is replaced within seconds; a sender waits hardly longer for its answer. */
const timeoutDefault_ms = 10_000;
const metaLimit = 1 << 20;
const pendingBytes = 512;
const retry_ms = 250;
/** One request's worth: with what it holds compressed, a reader's usual question. */
const fetchBytes = { least: 64 << 10, most: 1 << 20 };
const maxDamage = 1_000;

/** @throws VedetteError `kafka_refused` naming the setting or topic to mend, UnavailableError `kafka_unavailable` */
export async function openKafkaLogHere(options: KafkaLogOptions, clock: Clock = systemClock): Promise<KafkaLog> {
  return await KafkaLog.open(options, clock);
}

/** What there is on the brokers, in a line; makes nothing. @throws as `openKafkaLogHere` */
export async function inspectKafkaLog(options: KafkaLogOptions): Promise<string> {
  const admin = await openAdmin(options);
  try {
    return await inspectTopics(admin, layoutOf(options), options.kafka);
  } finally {
    await admin.close().catch(() => {});
  }
}

const layoutOf = ({ prefix, replicas, partitions }: KafkaLogOptions): Layout => ({
  prefix,
  replicas,
  partitions: { ...partitionDefaults, ...partitions },
});
const openAdmin = ({ kafka, timeout_ms = timeoutDefault_ms }: KafkaLogOptions) =>
  kafkaAdmin(kafka, { retries: 1, retry_ms: 500, request_ms: timeout_ms });

export class KafkaLog implements Log, FrameSource {
  readonly #options: KafkaLogOptions & { readonly timeout_ms: number };
  readonly #clock: Clock;
  readonly #admin: KafkaAdmin;
  readonly #writer: KafkaWriter;
  readonly #reader: KafkaReader;
  readonly #tail: Tail;
  readonly #starts: Starts;
  readonly #ledgers: Ledgers;
  readonly #partitions: ReadonlyMap<string, KafkaPartition>;
  readonly #cache = new TailCache(segmentLogDefaults.cacheBytes);
  readonly #damage = new Map<string, DamageEntry>();
  readonly #seals: Seals;
  /** Keys of sealed frames are derived by it. */
  readonly #salt = new Uint8Array(SALT_BYTES);
  readonly #frame = new GroupBuffer();
  readonly #closing = new AbortController();
  #waiting = 0;
  #inFlight = 0;
  #idle: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  private constructor(
    options: KafkaLogOptions,
    clock: Clock,
    layout: Layout,
    clients: { admin: KafkaAdmin; reader: KafkaReader; tailing: KafkaReader; starts: Starts },
  ) {
    this.#starts = clients.starts;
    this.#options = { ...options, timeout_ms: options.timeout_ms ?? timeoutDefault_ms };
    this.#clock = clock;
    this.#admin = clients.admin;
    this.#reader = clients.reader;
    randomFillSync(this.#salt);
    this.#seals = new Seals(options.encryption ?? noEncryption, (into) => void randomFillSync(into));
    this.#partitions = new Map(
      topics.flatMap((topic) =>
        Array.from({ length: layout.partitions[topic] }, (_, number) => {
          const made = new KafkaPartition(topic, number, topicName(layout, topic));
          return [made.key, made] as const;
        }),
      ),
    );
    const { timeout_ms } = this.#options;
    this.#writer = new KafkaWriter({
      connection: options.kafka,
      starts: this.#starts,
      clock,
      timeout_ms,
      groupBytes: segmentLogDefaults.groupBytes,
    });
    this.#tail = new Tail(clients.tailing, {
      clock,
      took: (at, { messages }) => {
        for (const message of messages) this.#keep(at, message);
      },
    });
    this.#ledgers = new Ledgers({
      reader: this.#reader,
      writer: this.#writer,
      clock,
      topic: topicName(layout, "positions"),
      partition: (key) => this.#partitions.get(key),
      patiently: (work) => this.#patiently(work),
    });
  }

  static async open(options: KafkaLogOptions, clock: Clock): Promise<KafkaLog> {
    const { kafka, timeout_ms = timeoutDefault_ms } = options;
    const layout = layoutOf(options);
    const admin = await openAdmin(options);
    try {
      await ensureTopics(admin, layout, kafka, clock);
    } catch (error) {
      await admin.close().catch(() => {});
      throw error;
    }
    const names = [...topics, "positions" as const].map((topic) => topicName(layout, topic));
    const starts = new Starts();
    const open = () => KafkaReader.open(kafka, names, timeout_ms, starts);
    const log = new KafkaLog(options, clock, layout, { admin, reader: await open(), tailing: await open(), starts });
    const place = { topic: topicName(layout, "positions"), partition: 0 };
    try {
      await log.#patiently(() => starts.load(log.#reader, place, ({ topic, partition }) => log.#at(topic, partition).place));
    } catch (error) {
      await log.close();
      throw error;
    }
    return log;
  }

  #at(topic: Topic, partition: number): KafkaPartition {
    const found = this.#partitions.get(`${topic}/${partition}`);
    if (found === undefined) throw new BadInputError("bad_request", `There is no partition ${partition} of topic ${topic}.`);
    return found;
  }

  append(topic: Topic, partition: number, batch: Uint8Array, options?: AppendOptions): Promise<number> {
    return this.appendOwned(topic, partition, batch, options);
  }

  /** As `append`; the bytes are not read any more when it returns. */
  async appendOwned(topic: Topic, partition: number, batch: Uint8Array, options?: AppendOptions): Promise<number> {
    if (this.#closed !== undefined) throw closedError();
    const at = this.#at(topic, partition);
    const meta = encodeOptions(options);
    if (batch.length > segmentLogDefaults.batchBytes || (meta?.length ?? 0) > metaLimit)
      throw new BadInputError("too_large", `A batch of ${batch.length} bytes is over the log's cap of ${segmentLogDefaults.batchBytes}.`);
    const cost = batch.length + (meta?.length ?? 0) + pendingBytes;
    if (this.#waiting > 0 && this.#waiting + cost > segmentLogDefaults.queueBytes)
      throw new UnavailableError("backpressure", `${this.#waiting} bytes wait to be made durable.`);
    this.#waiting += cost;
    this.#inFlight++;
    try {
      const sequence = this.#ledgers.sequence();
      const value = this.#encode({ offset: 0, sequence, payload: batch, meta, snapshot: false });
      if (meta !== undefined && !this.#ledgers.tracks(at)) await this.#ledgers.start(at);
      const offset = await this.#writer.append(at.name, at.number, value);
      this.#ledgers.appended(at, offset, value.length, meta && decodeMeta(Buffer.from(meta)), sequence);
      at.keep({ offset, value }, this.#cache);
      at.reaches(offset + 1);
      return offset;
    } finally {
      this.#waiting -= cost;
      if (--this.#inFlight === 0) this.#idle?.();
    }
  }

  #encode(frame: FrameInput): Buffer {
    encodeFrame(this.#frame, frame, this.#salt, 0, this.#seals);
    const value = Buffer.from(this.#frame.content());
    this.#frame.reset(1 << 20);
    return value;
  }

  #keep(at: KafkaPartition, message: Message): void {
    this.#ledgers.saw(at, message);
    at.keep(message, this.#cache);
  }

  /** Where no broker answers it gives nothing, after a while: the reader then waits. */
  async read(topic: Topic, partition: number, from: number, maxBytes: number): Promise<readonly (Entry | Damaged)[]> {
    this.#mustBeOpen();
    const at = this.#at(topic, partition);
    const held = this.#decodeHeld(at, from, maxBytes);
    if (held.length > 0 || (from >= at.end && this.#tail.follows(at))) return held;
    try {
      return this.#decode(at, await this.#patiently(() => this.#fetch(at, from, maxBytes)), maxBytes);
    } catch (error) {
      this.#mustBeOpen();
      if ((error as VedetteError).code !== "kafka_unavailable") throw error;
      return [];
    }
  }

  /** Messages from `from` on, or from the start where that is behind it. */
  async #fetch(at: KafkaPartition, from: number, maxBytes: number): Promise<readonly Message[]> {
    const bytes = Math.min(fetchBytes.most, Math.max(fetchBytes.least, maxBytes));
    const bounds = from < at.end ? undefined : await this.#reader.bounds(at.place);
    if (bounds !== undefined) {
      at.reaches(bounds.end);
      if (from >= bounds.end) return [];
    }
    const ask = async (begin: number) => {
      const found = await this.#reader.fetch({ ...at.place, from: begin, maxBytes: bytes });
      return (found?.messages ?? []).filter(({ offset }) => offset >= begin);
    };
    if (bounds !== undefined) return await ask(Math.max(from, bounds.start));
    try {
      return await ask(from);
    } catch (error) {
      const { start } = await this.#reader.bounds(at.place);
      if (from >= start) throw error;
      return await ask(start);
    }
  }

  #decodeHeld(at: KafkaPartition, from: number, maxBytes: number): (Entry | Damaged)[] {
    const found: (Entry | Damaged)[] = [];
    let room = maxBytes;
    for (let offset = from; room > 0 || found.length === 0; offset++) {
      const frame = at.frames.get(offset);
      if (frame === undefined) break;
      const entry = this.#open(at, offset, Buffer.from(frame.buffer, frame.byteOffset, frame.length));
      found.push(entry);
      if ("bytes" in entry) room -= entry.bytes.length;
    }
    return found;
  }

  /** As many as were asked for; the rest is kept for who asks next. */
  #decode(at: KafkaPartition, messages: readonly Message[], maxBytes: number): (Entry | Damaged)[] {
    const found: (Entry | Damaged)[] = [];
    let room = maxBytes;
    for (const message of messages) {
      if (room > 0 || found.length === 0) {
        this.#ledgers.saw(at, message);
        at.sizes.seen(message.offset, message.value.length);
        const entry = this.#open(at, message.offset, message.value);
        found.push(entry);
        if ("bytes" in entry) room -= entry.bytes.length;
      } else this.#keep(at, message);
    }
    const last = messages.at(-1);
    if (last !== undefined) at.reaches(last.offset + 1);
    return found;
  }

  #open(at: KafkaPartition, offset: number, value: Buffer): Entry | Damaged {
    const header = decodeFrameHeader(value, 0, undefined);
    const bytes = header === undefined ? "no frame of this log" : decodePayload(value, 0, header, this.#seals);
    if (typeof bytes !== "string") return { offset, bytes };
    const where = `${at.name}/${at.number}@${offset}`;
    if (this.#damage.size < maxDamage)
      this.#damage.set(where, { topic: at.topic, partition: at.number, where, reason: bytes, bytes: value.length });
    return { offset, damaged: bytes };
  }

  async wait(topic: Topic, partition: number, offset: number, signal: AbortSignal): Promise<void> {
    this.#mustBeOpen();
    await this.#tail.wait(this.#at(topic, partition), offset, signal);
  }

  async bounds(topic: Topic, partition: number): Promise<{ readonly start: number; readonly end: number }> {
    const at = this.#at(topic, partition);
    const bounds = await this.#patiently(() => this.#reader.bounds(at.place));
    at.reaches(bounds.end);
    return bounds;
  }

  async frames(topic: Topic, partition: number, from: number, maxBytes: number): Promise<readonly Frame[]> {
    const at = this.#at(topic, partition);
    const messages = await this.#patiently(() => this.#fetch(at, from, maxBytes));
    return messages.map(({ offset, value }) => {
      const header = decodeFrameHeader(value, 0, undefined);
      const entry = this.#open(at, offset, value);
      const payload = "bytes" in entry ? entry.bytes : entry.damaged;
      return { offset, sequence: header?.sequence ?? 0, meta: header && metaOf(value, header), payload };
    });
  }
  async snapshot(topic: Topic, partition: number): ReturnType<FrameSource["snapshot"]> {
    return await this.#ledgers.snapshot(this.#at(topic, partition));
  }
  /** By what this log is told from another under the same name. */
  async identity(): Promise<string> {
    const { name } = this.#at("raw", 0);
    const { topics: found } = await this.#patiently(() => this.#admin.metadata({ topics: [name] }));
    return `${name} ${found.get(name)?.id}`;
  }

  /** What a log begins at that goes on where another ended; nothing was appended yet. @param of by which the same is known again */
  async beginAt(of: string, offsets: readonly StartsAt[]): Promise<void> {
    const topic = topicName(layoutOf(this.#options), "positions");
    await this.#writer.append(topic, 0, this.#starts.encode(of, offsets), Starts.key);
    await this.#starts.load(this.#reader, { topic, partition: 0 }, (one) => this.#at(one.topic, one.partition).place);
  }
  /** The `of` of `beginAt`; undefined for a log that began with nothing. */
  get goesOnFrom(): string | undefined {
    return this.#starts.from;
  }
  /** A batch that nothing can be read of. */
  async appendNothing(topic: Topic, partition: number): Promise<number> {
    const at = this.#at(topic, partition);
    return await this.#writer.append(at.name, at.number, Buffer.alloc(0));
  }
  async adopt(topic: Topic, partition: number, ledger: Ledger, next: number): Promise<void> {
    await this.#ledgers.adopt(this.#at(topic, partition), ledger, next);
  }

  async positions(): Promise<ReadonlyMap<string, string>> {
    return newestPositions(await this.#ledgers.current());
  }
  async counts(): Promise<ReadonlyMap<string, number>> {
    return sumCounts(await this.#ledgers.current());
  }

  /** Drops up to the offset, as far as so many stored bytes behind it have passed by here; what was there before counts as older. */
  async retain(topic: Topic, partition: number, before: number, keepBytes: number): Promise<void> {
    const at = this.#at(topic, partition);
    await this.#ledgers.retaining(at, 0);
    const keeping = at.sizes.keeping(keepBytes);
    if (keeping === undefined) return;
    const { start, end } = await this.bounds(topic, partition);
    const drop = Math.min(before, keeping, end - 1);
    if (drop <= start) return;
    // what the dropped ones say must be known without them
    await this.#ledgers.retaining(at, drop);
    const offset = BigInt(drop - this.#starts.of(at.name, at.number));
    const topicsToCut = [{ name: at.name, partitions: [{ partition: at.number, offset }] }];
    await this.#patiently(() => this.#admin.deleteRecords({ topics: topicsToCut }));
    for (const offset of [...at.frames.keys()]) if (offset < drop) at.frames.delete(offset);
  }

  /** Other processes may seal by an older key a while yet: nobody can say here where its frames end. */
  async encrypt(encryption: LogEncryption): Promise<undefined> {
    this.#mustBeOpen();
    this.#seals.change(encryption);
  }

  async damage(): ReturnType<Log["damage"]> {
    return [...this.#damage.values()];
  }

  #mustBeOpen(): void {
    if (this.#closed !== undefined) throw closedError();
  }

  /** Tries again until a broker answers. @throws `kafka_unavailable` or `kafka_refused` once the time is over, `log_closed` */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const end = this.#clock.now() + this.#options.timeout_ms * 1_000;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (this.#closing.signal.aborted) throw closedError();
        const known = kafkaError(error, this.#options.kafka, "kafka");
        if (known.permanent || this.#clock.now() >= end) throw known;
        this.#reader.forget();
        await this.#clock.sleep(retry_ms, this.#closing.signal);
      }
    }
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await new Promise<void>((resolve) => {
        if (this.#inFlight === 0) resolve();
        else this.#idle = resolve;
      });
      await this.#writer.close();
      this.#closing.abort();
      await this.#tail.close();
      await this.#reader.close();
      await this.#admin.close().catch(() => {});
    })();
    return this.#closed;
  }
}
