/** Reads a capture into rows as Zeek writes them: conn, dns, ssl, and stratum for what was said of mining. Judges nothing; memory is bounded whatever comes. */
import { idOf } from "@vedette/kit";
import type { Flaw, Micros } from "@vedette/model";
import { Container, type Packet } from "./container.ts";
import { Flow, flowKey } from "./flow.ts";
import { type Segment, type Skipped, segmentOf } from "./layers.ts";
import { Names } from "./names.ts";
import { Budget } from "./prefix.ts";
import { idColumns, type Row, seconds } from "./row.ts";
import { stratumOf } from "./stratum.ts";
import { isTls, tlsOf } from "./tls.ts";

export interface CaptureCounts {
  packets: number;
  connections: number;
  rows: number;
  /** Connections told before they ended, because too many were open. */
  cutShort: number;
  readonly skipped: { [why in Skipped]?: number };
}
export interface CaptureOptions {
  /** Connections followed at once. */
  readonly maxFlows?: number;
  /** Bytes of payload kept of all of them together. */
  readonly maxBytes?: number;
}

/** A scan of a class B network is 65,536; each costs some 600 bytes. */
const defaultFlows = 65_536;
const defaultBytes = 67_108_864;
/** Zeek's tcp_inactivity_timeout, udp_inactivity_timeout, icmp_inactivity_timeout and tcp_close_delay. */
const idle: { readonly [P in Segment["proto"]]: Micros } = { tcp: 300_000_000, udp: 60_000_000, icmp: 60_000_000 };
const closeDelay: Micros = 5_000_000;
/** How often, in the capture's time, connections are looked through for those that are over. */
const sweepEvery: Micros = 10_000_000;
const nameServices = new Set([53, 5353]);

interface Open {
  readonly flow: Flow;
  readonly uid: string;
  readonly names: Names | undefined;
}

export class Capture {
  readonly counts: CaptureCounts = { packets: 0, connections: 0, rows: 0, cutShort: 0, skipped: {} };
  readonly #container = new Container();
  readonly #flows = new Map<string, Open>();
  readonly #maxFlows: number;
  readonly #budget: Budget;
  readonly #take: (row: Row) => void;
  #now: Micros = 0;
  #swept: Micros = 0;

  /** @param take every row, in the order in which connections end */
  constructor(take: (row: Row) => void, { maxFlows = defaultFlows, maxBytes = defaultBytes }: CaptureOptions = {}) {
    this.#maxFlows = maxFlows;
    this.#budget = new Budget(maxBytes);
    this.#take = (row) => {
      this.counts.rows++;
      take(row);
    };
  }

  read(chunk: Uint8Array): void {
    this.#container.take(chunk, (packet) => this.#packet(packet));
  }

  /** Tells the connections that are still open; what was wrong with the file, if anything. */
  end(): Flaw | undefined {
    this.#container.end();
    for (const open of this.#flows.values()) this.#tell(open);
    this.#flows.clear();
    return this.#container.flaw;
  }

  #packet(packet: Packet): void {
    this.counts.packets++;
    const segment = segmentOf(packet);
    if (typeof segment === "string") {
      this.counts.skipped[segment] = (this.counts.skipped[segment] ?? 0) + 1;
      return;
    }
    // blocks without a stamp stand where the one before them stood
    const time = packet.time === 0 ? this.#now : packet.time;
    this.#now = Math.max(this.#now, time);
    if (this.#now - this.#swept >= sweepEvery) this.#sweep();
    const { flow, uid, names } = this.#open(segment, time);
    flow.add(segment, time);
    names?.add(segment.payload, flow, uid, time, this.#take);
  }

  #open(segment: Segment, time: Micros): Open {
    const key = flowKey(segment);
    const known = this.#flows.get(key);
    if (known) {
      const again = known.flow.over && (segment.flags & 0x12) === 0x02;
      if (!again && time - known.flow.last <= idle[segment.proto]) return known;
      this.#tell(known);
      this.#flows.delete(key);
    }
    if (this.#flows.size >= this.#maxFlows) this.#makeRoom();
    const flow = new Flow(segment, time, this.#budget);
    const { orig, resp } = flow;
    const uid = `C${idOf(flow.proto, orig.ip, orig.port, resp.ip, resp.port, time, this.counts.connections).slice(0, 17)}`;
    const asks = segment.proto === "udp" && (nameServices.has(orig.port) || nameServices.has(resp.port));
    const open = { flow, uid, names: asks ? new Names() : undefined };
    this.counts.connections++;
    this.#flows.set(key, open);
    return open;
  }

  /** Many at once: a map that loses its first entry again and again walks over all the places that were emptied before. */
  #makeRoom(): void {
    let left = Math.ceil(this.#maxFlows / 16);
    for (const [key, open] of this.#flows) {
      this.counts.cutShort++;
      this.#tell(open);
      this.#flows.delete(key);
      if (--left === 0) return;
    }
  }

  #sweep(): void {
    this.#swept = this.#now;
    for (const [key, open] of this.#flows) {
      const quiet = this.#now - open.flow.last;
      if (quiet <= (open.flow.over ? closeDelay : idle[open.flow.proto])) continue;
      this.#tell(open);
      this.#flows.delete(key);
    }
  }

  #tell({ flow, uid, names }: Open): void {
    const { orig, resp } = flow.sent;
    const client = orig.prefix.bytes();
    const server = resp.prefix.bytes();
    names?.end(flow, uid, this.#take);
    const start = { ts: seconds(flow.start), uid, ...idColumns(flow) };
    const tls = isTls(client) ? tlsOf(client, server) : undefined;
    if (tls) this.#take({ _path: "ssl", ...start, ...tls });
    const talk = flow.proto === "tcp" ? stratumOf(orig.prefix.text(), resp.prefix.text(), flow.opening) : undefined;
    if (talk) this.#take({ _path: "stratum", ...start, proto: flow.proto, ...talk });
    const service = names ? "dns" : serviceOf(client, server);
    this.#take({
      _path: "conn",
      ...start,
      proto: flow.proto,
      ...(service === undefined ? {} : { service }),
      duration: seconds(flow.last - flow.start),
      orig_bytes: orig.bytes,
      resp_bytes: resp.bytes,
      conn_state: flow.state,
      history: flow.history,
      orig_pkts: orig.packets,
      orig_ip_bytes: orig.ipBytes,
      resp_pkts: resp.packets,
      resp_ip_bytes: resp.ipBytes,
      ...(flow.vlan === undefined ? {} : { vlan: flow.vlan }),
      resp_bursts: flow.unasked,
    });
    orig.prefix.drop();
    resp.prefix.drop();
  }
}

function serviceOf(client: Buffer, server: Buffer): string | undefined {
  if (isTls(client)) return "ssl";
  const [asked, told] = [client, server].map((b) => b.toString("latin1", 0, 16)) as [string, string];
  if (asked.startsWith("SSH-") || told.startsWith("SSH-")) return "ssh";
  return /^(?:GET|POST|PUT|HEAD|DELETE|OPTIONS|CONNECT|PATCH) /.test(asked) || told.startsWith("HTTP/1") ? "http" : undefined;
}
