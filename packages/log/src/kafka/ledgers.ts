/**
 * Positions and counts as the messages of every partition say them: from the newest snapshot on. A snapshot of a partition is written by
 * whoever retains it, so by one process; everybody reads it. Knows no stream by name.
 */
import type { Clock } from "@vedette/kit";
import { crc32c } from "../crc32c.ts";
import {
  decodeFrameHeader,
  decodeMeta,
  decodePayload,
  encodeFrame,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  GroupBuffer,
  type Meta,
  SALT_BYTES,
} from "../frame.ts";
import { Ledger } from "../ledger.ts";
import type { KafkaPartition } from "./partition.ts";
import type { Fetched, KafkaReader, Message, Wanted } from "./reader.ts";
import type { KafkaWriter } from "./writer.ts";

/** So many stored bytes may have to be read again before positions are known: a second or so. */
const snapshotEvery_bytes = 8 << 20;
const fetchBytes = 1 << 20;
const noSalt = new Uint8Array(SALT_BYTES);

interface Tracked {
  readonly at: KafkaPartition;
  ledger: Ledger;
  /** Everything before it is in the ledger. */
  next: number;
  /** Stored bytes taken in since the newest snapshot. */
  since: number;
}

export interface LedgersOptions {
  readonly reader: KafkaReader;
  readonly writer: KafkaWriter;
  readonly clock: Clock;
  /** The topic of snapshots, as Kafka names it. */
  readonly topic: string;
  /** The partition of `raw/3` and its like; undefined where there is none. */
  readonly partition: (key: string) => KafkaPartition | undefined;
  /** Asks until a broker answers, for as long as one may wait. */
  readonly patiently: <T>(work: () => Promise<T>) => Promise<T>;
}

