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

const tab = 9;
/** `{"n":N,"t":T,"p":"…43","b":"…43"}` with the longest numbers there can be. */
const maxHeader = 160;

/** Reads one line, without its newline. */
export function readLine(bytes: Buffer): Line | NoLine {
  const first = bytes.indexOf(tab);
  const second = first < 0 ? -1 : bytes.indexOf(tab, first + 1);
  if (second < 0 || first > maxHeader) return { flaw: "it is not a record" };
  const text = bytes.subarray(0, first);
  const own = bytes.toString("latin1", first + 1, second);
  if (digestOf(text) !== own) return { flaw: "its header was changed" };
  let header: Header;
  try {
    header = JSON.parse(text.toString("latin1")) as Header;
  } catch {
    return { flaw: "its header is not JSON" };
  }
  const { n, t, p, b } = header;
  if (!Number.isSafeInteger(n) || !Number.isSafeInteger(t) || typeof p !== "string" || typeof b !== "string")
    return { flaw: "its header is incomplete" };
  const body = bytes.subarray(second + 1);
  return { n, time: t, hash: own, previous: p, body, whole: digestOf(body) === b };
}
