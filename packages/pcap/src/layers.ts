/** From a packet to what one host sent another: Ethernet with VLAN tags, Linux's own and bare links, IPv4, IPv6, TCP, UDP, ICMP. Knows no connection. */
import { groups } from "./address.ts";
import type { Packet } from "./container.ts";

export interface Segment {
  readonly proto: "tcp" | "udp" | "icmp";
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
  /** Of the IP packet, header included. */
  readonly ipBytes: number;
  /** Bytes of payload sent; `payload` holds those that were captured. */
  readonly length: number;
  readonly payload: Buffer;
  /** TCP only. */
  readonly seq: number;
  readonly flags: number;
  readonly vlan?: number;
}
export const flag = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;

/** Why a packet gives no segment: counted and told, never an error. */
export type Skipped = "no_ip" | "fragment" | "cut_short" | "other_protocol" | "unknown_link";

/** Bytes before the EtherType, by LINKTYPE. */
const typeAt: ReadonlyMap<number, number> = new Map([
  [1, 12],
  [113, 14],
  [276, 0],
]);
const headerOf: ReadonlyMap<number, number> = new Map([
  [1, 14],
  [113, 16],
  [276, 20],
]);
/** Bare IP: LINKTYPE_RAW and its older numbers, IPV4, IPV6. */
const bare = new Set([12, 14, 101, 228, 229]);
/** BSD loopback: four bytes of address family. */
const loopback = new Set([0, 108]);
const tags = new Set([0x8100, 0x88a8, 0x9100]);
/** More tags or extension headers than this are an attack on parsers. */
const maxTags = 4;
const maxExtensions = 8;

export function segmentOf({ link, bytes }: Packet): Segment | Skipped {
  if (bare.has(link)) return ip(bytes, undefined);
  if (loopback.has(link)) return bytes.length > 4 ? ip(bytes.subarray(4), undefined) : "cut_short";
  const at = typeAt.get(link);
  if (at === undefined) return "unknown_link";
  let next = headerOf.get(link)!;
  if (bytes.length < next) return "cut_short";
  let type = bytes.readUInt16BE(at);
  let vlan: number | undefined;
  for (let n = 0; tags.has(type); n++) {
    if (n >= maxTags) return "no_ip";
    if (bytes.length < next + 4) return "cut_short";
    vlan ??= bytes.readUInt16BE(next) & 0xfff;
    type = bytes.readUInt16BE(next + 2);
    next += 4;
  }
  return type === 0x0800 || type === 0x86dd ? ip(bytes.subarray(next), vlan) : "no_ip";
}

function ip(bytes: Buffer, vlan: number | undefined): Segment | Skipped {
  const version = bytes.length > 0 ? bytes[0]! >> 4 : 0;
  if (version === 4) return ip4(bytes, vlan);
  return version === 6 ? ip6(bytes, vlan) : "no_ip";
}

function ip4(bytes: Buffer, vlan: number | undefined): Segment | Skipped {
  const header = (bytes[0]! & 15) * 4;
  if (header < 20 || bytes.length < header) return "cut_short";
  // a length of zero is written where the card cuts packets itself (TSO)
  const told = bytes.readUInt16BE(2);
  const total = told === 0 ? bytes.length : told;
  if (total < header) return "cut_short";
  // only the first fragment has ports
  if ((bytes.readUInt16BE(6) & 0x1fff) !== 0) return "fragment";
  const address = (at: number) => `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
  return transport(bytes[9]!, bytes.subarray(header, total), {
    from: address(12),
    to: address(16),
    ipBytes: total,
    length: total - header,
    vlan,
  });
}

function ip6(bytes: Buffer, vlan: number | undefined): Segment | Skipped {
  if (bytes.length < 40) return "cut_short";
  const told = bytes.readUInt16BE(4);
  const total = told === 0 ? bytes.length : 40 + told;
  let next = bytes[6]!;
  let at = 40;
  // hop-by-hop, routing, destination options: eight bytes and so many times eight more; 44 is the fragment's
  for (let n = 0; next === 0 || next === 43 || next === 60 || next === 44; n++) {
    if (n >= maxExtensions) return "other_protocol";
    if (bytes.length < at + 8) return "cut_short";
    if (next === 44 && (bytes.readUInt16BE(at + 2) & 0xfff8) !== 0) return "fragment";
    const length = next === 44 ? 8 : 8 + bytes[at + 1]! * 8;
    next = bytes[at]!;
    at += length;
  }
  if (at > total) return "cut_short";
  const ends = { from: groups(bytes.subarray(8, 24)), to: groups(bytes.subarray(24, 40)), ipBytes: total, length: total - at, vlan };
  return transport(next, bytes.subarray(at, total), ends);
}

interface Ends {
  readonly from: string;
  readonly to: string;
  readonly ipBytes: number;
  /** Of the transport's header and payload, as sent. */
  readonly length: number;
  readonly vlan: number | undefined;
}

function transport(protocol: number, bytes: Buffer, { vlan, ...ends }: Ends): Segment | Skipped {
  const tagged = vlan === undefined ? {} : { vlan };
  if (protocol === 6) {
    if (bytes.length < 20) return "cut_short";
    const header = (bytes[12]! >> 4) * 4;
    if (header < 20 || header > ends.length) return "cut_short";
    return {
      ...ends,
      ...tagged,
      proto: "tcp",
      fromPort: bytes.readUInt16BE(0),
      toPort: bytes.readUInt16BE(2),
      seq: bytes.readUInt32BE(4),
      flags: bytes[13]!,
      length: ends.length - header,
      payload: bytes.subarray(header),
    };
  }
  if (protocol === 17) {
    if (bytes.length < 8) return "cut_short";
    const ports = { fromPort: bytes.readUInt16BE(0), toPort: bytes.readUInt16BE(2) };
    const length = Math.max(0, Math.min(ends.length, bytes.readUInt16BE(4) || ends.length) - 8);
    return { ...ends, ...tagged, ...ports, proto: "udp", seq: 0, flags: 0, length, payload: bytes.subarray(8, 8 + length) };
  }
  if (protocol === 1 || protocol === 58) {
    if (bytes.length < 4) return "cut_short";
    // as Zeek: type and code stand where ports do
    const ports = { fromPort: bytes[0]!, toPort: bytes[1]! };
    return {
      ...ends,
      ...tagged,
      ...ports,
      proto: "icmp",
      seq: 0,
      flags: 0,
      length: Math.max(0, ends.length - 8),
      payload: bytes.subarray(8),
    };
  }
  return "other_protocol";
}
