/** What the running program says of its components when asked, as families of metrics. Knows no format and no route. */
import { X509Certificate } from "node:crypto";
import { type MetricFamily, type MetricReading, SeriesTable } from "@vedette/kit";
import type { RouteContext } from "../routes/context.ts";

type Described = Omit<MetricFamily, "name">;
const counter = (help: string, ...labels: string[]): Described => ({ help, type: "counter", labels });
const gauge = (help: string, ...labels: string[]): Described => ({ help, type: "gauge", labels });

/** Sets one series of each family; the same labels again add up. */
type Tell<K extends string> = { readonly [name in K]: (value: number, ...labels: string[]) => void };

/** Families that come of one question. */
export interface MetricGroup {
  readonly name: string;
  readonly families: readonly MetricFamily[];
  read(context: RouteContext): Promise<readonly MetricReading[]>;
}

function group<K extends string>(
  name: string,
  described: { readonly [name in K]: Described },
  ask: (context: RouteContext, tell: Tell<K>) => Promise<void> | void,
): MetricGroup {
  const families = Object.entries<Described>(described).map(([short, rest]) => ({ name: `vedette_${short}`, ...rest }));
  return {
    name,
    families,
    async read(context) {
      const tables = families.map((family) => ({ family, table: new SeriesTable() }));
      const tell = Object.fromEntries(
        tables.map(({ family, table }) => [
          family.name.slice("vedette_".length),
          (value: number, ...labels: string[]) => {
            table.at(labels).values[0]! += value;
          },
        ]),
      ) as Tell<K>;
      await ask(context, tell);
      return tables.map(({ family, table }) => ({ family, series: table.all }));
    },
  };
}

const sources = group(
  "sources",
  {
    source_in_total: counter("Records accepted from a source.", "source"),
    source_split_total: counter("Events beyond the first of records that held several.", "source"),
    source_stored_total: counter("Records stored as events.", "source"),
    source_dead_total: counter("Records kept as dead letters.", "source"),
    source_dropped_total: counter("Records dropped on purpose, by reason.", "source", "reason"),
    source_pending: gauge("Records accepted and not yet processed.", "source"),
    source_balance: gauge("What the loss ledger cannot account for: 0 when nothing is lost.", "source"),
  },
  async ({ options }, tell) => {
    for (const line of await options.runtime.ledger()) {
      tell.source_in_total(line.in, line.name);
      tell.source_split_total(line.split ?? 0, line.name);
      tell.source_stored_total(line.stored, line.name);
      tell.source_dead_total(line.dead, line.name);
      tell.source_pending(line.pending, line.name);
      tell.source_balance(line.balance, line.name);
      for (const [reason, n] of Object.entries(line.dropped)) tell.source_dropped_total(n, line.name, reason);
    }
  },
);

const sourceStates = group(
  "source_states",
  {
    source_failed: gauge("1 while a configured source cannot be read.", "source", "type"),
    source_last_received_timestamp_seconds: gauge("When a source sent something last, since this start.", "source"),
    source_warnings: gauge("Warnings of a source that still stand.", "source", "code"),
  },
  async ({ options }, tell) => {
    for (const { name, type, state, lastReceived, warnings } of await options.runtime.sourceStates()) {
      tell.source_failed(state === "failed" ? 1 : 0, name, type);
      if (lastReceived !== undefined) tell.source_last_received_timestamp_seconds(lastReceived / 1e6, name);
      for (const { code, count = 1 } of warnings) tell.source_warnings(count, name, code);
    }
  },
);

const quality = group(
  "quality",
  {
    source_silent: gauge("1 while a source is silent for longer than is usual.", "source"),
    source_parse_failure_ratio: gauge("Part of a source's records of the last minutes that could not be read.", "source", "format"),
    source_schema_drift: gauge("Kinds of a source's events whose fields differ from the last day's.", "source"),
    hosts: gauge("Hosts, by what is known of them: known, silent, wrong clock.", "state"),
  },
  ({ options }, tell) => {
    const { sources: all, hosts } = options.runtime.quality();
    for (const { name, state, formats, drift } of all) {
      tell.source_silent(state === "silent" ? 1 : 0, name);
      tell.source_schema_drift(drift.length, name);
      for (const { format, records, flaws } of formats) tell.source_parse_failure_ratio(records === 0 ? 0 : flaws / records, name, format);
    }
    tell.hosts(hosts.known, "known");
    tell.hosts(hosts.silent.length, "silent");
    tell.hosts(hosts.clocks.length, "wrong_clock");
  },
);

