/** A store in memory, for this package's tests: what the API does not ask of a store it refuses. */
import { memoryKeys, memoryPeople } from "@vedette/access";
import { compile } from "@vedette/condition";
import { memoryMachines } from "@vedette/machines";
import type { Alert, Event, Micros } from "@vedette/model";
import { rowsOfEvents, type Store } from "@vedette/store";

export interface FakeStore extends Store {
  readonly all: Event[];
  readonly alertsById: Map<string, Alert>;
  /** Set to let queries wait for their signal. */
  hang: boolean;
  /** Reasons with which queries were aborted. */
  readonly aborted: unknown[];
  /** Called before each `replace`. */
  beforeReplace?: () => void;
  /** What is in `settings`. */
  readonly kept: ReadonlyMap<string, string>;
  /** Called before each `set`. */
  beforeSet?: (name: string, value: string | undefined) => unknown;
}

const none = (): never => {
  throw new Error("not used by the API");
};

export function fakeStore(): FakeStore {
  const all: Event[] = [];
  const alertsById = new Map<string, Alert>();
  const settings = new Map<string, string>();
  const aborted: unknown[] = [];
  const answer = <T>(value: () => T, signal?: AbortSignal): Promise<T> =>
    store.hang
      ? new Promise((_, reject) => {
          signal?.addEventListener("abort", () => {
            aborted.push(signal.reason);
            reject(new Error("aborted by the store"));
          });
        })
      : Promise.resolve(value());
  const matching = (query: { readonly range: { from: Micros; to: Micros }; readonly where: Parameters<typeof compile>[0] }) => {
    const test = compile(query.where);
    return all.filter((one) => one.time >= query.range.from && one.time < query.range.to && test(one));
  };
  const store: FakeStore = {
    all,
    alertsById,
    hang: false,
    aborted,
    kept: settings,
    events: {
      put: none,
      applied: none,
      async *scan(query) {
        const rows = rowsOfEvents(matching(query).filter(({ tenant }) => tenant === query.tenant));
        yield { rows, read: rows.length, stored: all.length, complete: query.range.to };
      },
      estimate: none,
      search: (query, signal) =>
        answer(() => {
          const sorted = matching(query).sort((a, b) => (query.oldestFirst ? a.time - b.time : b.time - a.time));
          const from = Number(query.cursor ?? 0);
          const more = from + query.limit < sorted.length;
          return { events: sorted.slice(from, from + query.limit), ...(more && { cursor: String(from + query.limit) }) };
        }, signal),
      get: (_, ids) => answer(() => all.filter((one) => ids.includes(one.id))),
      histogram: (query, signal) =>
        answer(() => {
          const counts = new Map<number, number>();
          for (const { time } of matching(query)) {
            const bucket = query.range.from + Math.floor((time - query.range.from) / query.width) * query.width;
            counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
          }
          return [...counts].map(([start, count]) => ({ start, count }));
        }, signal),
      top: (query, signal) =>
        answer(() => {
          const counts = new Map<string, number>();
          for (const { fields } of matching(query)) {
            const value = fields[query.field];
            if (value !== undefined) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
          }
          return [...counts].map(([value, count]) => ({ value, count }));
        }, signal),
      stats: (query, signal) =>
        answer(
          () => [{ ...Object.fromEntries(query.by.map((one) => [one, "x"])), [query.aggregates[0]!.as]: matching(query).length }],
          signal,
        ),
      seal: none,
      retain: none,
      clearDemo: none,
      remove: async (tenant, ids) => {
        const [before, gone] = [all.length, new Set(ids)];
        const kept = all.filter((one) => one.tenant !== tenant || !gone.has(one.id));
        all.splice(0, all.length, ...kept);
        return before - all.length;
      },
      usage: async () => ({ events: all.length, openBytes: 1, sealedBytes: 2, originalBytes: 3, partitions: 1 }),
    },
    series: {
      put: none,
      applied: none,
      list: async () => ({ series: [{ source: "prom", name: "up", kind: "gauge", labels: { instance: "a" } }], more: false }),
      range: async ({ range, step }) => {
        const row = { start: range.from, count: 2, sum: 3, min: 1, max: 2, last: 2, last_time: range.from + step - 1, increase: 30 };
        return { series: [{ source: "prom", name: "up", kind: "gauge", labels: { instance: "a" }, rows: [row] }], more: false };
      },
      sources: async () => [
        { source: "prom", kept: 7, repeated: 1, refused: 1, refused_beside: 0, refused_series: ["late{}"], series: 1, limit: 1 },
      ],
      seal: none,
      retain: none,
      usage: async () => ({ openBytes: 1, sealedBytes: 2, files: 1 }),
    },
    alerts: {
      byGroup: none,
      ofRule: none,
      seen: none,
      fold: none,
      offset: none,
      list: async (filter, limit) => {
        const found = [...alertsById.values()].filter(
          (one) =>
            (filter.states?.includes(one.state) ?? true) &&
            (filter.severities?.includes(one.severity) ?? true) &&
            (filter.text === undefined || one.title.includes(filter.text)),
        );
        return { alerts: found.slice(0, limit), total: found.length, ...(found.length > limit && { cursor: "next" }) };
      },
      get: async (_, id) => alertsById.get(id),
      replace: async (alert, updated) => {
        store.beforeReplace?.();
        if (alertsById.get(alert.id)?.updated !== updated) return false;
        alertsById.set(alert.id, alert);
        return true;
      },
      changed: async (after, limit) =>
        [...alertsById.values()]
          .map((alert, n) => ({ serial: n + 1, alert }))
          .filter(({ serial }) => serial > after && serial <= after + limit),
      lastChange: none,
      clearDemo: none,
    },
    checkpoints: { load: none, standing: none, rows: none, acquire: none, commit: none },
    settings: {
      get: async (name) => settings.get(name),
      set: async (name, value) => {
        await store.beforeSet?.(name, value);
        value === undefined ? settings.delete(name) : settings.set(name, value);
      },
      add: async (name, value) => {
        if (!settings.has(name)) settings.set(name, value);
        return settings.get(name)!;
      },
      replace: async (name, from, to) => settings.get(name) === from && settings.set(name, to) === settings,
    },
    keys: memoryKeys(),
    machines: memoryMachines(),
    people: memoryPeople(),
    snapshots: {
      take: async () => ({ id: 1, files: [], alerts: 0, lastAlert: undefined, sealedEvents: 0, checkpoints: {} }),
      release: async () => undefined,
    },
    close: async () => undefined,
  };
  return store;
}
