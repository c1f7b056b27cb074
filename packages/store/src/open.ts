/** Starts the storage thread and speaks for it. Refuses to import a driver: loading this file is cheap. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import {
  BadInputError,
  type Clock,
  ConfigError,
  defineCounter,
  defineGauge,
  defineHistogram,
  systemClock,
  UnavailableError,
  VedetteError,
} from "@vedette/kit";
import type { KeyStore, MachineStore, PeopleStore } from "@vedette/model";
import type { OpenSearchSettings } from "./opensearch/events.ts";
import type { Answer, Call, ThreadOptions } from "./protocol.ts";
import type { SeriesStore } from "./series.ts";
import type { PostgresSettings } from "./state/postgres.ts";
import type { AlertStore, CheckpointStore, EventStore, RefusedEvent, ScanPage, SettingStore, SnapshotStore, Store } from "./store.ts";

export interface StoreOptions {
  /** The data directory: the store owns `events/` and `state.db` in it. */
  readonly directory: string;
  /** State is there instead of in `state.db`, which then says only what the event store's files mean. */
  readonly postgres?: PostgresSettings;
  /** Events are there instead of in `events/`, which then holds series only. */
  readonly openSearch?: OpenSearchSettings;
  /** Folder that several processes share, where events are instead; which files there count is part of the state. */
  readonly shared?: string;
  readonly clock?: Clock;
  /** What DuckDB may hold in memory before it spills to `events/tmp`. */
  readonly memoryLimitMb?: number;
  /** Rows of an open segment after which it is sealed before its hour is over. */
  readonly sealRows?: number;
  /** Bytes of an open segment's frames after which it is. */
  readonly sealBytes?: number;
  /** Series that one source may have at a time; samples of further ones are counted and not kept. */
  readonly seriesPerSource?: number;
  /** Samples of the open segment of series after which it is sealed. */
  readonly sealSamples?: number;
}

/** Of 512 MB for the whole program. */
const defaultMemoryMb = 160;
/** One Parquet row group: small enough to hold in memory twice while it is written, large enough for dictionaries to pay. */
const defaultSealRows = 32_768;
const defaultSealBytes = 24 * 1024 * 1024;
/** A cluster of 5,000 nodes has 200,000 of the forty that are worth keeping (reference 2.2); each costs some 200 bytes in memory. */
const defaultSeriesPerSource = 100_000;
/** 10 MB of frames; rolling them up holds the thread for some 200 ms. */
const defaultSealSamples = 500_000;

/** A third of it each half of the nursery may take: 4 MB. The thread makes much short-lived garbage while sealing; unbounded, it grows to 130 MB. */
const youngMb = 12;