const sinks = group(
  "sinks",
  {
    sink_records_total: counter("What became of what a sink read, by outcome.", "sink", "outcome"),
    sink_missed_batches_total: counter("Batches that the log dropped before a sink had sent them.", "sink"),
    sink_pending: gauge("Batches, or changes of alerts, that a sink has not gone through.", "sink"),
    sink_lag_seconds: gauge("How long the oldest of what is under way to a receiver has waited.", "sink"),
    sink_failing: gauge("1 while a sink's receiver does not take what it is sent.", "sink"),
  },
  async ({ options }, tell) => {
    for (const { name, ...state } of await options.runtime.sinkStates()) {
      const refused = Object.values(state.refused).reduce((sum, n) => sum + n, 0);
      for (const [outcome, n] of Object.entries({ sent: state.sent, refused, skipped: state.skipped }))
        tell.sink_records_total(n, name, outcome);
      tell.sink_missed_batches_total(state.missed, name);
      tell.sink_pending(state.pending, name);
      tell.sink_lag_seconds(state.lag / 1e6, name);
      tell.sink_failing(state.state === "waiting" || state.state === "failed" ? 1 : 0, name);
    }
  },
);

const detectors = group(
  "detectors",
  {
    detector_keys: gauge("Keys a detector has in memory.", "detector"),
    detector_observations_total: counter("What became of a detector's observations, by outcome.", "detector", "outcome"),
  },
  ({ options }, tell) => {
    for (const { name, keys, observations, ...rest } of options.runtime.detectors()) {
      tell.detector_keys(keys, name);
      tell.detector_observations_total(observations, name, "taken");
      for (const [outcome, n] of Object.entries(rest)) tell.detector_observations_total(n, name, outcome);
    }
  },
);

const rules = group(
  "rules",
  {
    rules: gauge("Rules, by state.", "state"),
    rules_unknown_fields: gauge("Rules in force that name a field no event is known to carry."),
    rules_version: gauge("Version of the rules in force; it grows with every change."),
    rule_matches_total: counter("Matches of rules, by their level and state.", "level", "state"),
    rule_matches_capped_total: counter("Matches of which no finding was written: the rule had told enough.", "level"),
    rule_evaluation_seconds_total: counter("What evaluating rules took since this start, all threads, estimated from a sample.", "state"),
    rule_evaluation_seconds_max: gauge("What evaluating the dearest rule took since this start."),
  },
  ({ options }, tell) => {
    const { rules: all, version } = options.runtime.rules();
    // a state of which there is none is told too: an alert on it must know 0 from unknown
    for (const state of ["enabled", "shadow", "quarantined", "refused"]) tell.rules(0, state);
    for (const { state, level, matched, capped, cost_ms } of all) {
      tell.rules(1, state);
      tell.rule_matches_total(matched, level, state);
      tell.rule_matches_capped_total(capped, level);
      tell.rule_evaluation_seconds_total(cost_ms / 1_000, state);
    }
    tell.rules_unknown_fields(all.filter((rule) => rule.unknown_fields !== undefined && rule.state !== "quarantined").length);
    tell.rules_version(version);
    tell.rule_evaluation_seconds_max(Math.max(0, ...all.map(({ cost_ms }) => cost_ms)) / 1_000);
  },
);

