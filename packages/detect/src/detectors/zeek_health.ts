/** A Zeek sensor loses packets, falls behind, falls silent or sees one side of the traffic. Knows no attack: what it does not see is what matters. */
import { defineDetector, z } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { day, type Episode, extend, hour, list, minute, numberField, ongoing, second, span, textField, windowOf } from "../episode.ts";
import { mergeTexts } from "../watches.ts";

/** What a bucket of one kind of report comes to. */
interface Seen {
  /** Worst share of packets lost or dropped, of one. */
  readonly worst: number;
  /** Packets counted, of which were lost; or connections looked at, of which one-sided. */
  readonly all: number;
  readonly bad: number;
  /** Longest lag, seconds. */
  readonly lag: number;
  /** Workers that reported. */
  readonly peers: readonly string[];
}
type Kind = "loss" | "load" | "sides" | "peers";
/** A worker, when it reported last, the longest time between two of its reports, and how many there were, up to a few. */
type Peer = readonly [name: string, last: Micros, gap: Micros, reports: number];
interface State {
  readonly last: Micros;
  readonly peers: readonly Peer[];
  /** Of connections: the buckets of the last hour. */
  readonly slots: readonly (readonly [start: Micros, all: number, bad: number])[];
  readonly episode?: Episode | undefined;
}

const bucket: Micros = minute;
/** One connection in sixteen is looked at for its sides: a share needs no more, and connections come in masses. */
const sampled = 16;
/** Fewer say nothing about a share: its standard error is then three percent. */
const leastConnections = 200;
/** Reports before the rhythm of a worker is known. */
const leastReports = 3;
/** Workers of one cluster: the largest have some hundred. */
const maxPeers = 256;

const report = (time: Micros, log: "capture_loss" | "stats", fields: Fields) => ({
  time,
  fields: {
    "event.dataset": `zeek.${log}`,
    ...Object.fromEntries(Object.entries({ peer: "worker-1-1", ...fields }).map(([name, value]) => [`zeek.${log}.${name}`, value])),
  },
});
const stats = (time: Micros, dropped: number, lag = 0, peer = "worker-1-1") =>
  report(time, "stats", { peer, pkts_proc: 1_000_000, pkts_dropped: dropped, pkt_lag: lag });
const connections = (n: number, history: (i: number) => string) =>
  Array.from({ length: n }, (_, i) => ({
    time: i * second,
    // ends in a letter of which one in sixteen is looked at
    fields: { "event.dataset": "zeek.conn", "network.transport": "tcp", "zeek.uid": `C${i}p`, "zeek.conn.history": history(i) },
  }));

