/** Alerts, events and the rest as the API shows them: times as RFC 3339, evidence only where asked for. */
import type { Alert, Event, LedgerLine, QualityReport, SinkState, SourceState } from "@vedette/model";
import { formatTime } from "./time.ts";

/** Without evidence and history, as lists and the stream carry it. */
export function alertRow(alert: Alert) {
  const { tenant: _tenant, evidence: _evidence, history: _history, versions: _versions, retracted, ...rest } = alert;
  return {
    ...rest,
    first_seen: formatTime(alert.first_seen),
    last_seen: formatTime(alert.last_seen),
    created: formatTime(alert.created),
    updated: formatTime(alert.updated),
    ...(retracted === undefined ? {} : { retracted: formatTime(retracted) }),
  };
}

export function alertInFull(alert: Alert) {
  return {
    ...alertRow(alert),
    evidence: alert.evidence.map((one) => ({ ...one, time: formatTime(one.time) })),
    history: alert.history.map((one) => ({ ...one, at: formatTime(one.at) })),
  };
}

export function eventRow(event: Event) {
  const { id, source, class: kind, host, fields, original } = event;
  return { id, time: formatTime(event.time), received: formatTime(event.received), source, class: kind, host, fields, original };
}

/** One source's figures, and nothing else the runtime may know of it. */
export function ledgerRow({ name, in: all, stored, dead, dropped, pending, split }: Omit<LedgerLine, "balance">) {
  return { name, in: all, ...(split !== undefined && { split }), stored, dead, dropped, pending };
}

export function sourceRow(source: SourceState) {
  const { type, state, lastReceived, rate, warnings } = source;
  return {
    ...ledgerRow(source),
    type,
    state,
    rate,
    ...(lastReceived !== undefined && { last_received: formatTime(lastReceived) }),
    warnings: warnings.map(({ at, code, message, count = 1 }) => ({ at: formatTime(at), code, message, count })),
  };
}

export function sinkRow({ lag, lastSent, ...rest }: SinkState) {
  return { ...rest, lag_ms: Math.round(lag / 1000), ...(lastSent !== undefined && { last_sent: formatTime(lastSent) }) };
}

export function qualityReport({ at, sources, hosts }: QualityReport) {
  return {
    ...(at > 0 && { at: formatTime(at) }),
    sources: sources.map(({ last, silence_allowed, drift, ...rest }) => ({
      ...rest,
      last: formatTime(last),
      ...(silence_allowed !== undefined && { silence_allowed_s: silence_allowed / 1e6 }),
      drift: drift.map((one) => ({ ...one, at: formatTime(one.at) })),
    })),
    hosts: {
      ...hosts,
      silent: hosts.silent.map(({ name, last }) => ({ name, ...(last > 0 && { last: formatTime(last) }) })),
      clocks: hosts.clocks.map(({ lead, ...rest }) => ({ ...rest, lead_s: lead / 1e6 })),
    },
  };
}
