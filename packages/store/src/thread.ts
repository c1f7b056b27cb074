/** The storage thread's entry: opens the drivers, answers calls over its port. Nothing else in the program imports a driver. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { collectWhenQuiet, release, VedetteError } from "@vedette/kit";
import { Duck } from "./events/duck.ts";
import { networkMacros } from "./events/network.ts";
import { Partitions, type Policy, type SealLimits } from "./events/partitions.ts";
import { OpenScans, Scans } from "./events/scan.ts";
import { Search } from "./events/search.ts";
import type { OpenSearchSettings } from "./opensearch/events.ts";
import type { Answer, Call, ThreadOptions } from "./protocol.ts";
import { SeriesFiles } from "./series/files.ts";
import { seriesStore } from "./series/query.ts";
import type { EncodedSamples } from "./series/samples.ts";
import { SharedSnapshot } from "./shared/snapshot.ts";
import type { SharedParts } from "./shared/writers.ts";
import { snapshotStore } from "./snapshot.ts";
import { alertStore } from "./state/alerts.ts";
import { checkpointStore, settingStore } from "./state/checkpoints.ts";
import { keyStore } from "./state/keys.ts";
import { machineStore } from "./state/machines.ts";
import { refuseMoved } from "./state/move.ts";
import { openState } from "./state/open.ts";
import { peopleStore } from "./state/people.ts";
import type { StoredChanges } from "./state/seen_cache.ts";
import type { State } from "./state/tables.ts";
import type { EncodedEvents, EventHold, EventStore, EventWriter, TimeRange } from "./store.ts";

type Method = (...parameters: never[]) => unknown;

/** The caller's clock as of its last call: what the hour and ages are judged by. */
let now = 0;

interface Events {
  readonly methods: { readonly [method: string]: Method };
  readonly get: EventStore["get"];
  /** How often events were added and taken away; absent where others do so too. */
  readonly changes?: () => StoredChanges;
  close(): void | Promise<void>;
}

function localEvents(duck: Duck, partitions: Partitions): Events {
  const search = new Search(duck, partitions);
  const scans = new Scans(duck, partitions);
  const open = new OpenScans(scans.pages.bind(scans));
  const changes = { added: 0, removed: 0 };
  const removing = async <T>(remove: () => Promise<T>): Promise<T> => {
    try {
      return await remove();
    } finally {
      changes.removed++;
    }
  };
  const methods = {
    put: (offset: number, received: number, encoded: EncodedEvents) =>
      partitions.put(offset, received, encoded).finally(() => {
        changes.added++;
        // this thread's copy: the caller keeps its own for another try
        release(encoded.bytes);
      }),
    applied: () => partitions.applied,
    search: search.search.bind(search),
    get: search.get.bind(search),
    histogram: search.histogram.bind(search),
    top: search.top.bind(search),
    stats: search.stats.bind(search),
    startScan: open.start.bind(open),
    nextPage: open.next.bind(open),
    closeScan: open.close.bind(open),
    estimate: scans.estimate.bind(scans),
    seal: (all?: boolean) => partitions.seal(all === true),
    retain: (policy: Policy, holds: readonly EventHold[]) => removing(async () => ({ dropped: await partitions.retain(policy, holds) })),
    clearDemo: () => removing(() => partitions.clearDemo()),
    remove: (tenant: string, ids: readonly string[], range: TimeRange) => removing(() => partitions.remove(tenant, ids, range)),
    usage: () => partitions.usage(),
  };
  return { methods, get: methods.get, changes: () => ({ ...changes }), close: () => {} };
}

async function openSearchEvents(settings: OpenSearchSettings, duck: Duck): Promise<Events> {
  const { OpenSearchEvents } = await import("./opensearch/events.ts");
  const store = new OpenSearchEvents(settings, duck, () => now, setTimeout);
  const open = new OpenScans(store.pages.bind(store));
  const methods = {
    put: (offset: number, received: number, encoded: EncodedEvents) =>
      store.put(offset, received, encoded).finally(() => release(encoded.bytes)),
    applied: store.applied.bind(store),
    search: store.search.bind(store),
    get: store.get.bind(store),
    histogram: store.histogram.bind(store),
    top: store.top.bind(store),
    stats: store.stats.bind(store),
    startScan: open.start.bind(open),
    nextPage: open.next.bind(open),
    closeScan: open.close.bind(open),
    estimate: store.estimate.bind(store),
    // an index is searchable and durable from its first event on
    seal: () => undefined,
    retain: store.retain.bind(store),
    clearDemo: store.clearDemo.bind(store),
    remove: store.remove.bind(store),
    usage: store.usage.bind(store),
  };
  return { methods, get: methods.get, close: () => store.close() };
}

