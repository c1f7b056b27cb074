/** Cuts a whole body into records by what it contains: NDJSON, a JSON array, JSON documents, or lines. Knows no protocol. */
import type { RawRecord } from "@vedette/model";
import { Batch, badJson, keptBytes, rawRecord } from "./batch.ts";
import { DocumentCutter, shapeOf } from "./documents.ts";
import { scanValue, skipSpace } from "./json_scan.ts";
import { type Cutter, encodingOf, LineCutter } from "./lines.ts";

export interface CutBodyOptions {
  /** Positions are `<token>:<offset>`. */
  readonly token: string;
  readonly maxRecordBytes: number;
  readonly peer: string | undefined;
}

/** Batches in order; blank lines are left out, what is not what the rest is becomes a flawed record. */
export function* cutBody(body: Buffer, options: CutBodyOptions): Generator<Batch> {
  const { encoding, mark } = encodingOf(body);
  const { token, maxRecordBytes: maxBytes, peer } = options;
  const document = encoding === "bytes" && shapeOf(body.subarray(mark), true, Number.POSITIVE_INFINITY) === "document";
  const json = document || isJson(body, mark);
  let cutter: Cutter = document ? new DocumentCutter({ token, maxBytes }) : new LineCutter({ token, maxBytes, encoding });
  let at = mark;
  while (at < body.length) {
    const cut = new Batch();
    const consumed = cutter.cut(body.subarray(at), at, cut, true);
    at += consumed;
    const batch = json || peer !== undefined ? checked(cut, json, peer) : cut;
    if (!batch.empty) yield batch;
    if (cutter instanceof DocumentCutter && cutter.failed) cutter = new LineCutter({ token, maxBytes });
    else if (consumed === 0) break;
  }
}

/** Whether the first record begins as JSON records do. */
function isJson(body: Buffer, from: number): boolean {
  const at = skipSpace(body, from, body.length);
  if (body[at] === 0x7b) return true;
  // `[Wed Oct 11 …] message` is a line, not an array.
  const lineEnd = body.indexOf(0x0a, at);
  return body[at] === 0x5b && scanValue(body, at, lineEnd < 0 ? body.length : lineEnd) > 0;
}

function checked(cut: Batch, json: boolean, peer: string | undefined): Batch {
  const batch = new Batch(cut.preamble);
  for (const record of cut.records) {
    const { body, position } = record;
    const start = skipSpace(body, 0, body.length);
    if (record.flaw === undefined && start === body.length) continue;
    const flaw = record.flaw ?? (json && !isOneValue(body, start) ? badJson : undefined);
    batch.push(rawRecord(position, flaw === undefined ? body : body.subarray(0, keptBytes), flaw, undefined, peer));
  }
  return batch;
}

function isOneValue(body: Uint8Array, start: number): boolean {
  if (body[start] !== 0x7b && body[start] !== 0x5b) return false;
  const end = scanValue(body, start, body.length);
  return end > 0 && skipSpace(body, end, body.length) === body.length;
}

/** How many of the records cannot be decoded. */
export const flawed = (records: readonly RawRecord[]): number =>
  records.reduce((count, record) => count + (record.flaw === undefined ? 0 : 1), 0);
