/** What is remembered of a file that was read: enough to know it again under any name, and where to go on. Does no I/O of its own. */
import { hash } from "node:crypto";
import type { DocumentState } from "../documents.ts";
import type { Opened } from "./opened.ts";

/** How the bytes are cut. */
export type Mode = "lines" | DocumentState;
const modes: readonly Mode[] = ["lines", "values", "array", "records"];

export interface Entry {
  /** First half of every record's position. */
  readonly token: string;
  /** Counts the files that one path has named. */
  readonly generation: number;
  /** Empty once the content left the inode (truncation): then only a copy of it can be known again. */
  readonly inode: string;
  /** Hash over the first `headLength` bytes. */
  readonly head: string;
  readonly headLength: number;
  /** Where to go on. */
  readonly offset: number;
  /** Hash over the `tailBytes` bytes before `offset`: content that only begins alike is told apart by it. */
  readonly tail: string;
  /** Byte range of the preamble; empty range: none. */
  readonly headerStart: number;
  readonly headerEnd: number;
  readonly mode: Mode;
  /** The last line was handed on before its end came. */
  readonly partial: boolean;
}

/** A fingerprint covers at most this much, as elsewhere (Vector, Filebeat: 1 KiB). */
export const headBytes = 1_024;
/** Two log files that agree on these bytes at the same offset, and on their heads, are the same log. */
export const tailBytes = 64;

export const shortHash = (bytes: Uint8Array | string) => hash("sha256", bytes, "base64url").slice(0, 16);

/** Files remembered per path: beyond any usual `rotate` count; the oldest are forgotten first. */
const maxEntries = 64;

/** The resume position of a stream: every file that its path has named and that may still be met. */
export function encodeEntries(entries: Iterable<Entry>): string {
  const files = [...entries]
    .slice(-maxEntries)
    .map((e) => [
      e.token,
      e.generation,
      e.inode,
      e.head,
      e.headLength,
      e.offset,
      e.tail,
      e.headerStart,
      e.headerEnd,
      modes.indexOf(e.mode),
      e.partial ? 1 : 0,
    ]);
  return JSON.stringify({ v: 1, files });
}

/** Undefined if the text is no position of this source: a person then decides, nothing is guessed. */
export function decodeEntries(text: string): Entry[] | undefined {
  let parsed: { readonly v?: unknown; readonly files?: unknown };
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (parsed?.v !== 1 || !Array.isArray(parsed.files)) return undefined;
  const entries: Entry[] = [];
  for (const row of parsed.files as unknown[]) {
    if (!Array.isArray(row) || row.length !== 11) return undefined;
    entries.push({
      token: String(row[0]),
      generation: Number(row[1]),
      inode: String(row[2]),
      head: String(row[3]),
      headLength: Number(row[4]),
      offset: Number(row[5]),
      tail: String(row[6]),
      headerStart: Number(row[7]),
      headerEnd: Number(row[8]),
      mode: modes[Number(row[9])] ?? "lines",
      partial: row[10] === 1,
    });
  }
  return entries;
}

/** Whether the file holds the content that the entry remembers, up to the entry's offset. */
export async function holds(file: Opened, entry: Entry): Promise<boolean> {
  const head = await readExactly(file, 0, entry.headLength);
  if (head === undefined || shortHash(head) !== entry.head) return false;
  const from = Math.max(0, entry.offset - tailBytes);
  const tail = await readExactly(file, from, entry.offset - from);
  return tail !== undefined && shortHash(tail) === entry.tail;
}

async function readExactly(file: Opened, at: number, length: number): Promise<Buffer | undefined> {
  const bytes = Buffer.alloc(length);
  return length === 0 || (await file.read(bytes, at)) === length ? bytes : undefined;
}
