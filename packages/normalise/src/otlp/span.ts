/** What is measured of services: a span reduced to its duration and outcome, by service and by the edge to whom it called. Knows no transport. */
import type { Fields, Micros, Sample, Span } from "@vedette/model";
import { type Labels, labelsOf } from "../metrics/measured.ts";

const textOf = (fields: Fields, name: string): string | undefined => {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
};

/** By the semantic conventions: whom a client or a producer says that it called. */
const peers = ["otel.attributes.peer.service", "otel.attributes.service.peer.name", "destination.domain", "otel.attributes.db.system"];

/** From the fields that its event has; undefined without a service or times. */
export function spanOf(fields: Fields, start: Micros | undefined): Span | undefined {
  const service = textOf(fields, "service.name");
  const nanos = fields["event.duration"];
  if (service === undefined || start === undefined || typeof nanos !== "number") return undefined;
  const kind = textOf(fields, "otel.span.kind");
  const calls = kind === "client" || kind === "producer";
  const peer = calls ? peers.map((name) => textOf(fields, name)).find((one) => one !== undefined) : undefined;
  return {
    service,
    kind,
    start,
    duration: nanos / 1_000,
    failed: fields["event.outcome"] === "failure",
    peer,
    host: textOf(fields, "host.name"),
  };
}

/** Durations in seconds and failures as 0 or 1, at the moment the span ended: their mean is the latency and the share of errors. */
export function samplesOf(span: Span): readonly Sample[] {
  const time = span.start + Math.round(span.duration);
  const seconds = span.duration / 1e6;
  const failed = span.failed ? 1 : 0;
  const sample = (name: string, labels: Labels, value: number): Sample => ({ name, labels, time, value, kind: "measurement" });
  const own = labelsOf([
    ["host.name", span.host ?? ""],
    ["service.name", span.service],
    ["span.kind", span.kind ?? "unspecified"],
  ]);
  const found = [sample("traces.service.duration", own, seconds), sample("traces.service.failed", own, failed)];
  if (span.peer === undefined) return found;
  const edge = labelsOf([
    ["client", span.service],
    ["server", span.peer],
    ["service.name", span.service],
  ]);
  return [...found, sample("traces.edge.duration", edge, seconds), sample("traces.edge.failed", edge, failed)];
}
