import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Grant } from "@vedette/access";
import type { Alert, Backtest, Event, EvidenceEvent, ProofReport, Viewer } from "@vedette/model";
import { encodeEvents, openStore, SampleWriter, type Store } from "@vedette/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BacktestPort } from "../ports.ts";
import { asking, userWith } from "../testing/as.ts";
import { alertOf, eventOf, type Rig, rig, start } from "../testing/fakes.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-view-"));
const stores: Store[] = [];
const second = 1_000_000;

/** What an installation holds: the second population or not, what its people and hosts are called, and a field and a source of it. */
interface World {
  readonly both: boolean;
  readonly secret: string;
  readonly place: string;
}

function eventsOf({ both, secret, place }: World): readonly Event[] {
  const of = (n: number, site: "a" | "b", user: string, host: string): Event =>
    eventOf(
      `${site}${n}`,
      {
        "labels.site": site,
        "user.name": user,
        "host.name": host,
        "source.ip": site === "a" ? "10.0.0.7" : "10.9.9.9",
        "process.pid": site === "a" ? n : 900_000 + n,
        message: `session of ${user}`,
        [site === "a" ? "labels.open" : `labels.${place}`]: "x",
      },
      {
        time: start - (site === "a" ? 60 : 600) * second + n * second,
        seq: n,
        host,
        source: site === "a" ? "web" : `${place}-source`,
        original: `line of ${user}`,
      },
    );
  const a = Array.from({ length: 9 }, (_, n) => of(n, "a", `ann${n % 3}`, "login1"));
  const b = Array.from({ length: 7 }, (_, n) => of(n + 20, "b", `${secret}${n}`, `${secret}-host`));
  return both ? [...a, ...b] : a;
}

function evidenceOf(event: Event): EvidenceEvent {
  const { id, time, source, seq, original } = event;
  const fields = Object.fromEntries(Object.entries(event.fields).map(([name, value]) => [name, String(value)]));
  return { id, time, source, seq, original, fields, matches: [{ clause: "sel", field: "user.name", value: fields["user.name"]! }] };
}

/** One alert of each population, and one of both. */
function alertsOf(world: World): readonly Alert[] {
  const all = eventsOf(world);
  const of = (id: string, seqs: readonly number[]): readonly Alert[] => {
    const events = all.filter((event) => seqs.includes(event.seq));
    if (events.length === 0) return [];
    const names = events.map((event) => String(event.fields["user.name"]));
    const entities = [...new Set(names)].map((name) => ({ type: "user.name", id: name }));
    const times = { first_seen: events[0]!.time, last_seen: events.at(-1)!.time, created: start, updated: start + events.length };
    const history = [{ at: start + events.length, by: "vedette", what: "opened" as const, note: `of ${names.join()}` }];
    const summary = `${events.length} of ${names.at(-1)}`;
    return [
      alertOf(id, {
        ...times,
        summary,
        title: "SSH brute force",
        entities,
        events: events.length,
        count: events.length,
        history,
        evidence: events.map(evidenceOf),
      }),
    ];
  };
  return [...of("x1", [0, 1]), ...of("x2", [2, 21, 22]), ...of("x3", [23, 24]), ...of("x4", [3, 4, 25])];
}

async function installation(world: World): Promise<{ readonly it: Rig; readonly store: Store }> {
  const store = await openStore({ directory: join(root, `${stores.length}`) });
  stores.push(store);
  const events = eventsOf(world);
  await store.events.put(0, start, encodeEvents(events.slice(0, 5)));
  await store.events.seal(true);
  await store.events.put(1, start, encodeEvents(events.slice(5)));
  const samples = new SampleWriter();
  for (const { fields, time } of events)
    samples.add("main", String(fields["labels.site"]), {
      name: "logins",
      labels: [
        ["site", String(fields["labels.site"])],
        ["instance", `${fields["host.name"]}:9100`],
      ],
      time: time - (time % second),
      value: 1,
      kind: "gauge",
    });
  await store.series.put(1, start, samples.done()!);
  const alerts = alertsOf(world).map((alert) => ({ group: alert.id, alert }));
  await store.alerts.fold(1, alerts, []);
  const it = await rig({ store, backtests: backtestsOf(), prover: { report: () => proof, prove: async () => undefined } });
  tellOf(it.runtime, world);
  return { it, store };
}