const calls = defineHistogram(
  "store_call_duration_seconds",
  "Time the storage thread took to answer, waiting included, by what was asked.",
  ["call"],
  [0.001, 0.01, 0.1, 1, 10],
);
const waitingCalls = defineGauge("store_calls_waiting", "Calls that the storage thread has not answered yet.");
const failures = defineCounter("store_failures_total", "Calls that the storage thread refused or failed, by error code.", ["code"]);

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls over the port, answered in any order. */
class Connection {
  private readonly worker: Worker;
  private readonly clock: Clock;
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;
  private failed: Error | undefined;
  constructor(worker: Worker, clock: Clock) {
    this.worker = worker;
    this.clock = clock;
    waitingCalls.readBy((set) => set(this.waiting.size));
    worker.on("message", (answer: Answer) => this.receive(answer));
    worker.on("error", (error) => this.fail(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", (code) => this.fail(new Error(`the storage thread ended with code ${code}`)));
  }

  private fail(error: Error): void {
    this.failed ??= error;
    for (const { reject } of this.waiting.values()) reject(new UnavailableError("store_unavailable", error.message, { cause: error }));
    this.waiting.clear();
    this.worker.unref();
  }

  private receive(answer: Answer): void {
    const call = this.waiting.get(answer.id);
    if (call === undefined) return;
    this.waiting.delete(answer.id);
    // The thread holds the process only while something is asked of it.
    if (this.waiting.size === 0) this.worker.unref();
    const { error } = answer;
    if (error && !error.aborted) failures.add(1, error.code);
    if (error === undefined) call.resolve(answer.value as never);
    else if (error.aborted) call.reject(new DOMException("The query was stopped", "AbortError"));
    else if (error.code === "store_unavailable") call.reject(new UnavailableError(error.code, error.message));
    else if (error.code === "postgres_refused") call.reject(new ConfigError(error.code, error.message));
    else if (error.code === "query_invalid" || error.code === "bad_request") call.reject(new BadInputError(error.code, error.message));
    else call.reject(new VedetteError(error.code, error.permanent, error.message));
  }

  call<T>(
    target: string,
    method: string,
    parameters: readonly unknown[],
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    if (this.failed !== undefined)
      return Promise.reject(new UnavailableError("store_unavailable", this.failed.message, { cause: this.failed }));
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = ++this.last;
    const answered = calls.time(
      () => new Promise<T>((resolve, reject) => this.waiting.set(id, { resolve: resolve as Waiting["resolve"], reject })),
      `${target}.${method}`,
    );
    this.worker.ref();
    this.worker.postMessage({ id, target, method, parameters, now: this.clock.now() } satisfies Call);
    if (signal === undefined) return answered;
    const cancel = () => this.worker.postMessage({ cancel: id } satisfies Call);
    signal.addEventListener("abort", cancel);
    return answered.finally(() => signal.removeEventListener("abort", cancel));
  }

  async end(): Promise<void> {
    if (this.failed !== undefined) return;
    const gone = once(this.worker, "exit");
    await this.call("", "close", []);
    await this.worker.terminate();
    await gone;
  }
}

function eventStore(connection: Connection): EventStore {
  const call = connection.call.bind(connection);
  return {
    // copied, not transferred: on a full disk the caller puts the same bytes again
    put: async (offset, received, events, writer) =>
      // files take whatever they are given
      (await call<readonly RefusedEvent[] | undefined>("events", "put", [offset, received, events, writer])) ?? [],
    applied: (writer) => call("events", "applied", [writer]),
    search: (query, signal) => call("events", "search", [query], { signal }),
    get: (tenant, ids, range, view) => call("events", "get", [tenant, ids, range, view]),
    histogram: (query, signal) => call("events", "histogram", [query], { signal }),
    top: (query, signal) => call("events", "top", [query], { signal }),
    stats: (query, signal) => call("events", "stats", [query], { signal }),
    async *scan(query, signal) {
      signal?.throwIfAborted();
      const id = await call<number>("events", "startScan", [query]);
      const close = () => call("events", "closeScan", [id]).catch(() => {});
      signal?.addEventListener("abort", close);
      try {
        for (;;) {
          const page = await call<ScanPage | undefined>("events", "nextPage", [id]);
          signal?.throwIfAborted();
          if (page === undefined) return;
          yield page;
        }
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      } finally {
        signal?.removeEventListener("abort", close);
        await close();
      }
    },
    estimate: (query, signal) => call("events", "estimate", [query], { signal }),
    seal: (all) => call("events", "seal", [all === true]),
    retain: (policy, holds = []) => call("events", "retain", [policy, holds]),
    clearDemo: () => call("events", "clearDemo", []),
    remove: (tenant, ids, range) => call("events", "remove", [tenant, ids, range]),
    usage: () => call("events", "usage", []),
  };
}

function seriesStore(connection: Connection): SeriesStore {
  const call = connection.call.bind(connection);
  return {
    put: (offset, received, samples) => call("series", "put", [offset, received, samples]),
    applied: () => call("series", "applied", []),
    list: (query, signal) => call("series", "list", [query], { signal }),
    range: (query, signal) => call("series", "range", [query], { signal }),
    sources: (tenant) => call("series", "sources", [tenant]),
    seal: (all) => call("series", "seal", [all === true]),
    retain: (retention) => call("series", "retain", [retention]),
    usage: () => call("series", "usage", []),
  };
}

function alertStore(connection: Connection): AlertStore {
  const call = connection.call.bind(connection);
  return {
    byGroup: (keys) => call("alerts", "byGroup", [keys]),
    ofRule: (rule, limit, after) => call("alerts", "ofRule", [rule, limit, after]),
    seen: (findings) => call("alerts", "seen", [findings]),
    fold: (offset, alerts, findings) => call("alerts", "fold", [offset, alerts, findings]),
    offset: () => call("alerts", "offset", []),
    list: (filter, limit, cursor) => call("alerts", "list", [filter, limit, cursor]),
    get: (tenant, id, view) => call("alerts", "get", [tenant, id, view]),
    replace: (alert, updated) => call("alerts", "replace", [alert, updated]),
    changed: (after, limit) => call("alerts", "changed", [after, limit]),
    lastChange: () => call("alerts", "lastChange", []),
    clearDemo: () => call("alerts", "clearDemo", []),
  };
}

function checkpointStore(connection: Connection): CheckpointStore {
  const call = connection.call.bind(connection);
  return {
    load: (consumer, most) => call("checkpoints", "load", [consumer, most]),
    standing: (consumers) => call("checkpoints", "standing", [consumers]),
    rows: (consumer, which) => call("checkpoints", "rows", [consumer, which]),
    acquire: (consumer) => call("checkpoints", "acquire", [consumer]),
    commit: (consumer, epoch, offset, meta, changed) => call("checkpoints", "commit", [consumer, epoch, offset, meta, changed]),
  };
}

function keyStore(connection: Connection): KeyStore {
  return {
    load: (now) => connection.call("keys", "load", [now]),
    save: (change) => connection.call("keys", "save", [change]),
  };
}

function machineStore(connection: Connection): MachineStore {
  return {
    load: (now) => connection.call("machines", "load", [now]),
    save: (change) => connection.call("machines", "save", [change]),
    replaceEnrolment: (hash, before, after) => connection.call("machines", "replaceEnrolment", [hash, before, after]),
  };
}

function peopleStore(connection: Connection): PeopleStore {
  return {
    load: (now) => connection.call("people", "load", [now]),
    save: (change) => connection.call("people", "save", [change]),
  };
}

function snapshotStore(connection: Connection): SnapshotStore {
  return {
    take: (folder) => connection.call("snapshots", "take", [folder]),
    release: (id) => connection.call("snapshots", "release", [id]),
  };
}

function settingStore(connection: Connection): SettingStore {
  return {
    get: (name) => connection.call("settings", "get", [name]),
    set: (name, value) => connection.call("settings", "set", [name, value]),
    add: (name, value) => connection.call("settings", "add", [name, value]),
    replace: (name, from, to) => connection.call("settings", "replace", [name, from, to]),
  };
}

/**
 * Opens the store in a thread of its own; resolves when migrations have run and left-over segments are loaded.
 * The caller holds the directory's LOCK: two stores on one directory would destroy each other's segments.
 * @throws VedetteError `data_dir_format` (newer or foreign), `store_unavailable` (damaged, away or not accessible); ConfigError `postgres_refused`.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const workerData: ThreadOptions = {
    directory: options.directory,
    postgres: options.postgres,
    openSearch: options.openSearch,
    shared: options.shared,
    memoryLimitMb: options.memoryLimitMb ?? defaultMemoryMb,
    threads: 2,
    sealRows: options.sealRows ?? defaultSealRows,
    sealBytes: options.sealBytes ?? defaultSealBytes,
    seriesPerSource: options.seriesPerSource ?? defaultSeriesPerSource,
    sealSamples: options.sealSamples ?? defaultSealSamples,
  };
  const file = import.meta.url.endsWith(".ts") ? "./thread.ts" : "./thread.js";
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData,
    name: "vedette-store",
    resourceLimits: { maxYoungGenerationSizeMb: youngMb },
  });
  const connection = new Connection(worker, options.clock ?? systemClock);
  try {
    await connection.call("", "ready", []);
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  return {
    events: eventStore(connection),
    series: seriesStore(connection),
    alerts: alertStore(connection),
    checkpoints: checkpointStore(connection),
    settings: settingStore(connection),
    keys: keyStore(connection),
    machines: machineStore(connection),
    people: peopleStore(connection),
    snapshots: snapshotStore(connection),
    close: () => connection.end(),
  };
}
