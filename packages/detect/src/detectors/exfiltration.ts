/** One of our addresses sends far more out than it ever does. Knows no content. */
import { defineDetector, z } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { type Baseline, remembered, usualOf } from "../baseline.ts";
import { day, type Episode, extend, hour, numberField, ongoing, textField, windowOf } from "../episode.ts";
import { internal, isGroup, isOurs, network, within } from "../networks.ts";
import { mergeTexts } from "../watches.ts";

interface Sent {
  readonly bytes: number;
  /** The connections that sent most, the largest first. */
  readonly flows: readonly Flow[];
  /** Connections that were shunted: after that the sensor did not see their bytes. */
  readonly shunted: readonly string[];
}
type Flow = readonly [bytes: number, to: string, ports: string];
interface State {
  readonly usual: Baseline;
  readonly last: Micros;
  readonly shunted: readonly (readonly [flow: string, last: Micros])[];
  readonly episode?:
    | (Episode & { readonly bytes: number; readonly to: string; readonly most: number; readonly severity: "medium" | "high" })
    | undefined;
}

const bucket: Micros = hour;
const MB = 1_000_000;
/** Connections of an hour and source that are told apart: the rest is too little to matter beside them. */
const maxFlows = 8;
const maxShunted = 32;
/** A shunted connection is written when it ends, hours after the notice. */
const shuntedFor = day;

const upload = (time: Micros, bytes: number, more: { [field: string]: string | number | boolean } = {}) => ({
  time,
  fields: {
    "event.dataset": "zeek.conn",
    "source.ip": "10.0.0.9",
    "destination.ip": "203.0.113.80",
    "destination.port": 443,
    "source.bytes": bytes,
    ...more,
  },
});
const ordinary = (bytes: number, days = 4) => Array.from({ length: days * 8 }, (_, n) => upload(n * 3 * hour, bytes + (n % 7) * MB));

