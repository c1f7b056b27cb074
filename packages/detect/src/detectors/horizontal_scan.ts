/** One address tries the same port on many hosts and mostly fails. Knows no scanner. */
import { defineDetector, z } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { deniedQuery, outcomeOf } from "../connections.ts";
import { addDistinct, countDistinct, type Distinct, distinctOf, unionOf } from "../distinct.ts";
import { type Episode, extend, minute, ongoing, second, span, textField, windowOf } from "../episode.ts";
import { internal, isAmongUs, isGroup, isInbound, isOurs, network, within } from "../networks.ts";

interface Reach {
  readonly failed: Distinct;
  readonly reached: Distinct;
}
interface State {
  /** Buckets within the window, oldest first. */
  readonly buckets: readonly (Reach & { readonly start: Micros; readonly count: number; readonly events: readonly string[] })[];
  readonly last: Micros;
  readonly scan?: (Episode & { readonly hosts: Distinct; readonly certain: boolean }) | undefined;
}

const bucket: Micros = minute;

const connection = (time: Micros, to: string, state = "S0", port = 445) => ({
  time,
  fields: {
    "event.dataset": "zeek.conn",
    "network.transport": "tcp",
    "source.ip": "10.0.0.9",
    "source.port": 40_000,
    "destination.ip": to,
    "destination.port": port,
    "zeek.conn.conn_state": state,
    "source.bytes": state === "SF" ? 100 : 0,
  },
});
const hosts = (n: number, state?: string) => Array.from({ length: n }, (_, i) => connection(i * second, `10.0.1.${i}`, state));

