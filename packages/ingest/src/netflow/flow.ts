/** Words one flow as the JSON document that is kept of it, with its times made absolute. Knows no transport. */
import type { Micros } from "@vedette/model";
import type { ReadRecord, Values } from "./template.ts";

/** The message that a flow came in. */
export interface Sent {
  readonly version: 5 | 9 | 10;
  readonly key: string;
  /** The sender's clock. */
  readonly exported: Micros;
  /** The sender's uptime at that moment, ms; IPFIX does not tell it. */
  readonly uptime: number | undefined;
}

/**
 * `{"netflow": 9, "domain": 1, "exported": µs, "start": µs, "end": µs, "sampling": 1000, "flow": {IANA's names}, "unknown": {"PEN.number": hex}}`;
 * what tells of the exporter itself has `options` instead of `flow`.
 */
export function flowText(sent: Sent, { values, unknown }: ReadRecord, options: boolean, sampling: number | undefined): string {
  const start = options ? undefined : momentOf(values, "Start", sent);
  let end = options ? undefined : momentOf(values, "End", sent);
  if (end === undefined && start !== undefined) end = start + durationOf(values);
  return JSON.stringify({
    netflow: sent.version,
    domain: Number(sent.key.slice(sent.key.lastIndexOf(" ") + 1)),
    exported: sent.exported,
    start: start ?? (end === undefined ? undefined : end - durationOf(values)),
    end,
    sampling,
    [options ? "options" : "flow"]: values,
    unknown,
  });
}

const durationOf = (values: Values): Micros =>
  Number(values["flowDurationMilliseconds"] ?? 0) * 1_000 + Number(values["flowDurationMicroseconds"] ?? 0);

function momentOf(values: Values, edge: "Start" | "End", { exported, uptime }: Sent): Micros | undefined {
  const value = (unit: string): number | undefined => {
    const found = values[`flow${edge}${unit}`];
    return typeof found === "number" ? found : undefined;
  };
  const milliseconds = value("Milliseconds");
  if (milliseconds !== undefined) return milliseconds * 1_000;
  const seconds = value("Seconds");
  if (seconds !== undefined) return seconds * 1_000_000;
  const precise = value("Microseconds") ?? value("Nanoseconds");
  if (precise !== undefined) return precise;
  const delta = value("DeltaMicroseconds");
  if (delta !== undefined) return exported - delta;
  const up = value("SysUpTime");
  if (up === undefined) return undefined;
  const started = values["systemInitTimeMilliseconds"];
  if (typeof started === "number") return (started + up) * 1_000;
  // the uptime is 32 bits of milliseconds: the difference is right across its wrap
  return uptime === undefined ? undefined : exported - ((uptime - up) | 0) * 1_000;
}
