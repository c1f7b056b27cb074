/** A connection that goes on for long, carries little, and is spoken on again and again: the shape of a miner at its pool, whatever it is wrapped in. Knows no payload. */
import { defineDetector, z } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { day, type Episode, extend, hour, minute, numberField, ongoing, second, span, textField, windowOf } from "../episode.ts";
import { internal, isGroup, network, within } from "../networks.ts";

interface Shape {
  /** Seconds. */
  readonly duration: number;
  readonly sent: number;
  readonly received: number;
  /** Seconds between packets of the pool. */
  readonly gap: number;
}
type State = Episode & { readonly sure: boolean };

/** A miner that loses its pool comes back to it: what follows within a day is the same finding. */
const quiet: Micros = day;
/** Where Stratum is served by habit, as in the rules on ports of mining; weight only, never evidence by itself. */
const habitual = new Set([
  3_333, 3_334, 3_335, 3_336, 4_444, 5_555, 5_556, 7_777, 9_999, 10_128, 10_300, 14_433, 14_444, 20_535, 20_536, 45_560, 45_700,
]);

const flow = (minutes: number, more: { readonly [field: string]: number | string } = {}) => ({
  time: 0,
  fields: {
    "event.dataset": "zeek.conn",
    "network.transport": "tcp",
    "network.protocol": "ssl",
    "source.ip": "10.0.0.9",
    "destination.ip": "203.0.113.81",
    "destination.port": 443,
    "event.duration": minutes * 60e9,
    // a share and its answer each 20 s, a job each half minute
    "source.bytes": minutes * 3 * 230,
    "destination.bytes": minutes * (3 * 90 + 2 * 360),
    "source.packets": minutes * 7,
    "destination.packets": minutes * 5,
    ...more,
  },
});

export default defineDetector({
  name: "mining_flow",
  title: "Long, quiet connection in a miner's rhythm",
  summary: "Finds connections to outside that last, carry little and are answered as evenly as a pool answers, encrypted or not.",
  description:
    "A heuristic over what Zeek tells of a connection: over half an hour, 5 to 50 bytes a second and under 400 a packet both ways, packets from the server a few seconds to two minutes apart, and neither side silent. Chat, push services and telemetry look alike, so by itself it is low; medium where the port is one of mining, or no protocol is known to Zeek. Connections that are still open are seen where the sensor tells of them (conn_long of deploy/zeek); else only when they have ended.",
  response: [
    "Which process holds the connection, and whose job is it? Chat, push services and telemetry have the same rhythm.",
    "A pool or an unknown address with a busy process: stop the job, keep the program and how it was started, and look at the same user's other jobs.",
  ],
  stability: "beta",
  where:
    "(event.dataset:zeek.conn or event.dataset:zeek.conn_long) and network.transport:tcp and event.duration:* and source.ip:* and destination.ip:*",
  fields: [
    "source.ip",
    "destination.ip",
    "destination.port",
    "network.transport",
    "network.protocol",
    "event.duration",
    "source.bytes",
    "destination.bytes",
    "source.packets",
    "destination.packets",
    "zeek.conn.resp_bursts",
  ],
  by: ["source.ip", "destination.ip"],
  config: z.strictObject({
    minutes: z
      .number()
      .min(5)
      .max(1_440)
      .default(30)
      .describe("Least length of a connection, in minutes: pools keep them for days, requests last seconds."),
    bytes_per_second: z
      .number()
      .min(1)
      .max(10_000)
      .default(50)
      .describe("Most bytes a second, both ways together: a share is some 200 bytes each quarter of a minute or so."),
    bytes_per_packet: z.number().min(40).max(1_500).default(400).describe("Most bytes a packet on average, each way: no message is large."),
    internal,
    ignore: z
      .array(network)
      .max(1_000)
      .default([])
      .describe("Destinations with such connections by design: chat, push and monitoring services."),
    ignore_ports: z
      .array(z.int().min(0).max(65_535))
      .max(100)
      .default([22, 53, 123, 143, 179, 389, 636, 853, 993, 995, 1_194, 1_883, 3_389, 5_222, 5_223, 5_228, 5_269, 6_667, 6_697, 8_883])
      .describe("Ports of services that hold quiet connections: shells, mail, directories, chat, push, MQTT."),
  }),
  examples: [
    {
      title: "Stratum over TLS for two hours",
      events: [flow(120)],
      finds: ["10.0.0.9 held a connection to 203.0.113.81 443/tcp for 2 h: 28 bytes a second, the server every 12 s"],
    },
    {
      title: "The same on a port of mining",
      events: [flow(120, { "destination.port": 3_333 })],
      finds: ["10.0.0.9 held a connection to 203.0.113.81 3333/tcp for 2 h: 28 bytes a second, the server every 12 s, on a port of mining"],
    },
    { title: "A quarter of an hour", events: [flow(15)], finds: [] },
    { title: "A download", events: [flow(120, { "destination.bytes": 4e9, "destination.packets": 3e6 })], finds: [] },
    { title: "A connection left idle", events: [flow(120, { "destination.packets": 6, "destination.bytes": 900 })], finds: [] },
    { title: "A server that only answers, as a capture tells", events: [flow(120, { "zeek.conn.resp_bursts": 2 })], finds: [] },
    {
      title: "A push service's connection, open for hours",
      events: [flow(120, { "source.bytes": 9_000, "destination.bytes": 18_000, "source.packets": 110, "destination.packets": 80 })],
      finds: [],
    },
    { title: "Only the client speaks", events: [flow(120, { "destination.bytes": 0 })], finds: [] },
    { title: "Chat", events: [flow(120, { "destination.port": 5_222 })], finds: [] },
    { title: "A server of ours", events: [flow(120, { "destination.ip": "10.0.0.80" })], finds: [] },
  ],

  key(fields, config) {
    if (!shapeOf(fields, config)) return undefined;
    const from = textField(fields, "source.ip");
    const to = textField(fields, "destination.ip");
    if (
      from === undefined ||
      to === undefined ||
      isGroup(to) ||
      within(to, config.internal) ||
      within(to, config.ignore) ||
      !within(from, config.internal)
    )
      return undefined;
    const port = numberField(fields, "destination.port");
    const protocol = fields["network.protocol"];
    // what Zeek understands is no Stratum; TLS may hold anything
    if (config.ignore_ports.includes(port) || (protocol !== undefined && protocol !== "ssl" && protocol !== "tls")) return undefined;
    return `${from}\0${to}\0${port}/tcp`;
  },

  // a connection is told when it has ended, with the time at which it began
  at: (fields, time) => time + numberField(fields, "event.duration") / 1_000,

  fold(input, state: State | undefined, config) {
    const shape = shapeOf(input.fields, config);
    if (!shape) return { ...(state && { state }) };
    const [from, to, port] = input.key.split("\0") as [string, string, string];
    const known = habitual.has(Number.parseInt(port, 10));
    const before = ongoing(state, input.time, quiet);
    const start = input.time - shape.duration * second;
    const sure = known || input.fields["network.protocol"] === undefined || before?.sure === true;
    const next: State = { ...extend(before, quiet, { time: input.time, start, events: [input.event] }), sure };
    const why = known ? ", on a port of mining" : sure ? ", in no known protocol" : "";
    const rate = (shape.sent + shape.received) / shape.duration;
    return {
      state: next,
      claims: [
        {
          window: windowOf(next),
          severity: sure ? "medium" : "low",
          summary: `${from} held a connection to ${to} ${port} for ${span(shape.duration * second)}: ${Math.round(rate)} bytes a second, the server every ${span(shape.gap * second)}${why}`,
          events: next.events,
          count: next.count,
          entities: [
            { type: "source.ip", id: from },
            { type: "destination.ip", id: to },
          ],
          attack: ["T1496.001"],
        },
      ],
    };
  },

  expires: (state) => state.end + quiet,
});