const canaries = group(
  "canaries",
  {
    canary_enabled: gauge("1 when rules are proved able to fire without being asked."),
    canary_rules: gauge("Rules by whether they are proved able to fire.", "state"),
    canary_last_proof_timestamp_seconds: gauge("When a rule was last proved, end to end: accepted, analysed, alerted; 0 before the first."),
    canary_interval_seconds: gauge("How often each rule is to be proved."),
    canary_forged_total: counter("Batches in the log whose canary mark was not ours."),
  },
  ({ options }, tell) => {
    const report = options.prover?.report();
    if (!report) return;
    tell.canary_enabled(report.enabled ? 1 : 0);
    for (const [state, count] of Object.entries(report.counts)) tell.canary_rules(count, state);
    tell.canary_last_proof_timestamp_seconds((report.last ?? 0) / 1e6);
    tell.canary_interval_seconds(report.every_s);
    tell.canary_forged_total(report.forged);
  },
);

const readiness = group(
  "readiness",
  {
    ready: gauge("1 when able to accept and to detect."),
    problem: gauge("1 while a problem stands; its text is at /readyz.", "code"),
    lag_seconds: gauge("How far detection is behind the newest accepted record."),
    clock_timestamp_seconds: gauge("What this server's clock said when it was asked: whoever asks compares it with its own."),
  },
  async ({ options: { runtime }, clock }, tell) => {
    const { ready, problems } = await runtime.ready();
    tell.ready(ready ? 1 : 0);
    for (const code of new Set(problems.map((one) => one.code))) tell.problem(1, code);
    tell.lag_seconds((await runtime.lag()) / 1e6);
    tell.clock_timestamp_seconds(clock.now() / 1e6);
  },
);

const state = group(
  "state",
  {
    events_stored: gauge("Events in the store."),
    events_per_second: gauge("Events a second, mean over 10 s."),
    disk_bytes: gauge("Bytes on disk, by kind.", "kind"),
    open_alerts: gauge("Open alerts, by severity.", "severity"),
    stream_clients: gauge("Listeners of the event stream."),
    build_info: gauge("1; its labels say what runs.", "version", "node"),
  },
  async ({ options, hub, status }, tell) => {
    const now = await status.get();
    tell.events_stored(now.events);
    tell.events_per_second(now.rate);
    for (const [kind, bytes] of Object.entries(now.disk)) tell.disk_bytes(bytes, kind.replace("_bytes", ""));
    for (const [severity, count] of Object.entries(now.alerts.open)) tell.open_alerts(count, severity);
    tell.stream_clients(hub.clients);
    tell.build_info(1, options.version, process.version);
  },
);

const senders = group(
  "senders",
  { senders_refused: gauge("Senders that were refused, of the last 200, by why: what to do stands at /api/v1/refusals.", "cause") },
  ({ refusals }, tell) => {
    for (const { cause } of refusals.list()) tell.senders_refused(1, cause);
  },
);

const trust = group(
  "trust",
  {
    audit_records: gauge("Records in the audit trail."),
    audit_head_timestamp_seconds: gauge("When the audit trail's newest head was signed."),
    certificate_expiry_timestamp_seconds: gauge("When a certificate of this server ends, by what it is for.", "certificate"),
    machines: gauge("Machines known by certificates, by state.", "state"),
  },
  ({ options: { audit, https, machines } }, tell) => {
    if (audit) {
      const { n, time } = audit.head();
      tell.audit_records(n);
      tell.audit_head_timestamp_seconds(time / 1e6);
    }
    const ends = (pem: string | Buffer) => Date.parse(new X509Certificate(pem).validTo) / 1_000;
    if (https) tell.certificate_expiry_timestamp_seconds(ends(https.cert), "http");
    if (!machines) return;
    tell.certificate_expiry_timestamp_seconds(ends(machines.register.authority.certificate), "authority");
    for (const one of ["active", "silent", "stale", "expired", "revoked"]) tell.machines(0, one);
    for (const { state: one } of machines.register.list()) tell.machines(1, one);
  },
);

/** In the order in which they are shown. */
export const metricGroups: readonly MetricGroup[] = [
  readiness,
  sources,
  sourceStates,
  quality,
  detectors,
  rules,
  canaries,
  sinks,
  senders,
  state,
  trust,
];