const proof: ProofReport = {
  enabled: true,
  every_s: 60,
  counts: { proved: 1, silent: 0, unproved: 0, waiting: 0 },
  forged: 0,
  rules: [{ id: "r1", title: "R", state: "proved", at: start }],
};

/** What the program knows of a world beside its events: counts, reasons that people wrote, what could not be read. */
function tellOf(runtime: Rig["runtime"], { both, secret, place }: World): void {
  const count = both ? 70 : 7;
  const said = `too many of ${secret}`;
  const { rules } = runtime;
  const [line] = rules().rules;
  const decision = { by: "ann", at: start, reason: said, changed: false };
  const unlike = { ...line!, seen: count, matched: count, cost_ms: count, skipped: { [place]: count }, reason: said, decision };
  const { desk } = runtime;
  Object.assign(runtime, {
    rules: () => ({ ...rules(), rules: [unlike, { ...unlike, state: "shadow", missing: both ? [] : [said] }] }),
    desk: {
      ...desk,
      rule: (id: string) => ({ ...desk.rule(id), ...unlike, history: [{ ...decision, version: 1, what: "apply", state: "enabled" }] }),
      versions: () => desk.versions().map((one) => ({ ...one, reason: said })),
    },
    rate: () => count,
    logBytes: async () => count,
    deadLetters: async () => ({
      letters: [
        {
          source: "web",
          position: "9",
          received: start,
          stage: "decode",
          code: "bad_json",
          expected: `not ${secret}`,
          bytes: Buffer.from(secret).toString("base64"),
        },
      ],
    }),
  });
}

/** One runs already, of somebody who sees everything. */
function backtestsOf(): BacktestPort {
  const of = (id: string, rules: number): Backtest => ({ id, state: "done", from: 0, to: start, rules, read: 70, stored: 70 });
  const kept = new Map<string, readonly [Backtest, Viewer | undefined]>([["b1", [of("b1", 1), undefined]]]);
  const told = (id: string, asks?: Viewer) => {
    const [one, viewer] = kept.get(id) ?? [];
    return asks === undefined || (viewer !== undefined && viewer.by === asks.by) ? one : undefined;
  };
  return {
    estimate: async ({ viewer }) => ({ stored: viewer === undefined ? 70 : 7, candidates: 0, seconds: 0, rules: 1, refused: [] }),
    start: async ({ viewer }) => {
      kept.set("b2", [of("b2", viewer === undefined ? 2 : 1), viewer]);
      return kept.get("b2")![0];
    },
    list: (asks) => [...kept.keys()].flatMap((id) => told(id, asks) ?? []),
    get: told,
    cancel: told,
  };
}

const queries = [
  "",
  "KANARIEN*",
  "user.name:KANARIEN*",
  "not user.name:ann1",
  "not labels.site:a",
  "labels.kanarienvogel:*",
  "host.name:(login1 or KANARIEN*) or message:*session*",
  "process.pid > 100000",
  "user.name:null",
  "vedette.canary:*",
  // refused by the store's engine, whether there are rows or not
  "user.name:/x(?=y)/",
];
const pipes = [
  "| stats count() by user.name | sort -count",
  "| stats count() as n, distinct(user.name) as u, values(host.name) as v, max(process.pid) as p, min(@timestamp) as t",
  "| sort @timestamp | fields @timestamp, user.name, host.name, message, labels.kanarienvogel | head 3",
];
const fields = ["user.name", "message", "labels.kanarienvogel"];

const when = "from=2026-11-01&to=2026-12-01";
const metrics = ["", "labels.site:b", "not labels.site:b", "labels.instance:KANARIEN*", "host.name:login1"];
const backtestRequests: readonly Asked[] = [
  { route: "POST /backtests/estimate", url: "/backtests/estimate", body: { ids: ["r1"] } },
  { route: "POST /backtests", url: "/backtests", body: { ids: ["r1"] } },
  { route: "GET /backtests", url: "/backtests" },
  { route: "GET /backtests/:id", url: "/backtests/b1" },
  { route: "GET /backtests/:id", url: "/backtests/b2" },
  { route: "DELETE /backtests/:id", url: "/backtests/b1" },
];