interface Bounds {
  readonly minutes: number;
  readonly bytes_per_second: number;
  readonly bytes_per_packet: number;
}

/** Jobs come each 10 to 120 s, answers to shares between: packets further apart are an idle connection, closer together a busy one. */
const gaps = { least: 1, most: 120 };
/** A block each ten minutes (Bitcoin) is the slowest clock of jobs; pools refresh them more often, miners' shares hide some. */
const mostBetweenJobs = 600;
/** A job of some 350 bytes at least each two minutes, a share of 330 with its answer each two or so: less is a connection kept open for news, as push services do. */
const leastRate = 5;
/** Of what one side sends to what the other does; a pool sends more than it gets, or little less where shares are frequent. */
const asymmetry = { least: 0.4, most: 20 };

/** The connection in numbers where it has a miner's shape. Source of the bounds: the XMR-Ray study's features (JIS 2021) and the protocol itself. */
function shapeOf(fields: Fields, bounds: Bounds): Shape | undefined {
  const duration = numberField(fields, "event.duration") / 1e9;
  if (duration * second < bounds.minutes * minute || duration * second > 90 * 24 * hour) return undefined;
  const [sent, received] = [numberField(fields, "source.bytes"), numberField(fields, "destination.bytes")];
  const [asked, answered] = [numberField(fields, "source.packets"), numberField(fields, "destination.packets")];
  if (sent <= 0 || received <= 0 || asked <= 0 || answered <= 0) return undefined;
  const rate = (sent + received) / duration;
  if (rate < leastRate || rate > bounds.bytes_per_second) return undefined;
  if (sent > bounds.bytes_per_packet * asked || received > bounds.bytes_per_packet * answered) return undefined;
  // of a capture it is known how often the server spoke after a second of silence: jobs come unasked
  const unasked = fields["zeek.conn.resp_bursts"];
  if (typeof unasked === "number" && unasked * mostBetweenJobs < duration) return undefined;
  const [ratio, gap] = [received / sent, duration / answered];
  if (ratio < asymmetry.least || ratio > asymmetry.most || gap < gaps.least || gap > gaps.most) return undefined;
  return { duration, sent, received, gap };
}
