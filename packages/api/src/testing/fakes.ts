/** In-memory store, runtime and clock for this package's tests. */
import { memoryKeys, memoryPeople, People, type PeopleOptions, tokenHash } from "@vedette/access";
import { compile } from "@vedette/condition";
import {
  BadInputError,
  type Clock,
  defineEndpoint,
  type EndpointResponse,
  memorySecrets,
  type Sealer,
  UnavailableError,
  z,
} from "@vedette/kit";
import { Authority, memoryMachines, Register } from "@vedette/machines";
import type { Alert, Event, Micros, RawRecord, RulePlan } from "@vedette/model";
import { rowsOfEvents, type Store } from "@vedette/store";
import type { FastifyInstance } from "fastify";
import { Auth } from "../auth.ts";
import { Erasures } from "../erasures.ts";
import { Holds } from "../holds.ts";
import type { BackupPort, EnrichmentPort, Notice, PipelinesPort, RulesPort, RuntimePort, ServerOptions, VaultPort } from "../ports.ts";
import { buildServer } from "../server.ts";

export const start: Micros = 1_795_000_000_000_000;
export const adminToken = "admin-token-of-the-tests";

/** Time stands still until told otherwise. */
class FakeClock implements Clock {
  time: Micros = start;
  readonly #waiting: { readonly at: Micros; readonly wake: () => void }[] = [];
  now(): Micros {
    return this.time;
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      this.#waiting.push({ at: this.time + ms * 1000, wake: resolve });
      signal?.addEventListener("abort", () => resolve(), { once: true });
    });
  }
  /** Wakes who is due, and lets what they started settle. */
  async pass(ms: number): Promise<void> {
    this.time += ms * 1000;
    for (const one of this.#waiting.splice(0)) one.at <= this.time ? one.wake() : this.#waiting.push(one);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}

export function alertOf(id: string, more: Partial<Alert> = {}): Alert {
  return {
    id,
    tenant: "main",
    severity: "high",
    title: `Alert ${id}`,
    summary: "10 failed logins",
    rule: { id: "ssh_brute_force", title: "SSH brute force" },
    entities: [{ type: "source.ip", id: "10.0.0.1" }],
    attack: ["T1110.001"],
    count: 1,
    events: 10,
    first_seen: start,
    last_seen: start + 5,
    created: start,
    updated: start,
    state: "open",
    demo: false,
    evidence: [],
    history: [{ at: start, by: "vedette", what: "opened" }],
    ...more,
  };
}

export function eventOf(id: string, fields: Event["fields"] = {}, more: Partial<Event> = {}): Event {
  return {
    id,
    tenant: "main",
    source: "web",
    time: start,
    received: start,
    seq: 0,
    class: "web",
    host: "h1",
    fields: Object.assign(Object.create(null), fields) as Event["fields"],
    original: `line ${id}`,
    ...more,
  };
}

interface FakeStore extends Store {
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

function fakeStore(): FakeStore {
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
    checkpoints: { load: none, rows: none, acquire: none, commit: none },
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

interface FakeRuntime extends RuntimePort {
  readonly desk: FakeDesk;
  demoRunning: boolean;
  problems: { code: string; message: string }[];
  tell(notice: Notice): void;
  readonly listeners: Map<(notice: Notice) => void, boolean>;
}

const emptyPlan: RulePlan = {
  program: "h",
  differences: [],
  refused: [],
  notes: [],
  coverage: { enabled: [1, 1], gained: [], lost: [], rules_lost: [] },
  gate: { events: 0, span_s: 0, estimates: [] },
};

interface FakeDesk extends RulesPort {
  /** What was asked for, in order. */
  readonly asked: unknown[][];
}

function fakeDesk(): FakeDesk {
  const asked: unknown[][] = [];
  const release = { hash: "a".repeat(64), pack: "mine", origin: "here", at: start, files: 1 };
  const done = (...what: unknown[]) => {
    asked.push(what);
    return Promise.resolve({ version: 2, blocked: what.includes("block") ? ["no"] : [], plan: emptyPlan });
  };
  return {
    asked,
    rule: (id) => {
      if (id !== "r1") throw new BadInputError("not_found", `there is no rule ${id}`);
      const decision = { by: "ann", at: start, reason: "ours", changed: false };
      const [row] = fakeRuntime().rules().rules;
      const history = [{ version: 1, what: "apply", state: "enabled" as const, by: "ann", at: start, reason: "ours" }];
      return { ...row!, decision, description: "", falsepositives: [], references: [], hash: "rh", history };
    },
    versions: () => [{ number: 1, at: start, program: "h", rules: 1, what: "start", by: "vedette", reason: "", current: true }],
    releases: async () => [release],
    keep: async (given) => {
      asked.push(["keep", given.pack, given.rules.length]);
      return { release, plan: emptyPlan };
    },
    plan: async () => emptyPlan,
    look: async () => emptyPlan,
    apply: (...what) => done("apply", ...what),
    decide: (...what) => done("decide", ...what),
    promote: (...what) => done("promote", ...what),
    rollback: async (to, who) => {
      asked.push(["rollback", to, who]);
      return { version: 3, to: to ?? 1, rules: 1 };
    },
  };
}

function fakeEnrichment(): EnrichmentPort {
  const table = (bytes: number) => ({ hash: "t", bytes, rows: 1, at: start, by: "ann" });
  return {
    lines: () => [{ name: "assets", summary: "Hosts.", state: "running", inventory: true, table: table(3) }],
    put: async (name, bytes, who) => {
      if (name !== "assets") throw new BadInputError("not_found", `there is no inventory ${name}`);
      if (!Buffer.from(bytes).toString().includes("host")) throw new BadInputError("bad_table", "line 1: expected a header line");
      return { ...table(bytes.length), by: `${who.by}: ${who.reason}` };
    },
    remove: async (name) => {
      if (name !== "assets") throw new BadInputError("not_found", `there is no inventory ${name}`);
    },
    reload: async () => ["geoip"],
  };
}

function fakePipelines(): PipelinesPort {
  const losses = [{ id: "r1", title: "R", how: "pipeline p: 1 drop" }];
  return {
    lines: async () => [{ name: "p", file: "p.yml", steps: [{ name: "1 drop", does: "drop", dropped: 4 }], cases: 1, failing: 0 }],
    losses: async () => losses,
    preview: async (files) => ({
      events: 10,
      from: start,
      to: start + 1,
      dropped: { "pipeline p: 1 drop": 4 },
      changed: 1,
      examples: [{ id: "e", time: start, source: "web", before: { a: "b" }, after: { a: "c" } }],
      refused: files.filter(({ text }) => text === "bad").map(({ file }) => `${file}:1:1: no`),
      losses,
    }),
    reload: async (_who, yes) => ({ blocked: yes ? [] : ["1 rule loses its data"], changed: yes, losses }),
    reveal: async (pseudonym, who) => {
      if (pseudonym !== "pn_ada") throw new BadInputError("not_found", "this installation's key made no such pseudonym");
      return `ada, for ${who.by}: ${who.reason}`;
    },
  };
}

function fakeRuntime(): FakeRuntime {
  const listeners = new Map<(notice: Notice) => void, boolean>();
  const counts = { in: 10, stored: 7, dead: 2, dropped: { comment: 1 }, pending: 0 };
  const runtime: FakeRuntime = {
    started: start,
    demoRunning: false,
    problems: [],
    listeners,
    tell: (notice) => {
      for (const [listener, events] of listeners) if (notice.kind === "alert" || events) listener(notice);
    },
    rate: () => 12.5,
    lag: async () => 2_500,
    ready: async () => ({ ready: runtime.problems.length === 0, problems: runtime.problems }),
    quality: () => ({
      at: start,
      sources: [
        {
          name: "web",
          state: "silent",
          last: start - 90_000_000,
          silence_allowed: 45_000_000,
          formats: [{ format: "nginx_access", records: 100, flaws: 30, failing: true }],
          unknown_fields: [{ field: "odd", sampled: 3 }],
          drift: [{ kind: "nginx.access", appeared: ["odd"], vanished: [], at: start }],
        },
      ],
      hosts: { known: 3, unwatched: 0, silent: [{ name: "h1", last: 0 }], clocks: [{ host: "h2", source: "web", lead: 60_000_000 }] },
    }),
    sinkStates: async () => [
      {
        name: "soc",
        type: "splunk_hec",
        select: "alerts",
        format: "ecs",
        state: "waiting",
        read: 10,
        sent: 7,
        refused: { "HTTP 400": 1 },
        skipped: 2,
        missed: 0,
        pending: 3,
        lag: 5_000_000,
        problem: "HTTP 503",
        lastSent: start,
      },
    ],
    sourceStates: async () => [
      {
        name: "web",
        type: "file",
        state: "running",
        ...counts,
        lastReceived: start,
        rate: 1,
        warnings: [{ at: start, code: "rotated", message: "…" }],
      },
    ],
    ledger: async () => [{ name: "web", ...counts, balance: 0 }],
    rules: () => ({
      rules: [
        {
          id: "r1",
          title: "R",
          level: "high",
          status: "test",
          author: "",
          state: "enabled",
          unknown_fields: ["user.nmae"],
          file: "r.yml:1",
          attack: [],
          seen: 3,
          matched: 1,
          capped: 0,
          skipped: {},
          cost_ms: 1,
        },
      ],
      hash: "h",
      version: 1,
    }),
    deadLetters: async (limit, before) => ({
      letters: [
        {
          source: "web",
          position: String(before ?? 9),
          received: start,
          stage: "decode" as const,
          code: "bad_json",
          expected: "JSON",
          bytes: "",
        },
      ].slice(0, limit),
      next: 4,
    }),
    subscribe: (listener, events = false) => {
      listeners.set(listener, events);
      return () => listeners.delete(listener);
    },
    startDemo: async () => {
      runtime.demoRunning = true;
    },
    clearDemo: async () => {
      runtime.demoRunning = false;
      return { events: 5, alerts: 1 };
    },
    logBytes: async () => 4,
    detectors: () => [
      {
        name: "brute_force",
        keys: 2,
        observations: 9,
        late: 3,
        caught_up: 2,
        skipped: 1,
        repeated: 0,
        capped: 0,
        crowded: 0,
        spilled: 0,
      },
    ],
    desk: fakeDesk(),
    enrichment: fakeEnrichment(),
    pipelines: fakePipelines(),
  };
  return runtime;
}

/** Takes one record a body; `/fail/:how` fails as asked. */
const echo = defineEndpoint({
  name: "echo",
  summary: "Takes bodies as they come.",
  stability: "stable",
  config: z.strictObject({}),
  routes: [
    { method: "GET", path: "/", open: true },
    { method: "POST", path: "/ingest" },
    { method: "POST", path: "/:index/_bulk" },
    { method: "GET", path: "/banner", open: true },
    { method: "POST", path: "/fail/:how" },
  ],
  async handle(request, _config, context): Promise<EndpointResponse> {
    if (request.method === "GET") return { status: 200, headers: { "x-elastic-product": "Elasticsearch" }, body: "banner" };
    if (request.path.startsWith("/fail/")) {
      if (request.path.endsWith("/bug")) throw new Error("secret detail");
      throw new UnavailableError(request.path.endsWith("/busy") ? "backpressure" : "log_full", "not now");
    }
    const parts: Uint8Array[] = [];
    for await (const part of request.body) parts.push(part);
    const record: RawRecord = { position: "0", body: Buffer.concat(parts) };
    await context.intake("asked").accept([record]);
    return {
      status: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        type: request.headers["content-type"],
        token: request.headers["authorization"] ?? null,
        size: record.body.length,
      }),
    };
  },
  examples: [],
});

const fakeVault: VaultPort = {
  status: async () => ({
    keys: [{ id: "00ff", from: "SECRET_KEY", boxes: 2, use: "seals" }],
    places: [{ name: "keys", boxes: 2, old: 0, damaged: 0 }],
  }),
  rotate: async () => ({ key: "00ff", resealed: 2, dropped: [] }),
};

/** Has nothing on record. */
const fakeTrail = { record: async () => ({ n: 0, time: 0, hash: "" }), count: async () => 0, erase: async () => 0 };

const fakeBackups: BackupPort = {
  status: async () => ({
    running: false,
    overdue: false,
    last: { id: "b", to: "/backup", taken: 1, finished: 2, files: 3, bytes: 4, read: 4, stored: 2, removed: 0, freed: 0 },
    drill: { backup: "b", begun: 3, finished: 4, ok: true, checks: [{ name: "objects", ok: true, detail: "3 files" }] },
  }),
  start: (to = "/backup") => to,
  startDrill: (from = "/backup") => from,
};

export interface Rig {
  readonly app: FastifyInstance;
  readonly store: FakeStore;
  readonly runtime: FakeRuntime;
  readonly clock: FakeClock;
  readonly auth: Auth;
  /** May ingest for the source `web`. */
  readonly sourceToken: string;
  /** Which source each accepted record went to. */
  readonly accepted: { readonly source: string; readonly record: RawRecord }[];
  readonly errors: unknown[];
}

/** What is sealed shows through: nothing here is at rest. */
const glass: Sealer = { seal: (plain) => plain, open: (box) => box };

/** The people of a store, as they would be after a restart. */
export const peopleOf = ({ people: store, settings: documents }: Store, clock: Clock, more: Partial<PeopleOptions> = {}) =>
  People.open({ store, documents, clock, sealer: glass, secrets: () => [Buffer.alloc(32, 7)], ...more });

export async function rig(more: Partial<ServerOptions> = {}): Promise<Rig> {
  const clock = new FakeClock();
  const store = fakeStore();
  const runtime = fakeRuntime();
  const accepted: { source: string; record: RawRecord }[] = [];
  const errors: unknown[] = [];
  const people = await peopleOf(store, clock);
  const auth = await Auth.open({ adminTokenHash: tokenHash(adminToken), settings: store.settings, keys: store.keys, people, clock });
  const { token: sourceToken } = (await auth.sources.issue("web"))!;
  const holds = new Holds(store, clock, "main");
  const authority = await Authority.open({ secrets: memorySecrets(), clock, trustDomain: "site.example" });
  const app = await buildServer({
    store,
    runtime,
    auth,
    clock,
    version: "1.2.3",
    endpoints: new Map([["echo", { spec: echo, config: {} }]]),
    endpointContext: {
      intake: (source) => ({
        accept: async (records) => {
          for (const record of records) accepted.push({ source, record });
          return { duplicates: [] };
        },
      }),
      clock,
      warn: () => undefined,
    },
    machines: { register: await Register.open({ store: store.machines, authority, clock }) },
    vault: fakeVault,
    holds,
    erasures: new Erasures({ store, holds, trail: fakeTrail, clock, tenant: "main" }),
    backups: fakeBackups,
    onError: (error) => errors.push(error),
    ...more,
  });
  return { app, store, runtime, clock, auth, sourceToken, accepted, errors };
}

export const asAdmin = { authorization: `Bearer ${adminToken}` };