interface Asked {
  readonly route: string;
  readonly url: string;
  readonly body?: object;
}
const encode = encodeURIComponent;
function requests(): readonly Asked[] {
  const get = (route: string, ...urls: readonly string[]) => urls.map((url): Asked => ({ route: `GET ${route}`, url }));
  const events = ["a1", "b21", "b26", "nothing"];
  const alerts = ["x1", "x2", "x3", "x4", "x5"];
  const post = (id: string, step: string, body: object): Asked => ({
    route: `POST /alerts/:id/${step}`,
    url: `/alerts/${id}/${step}`,
    body,
  });
  return [
    ...get("/events", ...queries.map((q) => `/events?limit=4&q=${encode(q)}`), "/events?order=asc&limit=3"),
    ...get("/events/export", ...queries.map((q) => `/events/export?q=${encode(q)}`), "/events/export?order=asc&limit=3"),
    ...get("/events/export", `/events/export?format=csv&fields=time,${fields.join()},original`),
    ...get("/events/:id", ...events.map((id) => `/events/${id}`)),
    ...get("/events/:id/context", ...events.map((id) => `/events/${id}/context`)),
    ...get("/events/histogram", ...queries.slice(0, 5).map((q) => `/events/histogram?buckets=7&q=${encode(q)}`)),
    ...get("/events/top", ...fields.flatMap((field) => queries.slice(2, 4).map((q) => `/events/top?field=${field}&q=${encode(q)}`))),
    ...get("/query", ...pipes.flatMap((pipe) => ["", queries[3]].map((q) => `/query?q=${encode(`${q} ${pipe}`)}`))),
    ...get("/query/check", "/query/check?q=user.name:KANARIEN*", "/query/check?q=user.name:(", "/query/check?q=labels.kanarienvoge:x"),
    ...get("/fields", "/fields"),
    ...get("/hpc", "/hpc?from=2026-11-01", "/hpc?from=2026-11-01&limit=1"),
    ...get("/metrics/series", ...metrics.map((q) => `/metrics/series?${when}&q=${encode(q)}`)),
    ...get("/metrics/query", ...metrics.map((q) => `/metrics/query?${when}&step_s=60&q=${encode(q)}`)),
    ...get("/dead", "/dead"),
    ...get("/status", "/status"),
    ...get("/rules", "/rules", "/rules?proposed=true", "/rules?state=shadow"),
    ...get("/rules/:id", "/rules/r1"),
    ...get("/rule-versions", "/rule-versions"),
    ...get("/rule-releases", "/rule-releases"),
    ...get("/canaries", "/canaries"),
    ...backtestRequests,
    ...get("/alerts", "/alerts", "/alerts?limit=1", "/alerts?q=kanarien", "/alerts?q=ann2", "/alerts?q=2%20of", "/alerts?entity=ann2"),
    ...get("/alerts", "/alerts?entity=kanarienvogel1", "/alerts?from=2026-01-01&to=2027-01-01", "/alerts?state=open&severity=high"),
    ...get("/alerts/:id", ...alerts.map((id) => `/alerts/${id}`)),
    ...alerts.flatMap((id) => [
      post(id, "notes", { note: "seen" }),
      post(id, "acknowledge", {}),
      post(id, "close", { verdict: "benign" }),
      post(id, "reopen", {}),
    ]),
    ...get("/alerts", "/alerts?limit=1&state=open"),
    ...get("/alerts/:id/guidance", ...alerts.map((id) => `/alerts/${id}/guidance`)),
  ];
}

/** Everything the API says to whoever has this grant; lists are followed to their end. */
async function answers(
  it: Rig,
  grant: Grant,
): Promise<readonly { readonly asked: string; readonly status: number; readonly body: unknown }[]> {
  const headers = asking(it.auth, userWith(grant));
  const said: { asked: string; status: number; body: unknown }[] = [];
  for (const { route, url, body } of requests()) {
    for (let cursor: string | undefined, page = 0; page < 30; page++) {
      const address = `/api/v1${url}${cursor === undefined ? "" : `${url.includes("?") ? "&" : "?"}cursor=${encode(cursor)}`}`;
      const method = route.split(" ")[0] as "GET";
      const answer = await it.app.inject({ method, url: address, headers, ...(body && { payload: body }) });
      const isJson = /\bjson\b/.test(String(answer.headers["content-type"]));
      const heard = isJson ? answer.json() : `${answer.headers["vedette-masked"]}\n${answer.body}`;
      cursor = isJson ? (heard as { cursor?: string }).cursor : undefined;
      said.push({ asked: `${method} ${url}`, status: answer.statusCode, body: heard });
      if (cursor !== undefined) said.push({ asked: "its cursor", status: 0, body: Buffer.from(cursor, "base64url").toString() });
      else break;
    }
  }
  return said;
}

