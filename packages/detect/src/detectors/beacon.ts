/** One address calls another as regularly as only a program does. Knows no malware. */
import { defineDetector, z } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { type Scores, type Slot, scoresOf, slotsWith } from "../beacons.ts";
import { outcomeOf } from "../connections.ts";
import { day, type Episode, extend, hour, numberField, ongoing, second, span, textField, windowOf } from "../episode.ts";
import { internal, isGroup, network, within } from "../networks.ts";
import { addCounts, coarse, type Histogram } from "../statistics.ts";

/** What a bucket holds: the seconds in which a connection began, and how many bytes each sent. */
interface Calls {
  readonly seconds: readonly number[];
  readonly sizes: Histogram;
  /** How many nobody answered, or in no protocol that Zeek knows. */
  readonly odd: number;
}
interface State {
  /** The newest second with a connection. */
  readonly last: number;
  readonly fine: readonly Slot[];
  readonly wide: readonly Slot[];
  readonly episode?: (Episode & { readonly severity: "low" | "medium" }) | undefined;
}

/** Bars of the two histograms: an hour and a day, each in 24 bars as RITA divides its day. */
const fineBar: Micros = 150 * second;
const wideBar: Micros = hour;
/** A bucket has at most 150 seconds; sizes beyond so many different ones are noise anyway. */
const maxSizes = 64;

const call = (time: Micros, to = "203.0.113.80", bytes = 312, protocol = "ssl") => ({
  time,
  fields: {
    "event.dataset": "zeek.conn",
    "network.transport": "tcp",
    "source.ip": "10.0.0.9",
    "destination.ip": to,
    "destination.port": 443,
    "source.bytes": bytes,
    "zeek.conn.conn_state": "SF",
    ...(protocol && { "network.protocol": protocol }),
  },
});

/** Seconds with exponential gaps, as calls that do not know of one another have. */
function atRandom(count: number, mean: number): readonly number[] {
  let at = 0;
  return Array.from({ length: count }, (_, i) => {
    at -= mean * Math.log(1 - (((i * 7_919) % 1_009) + 0.5) / 1_010);
    return at;
  });
}

