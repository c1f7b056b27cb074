/** Detectors for tests of the engine: claims that come and go with disorder, tallies, several keys, a chain. Knows no engine. */
import { type DetectStage, prepareDetector, stageOf } from "@vedette/detect";
import { type Claim, type DetectorSpec, defineDetector, newFields, z } from "@vedette/kit";
import type { Event, Micros } from "@vedette/model";

export const second = 1_000_000;
export const minute = 60 * second;
export const lateness = 30 * second;

const common = { summary: "Test.", stability: "beta" as const, config: z.strictObject({}), examples: [] };
const text = (value: unknown): string => String(value ?? "");

/** Three failures in a row without a success between: an earlier success that comes later takes a claim back. */
const streak = defineDetector({
  ...common,
  name: "streak",
  title: "Streak",
  where: "event.category:authentication",
  fields: ["event.outcome", "source.ip"],
  by: ["source.ip"],
  key: (fields) => text(fields["source.ip"]),
  fold(input, state: { readonly start: Micros; readonly last: Micros; readonly events: readonly string[] } | undefined) {
    if (input.fields["event.outcome"] === "success") return {};
    const open = state && input.time - state.last <= minute ? state : undefined;
    const events = [...(open?.events ?? []), input.event].slice(-20);
    const next = { start: open?.start ?? input.time, last: input.time, events };
    if (events.length < 3) return { state: next };
    return {
      state: next,
      claims: [
        {
          window: { start: next.start, end: input.time },
          severity: events.length >= 6 ? "high" : "low",
          summary: `${events.length} failures`,
          events,
          count: events.length,
          entities: [{ type: "source.ip", id: input.key }],
        },
      ],
    };
  },
  expires: (state) => state.last + minute,
});

/** A minute with over twice the bytes of the minute before, by address and by port. */
const surge = defineDetector({
  ...common,
  name: "surge",
  title: "Surge",
  where: "event.category:network",
  fields: ["source.ip"],
  key: (fields) => [`ip ${text(fields["source.ip"])}`, `port ${text(fields["destination.port"])}`],
  tally: {
    bucket: () => minute,
    of: (fields): { bytes: number; ips: string[] } => ({ bytes: Number(fields["source.bytes"] ?? 0), ips: [text(fields["source.ip"])] }),
    merge(into: { bytes: number; ips: string[] }, more: { bytes: number; ips: string[] }) {
      into.bytes += more.bytes;
      into.ips = [...new Set([...into.ips, ...more.ips])].sort().slice(0, 8);
      return into;
    },
  },
  fold(input, state: { readonly last: Micros; readonly bytes: number } | undefined) {
    const { start, count, value, events } = input.tally!;
    const { bytes, ips } = value as { bytes: number; ips: string[] };
    const next = { last: start, bytes };
    if (!state || start - state.last > 5 * minute || bytes <= 2 * state.bytes) return { state: next };
    const summary = `${bytes} bytes after ${state.bytes} from ${ips.join()} by ${text(input.fields["source.ip"])}`;
    return {
      state: next,
      claims: [
        {
          window: { start, end: input.time },
          severity: "medium",
          summary,
          events,
          count,
          entities: [{ type: "surge.key", id: input.key }],
        },
      ],
    };
  },
  expires: (state) => state.last + 5 * minute,
});

interface Window {
  readonly opened: Micros;
  readonly events: readonly string[];
}
const fewOf = ({ opened, events }: Window, key: string): readonly Claim[] =>
  events.length > 2
    ? []
    : [
        {
          window: { start: opened, end: opened + minute },
          severity: "low",
          summary: `only ${events.length}`,
          events,
          count: events.length,
          entities: [{ type: "source.ip", id: key }],
        },
      ];

/** At most two log-ins in the minute that begins with one: known when the minute is over. */
const few = defineDetector({
  ...common,
  name: "few",
  title: "Few",
  where: "event.category:authentication",
  fields: ["source.ip"],
  by: ["source.ip"],
  key: (fields) => text(fields["source.ip"]),
  fold(input, state: Window | undefined) {
    if (state && input.time <= state.opened + minute) return { state: { ...state, events: [...state.events, input.event].slice(0, 9) } };
    return { state: { opened: input.time, events: [input.event] }, claims: state ? fewOf(state, input.key) : [] };
  },
  closes: (state) => state.opened + minute,
  close: fewOf,
  expires: (state) => state.opened + minute,
});

/** Two streaks of one address within ten minutes. */
const twice = defineDetector({
  ...common,
  name: "twice",
  title: "Twice",
  where: "",
  follows: ["streak", "surge"],
  fields: ["source.ip", "rule.id"],
  key: (fields) => text(fields["source.ip"] ?? fields["surge.key"]),
  fold(input, state: { readonly time: Micros; readonly event: string } | undefined) {
    const next = { time: input.time, event: input.event };
    if (!state || input.time - state.time > 10 * minute) return { state: next };
    return {
      state: next,
      claims: [
        {
          window: { start: state.time, end: input.time },
          severity: "high",
          summary: `again after ${input.time - state.time}`,
          events: [state.event, input.event],
          count: 2,
          entities: [{ type: "source.ip", id: input.key }],
        },
      ],
    };
  },
  expires: (state) => state.time + 10 * minute,
});

const specs: readonly DetectorSpec[] = [streak, surge, few, twice];
export const burstStage = (): DetectStage => stageOf(specs.map((spec) => prepareDetector(spec, {}, lateness)));

/** Something that happened: a log-in or a connection. */
export interface Happening {
  readonly time: Micros;
  readonly ip: number;
  readonly host: number;
  readonly outcome: "failure" | "success" | "connection";
  readonly bytes: number;
  readonly port: number;
}

export function eventOf(h: Happening, n: number): Event {
  const fields = Object.assign(newFields(), { "source.ip": `192.0.2.${h.ip}`, "event.outcome": h.outcome });
  if (h.outcome === "connection")
    Object.assign(fields, { "event.category": "network", "source.bytes": h.bytes, "destination.port": h.port });
  else Object.assign(fields, { "event.category": "authentication" });
  return {
    id: `e${n}`,
    tenant: "main",
    source: `s${h.host % 2}`,
    time: h.time,
    received: h.time,
    seq: n,
    class: h.outcome === "connection" ? "network" : "authentication",
    host: `h${h.host}`,
    fields,
    original: `line ${n}`,
  };
}
