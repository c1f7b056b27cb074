/** One address tries many ports of one host and fails. Knows no scanner. */
import { defineDetector, z } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { deniedQuery, failedQuery } from "../connections.ts";
import { addDistinct, countDistinct, type Distinct, distinctOf, unionOf } from "../distinct.ts";
import { type Episode, extend, list, minute, ongoing, second, span, textField, windowOf } from "../episode.ts";
import { internal, isAmongUs, isGroup, isInbound, isOurs, network, within } from "../networks.ts";

interface Ports {
  readonly ports: Distinct;
  /** The lowest, for people. */
  readonly low: readonly number[];
}
interface State {
  readonly buckets: readonly (Ports & { readonly start: Micros; readonly count: number; readonly events: readonly string[] })[];
  readonly last: Micros;
  readonly scan?: (Episode & Ports) | undefined;
}

const bucket: Micros = minute;
/** Ports that traceroute counts up from: one a probe, three a hop, 64 hops and some. */
const firstTraced = 33_434;
const lastTraced = 33_689;
/** Ports named in the summary. */
const maxNamed = 8;

const probe = (time: Micros, port: number, state = "REJ") => ({
  time,
  fields: {
    "event.dataset": "zeek.conn",
    "network.transport": "tcp",
    "source.ip": "10.0.0.9",
    "destination.ip": "10.0.1.7",
    "destination.port": port,
    "zeek.conn.conn_state": state,
  },
});

const udp = (time: Micros, port: number) => {
  const one = probe(time, port, "S0");
  return { ...one, fields: { ...one.fields, "network.transport": "udp" } };
};