export default defineDetector({
  name: "beacon",
  title: "Regular calls to one address",
  summary: "Finds a pair of addresses whose connections come as evenly, and as much alike, as a program's that reports to its master.",
  description:
    "Scores each pair of source and destination port by the four measures of RITA, a quarter each: how even the gaps between connections are (their skewness and deviation), how alike the bytes sent, how long it has gone on, and how level the histogram over 24 bars is. Two histograms are kept, of an hour and of a day, so that a fast beacon is seen within the hour and a slow one within the day. Whatever the score, the gaps alone must be even: what comes at random is none, however long it goes on. Regular is not malicious: update checks, telemetry, mail clients and chat call home too. A finding is therefore low, and medium only where the score is high and most calls go unanswered or speak a protocol that Zeek does not recognise; beacons over TLS or HTTP are for hunting, together with what else is known of the pair. Connections among networks of ours, those that a sensor says it has shunted (`zeek.shunted`: their bytes are unknown, and bulk transfers are no beacon), and ports of services that poll by design, are left out.",
  response: [
    "Who owns the destination, and what on the source calls it? Compare its other connections in the hour around; look whether other sources of yours call it at the same rhythm.",
    "A program that nobody knows: take the process and what started it down before you stop it, then look when it first called.",
  ],
  stability: "beta",
  where:
    "event.dataset:zeek.conn and source.ip:* and destination.ip:* and not zeek.shunted:true and (network.transport:tcp or network.transport:udp)",
  fields: [
    "source.ip",
    "destination.ip",
    "destination.port",
    "network.transport",
    "source.bytes",
    "network.protocol",
    "zeek.conn.conn_state",
  ],
  by: ["source.ip", "destination.ip"],
  config: z.strictObject({
    score: z
      .number()
      .min(0.5)
      .max(1)
      .default(0.75)
      .describe("Least score for a low finding; where RITA's default configuration begins to call beacons low."),
    medium_score: z
      .number()
      .min(0.5)
      .max(1)
      .default(0.9)
      .describe(
        "Least score for a medium finding, where calls are unanswered or their protocol unknown; where RITA's default configuration begins to call beacons medium.",
      ),
    regular: z
      .number()
      .min(0)
      .max(1)
      .default(0.75)
      .describe(
        "Least score of the gaps alone. Calls of many people through one proxy come at random, which scores 0.52 (exponential gaps), yet they are many and go on; a program that varies its gaps by all of their length scores 0.75, by half 0.88.",
      ),
    connections: z
      .int()
      .min(5)
      .max(10_000)
      .default(20)
      .describe("Connections within the scored hour or day; below some twenty, quartiles say nothing (RITA's threshold up to version 4)."),
    internal,
    ignore: z
      .array(network)
      .max(1_000)
      .default([])
      .describe("Destinations that are called regularly by design, such as monitoring and update servers."),
    ignore_ports: z
      .array(z.int().min(0).max(65_535))
      .max(100)
      .default([53, 123])
      .describe("Destination ports that poll by design: name service (dns_tunnel looks at the names) and time service."),
  }),
  examples: [
    {
      title: "A call a minute for an hour",
      config: { connections: 58 },
      events: Array.from({ length: 60 }, (_, i) => call(i * 60 * second)),
      finds: [
        "10.0.0.9 calls 203.0.113.80 443/tcp every 60 s: 58 connections in 57 min, score 0.95 (gaps 1.00, sizes 1.00, duration 1.00, evenness 0.80)",
        "10.0.0.9 calls 203.0.113.80 443/tcp every 60 s: 60 connections in 59 min, score 0.95 (gaps 1.00, sizes 1.00, duration 1.00, evenness 0.80)",
      ],
    },
    {
      title: "The same in a protocol that nobody knows",
      config: { connections: 60 },
      events: Array.from({ length: 60 }, (_, i) => call(i * 60 * second, "203.0.113.80", 312, "")),
      finds: [
        "10.0.0.9 calls 203.0.113.80 443/tcp every 60 s: 60 connections in 59 min, score 0.95 (gaps 1.00, sizes 1.00, duration 1.00, evenness 0.80), unanswered or in no known protocol",
      ],
    },
    {
      title: "A person who browses, page after page and then a pause",
      events: Array.from({ length: 120 }, (_, i) =>
        call((Math.floor(i / 10) ** 2 * 40 + (i % 10) + ((i * i * 37) % 11)) * second, "203.0.113.80", 200 + ((i * 7919) % 4_000)),
      ),
      finds: [],
    },
    { title: "Polling a server of ours", events: Array.from({ length: 60 }, (_, i) => call(i * 60 * second, "10.0.0.80")), finds: [] },
    {
      title: "A proxy that asks for many people, at random",
      events: atRandom(400, 9).map((at, i) => call(at * second, "203.0.113.80", 200 + ((i * 7_919) % 4_000))),
      finds: [],
    },
    { title: "A download in many parts", events: Array.from({ length: 200 }, (_, i) => call(i * second)), finds: [] },
  ],

  key(fields, { internal, ignore, ignore_ports }) {
    const from = textField(fields, "source.ip");
    const to = textField(fields, "destination.ip");
    if (from === undefined || to === undefined) return undefined;
    if (ignore_ports.includes(Number(fields["destination.port"])) || isGroup(to)) return undefined;
    // from outside to us is no call home; between strangers it may be one, where nobody said which networks are ours
    if (within(to, internal) || within(to, ignore)) return undefined;
    return `${from}\0${to}\0${textField(fields, "destination.port")}/${textField(fields, "network.transport")}`;
  },

  tally: {
    bucket: () => fineBar,
    of: (fields, time): Calls => ({
      seconds: [Math.floor(time / second)],
      sizes: [[coarse(numberField(fields, "source.bytes")), 1]],
      odd: outcomeOf(fields) === "failed" || fields["network.protocol"] === undefined ? 1 : 0,
    }),
    merge: (into: Calls, more: Calls) => ({
      seconds: mergeSeconds(into.seconds, more.seconds),
      sizes: addCounts(into.sizes, more.sizes, Number.POSITIVE_INFINITY),
      odd: into.odd + more.odd,
    }),
  },
  // Zeek writes a connection when it has ended, with the time at which it began; most last less than that
  lateness: () => 10 * 60 * second,

  fold(input, state: State | undefined, config) {
    const { start, value, events, count } = input.tally!;
    const { seconds, sizes, odd } = value as Calls;
    const gaps = gapsOf(state?.last, seconds);
    const [first, last] = [seconds[0]!, seconds.at(-1)!];
    const slot: Slot = { start, count: seconds.length, calls: count, odd, first, last, gaps, sizes: addCounts([], sizes, maxSizes) };
    const next: State = {
      last,
      fine: slotsWith(state?.fine ?? [], slot, fineBar),
      wide: slotsWith(state?.wide ?? [], slot, wideBar),
      episode: ongoing(state?.episode, start, day),
    };
    const enough = (slots: readonly Slot[], bar: Micros) => {
      const scores = scoresOf(slots, bar, config.connections);
      return scores && scores.total >= config.score && scores.gaps >= config.regular ? scores : undefined;
    };
    const best = enough(next.wide, wideBar) ?? enough(next.fine, fineBar);
    if (!best) return { state: next };
    const sure = best.total >= config.medium_score && best.odd;
    const severity = sure || next.episode?.severity === "medium" ? "medium" : "low";
    const episode = {
      ...extend(next.episode, day, {
        time: input.time,
        start: best.first * second,
        events,
        count: next.episode ? count : best.connections,
      }),
      severity,
    } as const;
    const [from, to, port] = input.key.split("\0") as [string, string, string];
    return {
      state: { ...next, episode },
      claims: [
        {
          window: windowOf(episode),
          severity,
          summary: `${from} calls ${to} ${port} every ${span(best.gap * second)}: ${best.connections} connections in ${span((best.last - best.first) * second)}, ${explained(best)}${sure ? ", unanswered or in no known protocol" : ""}`,
          events: episode.events,
          count: episode.count,
          // whom it is reported to is what the calls of many machines have in common: one alert
          entities: [
            { type: "destination.ip", id: to },
            { type: "source.ip", id: from },
          ],
          attack: ["T1071"],
        },
      ],
    };
  },

  expires: (state) => state.last * second + day,
});

const explained = (s: Scores): string =>
  `score ${s.total.toFixed(2)} (gaps ${s.gaps.toFixed(2)}, sizes ${s.sizes.toFixed(2)}, duration ${s.duration.toFixed(2)}, evenness ${s.evenness.toFixed(2)})`;

/** Sorted union: RITA too counts a second with several connections once. */
function mergeSeconds(a: readonly number[], b: readonly number[]): readonly number[] {
  if (b.length === 1 && a.includes(b[0]!)) return a;
  return [...new Set([...a, ...b])].sort((x, y) => x - y);
}

function gapsOf(last: number | undefined, seconds: readonly number[]): Histogram {
  const counts = new Map<number, number>();
  let before = last;
  for (const at of seconds) {
    if (before !== undefined && at > before) counts.set(coarse(at - before), (counts.get(coarse(at - before)) ?? 0) + 1);
    before = at;
  }
  return [...counts];
}