export default defineDetector({
  name: "exfiltration",
  title: "Unusually much data sent out",
  summary: "Finds an address of ours that sends more out within an hour than it ever does.",
  description:
    "Sums up, per hour and source, the bytes of connections that leave our networks, and compares with the source's own hours of the past weeks: more than the floor, six robust deviations above the median, and half more than its busiest hour. Young sources are judged by ten times the floor. Connections of less than 10 kB do not count: they are most of all connections and little of all bytes. Those that a sensor has shunted are left out, because their byte counts are wrong: it says so itself (`zeek.shunted`), or in netcontrol_shunt.log. Zeek counts a connection in the hour in which it began. Data transfer nodes and backup servers have busy hours in their history and stay quiet once these are known.",
  response: [
    "What went where: the evidence has the largest connections. Ask whether the destination is one of yours, a partner's or a backup's.",
    "Nobody knows the transfer: cut the connection, and read who was logged in on the source and which files were read.",
  ],
  stability: "beta",
  where:
    "(event.dataset:zeek.conn and source.ip:* and destination.ip:* and source.bytes >= 10000 and not zeek.shunted:true) or (event.dataset:zeek.netcontrol_shunt and source.ip:* and destination.ip:*)",
  fields: ["source.ip", "destination.ip", "source.bytes", "source.port", "destination.port", "network.protocol", "event.duration"],
  by: ["source.ip"],
  config: z.strictObject({
    by: z
      .enum(["source", "pair"])
      .default("source")
      .describe("Whether all that a source sends is one sum, or each destination has its own; pairs see smaller things and remember more."),
    floor_mb: z
      .number()
      .min(1)
      .max(10_000_000)
      .default(1_000)
      .describe(
        "Never reported below, megabytes an hour; about what a mailbox or a source repository comes to, and more than office work sends.",
      ),
    memory_days: z
      .number()
      .min(1)
      .max(60)
      .default(14)
      .describe("How far back an address is compared with itself, days; two working weeks."),
    learning_days: z
      .number()
      .min(0)
      .max(30)
      .default(3)
      .describe("How long an address must be known before it is judged by its own past, days."),
    internal,
    ignore: z.array(network).max(1_000).default([]).describe("Sources or destinations that are not asked: backup targets, partner sites."),
  }),
  examples: [
    {
      title: "Five gigabytes from a workstation",
      events: [...ordinary(40 * MB), upload(4 * day, 5_000 * MB)],
      finds: [
        "10.0.0.9 sent 5.0 GB out within an hour, mostly to 203.0.113.80 (5.0 GB in one connection); usual is 0 B, the most so far 46.0 MB",
      ],
    },
    {
      title: "A transfer node on an ordinary day, and an hour a little above its busiest",
      events: [...ordinary(4_000 * MB), upload(4 * day, 4_500 * MB)],
      finds: [],
    },
    {
      title: "Inside our networks, and a shunted flow",
      events: [
        ...ordinary(MB),
        upload(4 * day, 9_000 * MB, { "destination.ip": "10.9.9.9" }),
        upload(4 * day, 9_000 * MB, { "zeek.shunted": true }),
      ],
      finds: [],
    },
    {
      title: "A flow that netcontrol_shunt.log names, and one beside it",
      events: [
        ...ordinary(MB),
        {
          time: 4 * day,
          fields: {
            "event.dataset": "zeek.netcontrol_shunt",
            "source.ip": "10.0.0.9",
            "source.port": 5_000,
            "destination.ip": "203.0.113.80",
            "destination.port": 443,
          },
        },
        upload(4 * day, 9_000 * MB, { "source.port": 5_000 }),
        upload(4 * day, 2_000 * MB, { "source.port": 5_001 }),
      ],
      finds: [
        "10.0.0.9 sent 2.0 GB out within an hour, mostly to 203.0.113.80 (2.0 GB in one connection); usual is 0 B, the most so far 7.0 MB",
      ],
    },
    { title: "A machine's first day, installing and uploading", events: [upload(0, 3_000 * MB)], finds: [] },
  ],

  key(fields, { by, internal, ignore }) {
    const from = textField(fields, "source.ip");
    const to = textField(fields, "destination.ip");
    if (from === undefined || to === undefined) return undefined;
    if (isGroup(to) || within(to, internal) || within(from, ignore) || within(to, ignore)) return undefined;
    // a stranger's connection to a stranger is none of ours
    if (!isOurs(fields, from, internal)) return undefined;
    return by === "pair" ? `${from}\0${to}` : from;
  },

  tally: {
    bucket: () => bucket,
    of(fields): Sent {
      const to = textField(fields, "destination.ip")!;
      const ports = `${textField(fields, "source.port") ?? ""} ${textField(fields, "destination.port") ?? ""}`.slice(0, 16);
      if (fields["event.dataset"] === "zeek.netcontrol_shunt") return { bytes: 0, flows: [], shunted: [`${to} ${ports}`] };
      const bytes = numberField(fields, "source.bytes");
      return { bytes, flows: [[bytes, to, ports]], shunted: [] };
    },
    merge: (into: Sent, more: Sent): Sent => ({
      bytes: into.bytes + more.bytes,
      flows: larger(into.flows, more.flows),
      shunted: more.shunted.length === 0 ? into.shunted : mergeTexts(into.shunted, more.shunted, maxShunted),
    }),
  },
  // written when it ended, counted where it began: a long transfer comes hours late, and is what is looked for
  lateness: () => 12 * hour,

  fold(input, state: State | undefined, config) {
    const { start, value, events, count } = input.tally!;
    const sent = value as Sent;
    const shunted = [
      ...(state?.shunted ?? []).filter(([, last]) => start - last < shuntedFor),
      ...sent.shunted.map((flow) => [flow, start] as const),
    ];
    const out = new Set(shunted.map(([flow]) => flow));
    const flows = out.size === 0 ? sent.flows : sent.flows.filter(([, to, ports]) => !out.has(`${to} ${ports}`));
    const bytes = sent.bytes - sent.flows.filter((flow) => !flows.includes(flow)).reduce((sum, [n]) => sum + n, 0);
    const [most, to] = flows[0] ?? [0, ""];
    const memory = config.memory_days * day;
    const floor = config.floor_mb * MB;
    const known = state !== undefined && start - state.usual.since >= config.learning_days * day;
    // up to the floor nothing is found, whatever is usual
    const usual = known && bytes > floor ? usualOf(state.usual, bucket, memory, start) : undefined;
    const limit = known ? Math.max(floor, usual?.limit ?? floor) : floor * 10;
    const before = ongoing(state?.episode, start, 6 * hour);
    const next: State = {
      usual: remembered(state?.usual, memory, start, bytes, limit),
      last: start,
      shunted: shunted.slice(-maxShunted),
      episode: before,
    };
    if (bytes <= limit) return { state: next };
    const largest = before && before.most > most ? before : { to, most };
    const sum = (before?.bytes ?? 0) + bytes;
    const episode = {
      ...extend(before, 6 * hour, { time: input.time, start, events, count }),
      bytes: sum,
      to: largest.to,
      most: largest.most,
      // ten times what already is out of the ordinary leaves little to chance
      severity: before?.severity === "high" || bytes >= 10 * limit ? ("high" as const) : ("medium" as const),
    };
    const from = input.key.split("\0")[0]!;
    const hours = Math.round((start - Math.floor(episode.start / hour) * hour) / hour) + 1;
    const past = usual ? `; usual is ${size(usual.median)}, the most so far ${size(usual.most)}` : "; it has no history yet";
    return {
      state: { ...next, episode },
      claims: [
        {
          window: windowOf(episode),
          severity: episode.severity,
          summary: `${from} sent ${size(sum)} out within ${hours === 1 ? "an hour" : `${hours} hours`}, mostly to ${episode.to} (${size(episode.most)} in one connection)${past}`,
          events: episode.events,
          count: episode.count,
          entities: [
            { type: "source.ip", id: from },
            { type: "destination.ip", id: episode.to },
          ],
          attack: ["T1048", "T1041"],
        },
      ],
    };
  },

  expires: (state, { memory_days }) => state.last + memory_days * day,
});

/** The largest of both, of equal ones the smaller text. */
function larger(a: readonly Flow[], b: readonly Flow[]): readonly Flow[] {
  if (b.length === 0) return a;
  const least = a[maxFlows - 1];
  if (least && b.length === 1 && b[0]![0] < least[0]) return a;
  return [...a, ...b].sort((x, y) => y[0] - x[0] || (`${x[1]} ${x[2]}` < `${y[1]} ${y[2]}` ? -1 : 1)).slice(0, maxFlows);
}

/** Decimal, as networks are measured: `1.5 GB`. */
function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let n = 0;
  let value = bytes;
  while (value >= 1_000 && n < units.length - 1) {
    value /= 1_000;
    n++;
  }
  return `${n === 0 ? value : value.toFixed(1)} ${units[n]}`;
}