/** What the stream says of an alert of each kind and of the newest events, live and to who comes back; ids are random. */
async function streamed({ it, store }: { readonly it: Rig; readonly store: Store }, world: World, grant: Grant): Promise<string> {
  const base = await it.app.listen({ port: 0, host: "127.0.0.1" });
  const headers = asking(it.auth, userWith(grant));
  const open = async (more: object = {}) => {
    const response = await fetch(`${base}/api/v1/stream?events=1`, { headers: { ...headers, ...more } });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const until = async (wanted: RegExp) => {
      while (!wanted.test(text)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`ended without ${wanted}: ${text}`);
        text += value;
      }
      return text;
    };
    return { until, cancel: () => reader.cancel() };
  };
  const stream = await open();
  const first = /^id: (\S+)$/m.exec(await stream.until(/^id: \S+$/m))![1]!;
  await it.clock.pass(1_000);
  for (const { id } of alertsOf(world)) it.runtime.notify({ kind: "alert", alert: (await store.alerts.get("main", id))! });
  await stream.until(/"id":"x4"/);
  it.runtime.notify({ kind: "events", events: eventsOf(world) });
  await it.clock.pass(1_000);
  const live = await stream.until(/event: events.*\n\n/s);
  await stream.cancel();
  const again = await open({ "last-event-id": first });
  const resumed = await again.until(/"id":"x4".*\n\nid/s);
  await again.cancel();
  // how often a stream says that it is still there is a matter of time
  return `${live}${resumed}`.replace(/^id: \S+$/gm, "id").replaceAll(": still here\n\n", "");
}

/** Two installations that differ in what this grant does not show. */
const cases: readonly (readonly [what: string, grant: Grant, one: World, other: World])[] = [
  [
    "rows: whether there is a second population at all",
    { role: "admin", rows: "labels.site:a" },
    { both: true, secret: "kanarienvogel", place: "kanarienvogel" },
    { both: false, secret: "", place: "" },
  ],
  [
    "masks: what people and hosts are called",
    { role: "admin", masks: ["user.*", "host.name"] },
    { both: true, secret: "kanarienvogel", place: "known" },
    { both: true, secret: "spatz", place: "known" },
  ],
];

describe.each(cases)("%s", (_, grant, one, other) => {
  let these: readonly [here: Awaited<ReturnType<typeof installation>>, there: Awaited<ReturnType<typeof installation>>];
  beforeAll(async () => {
    these = [await installation(one), await installation(other)];
  });
  afterAll(async () => {
    for (const { it } of these) await it.app.close();
  });

  test("changes no answer of any confined route, and stands in none", async () => {
    const [here, there] = [await answers(these[0].it, grant), await answers(these[1].it, grant)];
    for (const [n, answer] of here.entries()) {
      expect(answer).toEqual(there[n]);
      // what was asked for is quoted to who asked
      if (!/kanarienvoge/i.test(decodeURIComponent(answer.asked))) expect(JSON.stringify(answer.body)).not.toContain("kanarien");
    }
    expect(here.length).toBe(there.length);
    expect(here.filter(({ status }) => status === 200).length).toBeGreaterThan(50);
  });

  test("changes nothing of the live stream, nor of what a reconnect brings", async () => {
    const [here, there] = [await streamed(these[0], one, grant), await streamed(these[1], other, grant)];
    expect(here).toContain("event: alert");
    expect(here).not.toContain("kanarien");
    expect(here).toBe(there);
  });
});

test("every confined route is asked here", async () => {
  const it = await rig();
  const asked = new Set(requests().map(({ route }) => route));
  const confined = it.app.demands.filter((one) => one.confined).map(({ method, url }) => `${method} ${url.replace("/api/v1", "")}`);
  expect(confined.filter((route) => route !== "GET /stream").sort()).toEqual([...asked].sort());
  await it.app.close();
});

afterAll(async () => {
  for (const store of stores) await store.close();
  rmSync(root, { recursive: true, force: true });
});
