/** Addresses outside that try our hosts and ports in vain, counted together: the internet scans everything all day. Knows no scanner, and not who got in. */
import { defineDetector, newFields, z } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { carriedEvents } from "../claims.ts";
import { deniedQuery, failedQuery } from "../connections.ts";
import { addDistinct, countDistinct, type Distinct, distinctOf, unionOf } from "../distinct.ts";
import { day, type Episode, extend, hour, minute, second, textField, windowOf } from "../episode.ts";
import { internal, isGroup, isInbound, network, within } from "../networks.ts";
import { mergeTexts } from "../watches.ts";

/** What failed within a bucket. */
interface Tried {
  /** Pairs of host and port. */
  readonly targets: Distinct;
  readonly ports: readonly string[];
  /** Zeek itself says that it scans. */
  readonly noticed: boolean;
}
interface State {
  /** Buckets within the window, oldest first; none once it is told of the day. */
  readonly buckets: readonly (Tried & { readonly start: Micros; readonly count: number; readonly events: readonly string[] })[];
  readonly last: Micros;
  /** The day of which it was told. */
  readonly told?: number | undefined;
}
/** All that scanned on one day. */
interface Door {
  readonly episode: Episode;
  readonly sources: Distinct;
  /** The first of them, for whoever wants to look. */
  readonly first: readonly string[];
  readonly ports: readonly (readonly [port: string, sources: number])[];
  /** How many there were when it was last told. */
  readonly told: number;
}

const bucket: Micros = 10 * minute;
/** Field of a first step's claim: what the scanner asked for. */
const portsTold = "vedette.scan.ports";
/** Ports told of one scanner. */
const maxPorts = 8;
/** Ports counted of a day: those that came first, which are those that everybody asks for. */
const maxDayPorts = 64;
const maxSources = 8;
const maxEvents = 32;
/** A day's finding is told again when it has grown by so much: thousands a day must not be thousands of amendments. */
const growth = 1.1;

const attempt = (time: Micros, from: string, to: string, port = 22, state = "S0") => ({
  time,
  fields: {
    "event.dataset": "zeek.conn",
    "network.transport": "tcp",
    "source.ip": from,
    "source.port": 40_000,
    "destination.ip": to,
    "destination.port": port,
    "zeek.conn.conn_state": state,
  },
});
const sweep = (from: string, n: number, start = 0, port = 22) =>
  Array.from({ length: n }, (_, i) => attempt(start + i * second, from, `10.0.1.${i}`, port));

