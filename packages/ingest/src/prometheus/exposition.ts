/** Cuts a scrape's text into raw records at line ends; a record that begins within a family begins with its TYPE. Knows no value. */
import type { RawRecord } from "@vedette/model";
import { flawedRecord, rawRecord } from "../batch.ts";

export interface ExpositionOptions {
  /** Positions are `<token>:<n>`. */
  readonly token: string;
  readonly maxRecordBytes: number;
  readonly peer: string | undefined;
}

/** A raw record is closed beyond it. */
const enough = 65_536;
const newline = 0x0a;
const typeWord = Buffer.from("# TYPE ");

export function* cutExposition(body: Buffer, { token, maxRecordBytes, peer }: ExpositionOptions): Generator<RawRecord> {
  let made = 0;
  const position = () => `${token}:${made++}`;
  let type: Buffer | undefined;
  let open: Buffer[] = [];
  let size = 0;
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf(newline, at);
    const line = body.subarray(at, end < 0 ? body.length : end + 1);
    at += line.length;
    const isType = line.subarray(0, typeWord.length).equals(typeWord);
    if (line.length > maxRecordBytes) {
      yield flawedRecord(position(), line, undefined, maxRecordBytes, peer);
      continue;
    }
    if (isType) type = line;
    // other comments say nothing that a sample needs
    else if (line[0] === 0x23) continue;
    if (size === 0 && type !== undefined && !isType) open.push(type);
    open.push(line);
    size += line.length;
    if (size < enough) continue;
    yield rawRecord(position(), Buffer.concat(open), undefined, undefined, peer);
    [open, size] = [[], 0];
  }
  if (size > 0) yield rawRecord(position(), Buffer.concat(open), undefined, undefined, peer);
}
