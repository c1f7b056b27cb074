/** What a running server says of itself at one moment, for whoever watches it. Compares and shows nothing. */
import type { Server } from "../client.ts";

export interface Sample {
  readonly at: string;
  readonly server: string;
  readonly version: string;
  readonly started: string;
  readonly ready: boolean;
  readonly problems: readonly { readonly code: string; readonly message: string }[];
  readonly events: number;
  readonly rate: number;
  readonly lag_ms: number;
  readonly open_alerts: { readonly [severity: string]: number };
  readonly disk_bytes: { readonly [kind: string]: number };
  readonly process: {
    readonly cpu_seconds: number;
    readonly resident_bytes: number;
    readonly heap_bytes: number;
    readonly loop_seconds: number;
  };
  readonly sources: readonly {
    readonly name: string;
    readonly type: string;
    readonly state: string;
    readonly rate: number;
    readonly in: number;
    readonly dead: number;
    readonly pending: number;
  }[];
  readonly sinks: readonly { readonly name: string; readonly state: string; readonly pending: number; readonly lag_s: number }[];
  readonly rules: readonly {
    readonly id: string;
    readonly title: string;
    readonly state: string;
    readonly cost_ms: number;
    readonly matched: number;
  }[];
  readonly detectors: readonly {
    readonly name: string;
    readonly keys: number;
    readonly observations: number;
    readonly late: number;
    readonly skipped: number;
  }[];
  readonly alerts: readonly {
    readonly severity: string;
    readonly title: string;
    readonly summary: string;
    readonly count: number;
    readonly updated: string;
  }[];
}

/** @throws as the client does, where the server cannot be asked */
export async function takeSample(client: Server, now: () => Date): Promise<Sample> {
  const [status, { sources }, { sinks }, { rules }, { detectors }, { alerts }, metrics] = await Promise.all([
    client.get("/status"),
    client.get("/sources"),
    client.get("/sinks"),
    client.get("/rules"),
    client.get("/ledger"),
    client.get("/alerts", { query: { state: "open", limit: 20 } }),
    client.text("/metrics"),
  ]);
  const figure = (name: string) => Number(new RegExp(`^vedette_${name} (\\S+)$`, "m").exec(metrics)?.[1] ?? 0);
  const { version, started, ready, problems, events, rate = 0, lag_ms = 0, disk = {} } = status;
  return {
    at: now().toISOString(),
    server: client.url,
    version,
    started,
    ready,
    problems,
    events,
    rate,
    lag_ms,
    open_alerts: status.alerts.open,
    disk_bytes: disk,
    process: {
      cpu_seconds: figure("process_cpu_seconds_total"),
      resident_bytes: figure("process_resident_memory_bytes"),
      heap_bytes: figure("nodejs_heap_size_used_bytes"),
      loop_seconds: figure("nodejs_eventloop_lag_p99_seconds"),
    },
    sources: sources.map(({ name, type, state, rate: each, in: taken, dead, pending }) => ({
      name,
      type,
      state,
      rate: each,
      in: taken,
      dead,
      pending,
    })),
    sinks: sinks.map(({ name, state, pending, lag_ms: waits }) => ({ name, state, pending, lag_s: waits / 1_000 })),
    rules: rules.map(({ id, title, state, cost_ms = 0, matched = 0 }) => ({ id, title, state, cost_ms, matched })),
    detectors: detectors.map(({ name, keys, observations, late, skipped }) => ({ name, keys, observations, late, skipped })),
    alerts: alerts.map(({ severity, title, summary, count, updated }) => ({ severity, title, summary, count, updated })),
  };
}
