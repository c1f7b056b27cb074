/** Prometheus metrics, read from the runtime when asked. Knows no route. */
import type { FastifyInstance } from "fastify";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { RouteContext } from "./routes/context.ts";

/** Seconds; queries are bounded at ten. */
const buckets = [0.005, 0.02, 0.1, 0.3, 1, 3, 10];

type Refresh = () => Promise<void> | void;

export class Metrics {
  readonly #registry = new Registry();
  readonly contentType = this.#registry.contentType;
  readonly #duration: Histogram<"route" | "method" | "status">;
  /** Each fills several metrics from one answer of the runtime. */
  readonly #refresh: readonly Refresh[];

  constructor(context: RouteContext) {
    this.#duration = new Histogram({
      name: "vedette_http_request_duration_seconds",
      help: "Time to answer, by route, method and status.",
      labelNames: ["route", "method", "status"],
      buckets,
      registers: [this.#registry],
    });
    this.#refresh = [
      this.#process(),
      this.#sources(context),
      this.#sinks(context),
      this.#quality(context),
      this.#detectors(context),
      this.#canaries(context),
      this.#state(context),
    ];
  }

  /** Measures every route; the stream never answers and is not measured. */
  watch(app: FastifyInstance): void {
    app.addHook("onResponse", async (request, reply) => {
      const route = request.is404 ? "(none)" : (request.routeOptions.url ?? "(none)");
      this.#duration.observe({ route, method: request.method, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    });
  }

  async text(): Promise<string> {
    await Promise.all(this.#refresh.map((one) => one()));
    return this.#registry.metrics();
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name: `vedette_${name}`, help, labelNames, registers: [this.#registry] });
  }
  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name: `vedette_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #process(): Refresh {
    const cpu = this.#counter("process_cpu_seconds_total", "CPU time of the process, all threads.");
    const memory = this.#gauge("process_resident_memory_bytes", "Resident memory of the process.");
    return () => {
      const { user, system } = process.cpuUsage();
      cpu.reset();
      cpu.inc((user + system) / 1e6);
      memory.set(process.memoryUsage.rss());
    };
  }

  #sources({ options }: RouteContext): Refresh {
    const taken = this.#counter("source_in_total", "Records accepted from a source.", ["source"]);
    const stored = this.#counter("source_stored_total", "Records stored as events.", ["source"]);
    const dead = this.#counter("source_dead_total", "Records kept as dead letters.", ["source"]);
    const dropped = this.#counter("source_dropped_total", "Records dropped on purpose, by reason.", ["source", "reason"]);
    const pending = this.#gauge("source_pending", "Records accepted and not yet processed.", ["source"]);
    return async () => {
      const lines = await options.runtime.ledger();
      for (const one of [taken, stored, dead, dropped, pending]) one.reset();
      for (const line of lines) {
        const source = line.name;
        taken.inc({ source }, line.in);
        stored.inc({ source }, line.stored);
        dead.inc({ source }, line.dead);
        pending.set({ source }, line.pending);
        for (const [reason, n] of Object.entries(line.dropped)) dropped.inc({ source, reason }, n);
      }
    };
  }

  #sinks({ options }: RouteContext): Refresh {
    const records = this.#counter("sink_records_total", "What became of what a sink read, by outcome.", ["sink", "outcome"]);
    const missed = this.#counter("sink_missed_batches_total", "Batches that the log dropped before a sink had sent them.", ["sink"]);
    const pending = this.#gauge("sink_pending", "Batches, or changes of alerts, that a sink has not gone through.", ["sink"]);
    const lag = this.#gauge("sink_lag_seconds", "How long the oldest of what is under way to a receiver has waited.", ["sink"]);
    return async () => {
      const states = await options.runtime.sinkStates();
      for (const one of [records, missed, pending, lag]) one.reset();
      for (const { name: sink, ...state } of states) {
        const refused = Object.values(state.refused).reduce((sum, n) => sum + n, 0);
        for (const [outcome, n] of Object.entries({ sent: state.sent, refused, skipped: state.skipped })) records.inc({ sink, outcome }, n);
        missed.inc({ sink }, state.missed);
        pending.set({ sink }, state.pending);
        lag.set({ sink }, state.lag / 1e6);
      }
    };
  }

  #quality({ options }: RouteContext): Refresh {
    const silent = this.#gauge("source_silent", "1 while a source is silent for longer than is usual.", ["source"]);
    const failing = this.#gauge("source_parse_failure_ratio", "Part of a source's records of the last minutes that could not be read.", [
      "source",
      "format",
    ]);
    const drift = this.#gauge("source_schema_drift", "Kinds of a source's events whose fields differ from the last day's.", ["source"]);
    const hosts = this.#gauge("hosts", "Hosts, by what is known of them: known, silent, wrong clock.", ["state"]);
    return () => {
      const report = options.runtime.quality();
      for (const one of [silent, failing, drift]) one.reset();
      for (const { name: source, state, formats, drift: kinds } of report.sources) {
        silent.set({ source }, state === "silent" ? 1 : 0);
        drift.set({ source }, kinds.length);
        for (const { format, records, flaws } of formats) failing.set({ source, format }, records === 0 ? 0 : flaws / records);
      }
      hosts.set({ state: "known" }, report.hosts.known);
      hosts.set({ state: "silent" }, report.hosts.silent.length);
      hosts.set({ state: "wrong_clock" }, report.hosts.clocks.length);
    };
  }

  #detectors({ options }: RouteContext): Refresh {
    const keys = this.#gauge("detector_keys", "Keys a detector has in memory.", ["detector"]);
    const events = this.#counter("detector_observations_total", "What became of a detector's observations, by outcome.", [
      "detector",
      "outcome",
    ]);
    return () => {
      keys.reset();
      events.reset();
      for (const { name, keys: inMemory, observations, ...rest } of options.runtime.detectors()) {
        keys.set({ detector: name }, inMemory);
        events.inc({ detector: name, outcome: "taken" }, observations);
        for (const [outcome, n] of Object.entries(rest)) events.inc({ detector: name, outcome }, n);
      }
    };
  }

  #canaries({ options }: RouteContext): Refresh {
    const rules = this.#gauge("canary_rules", "Rules by whether they are proved able to fire.", ["state"]);
    const last = this.#gauge("canary_last_proof_timestamp_seconds", "When a rule was last proved.");
    const forged = this.#counter("canary_forged_total", "Batches in the log whose canary mark was not ours.");
    return () => {
      const report = options.prover?.report();
      if (!report) return;
      for (const [state, count] of Object.entries(report.counts)) rules.set({ state }, count);
      last.set((report.last ?? 0) / 1e6);
      forged.reset();
      forged.inc(report.forged);
    };
  }

  #state({ options, hub, status }: RouteContext): Refresh {
    const events = this.#gauge("events_stored", "Events in the store.");
    const lag = this.#gauge("lag_seconds", "How far detection is behind the newest accepted record.");
    const ready = this.#gauge("ready", "1 when able to accept and to detect.");
    const rate = this.#gauge("events_per_second", "Events a second, mean over 10 s.");
    const disk = this.#gauge("disk_bytes", "Bytes on disk, by kind.", ["kind"]);
    const alerts = this.#gauge("open_alerts", "Open alerts, by severity.", ["severity"]);
    const rules = this.#gauge("rules", "Rules, by state.", ["state"]);
    const blind = this.#gauge("rules_unknown_fields", "Rules in force that name a field no event is known to carry.");
    const clients = this.#gauge("stream_clients", "Listeners of the event stream.");
    return async () => {
      const now = await status.get();
      events.set(now.events);
      lag.set(now.lag_ms / 1000);
      ready.set(now.ready ? 1 : 0);
      rate.set(now.rate);
      for (const [kind, bytes] of Object.entries(now.disk)) disk.set({ kind: kind.replace("_bytes", "") }, bytes);
      for (const [severity, count] of Object.entries(now.alerts.open)) alerts.set({ severity }, count);
      rules.reset();
      const all = options.runtime.rules().rules;
      for (const rule of all) rules.inc({ state: rule.state });
      blind.set(all.filter((rule) => rule.unknown_fields !== undefined && rule.state !== "quarantined").length);
      clients.set(hub.clients);
    };
  }
}