async function sharedEvents(root: string, parts: Omit<SharedParts, "root" | "awaited">): Promise<Events> {
  const store = await (await import("./shared/store.ts")).openSharedEvents({ ...parts, root });
  const put = (offset: number, received: number, encoded: EncodedEvents, writer?: EventWriter) =>
    store.methods.put(offset, received, encoded, writer).finally(() => release(encoded.bytes));
  return { ...store, methods: { ...store.methods, put } };
}

function eventsOf(options: ThreadOptions, duck: Duck, state: State, partitions: Partitions, limits: SealLimits): Events | Promise<Events> {
  if (options.openSearch !== undefined) return openSearchEvents(options.openSearch, duck);
  if (options.shared !== undefined) return sharedEvents(options.shared, { duck, state, limits, now: () => now });
  return localEvents(duck, partitions);
}

async function openAll(options: ThreadOptions) {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const folder = join(options.directory, "events");
  // what the sealed files mean is known beside them, wherever state is
  const local = await openState(join(options.directory, "state.db"));
  if (options.postgres === undefined) await refuseMoved({ state: local, name: "state.db" });
  const state = options.postgres === undefined ? local : await openState(options.postgres);
  const temporary = join(folder, "tmp");
  const duck = new Duck({ memoryMb: options.memoryLimitMb, threads: options.threads, temporary }, networkMacros);
  const sealLimits = { rows: options.sealRows, bytes: options.sealBytes };
  const partitions = await Partitions.open(duck, local, folder, sealLimits, () => now);
  const limits = { perSource: options.seriesPerSource, samples: options.sealSamples };
  const series = await SeriesFiles.open(duck, local, join(folder, "series"), limits, () => now);
  const shared = options.shared === undefined ? undefined : new SharedSnapshot(state, options.shared, () => now);
  const events = await eventsOf(options, duck, state, partitions, sealLimits);
  const objects: { readonly [target: string]: { readonly [method: string]: Method } } = {
    events: events.methods,
    series: {
      ...(seriesStore(series, options.seriesPerSource) as object as { readonly [method: string]: Method }),
      put: (offset: number, received: number, encoded: EncodedSamples) => series.put(offset, received, encoded),
    },
    alerts: alertStore(state, events.get, events.changes) as never,
    checkpoints: checkpointStore(state) as never,
    settings: settingStore(state) as never,
    keys: keyStore(state) as never,
    machines: machineStore(state) as never,
    people: peopleStore(state) as never,
    snapshots: snapshotStore(options.directory, { local, state }, partitions, series, shared) as never,
  };
  const close = async () => {
    await events.close();
    await partitions.close();
    await duck.close();
    await local.destroy();
    if (state !== local) await state.destroy();
  };
  return { objects, close };
}

function failure(id: number, error: unknown): Answer {
  if (error instanceof VedetteError) return { id, error: { code: error.code, permanent: error.permanent, message: error.message } };
  const message = error instanceof Error ? error.message : String(error);
  return {
    id,
    error: { code: "store_unavailable", permanent: false, message, aborted: error instanceof Error && error.name === "AbortError" },
  };
}

async function run(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error("thread.ts runs as a worker");
  const running = new Map<number, AbortController>();
  const opened = openAll(workerData as ThreadOptions);
  opened.catch(() => {});
  port.on("message", async (call: Call) => {
    if (call.cancel !== undefined) return running.get(call.cancel)?.abort();
    const { id, target, method, parameters } = call;
    now = call.now;
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const { objects, close } = await opened;
      if (target === "") {
        if (method === "close") await close();
        port.postMessage({ id, value: undefined } satisfies Answer);
        return;
      }
      const called = objects[target]?.[method] as (...all: readonly unknown[]) => unknown;
      const value = await called(...parameters, controller.signal);
      port.postMessage({ id, value } satisfies Answer);
    } catch (error) {
      port.postMessage(failure(id, error));
    } finally {
      running.delete(id);
    }
  });
}
collectWhenQuiet();
await run();