export default defineDetector({
  name: "zeek_health",
  title: "Zeek sensor does not see everything",
  summary: "Finds sensors that lose or drop packets, fall behind or silent, or see connections from one side only.",
  description:
    "Four things, each a finding of its own: packets lost according to capture_loss.log or dropped according to stats.log; processing that lags; a worker that does not report in its own rhythm any more while others do (where all fall silent the source does, which is told elsewhere); and connections of which one direction alone is seen, which is a tap or a balancer that sends the two directions to different places (one connection in sixteen is looked at). While one of these lasts, what the other detectors do not find proves nothing.",
  response: [
    "While it lasts, what other detectors do not find proves nothing: mend the sensor first. Loss: more workers or shunting of large flows; one direction: the tap or balancer.",
    "Runbooks of the sensor stand in docs/guide/hpc.md.",
  ],
  stability: "beta",
  where:
    "event.dataset:zeek.capture_loss or event.dataset:zeek.stats or (event.dataset:zeek.conn and network.transport:tcp and zeek.conn.history:*)",
  unstored: true,
  fields: [
    "zeek.capture_loss.peer",
    "zeek.capture_loss.percent_lost",
    "zeek.stats.peer",
    "zeek.stats.pkts_dropped",
    "zeek.stats.pkts_proc",
    "zeek.stats.pkt_lag",
    "observer.name",
    "host.name",
    "zeek.conn.history",
  ],
  config: z.strictObject({
    loss_percent: z
      .number()
      .min(0.01)
      .max(100)
      .default(1)
      .describe("Packets lost or dropped that make a finding, percent; beyond one, connections begin to lose their content."),
    lag_s: z.number().min(1).max(3_600).default(60).describe("Lag of a worker that makes a finding, seconds."),
    silence: z
      .number()
      .min(2)
      .max(100)
      .default(3)
      .describe("A worker is silent when nothing came for so many of its own intervals, and a minute at least."),
    one_sided_percent: z
      .number()
      .min(1)
      .max(100)
      .default(20)
      .describe("One-sided connections of an hour that make a finding, percent; where routing is symmetric they are under one."),
  }),
  examples: [
    {
      title: "Loss of five percent",
      events: [report(0, "capture_loss", { percent_lost: 0.2 }), report(15 * minute, "capture_loss", { percent_lost: 5.25 })],
      finds: ["worker-1-1 loses 5.3 % of the packets it should see (capture_loss)"],
    },
    {
      title: "Drops, and a lag",
      events: [stats(0, 0), stats(5 * minute, 30_000), stats(10 * minute, 0, 95)],
      finds: ["worker-1-1 dropped 2.9 % of its packets (stats)", "worker-1-1 is 95 s behind (stats)"],
    },
    {
      title: "Two directions that do not meet",
      events: connections(400, (i) => (i % 2 === 0 ? "ShADadFf" : "SADF")),
      finds: Array.from({ length: 4 }, () => "the sensor sees one side alone of 50 % of its connections"),
    },
    {
      title: "A worker that reports no more, and one that goes on",
      events: [0, 5, 10, 15, 20, 25, 30].flatMap((at) => [
        ...(at > 10 ? [] : [stats(at * minute, 0)]),
        stats(at * minute, 0, 0, "worker-1-2"),
      ]),
      finds: ["the sensor has 1 of 2 workers silent: worker-1-1 for 20 min, where it reported every 5 min"],
    },
    { title: "Unanswered attempts are no one-sided connections", events: connections(400, () => "S"), finds: [] },
    { title: "All is well", events: [report(0, "capture_loss", { percent_lost: 0.01 }), stats(0, 3), stats(5 * minute, 0)], finds: [] },
  ],

  key(fields) {
    const kind = kindOf(fields);
    if (kind === "sides") return isSampled(fields) ? `sides\0${sensorOf(fields)}` : undefined;
    const peer = textField(fields, kind === "loss" ? "zeek.capture_loss.peer" : "zeek.stats.peer") ?? sensorOf(fields);
    return kind === "loss" ? `${kind}\0${peer}` : [`${kind}\0${peer}`, `peers\0${sensorOf(fields)}`];
  },

  tally: {
    bucket: () => bucket,
    of: seenOf,
    merge: (into: Seen, more: Seen): Seen => ({
      worst: Math.max(into.worst, more.worst),
      all: into.all + more.all,
      bad: into.bad + more.bad,
      lag: Math.max(into.lag, more.lag),
      peers: mergeTexts(into.peers, more.peers, maxPeers),
    }),
  },

  fold(input, state: State | undefined, config) {
    const { start, value, events, count } = input.tally!;
    const seen = value as Seen;
    const [kind, sensor] = input.key.split("\0") as [Kind, string];
    const slots =
      kind === "sides" ? [...(state?.slots ?? []).filter(([at]) => at > start - hour), [start, seen.all, seen.bad] as const] : [];
    const peers = kind === "peers" ? heard(state?.peers ?? [], seen.peers, start) : [];
    const next: State = { last: start, peers, slots, episode: ongoing(state?.episode, start, hour) };
    const trouble = kind === "peers" ? silentOf(peers, start, config.silence) : troubleOf(kind, seen, slots, config);
    if (trouble === undefined) return { state: next };
    const episode = extend(next.episode, hour, { time: input.time, start, events, count });
    const grave = seen.worst > 0.05 || kind === "sides" || kind === "peers";
    return { state: { ...next, episode }, claims: [claimOf(sensor, trouble, episode, grave)] };
  },

  expires: (state) => state.last + day,
});

/** A worker that was away does not get a longer leash for it: once its rhythm is known it grows by no more than double. */
function heard(before: readonly Peer[], now: readonly string[], at: Micros): readonly Peer[] {
  const all = new Map(before.filter(([, last]) => at - last < day).map((peer) => [peer[0], peer]));
  for (const name of now) {
    const [, last, longest, reports] = all.get(name) ?? [name, at, 0, 0];
    if (reports === 0 && all.size >= maxPeers) continue;
    const gap = Math.max(longest, at - last);
    all.set(name, [name, at, reports >= leastReports ? Math.min(gap, longest * 2) : gap, Math.min(reports + 1, leastReports)]);
  }
  return [...all.values()];
}