export default defineDetector({
  name: "border_scan",
  title: "Scans from outside",
  summary: "Counts the addresses outside that try many of our hosts and ports in vain, in one finding a day.",
  description:
    "An address outside that failed at many pairs of host and port within an hour scans; hundreds do so every day at every address block, nobody works through them one by one, and all of a day are one low finding with their number and the ports that they asked for. What deserves a look is told by itself: who then logs in (`login_after_scan`), who guesses passwords (`brute_force`, `password_spraying`), and whoever scans from inside (`horizontal_scan`, `vertical_scan`). Only attempts that failed, or that a firewall let nobody through, are looked at: what answers is the service that it is. Zeek's own notices of scans count where it says that the scanner is remote.",
  response: [
    "Nothing at once: this goes on every day. Look whether one of the ports named is open to the internet without need, and close it there.",
    "What deserves a look comes as an alert of its own: who scanned and then logged in, or guessed passwords.",
  ],
  stability: "beta",
  where: `event.dataset:zeek.notice and zeek.notice.sub:remote and source.ip:* and (rule.name:"Scan::Address_Scan" or rule.name:"Scan::Port_Scan" or rule.name:"Scan::Random_Scan") or event.dataset:zeek.conn and source.ip:* and destination.ip:* and (network.transport:tcp and ${failedQuery} or network.transport:icmp and (source.port:8 or source.port:128) and destination.packets:0) or source.ip:* and destination.ip:* and ${deniedQuery}`,
  fields: ["source.ip", "destination.ip", "destination.port", "network.transport", "zeek.conn.conn_state"],
  by: ["source.ip"],
  config: z.strictObject({
    targets: z
      .int()
      .min(3)
      .max(100_000)
      .default(10)
      .describe(
        "Pairs of host and port that failed. Of benign first contacts at most one in five fails (Jung et al., Fast Portscan Detection, 2004): ten that do are a partner's fifty, which is a proxy or a mail server.",
      ),
    window_s: z
      .int()
      .min(600)
      .max(86_400)
      .default(3_600)
      .describe("Length of the window in event time, in seconds, in steps of ten minutes: scanners from outside take their time."),
    internal,
    ignore: z.array(network).max(1_000).default([]).describe("Sources that may scan: a provider's vulnerability scanners."),
  }),
  examples: [
    {
      title: "Three scanners at the door",
      events: [...sweep("203.0.113.9", 12), ...sweep("198.51.100.7", 12, hour), ...sweep("192.0.2.1", 12, 2 * hour, 23)],
      finds: [
        "1 address from outside scanned us on 1970-01-01: 22/tcp (1)",
        "2 addresses from outside scanned us on 1970-01-01: 22/tcp (2)",
        "3 addresses from outside scanned us on 1970-01-01: 22/tcp (2), 23/tcp (1)",
      ],
    },
    {
      title: "Many ports of one host",
      events: Array.from({ length: 12 }, (_, i) => attempt(i * minute, "203.0.113.9", "10.0.1.7", 20 + i, "REJ")),
      finds: [
        "1 address from outside scanned us on 1970-01-01: 20/tcp (1), 21/tcp (1), 22/tcp (1), 23/tcp (1), 24/tcp (1) and 3 more ports",
      ],
    },
    {
      title: "One that Zeek noticed",
      events: [
        {
          time: 0,
          fields: {
            "event.dataset": "zeek.notice",
            "rule.name": "Scan::Address_Scan",
            "zeek.notice.sub": "remote",
            "source.ip": "203.0.113.9",
            "destination.port": 445,
            "network.transport": "tcp",
          },
        },
      ],
      finds: ["1 address from outside scanned us on 1970-01-01: 445/tcp (1)"],
    },
    {
      title:
        "A scanner of ours is horizontal_scan's, strangers among themselves concern nobody here, and a visitor who finds one host down is none",
      events: [
        ...sweep("10.0.0.9", 30),
        ...Array.from({ length: 30 }, (_, i) => attempt(i * second, "203.0.113.9", `198.51.100.${i}`)),
        ...Array.from({ length: 60 }, (_, i) => attempt(i * second, "203.0.113.9", "10.0.1.1")),
      ],
      finds: [],
    },
  ],

  key(fields, { internal, ignore }) {
    const from = textField(fields, "source.ip");
    if (from === undefined || within(from, ignore)) return undefined;
    if (isNotice(fields)) return within(from, internal) ? undefined : from;
    const to = textField(fields, "destination.ip");
    return to === undefined || isGroup(to) || !isInbound(fields, from, to, internal) ? undefined : from;
  },

  tally: {
    bucket: () => bucket,
    of(fields): Tried {
      const port = portOf(fields);
      return { targets: distinctOf(`${textField(fields, "destination.ip")} ${port}`), ports: [port], noticed: isNotice(fields) };
    },
    merge: (into: Tried, more: Tried) => ({
      targets: addDistinct(into.targets as number[], more.targets),
      ports: mergeTexts(into.ports, more.ports, maxPorts),
      noticed: into.noticed || more.noticed,
    }),
  },

  // as for horizontal_scan
  lateness: () => 5 * minute,

  fold(input, state: State | undefined, config) {
    const { start, count, value, events } = input.tally!;
    const { targets, ports, noticed } = value as Tried;
    const window = config.window_s * second;
    const today = Math.floor(start / day);
    if (state?.told === today) return { state: { buckets: [], last: start, told: today } };
    const buckets = [...(state?.buckets ?? []).filter((b) => b.start > start - window), { start, count, targets, ports, noticed, events }];
    if (!noticed && countDistinct(unionOf(buckets.map((b) => b.targets))) < config.targets) return { state: { buckets, last: start } };
    const named = buckets.reduce<readonly string[]>((all, b) => mergeTexts(all, b.ports, maxPorts), []);
    const evidence = buckets.flatMap((b) => b.events).slice(0, maxEvents);
    return {
      state: { buckets: [], last: start, told: today },
      claims: [
        {
          window: { start: buckets[0]!.start, end: start + bucket },
          severity: "low",
          summary: `${input.key} scanned us`,
          events: evidence,
          count: buckets.reduce((sum, b) => sum + b.count, 0),
          entities: [{ type: "source.ip", id: input.key }],
          fields: Object.assign(newFields(), { [portsTold]: [...named], [carriedEvents]: evidence }),
        },
      ],
    };
  },
  expires: ({ last, told }, { window_s }) => (told === undefined ? last + window_s * second : (told + 1) * day),

  second: {
    fields: ["source.ip", portsTold, carriedEvents],
    key: () => "outside",
    fold(input, state: Door | undefined) {
      const from = textField(input.fields, "source.ip")!;
      const { time } = input;
      const today = Math.floor(time / day);
      const before = state && Math.floor(state.episode.start / day) === today ? state : undefined;
      const episode = extend(before?.episode, day, {
        time,
        events: before && before.episode.events.length >= maxEvents ? [] : carried(input),
      });
      const sources = unionOf([before?.sources ?? [], distinctOf(from)]);
      const n = countDistinct(sources);
      const next: Door = {
        episode: { ...episode, count: (before?.episode.count ?? 0) + 1 },
        sources,
        first: [...new Set([...(before?.first ?? []), from])].slice(0, maxSources),
        ports: counted(before?.ports ?? [], textsOf(input.fields, portsTold)),
        told: before?.told ?? 0,
      };
      if (n < Math.max(next.told + 1, next.told * growth)) return { state: next };
      return { state: { ...next, told: n }, claims: [claimOf(next, n)] };
    },
    // the next day's finding is another one
    expires: ({ episode }: Door) => (Math.floor(episode.start / day) + 1) * day,
  },
});

