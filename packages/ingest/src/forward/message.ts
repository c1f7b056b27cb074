/** A message of the forward protocol (v1: Message, Forward, PackedForward, CompressedPackedForward) as raw records of JSON. Knows no connection. */
import { idOf } from "@vedette/kit";
import type { Flaw, RawRecord } from "@vedette/model";
import { flawedRecord, rawRecord } from "../batch.ts";
import { type BodyCaps, readBody } from "../body.ts";
import { Binary, EventTime, NotMsgpack, ValueReader } from "./msgpack.ts";

export interface ForwardMessage {
  readonly tag: string;
  /** The sender's name for it, to be given back when it is durable. */
  readonly chunk: string | undefined;
  readonly compressed: string | undefined;
  /** `[time, record]` each, or those one after another as bytes. */
  readonly entries: readonly unknown[] | Buffer;
}

const notEntry: Flaw = { code: "bad_request", expected: "an entry [time, record] of the forward protocol" };
/** Fluentd's chunk ids are 24 letters, Fluent Bit's 32. */
const maxChunkLength = 256;

const textOf = (value: unknown): string | undefined =>
  value instanceof Binary ? value.toJSON() : typeof value === "string" ? value : undefined;
const isMap = (value: unknown): value is { [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Binary) && !(value instanceof EventTime);

/**
 * What the bytes of one whole value say; undefined if it is no message.
 * @throws NotMsgpack
 */
export function readForward(bytes: Buffer): ForwardMessage | undefined {
  const value = new ValueReader(bytes).read();
  if (!Array.isArray(value) || value.length < 2 || value.length > 4) return undefined;
  const tag = textOf(value[0]);
  if (tag === undefined) return undefined;
  // Fluentd before 0.14 says packed entries as a text, which must not be read as one.
  const second = typeof value[1] === "string" ? (new ValueReader(bytes, true).read() as unknown[])[1] : (value[1] as unknown);
  const single = !Array.isArray(second) && !(second instanceof Binary);
  if (single && value.length < 3) return undefined;
  const option: unknown = value[single ? 3 : 2];
  const told = isMap(option) ? option : {};
  const chunk = textOf(told["chunk"]);
  const entries = single ? [[second, value[2]]] : second instanceof Binary ? second.bytes : (second as readonly unknown[]);
  return {
    tag,
    chunk: chunk === undefined || chunk.length > maxChunkLength ? undefined : chunk,
    compressed: second instanceof Binary ? textOf(told["compressed"]) : undefined,
    entries,
  };
}

export interface ForwardOptions {
  /** Positions of a message without a chunk are `<token>:<n>`. */
  readonly token: string;
  readonly maxRecordBytes: number;
  readonly peer: string | undefined;
  readonly caps: BodyCaps;
}

/** Every entry as a record; with a chunk they carry ids, so that what is sent again is known. What cannot be read is a flawed record. */
export async function* forwardRecords(message: ForwardMessage, options: ForwardOptions): AsyncGenerator<RawRecord> {
  const { tag, chunk, compressed } = message;
  const token = chunk === undefined ? options.token : idOf("forward", tag, chunk);
  let count = 0;
  const record = (bytes: Uint8Array, flaw?: Flaw): RawRecord => {
    const position = `${token}:${count++}`;
    if (flaw !== undefined || bytes.length > options.maxRecordBytes)
      return flawedRecord(position, bytes, flaw, options.maxRecordBytes, options.peer);
    return rawRecord(position, bytes, undefined, chunk === undefined ? undefined : position, options.peer);
  };
  const entry = (value: unknown): RawRecord => {
    const [time, fields] = Array.isArray(value) ? (value as readonly unknown[]) : [];
    if (!isMap(fields)) return record(Buffer.from(JSON.stringify(value ?? null)), notEntry);
    return record(Buffer.from(documentOf(tag, time, fields)));
  };
  let packed = message.entries;
  if (!Buffer.isBuffer(packed)) {
    for (const one of packed) yield entry(one);
    return;
  }
  if (compressed !== undefined && compressed !== "text") {
    const opened = await decompressed(packed, compressed, options.caps);
    if (!Buffer.isBuffer(opened)) {
      yield record(packed, opened);
      return;
    }
    packed = opened;
  }
  const reader = new ValueReader(packed);
  while (!reader.ended) {
    const from = reader.at;
    let value: unknown;
    try {
      value = reader.read();
    } catch (error) {
      if (!(error instanceof NotMsgpack)) throw error;
      yield record(packed.subarray(from), { ...notEntry, expected: `${notEntry.expected}: ${error.message}` });
      return;
    }
    yield entry(value);
  }
}

async function decompressed(bytes: Buffer, compressed: string, caps: BodyCaps): Promise<Buffer | Flaw> {
  async function* body() {
    yield bytes;
  }
  try {
    return await readBody({ headers: { "content-encoding": compressed }, body: body() }, caps);
  } catch (error) {
    return { code: "bad_encoding", expected: `entries compressed by gzip or zstd: ${(error as Error).message}` };
  }
}

/** The record as it came, with its time and tag beside its own members, which are never overwritten. */
function documentOf(tag: string, time: unknown, record: { readonly [key: string]: unknown }): string {
  const at = timeText(Array.isArray(time) ? time[0] : time);
  return JSON.stringify({
    ...(at === undefined || Object.hasOwn(record, "@timestamp") ? {} : { "@timestamp": at }),
    ...record,
    ...(Object.hasOwn(record, "fluent") ? {} : { fluent: { tag } }),
  });
}

/** Seconds since the epoch, or Fluent's own type; Fluent Bit 2 puts either in a list with the record's metadata. */
function timeText(time: unknown): string | undefined {
  if (time instanceof EventTime) return time.toJSON();
  // The last second of the year 9999, beyond which RFC 3339 has no words.
  if (typeof time !== "number" || !(time > 0 && time < 253_402_300_800)) return undefined;
  return new EventTime(Math.floor(time), Math.floor((time % 1) * 1e9)).toJSON();
}
