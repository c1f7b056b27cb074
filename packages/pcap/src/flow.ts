/** One connection as it goes by: what each side sent, when, and in which state Zeek would say that it ended. Knows no other connection. */
import type { Micros } from "@vedette/model";
import { flag, type Segment } from "./layers.ts";
import { type Budget, Prefix } from "./prefix.ts";

/** What one side sent. */
class Side {
  packets = 0;
  bytes = 0;
  ipBytes = 0;
  syn = false;
  fin = false;
  rst = false;
  readonly prefix: Prefix;
  #next: number | undefined;

  constructor(budget: Budget) {
    this.prefix = new Prefix(budget);
  }

  add({ proto, seq, flags, length, payload, ipBytes }: Segment): void {
    this.packets++;
    this.ipBytes += ipBytes;
    if (proto !== "tcp") {
      this.bytes += length;
      return;
    }
    this.rst ||= (flags & flag.rst) !== 0;
    this.fin ||= (flags & flag.fin) !== 0;
    const syn = (flags & flag.syn) !== 0;
    const start = syn ? (seq + 1) >>> 0 : seq;
    if (syn) {
      this.syn = true;
      this.prefix.startsAt(start);
    }
    this.#next ??= start;
    // what is sent again is counted once
    const fresh = (start + length - this.#next) | 0;
    if (fresh > 0) {
      this.bytes += Math.min(fresh, length);
      this.#next = (start + length) >>> 0;
    }
    this.prefix.add(start, payload, length);
  }
}

const silence: Micros = 1_000_000;
const maxHistory = 24;

export class Flow {
  readonly start: Micros;
  readonly proto: Segment["proto"];
  readonly orig: { readonly ip: string; readonly port: number };
  readonly resp: { readonly ip: string; readonly port: number };
  readonly vlan: number | undefined;
  readonly sent: { readonly orig: Side; readonly resp: Side };
  last: Micros;
  history = "";
  /** Bytes that each side sent before the other spoke, and before it spoke again: handshakes of a fixed size are told by them. */
  opening = { orig: 0, resp: 0 };
  /** Times that the responder spoke after a second of silence: unasked, as servers do that have news. */
  unasked = 0;
  #spoke: Micros | undefined;

  /** @param first of it; who sent it began, unless TCP tells otherwise */
  constructor(first: Segment, time: Micros, budget: Budget) {
    const from = { ip: first.from, port: first.fromPort };
    const to = { ip: first.to, port: first.toPort };
    const flipped = isAnswer(first);
    this.start = time;
    this.last = time;
    this.proto = first.proto;
    this.orig = flipped ? to : from;
    this.resp = flipped ? from : to;
    this.vlan = first.vlan;
    this.sent = { orig: new Side(budget), resp: new Side(budget) };
    if (flipped) this.history = "^";
  }

  add(segment: Segment, time: Micros): void {
    const who = segment.from === this.orig.ip && segment.fromPort === this.orig.port ? "orig" : "resp";
    this.sent[who].add(segment);
    this.last = Math.max(this.last, time);
    this.#tell(who, segment);
    if (segment.length === 0) return;
    const { orig, resp } = this.sent;
    if (resp.bytes === 0) this.opening = { orig: orig.bytes, resp: 0 };
    else if (orig.bytes === this.opening.orig) this.opening = { orig: orig.bytes, resp: resp.bytes };
    if (who === "resp" && this.#spoke !== undefined && time - this.#spoke >= silence) this.unasked++;
    this.#spoke = time;
  }

  /** Whether both sides are done, or one broke it off. */
  get over(): boolean {
    const { orig, resp } = this.sent;
    return this.proto === "tcp" && (orig.rst || resp.rst || (orig.fin && resp.fin));
  }

  get state(): string {
    const { orig, resp } = this.sent;
    if (this.proto !== "tcp") return this.proto === "icmp" ? "OTH" : resp.packets === 0 ? "S0" : orig.packets === 0 ? "SHR" : "SF";
    if (!orig.syn) return resp.syn ? (resp.rst ? "RSTRH" : resp.fin ? "SHR" : "OTH") : "OTH";
    if (!resp.syn) {
      if (resp.rst) return "REJ";
      return orig.rst ? "RSTOS0" : orig.fin ? "SH" : "S0";
    }
    if (orig.rst) return "RSTO";
    if (resp.rst) return "RSTR";
    if (orig.fin && resp.fin) return "SF";
    return orig.fin ? "S2" : resp.fin ? "S3" : "S1";
  }

  /** Zeek's history: each kind of packet once, upper case from the originator. */
  #tell(who: "orig" | "resp", { proto, flags, length }: Segment): void {
    const letters = new Set<string>();
    if (proto === "tcp") {
      if (flags & flag.syn) letters.add(flags & flag.ack ? "h" : "s");
      else if (length === 0 && (flags & (flag.ack | flag.fin | flag.rst)) === flag.ack) letters.add("a");
      if (length > 0) letters.add("d");
      if (flags & flag.fin) letters.add("f");
      if (flags & flag.rst) letters.add("r");
    } else if (length > 0) letters.add("d");
    for (const letter of letters) {
      const shown = who === "orig" ? letter.toUpperCase() : letter;
      if (!this.history.includes(shown) && this.history.length < maxHistory) this.history += shown;
    }
  }
}

/** Where systems begin to take ports for those who ask: 32768 on Linux, 49152 elsewhere (RFC 6335). */
const firstEphemeral = 32_768;

/** Where the beginning was not seen: an acknowledged SYN, or data from a port of a service to one of those who ask. */
function isAnswer({ proto, flags, fromPort, toPort }: Segment): boolean {
  if (proto !== "tcp") return false;
  if (flags & flag.syn) return (flags & flag.ack) !== 0;
  return (fromPort < 1_024 && toPort >= 1_024) || (fromPort < firstEphemeral && toPort >= firstEphemeral);
}

/** The same for both directions. */
export function flowKey({ proto, from, fromPort, to, toPort }: Segment): string {
  // type and code of ICMP are no ports: request and reply belong together
  if (proto === "icmp") return from < to ? `icmp ${from} ${to}` : `icmp ${to} ${from}`;
  const a = `${from} ${fromPort}`;
  const b = `${to} ${toPort}`;
  return a < b ? `${proto} ${a} ${b}` : `${proto} ${b} ${a}`;
}