export default defineDetector({
  name: "horizontal_scan",
  title: "Scan of many hosts on one port",
  summary: "Finds an address whose connections to the same port on many hosts mostly fail.",
  description:
    "Counts, per source and port, the different hosts that refused or never answered against those that answered and were used, minute by minute over a window; a sketch keeps the counts exact to 256 hosts and within some percent beyond. Busy clients, crawlers and proxies meet dead hosts too, but many more living ones, so what counts is failures less successes; where only the share of failures is odd, as with bots that call many half-dead peers, the finding is low. TCP, ICMP echo requests, and to hosts of ours UDP (twice as many, since nobody has to answer; not names, time and the web) and what a firewall let nobody through. A source of ours is high: somebody is inside, or something is broken. What comes from outside to us is counted by `border_scan`; between strangers, where nobody said which networks are ours, a scan is low.",
  response: [
    "A source of yours: who is logged in there, and which process connects? Configuration management, monitoring and licensed scanners look the same: name them under ignore.",
    "Nobody started it: isolate the host and look where else its user logged in.",
  ],
  stability: "beta",
  where: `source.ip:* and destination.ip:* and (event.dataset:zeek.conn and (network.transport:tcp or network.transport:icmp and (source.port:8 or source.port:128) or network.transport:udp and not (destination.port:53 or destination.port:123 or destination.port:443)) or ${deniedQuery})`,
  fields: [
    "source.ip",
    "destination.port",
    "destination.ip",
    "network.transport",
    "zeek.conn.conn_state",
    "zeek.conn.local_orig",
    "zeek.conn.local_resp",
    "source.port",
    "event.type",
  ],
  by: ["source.ip"],
  config: z.strictObject({
    hosts: z
      .int()
      .min(3)
      .max(100_000)
      .default(10)
      .describe(
        "Hosts that failed, and by how many more than answered. Of benign first contacts at most one in five fails, of a scanner's four in five (Jung et al., Fast Portscan Detection, 2004): nine failures without a success make a benign source less likely than 1 in 200,000.",
      ),
    share: z
      .number()
      .min(0.2)
      .max(1)
      .default(1 / 3)
      .describe(
        "Share of hosts that failed from which a low finding is made where failures do not outnumber successes so clearly: well above one in five.",
      ),
    window_s: z
      .int()
      .min(60)
      .max(86_400)
      .default(300)
      .describe("Length of the window in event time, in seconds, in whole minutes; the 5 minutes of Zeek's own scan policy."),
    internal,
    ignore: z.array(network).max(1_000).default([]).describe("Sources that may scan: vulnerability scanners, monitoring."),
  }),
  examples: [
    { title: "Ten hosts that never answer", events: hosts(10), finds: ["10.0.0.9 tried 10 hosts on 445/tcp within 60 s; 0 answered"] },
    {
      title: "A /24, with some hosts alive",
      events: [...hosts(200, "REJ"), ...Array.from({ length: 20 }, (_, i) => connection(i * second, `10.0.2.${i}`, "SF"))],
      finds: [
        "10.0.0.9 tried 60 hosts on 445/tcp within 60 s; 20 answered",
        "10.0.0.9 tried 120 hosts on 445/tcp within 2 min; 20 answered",
        "10.0.0.9 tried 180 hosts on 445/tcp within 3 min; 20 answered",
        "10.0.0.9 tried 200 hosts on 445/tcp within 4 min; 20 answered",
      ],
    },
    {
      title: "A crawler that meets dead hosts",
      events: Array.from({ length: 100 }, (_, i) => connection(i * second, `203.0.113.${i}`, i % 5 === 0 ? "S0" : "SF", 443)),
      finds: [],
    },
    {
      title: "Health checks that open and close without a byte, and multicast",
      events: [...hosts(30, "RSTO"), ...Array.from({ length: 30 }, (_, i) => connection(i * second, `239.0.0.${i}`))],
      finds: [],
    },
    {
      title: "A bot that calls peers of which nearly half are gone",
      events: Array.from({ length: 26 }, (_, i) => connection(i * second, `203.0.113.${i}`, i % 7 < 3 ? "S0" : "SF", 80)),
      finds: ["10.0.0.9 tried 12 hosts on 80/tcp within 60 s; 14 answered"],
    },
    {
      title: "A sweep over UDP that nobody answers, and one that a firewall let nobody through",
      events: [
        ...Array.from({ length: 30 }, (_, i) => {
          const one = connection(i * second, `10.0.1.${i}`, "S0", 161);
          return { ...one, fields: { ...one.fields, "network.transport": "udp" } };
        }),
        ...Array.from({ length: 12 }, (_, i) => ({
          time: i * second,
          fields: {
            "event.dataset": "cisco.asa",
            "event.category": "network",
            "event.type": ["connection", "denied"],
            "network.transport": "tcp",
            "source.ip": "10.0.0.9",
            "destination.ip": `10.0.1.${i}`,
            "destination.port": 445,
          },
        })),
      ],
      finds: ["10.0.0.9 tried 30 hosts on 161/udp within 60 s; 0 answered", "10.0.0.9 tried 12 hosts on 445/tcp within 60 s; 0 answered"],
    },
    {
      title: "Peers of a game over UDP, and updates that a firewall keeps from a server",
      events: Array.from({ length: 40 }, (_, i) => [
        {
          ...connection(i * second, `203.0.113.${i}`, "S0", 3_074),
          fields: { ...connection(0, `203.0.113.${i}`, "S0", 3_074).fields, "network.transport": "udp" },
        },
        {
          time: i * second,
          fields: {
            "event.dataset": "cisco.asa",
            "event.category": "network",
            "event.type": ["connection", "denied"],
            "network.transport": "tcp",
            "source.ip": "10.0.0.9",
            "destination.ip": `203.0.113.${i}`,
            "destination.port": 443,
          },
        },
      ]).flat(),
      finds: [],
    },
    { title: "One host, again and again", events: Array.from({ length: 50 }, (_, i) => connection(i * second, "10.0.1.1")), finds: [] },
  ],

  key: (fields, { ignore, internal }) => {
    const from = textField(fields, "source.ip");
    const to = textField(fields, "destination.ip");
    if (from === undefined || to === undefined) return undefined;
    if ((fields["network.transport"] === "udp" || fields["zeek.conn.conn_state"] === undefined) && !isAmongUs(fields, to, internal))
      return undefined;
    if (outcome(fields) === undefined || isGroup(to) || isInbound(fields, from, to, internal) || within(from, ignore)) return undefined;
    return `${from}\0${portOf(fields)}`;
  },

  tally: {
    bucket: () => bucket,
    of(fields): Reach {
      const to = distinctOf(textField(fields, "destination.ip")!);
      return outcome(fields) === "failed" ? { failed: to, reached: [] } : { failed: [], reached: to };
    },
    merge: (into: Reach, more: Reach) => ({
      failed: addDistinct(into.failed as number[], more.failed),
      reached: addDistinct(into.reached as number[], more.reached),
    }),
  },

  // Zeek writes an attempt when it gave up on it: 5 s for a SYN, up to 5 minutes for what is left open (its tcp_inactivity_timeout)
  lateness: () => 5 * minute,

  fold(input, state: State | undefined, config) {
    const { start, count, value, events } = input.tally!;
    const window = config.window_s * second;
    const { failed, reached } = value as Reach;
    const buckets = [...(state?.buckets ?? []).filter((b) => b.start > start - window), { start, count, failed, reached, events }];
    const all = unionOf(buckets.map((b) => b.failed));
    const answered = countDistinct(unionOf(buckets.map((b) => b.reached)));
    const scan = ongoing(state?.scan, start, window);
    const next: State = { buckets, last: input.time, scan };
    const silent = countDistinct(all);
    const [from, port] = input.key.split("\0") as [string, string];
    const enough = port.endsWith("/udp") ? 2 * config.hosts : config.hosts;
    if (!scan && (silent < enough || silent < config.share * (silent + answered))) return { state: next };
    if (scan && failed.length === 0) return { state: next };
    const since = buckets[0]!.start;
    const opened = extend(scan, window, {
      time: start + bucket,
      start: since,
      events: scan ? events : buckets.flatMap((b) => b.events),
      count: scan ? count : buckets.reduce((sum, b) => sum + b.count, 0),
    });
    const episode = {
      ...opened,
      hosts: scan ? unionOf([scan.hosts, failed]) : all,
      certain: scan?.certain === true || silent - answered >= enough,
    };
    const inside = isOurs(input.fields, from, config.internal);
    return {
      state: { ...next, scan: episode },
      claims: [
        {
          window: windowOf(episode),
          severity: inside && episode.certain ? "high" : "low",
          summary: `${from} tried ${Math.min(countDistinct(episode.hosts), episode.count).toLocaleString("en")} hosts on ${port} within ${span(episode.end - episode.start)}; ${answered.toLocaleString("en")} answered`,
          events: episode.events,
          count: episode.count,
          entities: [{ type: "source.ip", id: from }],
          attack: inside ? ["T1046"] : ["T1595.001"],
        },
      ],
    };
  },

  expires: (state, { window_s }) => state.last + window_s * second,
});

const portOf = (fields: Fields): string =>
  fields["network.transport"] === "icmp" ? "icmp echo" : `${fields["destination.port"]}/${textField(fields, "network.transport")}`;

/** ICMP has no handshake: an echo without a reply failed. */
function outcome(fields: Fields): "failed" | "reached" | undefined {
  if (fields["network.transport"] !== "icmp") return outcomeOf(fields);
  return fields["destination.packets"] === 0 ? "failed" : "reached";
}
