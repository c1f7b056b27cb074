/** One record of the chain as a line of text: header, its hash, body. Knows no file and no key. See docs/format/audit.md. */
import { hash } from "node:crypto";
import type { Micros } from "@vedette/model";

/** What the chain is made of. The header holds the body's digest only, so that a body may be erased and the chain still holds. */
interface Header {
  /** Sequence number, from 0. */
  readonly n: number;
  readonly t: Micros;
  /** Hash of the record before; empty for the first. */
  readonly p: string;
  /** Digest of the body. */
  readonly b: string;
}

/** Where a record stands in the chain. */
export interface Link {
  readonly n: number;
  readonly time: Micros;
  /** SHA-256 of the header, base64url. */
  readonly hash: string;
}

/** What the next record is chained to; `undefined` before the first. */
export type Last = Link | undefined;

export interface Line extends Link {
  readonly previous: string;
  /** As it is in the file, UTF-8: JSON, or a tombstone. */
  readonly body: Buffer;
  /** Whether the body is the one that was chained. */
  readonly whole: boolean;
}

/** What a line that is no record of the chain has wrong with it. */
export interface NoLine {
  readonly flaw: string;
}

export const digestOf = (bytes: string | Uint8Array): string => hash("sha256", bytes, "base64url");

/** The line of the next record, newline included. */
export function lineOf(last: Last, time: Micros, body: string): { readonly text: string; readonly link: Link } {
  const header: Header = { n: last === undefined ? 0 : last.n + 1, t: time, p: last?.hash ?? "", b: digestOf(body) };
  const text = JSON.stringify(header);
  const own = digestOf(text);
  return { text: `${text}\t${own}\t${body}\n`, link: { n: header.n, time, hash: own } };
}

const tab = "\t";
/** Of a digest. */
const digestLength = 43;
/** The header and its hash with the longest numbers there can be. */
const maxBeforeBody = 220;

/** Reads one line, without its newline. */
export function readLine(bytes: Buffer): Line | NoLine {
  const text = bytes.toString("latin1", 0, maxBeforeBody);
  const end = text.indexOf(tab);
  const bodyAt = end + digestLength + 2;
  if (end < 0 || text[bodyAt - 1] !== tab) return { flaw: "it is not a record" };
  const hash = text.slice(end + 1, bodyAt - 1);
  if (digestOf(bytes.subarray(0, end)) !== hash) return { flaw: "its header was changed" };
  const header = readHeader(text.slice(0, end));
  if (header === undefined) return { flaw: "its header is not one" };
  const body = bytes.subarray(bodyAt);
  return { n: header.n, time: header.t, hash, previous: header.p, body, whole: digestOf(body) === header.b };
}

/** The header as `lineOf` writes it, by where its parts stand: proving a chain is reading headers and little else. */
function readHeader(text: string): Header | undefined {
  const time = text.indexOf(',"t":');
  const previous = text.indexOf(',"p":"', time);
  const body = text.length - digestLength - 9;
  if (time < 0 || body < previous) return undefined;
  if (!text.startsWith('{"n":') || !text.startsWith('","b":"', body) || !text.endsWith('"}')) return undefined;
  const n = wholeNumber(text, 5, time);
  const t = wholeNumber(text, time + 5, previous);
  if (!Number.isSafeInteger(n) || !Number.isSafeInteger(t)) return undefined;
  return { n, t, p: text.slice(previous + 6, body), b: text.slice(body + 7, -2) };
}

function wholeNumber(text: string, from: number, to: number): number {
  if (to <= from) return Number.NaN;
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = 10 * value + digit;
  }
  return value;
}
