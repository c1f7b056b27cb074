/** From a packet to what one host sent another: Ethernet with VLAN tags and MPLS labels, Linux's own and bare links, tunnels, IPv4, IPv6, TCP, UDP, ICMP. Knows no connection. */
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
/** EtherTypes that lead on: IPv4 and IPv6, MPLS labels, PPPoE's session. */
const ether = { ip4: 0x0800, ip6: 0x86dd, mpls: 0x8847, pppoe: 0x8864 } as const;
/** More tags, labels, extension headers or tunnels in tunnels than this are an attack on parsers. */
const maxTags = 4;
const maxExtensions = 8;
const maxTunnels = 4;

/** How one is told that lies in others: the outer VLAN, and how many tunnels were opened. */
interface Outer {
  readonly vlan: number | undefined;
  readonly tunnels: number;
}

export function segmentOf({ link, bytes }: Packet): Segment | Skipped {
  const outer = { vlan: undefined, tunnels: 0 };
  if (bare.has(link)) return ip(bytes, outer);
  if (loopback.has(link)) return bytes.length > 4 ? ip(bytes.subarray(4), outer) : "cut_short";
  const at = typeAt.get(link);
  if (at === undefined) return "unknown_link";
  return framed(bytes, at, headerOf.get(link)!, outer);
}

/** @param at where the EtherType stands, and `next` what follows the link's header */
function framed(bytes: Buffer, at: number, next: number, outer: Outer): Segment | Skipped {
  if (bytes.length < next) return "cut_short";
  let type = bytes.readUInt16BE(at);
  let { vlan } = outer;
  for (let n = 0; tags.has(type); n++) {
    if (n >= maxTags) return "no_ip";
    if (bytes.length < next + 4) return "cut_short";
    vlan ??= bytes.readUInt16BE(next) & 0xfff;
    type = bytes.readUInt16BE(next + 2);
    next += 4;
  }
  return carried(type, bytes.subarray(next), { ...outer, vlan });
}

/** What an EtherType says is next. */
function carried(type: number, bytes: Buffer, outer: Outer): Segment | Skipped {
  if (type === ether.ip4 || type === ether.ip6) return ip(bytes, outer);
  if (type === ether.mpls) {
    for (let at = 0, n = 0; at + 4 <= bytes.length && n < maxTags * 2; at += 4, n++)
      // the last label is marked; nothing says what follows but its first four bits
      if ((bytes[at + 2]! & 1) !== 0) return ip(bytes.subarray(at + 4), outer);
    return "no_ip";
  }
  // six bytes of session, two of PPP's protocol
  if (type === ether.pppoe && bytes.length > 8) return ip(bytes.subarray(8), outer);
  return "no_ip";
}

function ip(bytes: Buffer, outer: Outer): Segment | Skipped {
  const version = bytes.length > 0 ? bytes[0]! >> 4 : 0;
  if (version === 4) return ip4(bytes, outer);
  return version === 6 ? ip6(bytes, outer) : "no_ip";
}

/** What a tunnel carries; undefined for what is none, or not whole. As with Zeek the connection within is told. */
function tunnelled(protocol: number, bytes: Buffer, outer: Outer): Segment | Skipped | undefined {
  if (outer.tunnels >= maxTunnels) return undefined;
  const inner = { ...outer, tunnels: outer.tunnels + 1 };
  // IP in IP (RFC 2003), 6in4 (RFC 4213)
  if (protocol === 4 || protocol === 41) return ip(bytes, inner);
  if (protocol === 47) return gre(bytes, inner);
  return protocol === 17 ? overUdp(bytes, inner) : undefined;
}

const ethernet = 0x6558;
/** GRE (RFC 2784, 2890): checksum, key and number each four bytes where a bit says so; ERSPAN II has eight bytes of its own. */
function gre(bytes: Buffer, inner: Outer): Segment | Skipped | undefined {
  if (bytes.length < 4 || (bytes[1]! & 7) !== 0) return undefined;
  const flags = bytes[0]!;
  const type = bytes.readUInt16BE(2);
  const at = 4 + (flags & 0x80 ? 4 : 0) + (flags & 0x20 ? 4 : 0) + (flags & 0x10 ? 4 : 0);
  if (type === ethernet) return framed(bytes.subarray(at), 12, 14, inner);
  if (type === 0x88be) return framed(bytes.subarray(at + (flags & 0x10 ? 8 : 0)), 12, 14, inner);
  return carried(type, bytes.subarray(at), inner);
}

/** VXLAN (RFC 7348) and Geneve (RFC 8926), by the port asked for and a header as they have it. */
function overUdp(bytes: Buffer, inner: Outer): Segment | Skipped | undefined {
  if (bytes.length < 16) return undefined;
  const port = bytes.readUInt16BE(2);
  const body = bytes.subarray(8);
  // 8472 is what Linux took before there was a number
  const vxlan = (port === 4_789 || port === 8_472) && body[0] === 0x08 && body[7] === 0;
  if (vxlan) return whole(framed(body.subarray(8), 12, 14, inner));
  if (port !== 6_081 || body[0]! >> 6 !== 0) return undefined;
  const rest = body.subarray(8 + (body[0]! & 0x3f) * 4);
  const type = body.readUInt16BE(2);
  return whole(type === ethernet ? framed(rest, 12, 14, inner) : carried(type, rest, inner));
}
/** Where nothing can be told of what is within, the datagram itself is. */
const whole = (found: Segment | Skipped): Segment | Skipped | undefined => (found === "no_ip" || found === "cut_short" ? undefined : found);

function ip4(bytes: Buffer, outer: Outer): Segment | Skipped {
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
    outer,
  });
}

function ip6(bytes: Buffer, outer: Outer): Segment | Skipped {
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
  const ends = { from: groups(bytes.subarray(8, 24)), to: groups(bytes.subarray(24, 40)), ipBytes: total, length: total - at, outer };
  return transport(next, bytes.subarray(at, total), ends);
}

interface Ends {
  readonly from: string;
  readonly to: string;
  readonly ipBytes: number;
  /** Of the transport's header and payload, as sent. */
  readonly length: number;
  readonly outer: Outer;
}

function transport(protocol: number, bytes: Buffer, { outer, ...ends }: Ends): Segment | Skipped {
  const within = tunnelled(protocol, bytes, outer);
  if (within !== undefined) return within;
  const tagged = outer.vlan === undefined ? {} : { vlan: outer.vlan };
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