const isNotice = (fields: Fields): boolean => fields["event.dataset"] === "zeek.notice";
const portOf = (fields: Fields): string =>
  fields["network.transport"] === "icmp"
    ? "icmp echo"
    : `${textField(fields, "destination.port") ?? "?"}/${textField(fields, "network.transport") ?? "ip"}`;

function textsOf(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  return Array.isArray(value) ? value.map(String) : [];
}
const carried = ({ fields, event }: { readonly fields: Fields; readonly event: string }): readonly string[] => {
  const events = textsOf(fields, carriedEvents);
  return events.length > 0 ? events.slice(0, maxPorts) : [event];
};

function counted(ports: Door["ports"], more: readonly string[]): Door["ports"] {
  const counts = new Map(ports);
  for (const port of more) if (counts.has(port) || counts.size < maxDayPorts) counts.set(port, (counts.get(port) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function claimOf({ episode, first, ports }: Door, n: number) {
  const [shown, rest] = [ports.slice(0, 5), ports.length - 5];
  const named = shown.map(([port, sources]) => `${port} (${sources.toLocaleString("en")})`).join(", ");
  return {
    window: windowOf(episode),
    severity: "low" as const,
    summary: `${n.toLocaleString("en")} ${n === 1 ? "address" : "addresses"} from outside scanned us on ${new Date(episode.start / 1_000).toISOString().slice(0, 10)}: ${named}${rest > 0 ? ` and ${rest} more ${rest === 1 ? "port" : "ports"}` : ""}`,
    events: episode.events,
    count: episode.count,
    // it is about nobody in particular: all of them are one alert, as long as that is open
    entities: [{ type: "rule.id", id: "border_scan" }, ...first.map((id) => ({ type: "source.ip", id }))],
    attack: ["T1595.001"],
  };
}
