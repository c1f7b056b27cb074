/** The bytes of one batch in the raw topic: records with everything that decides how they decode. Stored format, docs/format/raw.md. */
import type { Flaw, Micros } from "@vedette/model";

/** Records that came the same way and decode the same way. */
export interface Run {
  readonly stream: string;
  readonly format: string;
  readonly config?: unknown;
  readonly peer?: string;
  readonly preamble?: string;
  readonly count: number;
}

/** What makes a batch a canary, see canary/mark.ts. */
export interface CanaryMark {
  readonly rule: string;
  readonly nonce: string;
  /** The receive time. */
  readonly at: Micros;
  /** HMAC-SHA-256 by the installation's key, base64url. */
  readonly mac: string;
}

export interface RecordsHeader {
  readonly kind: "records";
  readonly version: 1;
  /** Content hash of the program (rules, detectors) in force; a re-run uses the same. Written before anything a sender chose: `programOf` relies on it. */
  readonly program: string;
  /** Right after the program: `hasMark` relies on it. */
  readonly canary?: CanaryMark;
  readonly tenant: string;
  readonly source: string;
  readonly received: Micros;
  readonly demo: boolean;
  /** Events of the past, loaded after the fact. */
  readonly historical?: true;
  /** Sequence number of the first record within the source. */
  readonly seq: number;
  readonly runs: readonly Run[];
  readonly positions: readonly string[];
  /** Sender ids by record index, where there are any. */
  readonly ids?: { readonly [index: number]: string };
  readonly flaws?: { readonly [index: number]: Flaw };
  /** Records that the source knows to be lost on their way, by reason. */
  readonly lost?: { readonly [reason: string]: number };
}

/** Appended each second: makes silence and idle sources functions of the log. */
export interface TickHeader {
  readonly kind: "tick";
  readonly version: 1;
  readonly wall: Micros;
}

export interface RecordsBatch {
  readonly header: RecordsHeader;
  readonly bodies: readonly Buffer[];
}
export interface TickBatch {
  readonly header: TickHeader;
}

/** [u32 header length][header JSON][u32 body length]*n [bodies], little-endian. */
export function encodeRecords(header: RecordsHeader, bodies: readonly Uint8Array[]): Uint8Array {
  const head = Buffer.from(JSON.stringify(header));
  let size = 4 + head.length + 4 * bodies.length;
  for (const b of bodies) size += b.length;
  const out = Buffer.allocUnsafeSlow(size);
  out.writeUInt32LE(head.length, 0);
  head.copy(out, 4);
  let at = 4 + head.length;
  for (const b of bodies) at = out.writeUInt32LE(b.length, at);
  for (const b of bodies) {
    out.set(b, at);
    at += b.length;
  }
  return out;
}

export function encodeTick(wall: Micros): Uint8Array {
  const head = Buffer.from(JSON.stringify({ kind: "tick", version: 1, wall } satisfies TickHeader));
  const out = Buffer.allocUnsafeSlow(4 + head.length);
  out.writeUInt32LE(head.length, 0);
  head.copy(out, 4);
  return out;
}

/** Of headers that this version reads. */
export const rawFormat = 1;
/** The version that a batch says it is of, whatever else is in it: all begin alike. */
export function versionOf(bytes: Uint8Array): number | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 80)).toString("latin1", 4);
  const version = /^\{"kind":"[a-z]{1,20}","version":(\d{1,9})[,}]/.exec(head)?.[1];
  return version === undefined ? undefined : Number(version);
}

/** Bodies are views of `bytes`. Throws a plain Error for bytes this version did not write: the caller reports the batch as damaged. */
export function decodeBatch(bytes: Uint8Array): RecordsBatch | TickBatch {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = buffer.readUInt32LE(0);
  const header = JSON.parse(buffer.toString("utf8", 4, 4 + length)) as RecordsHeader | TickHeader;
  if (header.version !== rawFormat) throw new Error(`raw batch of version ${header.version}; this program reads version ${rawFormat}`);
  if (header.kind === "tick") return { header };
  const n = header.positions.length;
  const bodies: Buffer[] = new Array(n);
  let at = 4 + length + 4 * n;
  for (let i = 0; i < n; i++) {
    const size = buffer.readUInt32LE(4 + length + 4 * i);
    bodies[i] = buffer.subarray(at, at + size);
    at += size;
  }
  return { header, bodies };
}

/** The program hash of a records batch without decoding the rest; undefined for ticks and for bytes that are no batch. */
export function programOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 160)).toString("latin1", 4);
  return /^\{"kind":"records","version":1,"program":"([^"]*)"/.exec(head)?.[1];
}

/** Whether a records batch bears a canary's mark, genuine or not, without decoding it. */
export function hasMark(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 160)).toString("latin1", 4);
  return /^\{"kind":"records","version":1,"program":"[^"]*","canary":/.test(head);
}

/** The wall time of a tick, without decoding a batch of records; undefined for anything else. */
export function tickOf(bytes: Uint8Array): Micros | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 80)).toString("latin1", 4);
  const wall = /^\{"kind":"tick","version":1,"wall":(\d+)\}$/.exec(head)?.[1];
  return wall === undefined ? undefined : Number(wall);
}
