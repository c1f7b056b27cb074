/** Records on their way to the intake, gathered until a batch is full. Knows no source. */
import { createHash, type Hash } from "node:crypto";
import type { Flaw, RawRecord } from "@vedette/model";

/** Most records in one `accept`: about what a worker decodes in 50 ms. */
const maxBatchRecords = 4_000;
/** Most body bytes in one `accept`: a write of 1 MB is made durable nearly as fast as one of 64 KB (reference C2). */
export const maxBatchBytes = 1_000_000;
/** What is kept of a record that is over its cap: as much as a dead letter holds. */
export const keptBytes = 65_536;

/** Makes a record with every member in place, so that all records share one hidden class. */
export const rawRecord = (position: string, body: Uint8Array, flaw?: Flaw, id?: string, peer?: string): RawRecord => ({
  position,
  body,
  id,
  peer,
  flaw,
});

/** Records of one stream that share a preamble. */
export class Batch {
  readonly records: RawRecord[] = [];
  preamble: string | undefined;
  #bytes = 0;

  constructor(preamble?: string) {
    this.preamble = preamble;
  }
  get full(): boolean {
    return this.records.length >= maxBatchRecords || this.#bytes >= maxBatchBytes;
  }
  get empty(): boolean {
    return this.records.length === 0;
  }
  push(record: RawRecord): void {
    this.records.push(record);
    this.#bytes += record.body.length;
  }
}

/** Records as they come, in batches as full as they may be. */
export function* batchesOf(records: Iterable<RawRecord>): Generator<Batch> {
  let batch = new Batch();
  for (const record of records) {
    batch.push(record);
    if (!batch.full) continue;
    yield batch;
    batch = new Batch();
  }
  if (!batch.empty) yield batch;
}

/** A record over its cap: its first bytes, its length and its hash are kept, the rest passes by. */
export class Oversize {
  readonly #position: string;
  readonly #limit: number;
  readonly #hash: Hash = createHash("sha256");
  readonly #kept: Uint8Array[] = [];
  #keptLength = 0;
  #length = 0;

  constructor(position: string, limit: number) {
    this.#position = position;
    this.#limit = limit;
  }
  add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#length += bytes.length;
    if (this.#keptLength >= keptBytes || bytes.length === 0) return;
    // A copy, so that the chunk it came in can be freed.
    const piece = Uint8Array.from(bytes.subarray(0, keptBytes - this.#keptLength));
    this.#kept.push(piece);
    this.#keptLength += piece.length;
  }
  record(): RawRecord {
    const expected = `at most ${this.#limit} bytes; this has ${this.#length}, SHA-256 ${this.#hash.digest("hex")}`;
    return rawRecord(this.#position, Buffer.concat(this.#kept), { code: "too_long", expected });
  }
}

export const badJson: Flaw = { code: "bad_json", expected: "one complete JSON value (RFC 8259)" };
export const tooDeepFlaw: Flaw = { code: "too_deep", expected: "JSON nested at most 64 levels deep" };

/** A dead letter: at most its first 64 KiB, without a sender's id, for a repaired record with that id may yet come. Too long where nothing else is wrong. */
export function flawedRecord(
  position: string,
  bytes: Uint8Array,
  flaw: Flaw | undefined,
  limit: number,
  peer: string | undefined,
): RawRecord {
  const oversize = new Oversize(position, limit);
  oversize.add(bytes);
  const { body, flaw: tooLong } = oversize.record();
  return rawRecord(position, body, flaw ?? tooLong, undefined, peer);
}
