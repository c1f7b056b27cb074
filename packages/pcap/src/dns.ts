/** A DNS message (RFC 1035) as Zeek's dns log tells it. Knows no transport. */
import { groups } from "./address.ts";

export interface DnsMessage {
  readonly id: number;
  readonly response: boolean;
  readonly query: string;
  readonly qtype: number;
  readonly qclass: number;
  readonly rcode: number;
  readonly flags: { readonly AA: boolean; readonly TC: boolean; readonly RD: boolean; readonly RA: boolean };
  readonly answers: readonly string[];
  readonly ttls: readonly number[];
}

/** RFC 1035, section 3.1. */
const maxName = 255;
/** A name of 255 bytes has at most 127 labels, each reached by a pointer at worst. */
const maxSteps = 255;
const maxAnswers = 64;
const maxText = 1_024;

const types: ReadonlyMap<number, string> = new Map([
  [1, "A"],
  [2, "NS"],
  [5, "CNAME"],
  [6, "SOA"],
  [12, "PTR"],
  [15, "MX"],
  [16, "TXT"],
  [28, "AAAA"],
  [33, "SRV"],
  [43, "DS"],
  [46, "RRSIG"],
  [48, "DNSKEY"],
  [64, "SVCB"],
  [65, "HTTPS"],
  [255, "*"],
]);
const codes = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
export const typeName = (type: number): string => types.get(type) ?? `query-${type}`;
export const codeName = (code: number): string => codes[code] ?? `unassigned-${code}`;

/** Undefined for what is no message with one question. */
export function dnsOf(bytes: Buffer): DnsMessage | undefined {
  if (bytes.length < 17 || bytes.readUInt16BE(4) !== 1) return undefined;
  const flags = bytes.readUInt16BE(2);
  // a standard query, and no reserved bit set: other traffic on the port nearly always fails here
  if (((flags >> 11) & 15) !== 0 || (flags & 0x40) !== 0) return undefined;
  const name = nameAt(bytes, 12);
  if (!name || name.end + 4 > bytes.length) return undefined;
  const found = { answers: [] as string[], ttls: [] as number[] };
  readAnswers(bytes, name.end + 4, Math.min(bytes.readUInt16BE(6), maxAnswers), found);
  return {
    id: bytes.readUInt16BE(0),
    response: (flags & 0x8000) !== 0,
    query: name.text,
    qtype: bytes.readUInt16BE(name.end),
    qclass: bytes.readUInt16BE(name.end + 2) & 0x7fff,
    rcode: flags & 15,
    flags: { AA: (flags & 0x400) !== 0, TC: (flags & 0x200) !== 0, RD: (flags & 0x100) !== 0, RA: (flags & 0x80) !== 0 },
    ...found,
  };
}

function readAnswers(bytes: Buffer, start: number, count: number, into: { answers: string[]; ttls: number[] }): void {
  let at = start;
  for (let n = 0; n < count; n++) {
    const name = nameAt(bytes, at);
    if (!name || name.end + 10 > bytes.length) return;
    const length = bytes.readUInt16BE(name.end + 8);
    const from = name.end + 10;
    if (from + length > bytes.length) return;
    const text = dataOf(bytes, bytes.readUInt16BE(name.end), from, length);
    if (text !== undefined) {
      into.answers.push(text.slice(0, maxText));
      into.ttls.push(bytes.readUInt32BE(name.end + 4));
    }
    at = from + length;
  }
}

function dataOf(bytes: Buffer, type: number, from: number, length: number): string | undefined {
  if (type === 1 && length === 4) return bytes.subarray(from, from + 4).join(".");
  if (type === 28 && length === 16) return groups(bytes.subarray(from, from + 16));
  if (type === 2 || type === 5 || type === 12) return nameAt(bytes, from)?.text;
  if (type === 15 && length > 2) return nameAt(bytes, from + 2)?.text;
  if (type === 16 && length > 1) return `TXT ${length - 1} ${bytes.toString("latin1", from + 1, from + length)}`;
  return undefined;
}

/** A name with its compression undone: pointers may only lead back, and not for ever. */
function nameAt(bytes: Buffer, start: number): { readonly text: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let length = 0;
  let end: number | undefined;
  let at = start;
  for (let steps = 0; steps < maxSteps; steps++) {
    const size = bytes[at];
    if (size === undefined) return undefined;
    if (size === 0) return { text: labels.join(".").toLowerCase(), end: end ?? at + 1 };
    if ((size & 0xc0) === 0xc0) {
      if (at + 2 > bytes.length) return undefined;
      const to = bytes.readUInt16BE(at) & 0x3fff;
      end ??= at + 2;
      if (to >= at) return undefined;
      at = to;
      continue;
    }
    length += size + 1;
    if (size > 63 || length > maxName || at + 1 + size > bytes.length) return undefined;
    labels.push(bytes.toString("latin1", at + 1, at + 1 + size));
    at += 1 + size;
  }
  return undefined;
}