function silentOf(peers: readonly Peer[], at: Micros, silence: number): string | undefined {
  const silent = peers.filter(([, last, gap, reports]) => reports >= leastReports && at - last > Math.max(minute, gap * silence));
  const [first] = silent;
  if (first === undefined) return undefined;
  const names = silent.map(([name]) => name).sort();
  const [name, last, gap] = first;
  return `has ${silent.length} of ${peers.length} workers silent: ${names.length === 1 ? "" : `${list(names, 3)}; `}${name} for ${span(at - last)}, where it reported every ${span(gap)}`;
}

const kindOf = (fields: Fields): Kind =>
  fields["event.dataset"] === "zeek.capture_loss" ? "loss" : fields["event.dataset"] === "zeek.stats" ? "load" : "sides";
const sensorOf = (fields: Fields): string => textField(fields, "observer.name") ?? textField(fields, "host.name") ?? "the sensor";

/** By the last character of the connection's id, which Zeek makes at random. */
function isSampled(fields: Fields): boolean {
  const uid = fields["zeek.uid"];
  return typeof uid === "string" && uid.charCodeAt(uid.length - 1) % sampled === 0;
}

const share = (part: number, of: number): number => (of > 0 ? Math.min(1, Math.max(0, part / of)) : 0);

function seenOf(fields: Fields): Seen {
  const kind = kindOf(fields);
  if (kind === "loss")
    return { worst: share(numberField(fields, "zeek.capture_loss.percent_lost"), 100), all: 0, bad: 0, lag: 0, peers: [] };
  if (kind === "load") {
    const dropped = numberField(fields, "zeek.stats.pkts_dropped");
    const all = numberField(fields, "zeek.stats.pkts_proc") + dropped;
    return {
      worst: share(dropped, all),
      all: 0,
      bad: 0,
      lag: Math.min(numberField(fields, "zeek.stats.pkt_lag"), 1e6),
      peers: [textField(fields, "zeek.stats.peer")?.slice(0, 64) ?? sensorOf(fields).slice(0, 64)],
    };
  }
  return { worst: 0, all: 1, bad: isOneSided(textField(fields, "zeek.conn.history") ?? "") ? 1 : 0, lag: 0, peers: [] };
}

/** Zeek's history has capital letters for the originator and small ones for the responder: acknowledgements or data of one without a packet of the other. */
const isOneSided = (history: string): boolean =>
  (/[ADF]/.test(history) && !/[a-z]/.test(history)) || (/[adf]/.test(history) && !/[A-Z]/.test(history));

interface Limits {
  readonly loss_percent: number;
  readonly lag_s: number;
  readonly one_sided_percent: number;
}
function troubleOf(kind: Exclude<Kind, "peers">, seen: Seen, slots: State["slots"], limits: Limits): string | undefined {
  const percent = (part: number): string => `${Math.round(part * 1_000) / 10} %`;
  if (kind === "sides") {
    const [all, bad] = slots.reduce(([a, b], [, more, worse]) => [a + more, b + worse], [0, 0]);
    if (all < leastConnections || share(bad, all) * 100 <= limits.one_sided_percent) return undefined;
    return `sees one side alone of ${percent(bad / all)} of its connections`;
  }
  if (seen.worst * 100 > limits.loss_percent)
    return kind === "loss"
      ? `loses ${percent(seen.worst)} of the packets it should see (capture_loss)`
      : `dropped ${percent(seen.worst)} of its packets (stats)`;
  return seen.lag > limits.lag_s ? `is ${span(seen.lag * second)} behind (stats)` : undefined;
}

function claimOf(sensor: string, trouble: string, episode: Episode, grave: boolean) {
  return {
    window: windowOf(episode),
    severity: grave ? ("medium" as const) : ("low" as const),
    summary: `${sensor} ${trouble}`,
    events: episode.events.slice(0, 20),
    count: episode.count,
    entities: [{ type: "observer.name", id: sensor }],
    attack: [],
  };
}