export default defineDetector({
  name: "vertical_scan",
  title: "Scan of many ports of one host",
  summary: "Finds an address that tries many ports of one host which refuse or never answer.",
  description:
    "Counts, per source and destination, the different ports of connections that failed, minute by minute over a window. Clients know the port they want; a host that is down is tried on one or a few. A source of ours is high; what comes from outside to us is counted by `border_scan`; between strangers a scan is low. UDP counts only towards hosts of ours, four times as many ports, without those of traceroute: games, telephony and traceroute leave packets unanswered too. So does what a firewall let nobody through.",
  response: [
    "A source of yours: who or what runs there? Inventory and vulnerability scanners look the same: name them under ignore.",
    "Nobody started it: somebody is looking for a way on. Isolate the source and look at log-ins on the scanned host since.",
  ],
  stability: "beta",
  where: `source.ip:* and destination.ip:* and destination.port:* and (event.dataset:zeek.conn and (network.transport:tcp or network.transport:udp) and ${failedQuery} or ${deniedQuery})`,
  fields: [
    "source.ip",
    "destination.ip",
    "destination.port",
    "network.transport",
    "zeek.conn.conn_state",
    "zeek.conn.local_orig",
    "zeek.conn.local_resp",
  ],
  by: ["source.ip", "destination.ip"],
  config: z.strictObject({
    ports: z
      .int()
      .min(3)
      .max(65_535)
      .default(15)
      .describe("Ports that make a finding; the threshold of Zeek's own scan policy (port_scan_threshold)."),
    window_s: z
      .int()
      .min(60)
      .max(86_400)
      .default(300)
      .describe("Length of the window in event time, in seconds, in whole minutes; the 5 minutes of the same policy."),
    internal,
    ignore: z.array(network).max(1_000).default([]).describe("Sources that may scan: vulnerability scanners, monitoring."),
  }),
  examples: [
    {
      title: "Twenty ports of one host",
      events: Array.from({ length: 20 }, (_, i) => probe(i * second, 20 + i)),
      finds: ["10.0.0.9 tried 20 ports of 10.0.1.7 within 60 s: 20, 21, 22, 23, 24, 25, 26, 27 and 12 more"],
    },
    {
      title: "Slowly, over four minutes",
      events: Array.from({ length: 16 }, (_, i) => probe(i * 15 * second, 8_000 + i, "S0")),
      finds: ["10.0.0.9 tried 16 ports of 10.0.1.7 within 4 min: 8000, 8001, 8002, 8003, 8004, 8005, 8006, 8007 and 8 more"],
    },
    {
      title: "A host that is down",
      events: Array.from({ length: 60 }, (_, i) => probe(i * second, i % 2 === 0 ? 22 : 443, "S0")),
      finds: [],
    },
    {
      title: "Many ports that answer, as FTP and MPI use them",
      events: Array.from({ length: 60 }, (_, i) => probe(i * second, 30_000 + i, "SF")),
      finds: [],
    },
    {
      title: "A hundred ports of UDP",
      events: Array.from({ length: 100 }, (_, i) => udp(i * 500_000, 100 + i)),
      finds: ["10.0.0.9 tried 100 ports of 10.0.1.7 within 60 s: 100, 101, 102, 103, 104, 105, 106, 107 and 92 more"],
    },
    {
      title: "Traceroute, and a call whose other end is silent",
      events: Array.from({ length: 90 }, (_, i) => [udp(i * 500_000, 33_434 + i), udp(i * 500_000, 16_384 + (i % 8))]).flat(),
      finds: [],
    },
    { title: "Fifteen ports in half an hour", events: Array.from({ length: 15 }, (_, i) => probe(i * 2 * minute, 20 + i)), finds: [] },
  ],

  key: (fields, { ignore, internal }) => {
    const from = textField(fields, "source.ip");
    const to = textField(fields, "destination.ip");
    if (from === undefined || to === undefined) return undefined;
    const isUdp = fields["network.transport"] === "udp";
    if ((isUdp || fields["zeek.conn.conn_state"] === undefined) && !isAmongUs(fields, to, internal)) return undefined;
    const port = Number(fields["destination.port"]);
    if (isUdp && port >= firstTraced && port <= lastTraced) return undefined;
    return isGroup(to) || isInbound(fields, from, to, internal) || within(from, ignore)
      ? undefined
      : `${from}\0${to}${isUdp ? "\0udp" : ""}`;
  },

  tally: {
    bucket: () => bucket,
    of(fields): Ports {
      const port = Number(fields["destination.port"]);
      return { ports: distinctOf(String(port)), low: [port] };
    },
    merge: (into: Ports, more: Ports) => ({ ports: addDistinct(into.ports as number[], more.ports), low: lowest(into.low, more.low) }),
  },

  // as for horizontal_scan
  lateness: () => 5 * minute,

  fold(input, state: State | undefined, config) {
    const { start, count, value, events } = input.tally!;
    const window = config.window_s * second;
    const { ports, low } = value as Ports;
    const buckets = [...(state?.buckets ?? []).filter((b) => b.start > start - window), { start, count, ports, low, events }];
    const scan = ongoing(state?.scan, start, window);
    const next: State = { buckets, last: input.time, scan };
    const all = unionOf(buckets.map((b) => b.ports));
    const enough = input.key.endsWith("\0udp") ? 4 * config.ports : config.ports;
    if (!scan && countDistinct(all) < enough) return { state: next };
    const grown = extend(scan, window, {
      time: start + bucket,
      start: buckets[0]!.start,
      events: scan ? events : buckets.flatMap((b) => b.events),
      count: scan ? count : buckets.reduce((sum, b) => sum + b.count, 0),
    });
    const episode = {
      ...grown,
      ports: scan ? unionOf([scan.ports, ports]) : all,
      low: scan ? lowest(scan.low, low) : buckets.reduce<readonly number[]>((l, b) => lowest(l, b.low), []),
    };
    const [from, to] = input.key.split("\0") as [string, string];
    const inside = isOurs(input.fields, from, config.internal);
    // an estimate beyond 256, but never more than there were connections
    const n = Math.min(countDistinct(episode.ports), episode.count);
    const named = list(episode.low.map(String), maxNamed);
    return {
      state: { ...next, scan: episode },
      claims: [
        {
          window: windowOf(episode),
          severity: inside ? "high" : "low",
          summary: `${from} tried ${n.toLocaleString("en")} ports of ${to} within ${span(episode.end - episode.start)}: ${named}${n > episode.low.length ? ` and ${(n - episode.low.length).toLocaleString("en")} more` : ""}`,
          events: episode.events,
          count: episode.count,
          entities: [
            { type: "source.ip", id: from },
            { type: "destination.ip", id: to },
          ],
          attack: inside ? ["T1046"] : ["T1595.001"],
        },
      ],
    };
  },

  expires: (state, { window_s }) => state.last + window_s * second,
});

function lowest(a: readonly number[], b: readonly number[]): readonly number[] {
  return [...new Set([...a, ...b])].sort((x, y) => x - y).slice(0, maxNamed);
}