export class Ledgers {
  readonly #options: LedgersOptions;
  readonly #tracked = new Map<string, Tracked>();
  readonly #starting = new Map<string, Promise<void>>();
  /** Next snapshot message to read. */
  #next = 0;
  #sequence = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: LedgersOptions) {
    this.#options = options;
  }

  /** Tells which of two partitions holds a stream's later position; a clock, so that it grows over processes too. */
  sequence(): number {
    this.#sequence = Math.max(this.#sequence + 1, this.#options.clock.now());
    return this.#sequence;
  }

  tracks(at: KafkaPartition): boolean {
    return this.#tracked.has(at.key);
  }

  /** Before the first batch with positions or counts of a partition: so that everybody reads it from there. */
  start(at: KafkaPartition): Promise<void> {
    if (this.#tracked.has(at.key)) return Promise.resolve();
    let starting = this.#starting.get(at.key);
    if (starting === undefined) {
      starting = this.#inTurn(async () => {
        await this.#snapshots();
        if (this.#tracked.has(at.key)) return;
        const { start } = await this.#options.patiently(() => this.#options.reader.bounds(at.place));
        const tracked: Tracked = { at, ledger: new Ledger(), next: start, since: 0 };
        await this.#write(tracked);
        this.#tracked.set(at.key, tracked);
      }).finally(() => this.#starting.delete(at.key));
      this.#starting.set(at.key, starting);
    }
    return starting;
  }

  /** What this process has appended itself. */
  appended(at: KafkaPartition, offset: number, bytes: number, meta: Meta | undefined, sequence: number): void {
    const tracked = this.#follows(at, offset);
    if (tracked !== undefined) this.#take(tracked, bytes, meta, sequence);
  }

  /** Every message that passes by, in whatever order: those that follow on what is known are taken in. */
  saw(at: KafkaPartition, { offset, value }: Message): void {
    const tracked = this.#follows(at, offset);
    if (tracked === undefined) return;
    const header = decodeFrameHeader(value, 0, undefined);
    this.#take(tracked, value.length, header && metaOf(value, header), header?.sequence ?? 0);
  }

  #follows(at: KafkaPartition, offset: number): Tracked | undefined {
    const tracked = this.#tracked.get(at.key);
    return tracked?.next === offset ? tracked : undefined;
  }

  #take(tracked: Tracked, bytes: number, meta: Meta | undefined, sequence: number): void {
    tracked.next++;
    tracked.since += bytes;
    if (meta !== undefined) tracked.ledger.apply(meta, sequence);
    this.#sequence = Math.max(this.#sequence, sequence);
  }

  /** Every partition's ledger, as the log is by now. */
  current(): Promise<readonly Ledger[]> {
    return this.#inTurn(async () => {
      await this.#snapshots();
      await Promise.all([...this.#tracked.values()].map((tracked) => this.#catchUp(tracked)));
      return [...this.#tracked.values()].map(({ ledger }) => ledger);
    });
  }

  /** Of the newest snapshot of a partition, as long as nothing of it was read here. */
  async snapshot(at: KafkaPartition): Promise<{ readonly ledger: Ledger; readonly next: number } | undefined> {
    await this.#inTurn(() => this.#snapshots());
    return this.#tracked.get(at.key);
  }

  /** What a partition that was filled from elsewhere has said up to an offset. */
  async adopt(at: KafkaPartition, ledger: Ledger, next: number): Promise<void> {
    const tracked: Tracked = { at, ledger, next, since: 0 };
    await this.#inTurn(() => this.#write(tracked));
    this.#tracked.set(at.key, tracked);
  }

  /** Before everything below `offset` is dropped, and from time to time. */
  retaining(at: KafkaPartition, dropBelow: number): Promise<void> {
    const tracked = this.#tracked.get(at.key);
    if (tracked === undefined || (dropBelow === 0 && tracked.since < snapshotEvery_bytes)) return Promise.resolve();
    return this.#inTurn(async () => {
      await this.#catchUp(tracked);
      await this.#write(tracked);
    });
  }

  /** One after the other: each rests on what the one before has read. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {});
    return mine;
  }

  async #catchUp(tracked: Tracked): Promise<void> {
    const { reader, patiently } = this.#options;
    const { end } = await patiently(() => reader.bounds(tracked.at.place));
    while (tracked.next < end) {
      const before = tracked.next;
      for (const message of (await this.#fetch({ ...tracked.at.place, from: before, maxBytes: fetchBytes })).messages) {
        // another's messages may be gone from below, or unreadable: they say nothing any more
        if (message.offset > tracked.next) tracked.next = message.offset;
        this.saw(tracked.at, message);
      }
      if (tracked.next === before) tracked.next++;
    }
  }

  async #fetch(wanted: Wanted): Promise<Fetched> {
    const { reader, patiently } = this.#options;
    return (await patiently(() => reader.fetch(wanted))) ?? { ...wanted, messages: [], end: wanted.from };
  }

  /** Takes in the snapshots that others have written meanwhile, where they know more. */
  async #snapshots(): Promise<void> {
    const { reader, topic, patiently } = this.#options;
    const place = { topic, partition: 0 };
    const { start, end } = await patiently(() => reader.bounds(place));
    this.#next = Math.max(this.#next, start);
    while (this.#next < end) {
      const { messages } = await this.#fetch({ ...place, from: this.#next, maxBytes: fetchBytes });
      const fresh = messages.filter(({ offset }) => offset >= this.#next);
      for (const { value } of fresh) this.#restore(value);
      // nothing more: the last ones were compacted away
      this.#next = fresh.length > 0 ? fresh.at(-1)!.offset + 1 : end;
    }
  }

  /** A snapshot is its partition's key, then one frame a part, each with the offset that comes next. */
  async #write({ at, ledger, next }: Tracked): Promise<void> {
    const out = new GroupBuffer();
    const key = Buffer.from(at.key, "latin1");
    out.grow(1 + key.length);
    out.bytes.writeUInt8(key.length, 0);
    key.copy(out.bytes, 1);
    for (const payload of ledger.snapshot()) {
      encodeFrame(out, { offset: next, sequence: ledger.sequence + 1, payload, meta: undefined, snapshot: true }, noSalt, 0);
    }
    await this.#options.writer.append(this.#options.topic, 0, Buffer.from(out.content()), at.key);
    const tracked = this.#tracked.get(at.key);
    if (tracked !== undefined) tracked.since = 0;
  }

  #restore(value: Buffer): void {
    const length = value.length > 0 ? value.readUInt8(0) : 0;
    const at = this.#options.partition(value.toString("latin1", 1, 1 + length));
    if (at === undefined) return;
    const ledger = new Ledger();
    let next = -1;
    for (let position = 1 + length; position < value.length; ) {
      const header = decodeFrameHeader(value, position, undefined);
      const body = header?.snapshot ? decodePayload(value, position, header) : undefined;
      if (header === undefined || body === undefined || typeof body === "string" || ledger.restore(body) === undefined) return;
      next = header.offset;
      position += header.bytes;
    }
    const known = this.#tracked.get(at.key);
    if (next < 0 || (known !== undefined && known.next >= next)) return;
    this.#tracked.set(at.key, { at, ledger, next, since: 0 });
    this.#sequence = Math.max(this.#sequence, ledger.sequence);
  }
}

/** undefined where the message says nothing besides its batch, or is damaged. */
export function metaOf(value: Buffer, header: FrameHeader): Meta | undefined {
  if (header.metaBytes === 0 || header.bytes > value.length) return undefined;
  if (crc32c(value, FRAME_HEADER_BYTES, header.bytes) !== header.bodyChecksum) return undefined;
  return decodeMeta(value.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + header.metaBytes));
}
