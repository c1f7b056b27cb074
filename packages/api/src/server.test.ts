import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { z } from "zod";
import { Auth } from "./access/auth.ts";
import * as schemas from "./schemas.ts";
import { adminToken, alertOf, asAdmin, eventOf, peopleOf, type Rig, rig, start } from "./testing/fakes.ts";
import { formatTime, parseTime } from "./time.ts";

let it: Rig;
beforeEach(async () => {
  it = await rig();
});
afterEach(async () => {
  await it.app.close();
});

const get = (url: string, headers: { [name: string]: string } = asAdmin) => it.app.inject({ method: "GET", url, headers });
const post = (url: string, payload?: object, headers: { [name: string]: string } = asAdmin) =>
  it.app.inject({ method: "POST", url, headers, ...(payload && { payload }) });
/** The answer, held to its documented schema. */
async function ok<S extends z.ZodType>(schema: S, url: string): Promise<z.output<S>> {
  const response = await get(url);
  expect([url, response.statusCode, response.statusCode === 200 ? "" : response.body]).toEqual([url, 200, ""]);
  return schema.parse(response.json());
}
const isProblem = (response: { statusCode: number; headers: object; json(): unknown }, status: number, code: string) => {
  expect(response.json()).toMatchObject({ type: "about:blank", status, code });
  expect(response.statusCode).toBe(status);
  expect(response.headers).toMatchObject({ "content-type": "application/problem+json" });
};

describe("who may do what", () => {
  /** Every path and method of the OpenAPI document, which lists every route. */
  async function routes(): Promise<{ method: string; path: string }[]> {
    const document = (await get("/api/v1/openapi.json", {})).json() as { paths: { [path: string]: object } };
    return Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
    );
  }
  const open = new Set([
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /login",
    "POST /api/v1/session",
    "POST /api/v1/token",
    "POST /api/v1/token/refresh",
    "POST /api/v1/token/revoke",
    "GET /.well-known/jwks.json",
    "GET /api/v1/oidc",
    "GET /api/v1/oidc/login",
    "GET /api/v1/oidc/callback",
    "GET /api/v1/openapi.json",
    "POST /api/v1/machines/enrol",
    "GET /",
    "HEAD /",
    "GET /banner",
  ]);

  test("without a token only what is meant to be open answers", async () => {
    const found = await routes();
    expect(found.length).toBeGreaterThan(25);
    for (const { method, path } of found) {
      const url = path.replace(/\{\w+\}/g, "x");
      const response = await it.app.inject({ method: method as "GET", url });
      const name = `${method} ${path}`;
      if (open.has(name)) expect([name, response.statusCode]).not.toEqual([name, path === "/login" ? 0 : 401]);
      else isProblem(response, 401, "unauthorised");
    }
  });

  test("a source's token may ingest and nothing else", async () => {
    const headers = { authorization: `Bearer ${it.sourceToken}` };
    for (const { method, path } of await routes()) {
      const name = `${method} ${path}`;
      if (open.has(name)) continue;
      const response = await it.app.inject({ method: method as "GET", url: path.replace(/\{\w+\}/g, "x"), headers });
      const ingests = path === "/ingest" || path === "/{index}/_bulk" || path.startsWith("/fail");
      if (ingests) expect([name, [401, 403].includes(response.statusCode)]).toEqual([name, false]);
      else isProblem(response, 403, "forbidden");
    }
  });

  test("a source's token is made, listed without its secret, works at once and after a restart, and is taken back", async () => {
    const made = await post("/api/v1/source-tokens", { source: "login-nodes" });
    expect(made.statusCode).toBe(201);
    const { id, token, source } = made.json() as { id: string; token: string; source: string };
    expect(source).toBe("login-nodes");
    const { tokens } = (await get("/api/v1/source-tokens")).json() as { tokens: { id: string }[] };
    expect(tokens.map((one) => one.id)).toContain(id);
    expect(JSON.stringify(tokens)).not.toContain(token.slice(4));
    expect(it.auth.ofToken(token)).toEqual({ kind: "source", source: "login-nodes", token: id });
    const again = await Auth.open({
      adminTokenHash: "-",
      settings: it.store.settings,
      people: it.auth.people,
      keys: it.store.keys,
      clock: it.clock,
    });
    expect(again.ofToken(token)).toEqual({ kind: "source", source: "login-nodes", token: id });
    const gone = await it.app.inject({ method: "DELETE", url: `/api/v1/source-tokens/${id}`, headers: asAdmin });
    expect(gone.statusCode).toBe(204);
    expect(it.auth.ofToken(token)).toBeUndefined();
    isProblem(await it.app.inject({ method: "DELETE", url: `/api/v1/source-tokens/${id}`, headers: asAdmin }), 404, "not_found");
    isProblem(await post("/api/v1/source-tokens", { source: "../etc" }), 400, "bad_request");
  });

  /** Paths as the router knows them, from its printed tree. */
  function routed(): string[] {
    const at: string[] = [];
    return it.app
      .printRoutes({ commonPrefix: false })
      .split("\n")
      .flatMap((line) => {
        const found = /^([│├└─\s]*)(\S+) \(([A-Z, ]+)\)$/.exec(line);
        if (found === null) return [];
        const depth = found[1]!.length / 4;
        at[depth] = `${depth > 1 ? at[depth - 1] : ""}${found[2]}`;
        const path = at[depth] === "/" ? "/" : depth === 1 ? at[depth] : `/${at[depth]!.replace(/^\//, "")}`;
        return found[3]!.split(", ").map((method) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
      });
  }

  test("the document lists every route, and describes each", async () => {
    const listed = (await routes()).map(({ method, path }) => `${method} ${path}`);
    expect(listed.sort()).toEqual(routed().sort());
    const document = (await get("/api/v1/openapi.json", {})).json();
    expect(document).toMatchObject({ openapi: "3.1.0", info: { title: "Vedette", version: "1.2.3" } });
    const ids = new Set<string>();
    for (const [path, methods] of Object.entries<object>(document.paths)) {
      for (const [method, operation] of Object.entries<Record<string, unknown>>(methods as never)) {
        expect(operation).toMatchObject({
          summary: expect.stringMatching(/\.$/),
          tags: [expect.any(String)],
          operationId: expect.any(String),
        });
        expect(Object.keys(operation["responses"] as object).length).toBeGreaterThan(0);
        const parameters = (operation["parameters"] ?? []) as { name: string; in: string; required?: boolean }[];
        const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((one) => one[1]);
        expect(parameters.filter((one) => one.in === "path" && one.required).map((one) => one.name)).toEqual(inPath);
        ids.add(`${operation["operationId"]}`);
        expect([`${method.toUpperCase()} ${path}`, "security" in operation]).toEqual([
          `${method.toUpperCase()} ${path}`,
          open.has(`${method.toUpperCase()} ${path}`) && path !== "/metrics",
        ]);
      }
    }
    expect(ids.size).toBe(listed.length);
  });

  test("tokens come as Bearer, ApiKey, Basic and Splunk", async () => {
    const encoded = Buffer.from(`id:${adminToken}`).toString("base64");
    for (const authorization of [
      `bearer ${adminToken}`,
      `ApiKey ${encoded}`,
      `Basic ${encoded}`,
      `Splunk ${adminToken}`,
      `ApiKey ${adminToken}`,
    ])
      expect((await get("/api/v1/session", { authorization })).json()).toMatchObject({
        user: "admin",
        kind: "shared",
        permissions: expect.arrayContaining(["users:write"]),
      });
    for (const authorization of ["Bearer", "Bearer x", "Basic x", `Digest ${adminToken}`, `Bearer ${"x".repeat(3000)}`, "\u00ff"])
      isProblem(await get("/api/v1/session", { authorization }), 401, "unauthorised");
  });

  test("failed attempts are slowed down, right tokens are not", async () => {
    const statuses = [];
    for (let i = 0; i < 12; i++) statuses.push((await post("/api/v1/session", { token: "guess" }, {})).statusCode);
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
    const refused = await post("/api/v1/session", { token: "guess" }, {});
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect((await get("/api/v1/session", { authorization: "Bearer guess" })).statusCode).toBe(429);
    expect((await get("/api/v1/session")).statusCode).toBe(200);
    await it.clock.pass(60_000);
    expect((await post("/api/v1/session", { token: "guess" }, {})).statusCode).toBe(401);
  });

  test("loopback servers answer to loopback names only", async () => {
    isProblem(await it.app.inject({ url: "/healthz", headers: { host: "evil.example" } }), 403, "forbidden");
    isProblem(await it.app.inject({ url: "/healthz", headers: { host: "127.0.0.1.evil.example:8080" } }), 403, "forbidden");
    for (const host of ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST"])
      expect((await it.app.inject({ url: "/healthz", headers: { host } })).statusCode).toBe(200);
    const proxied = await rig({ hosts: ["vedette.example"] });
    expect((await proxied.app.inject({ url: "/healthz", headers: { host: "vedette.example" } })).statusCode).toBe(200);
    await proxied.app.close();
  });

  test("off loopback, metrics need a token", async () => {
    expect((await it.app.inject({ url: "/metrics", remoteAddress: "192.0.2.7" })).statusCode).toBe(401);
    expect((await it.app.inject({ url: "/metrics", remoteAddress: "192.0.2.7", headers: asAdmin })).statusCode).toBe(200);
  });

  test("every answer carries the security headers", async () => {
    for (const url of ["/healthz", "/api/v1/alerts", "/nowhere", "/api/v1/openapi.json"]) {
      const { headers } = await get(url, {});
      expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
      expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
      expect(headers["content-security-policy"]).toContain("script-src 'self';");
    }
  });
});

describe("sessions", () => {
  const cookieOf = (response: { headers: { [name: string]: unknown } }) => String(response.headers["set-cookie"]).split(";")[0]!;
  const own = { origin: "http://localhost:80", host: "localhost:80" };

  test("a one-time link works once", async () => {
    const url = `/login?token=${it.auth.issueLogin()}`;
    const first = await get(url, {});
    expect([first.statusCode, first.headers["location"]]).toEqual([303, "/"]);
    expect(first.headers["set-cookie"]).toMatch(/^vedette_session=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/);
    expect((await get("/api/v1/session", { cookie: cookieOf(first) })).json()).toMatchObject({
      user: "admin",
      kind: "shared",
      permissions: expect.arrayContaining(["users:write"]),
    });
    isProblem(await get(url, {}), 401, "unauthorised");
  });

  test("a one-time link expires", async () => {
    const url = `/login?token=${it.auth.issueLogin()}`;
    await it.clock.pass(3_600_000);
    isProblem(await get(url, {}), 401, "unauthorised");
  });

  test("login with the admin token, logout, expiry", async () => {
    const login = await post("/api/v1/session", { token: adminToken }, {});
    expect(login.statusCode).toBe(204);
    const cookie = `theme=dark; ${cookieOf(login)}`;
    expect((await get("/api/v1/session", { cookie })).statusCode).toBe(200);
    const logout = await it.app.inject({ method: "DELETE", url: "/api/v1/session", headers: { cookie, ...own } });
    expect(logout.statusCode).toBe(204);
    expect(logout.headers["set-cookie"]).toContain("Max-Age=0");
    isProblem(await get("/api/v1/session", { cookie }), 401, "unauthorised");

    const again = cookieOf(await post("/api/v1/session", { token: adminToken }, {}));
    await it.clock.pass(3_600_000);
    isProblem(await get("/api/v1/session", { cookie: again }), 401, "unauthorised");
  });

  test("sessions outlive the server, as hashes", async () => {
    const { secret } = (await it.auth.loginWithToken(adminToken, { ip: "::1", agent: "" }))!;
    expect(JSON.stringify(await it.store.people.load(0))).not.toContain(secret);
    expect((await peopleOf(it.store, it.clock)).ofCookie(secret)).toMatchObject({ kind: "shared" });
  });

  test("what a cookie changes must come from our own page", async () => {
    const cookie = cookieOf(await post("/api/v1/session", { token: adminToken }, {}));
    for (const headers of [
      {},
      { origin: "http://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { origin: "http://localhost:3000" },
    ])
      isProblem(await post("/api/v1/demo", undefined, { cookie, host: "localhost:80", ...headers } as never), 403, "forbidden");
    expect((await post("/api/v1/demo", undefined, { cookie, ...own })).statusCode).toBe(202);
    expect((await post("/api/v1/demo", undefined, { cookie, "sec-fetch-site": "same-origin" })).statusCode).toBe(202);
  });
});

describe("alerts", () => {
  beforeEach(() => {
    it.store.alertsById.set("a1", alertOf("a1"));
    it.store.alertsById.set("a2", alertOf("a2", { severity: "low", state: "closed", verdict: "benign" }));
  });

  test("list and filters", async () => {
    const page = await ok(schemas.alertPage, "/api/v1/alerts");
    expect(page.total).toBe(2);
    expect(page.alerts[0]).toMatchObject({ id: "a1", first_seen: formatTime(start) });
    expect(page.alerts[0]).not.toHaveProperty("evidence");
    expect((await ok(schemas.alertPage, "/api/v1/alerts?state=open,acknowledged&severity=high,critical&q=a1")).total).toBe(1);
    expect(await ok(schemas.alertPage, "/api/v1/alerts?limit=1")).toMatchObject({ cursor: "next", total: 2 });
    for (const bad of [
      "state=opened",
      "severity=",
      "limit=0",
      "limit=1001",
      "limit=x",
      "from=yesterday",
      "nonsense=1",
      "state=open&state=closed",
      `q=${"x".repeat(501)}`,
    ])
      isProblem(await get(`/api/v1/alerts?${bad}`), 400, "bad_request");
  });

  test("what the rule says of an alert, and how its closed ones ended; played scenes judge nothing", async () => {
    const url = "/api/v1/alerts/a1/guidance";
    it.store.alertsById.set("a3", alertOf("a3", { state: "closed", verdict: "true_positive", demo: true }));
    const verdicts = { true_positive: 0, benign: 1, false_positive: 0 };
    expect(await ok(schemas.guidance, url)).toMatchObject({ response: ["Look."], status: "test", verdicts });
    await post("/api/v1/alerts/a1/close", { verdict: "true_positive" });
    expect(await ok(schemas.guidance, url)).toMatchObject({ verdicts: { ...verdicts, true_positive: 1 } });
    isProblem(await get("/api/v1/alerts/none/guidance"), 404, "not_found");
  });

  test("the life of an alert", async () => {
    expect(await ok(schemas.alert, "/api/v1/alerts/a1")).toMatchObject({ evidence: [], history: [{ what: "opened" }] });
    isProblem(await get("/api/v1/alerts/none"), 404, "not_found");
    isProblem(await post("/api/v1/alerts/none/acknowledge"), 404, "not_found");

    expect((await post("/api/v1/alerts/a1/acknowledge")).json()).toMatchObject({ state: "acknowledged" });
    isProblem(await post("/api/v1/alerts/a1/acknowledge", { note: "x" }), 409, "conflict");
    isProblem(await post("/api/v1/alerts/a1/reopen"), 409, "conflict");
    isProblem(await post("/api/v1/alerts/a1/close", {}), 400, "bad_request");
    isProblem(await post("/api/v1/alerts/a1/close", { verdict: "fine" }), 400, "bad_request");
    expect((await post("/api/v1/alerts/a1/notes", { note: " seen " })).json()).toMatchObject({ state: "acknowledged" });
    expect((await post("/api/v1/alerts/a1/close", { verdict: "benign", note: "scanner" })).json()).toMatchObject({ verdict: "benign" });
    isProblem(await post("/api/v1/alerts/a1/close", { verdict: "benign" }), 409, "conflict");
    const reopened = schemas.alert.parse((await post("/api/v1/alerts/a1/reopen", { note: "again" })).json());
    expect(reopened).not.toHaveProperty("verdict");
    expect(reopened.history.map(({ by, what, note, verdict }) => [by, what, note, verdict])).toEqual([
      ["vedette", "opened", undefined, undefined],
      ["admin", "acknowledged", undefined, undefined],
      ["admin", "note", "seen", undefined],
      ["admin", "closed", "scanner", "benign"],
      ["admin", "reopened", "again", undefined],
    ]);
    isProblem(await post("/api/v1/alerts/a1/notes", { note: "x".repeat(4_001) }), 400, "bad_request");
    isProblem(await post("/api/v1/alerts/a1/notes", { note: "x", extra: 1 }), 400, "bad_request");
  });

  test("a change that triage overtakes is tried again, but not for ever", async () => {
    let races = 2;
    it.store.beforeReplace = () => {
      const alert = it.store.alertsById.get("a1")!;
      if (races-- > 0) it.store.alertsById.set("a1", { ...alert, count: alert.count + 1, updated: alert.updated + 1 });
    };
    expect((await post("/api/v1/alerts/a1/acknowledge")).json()).toMatchObject({ state: "acknowledged", count: 3 });
    races = 100;
    isProblem(await post("/api/v1/alerts/a1/close", { verdict: "benign" }), 409, "conflict");
  });
});

describe("events and queries", () => {
  beforeEach(() => {
    it.store.all.push(
      eventOf("e1", { "user.name": "root" }, { time: start - 2_000_000 }),
      eventOf("e2", { "user.name": "eve", "source.port": 22 }, { time: start - 1_000_000 }),
      eventOf("e3", { "user.name": "root", ["__proto__"]: "x" }),
    );
  });

  test("search, order and cursor", async () => {
    const page = await ok(schemas.eventPage, "/api/v1/events?q=user.name:root&limit=1");
    expect(page.events.map((one) => one.id)).toEqual(["e3"]);
    expect((await ok(schemas.eventPage, `/api/v1/events?q=user.name:root&limit=1&cursor=${page.cursor}`)).events[0]!.id).toBe("e1");
    expect((await ok(schemas.eventPage, "/api/v1/events?order=asc")).events.map((one) => one.id)).toEqual(["e1", "e2", "e3"]);
    const range = `from=${formatTime(start - 1_000_000)}&to=${formatTime(start)}`;
    expect((await ok(schemas.eventPage, `/api/v1/events?${range}`)).events.map((one) => one.id)).toEqual(["e2"]);
    expect((await ok(schemas.event, "/api/v1/events/e1")).original).toBe("line e1");
    isProblem(await get("/api/v1/events/none"), 404, "not_found");
    isProblem(await get(`/api/v1/events?from=${formatTime(start)}&to=${formatTime(start)}`), 400, "bad_request");
  });

  test("comparisons with the event's time narrow the range", async () => {
    const ids = async (q: string) =>
      (await ok(schemas.eventPage, `/api/v1/events?q=${encodeURIComponent(q)}&order=asc`)).events.map((one) => one.id);
    const [first, second] = [formatTime(start - 2_000_000), formatTime(start - 1_000_000)];
    expect(await ids(`@timestamp >= ${second}`)).toEqual(["e2", "e3"]);
    expect(await ids(`user.name:root and @timestamp > ${first} and @timestamp:*`)).toEqual(["e3"]);
    expect(await ids(`@timestamp <= ${first}`)).toEqual(["e1"]);
    expect(await ids(`@timestamp < ${first}`)).toEqual([]);
    expect(await ids(`@timestamp > ${second} @timestamp < ${first}`)).toEqual([]);
    for (const q of ["@timestamp > 5", `a:b or @timestamp > ${first}`, `not @timestamp > ${first}`, "@timestamp:2026*"])
      isProblem(await get(`/api/v1/events?q=${encodeURIComponent(q)}`), 400, "query_invalid");
  });

  test("a wrong query says where", async () => {
    const response = await get(`/api/v1/events?q=${encodeURIComponent("user.name = root")}`);
    isProblem(response, 400, "query_invalid");
    expect(response.json()).toMatchObject({ position: 0, length: 16, suggestion: "user.name:root" });
    isProblem(await get("/api/v1/events?q=a|stats%20count()"), 400, "query_invalid");
  });

  test("histogram and top", async () => {
    const to = formatTime(start + 1);
    const found = await ok(schemas.histogram, `/api/v1/events/histogram?from=${formatTime(start - 4_000_000)}&to=${to}&buckets=4`);
    expect(found).toMatchObject({ width_ms: 1001, total: 3, from: formatTime(start - 4_000_000), to });
    expect(found.buckets.reduce((sum, one) => sum + one.count, 0)).toBe(3);
    expect((await ok(schemas.histogram, "/api/v1/events/histogram")).total).toBe(2);
    isProblem(await get("/api/v1/events/histogram?buckets=1001"), 400, "bad_request");
    expect(await ok(schemas.top, "/api/v1/events/top?field=user.name")).toMatchObject({
      field: "user.name",
      total: 3,
      values: [
        { value: "root", count: 2 },
        { value: "eve", count: 1 },
      ],
    });
  });

  test("tables", async () => {
    const query = (q: string) => ok(schemas.table, `/api/v1/query?q=${encodeURIComponent(q)}`);
    expect(await query("user.name:root | stats count() as n by host.name | sort -n | head 5")).toEqual({
      columns: ["host.name", "n"],
      rows: [["x", 2]],
    });
    expect(await query("| stats count() as n by host.name | fields n")).toEqual({ columns: ["n"], rows: [[3]] });
    expect(await query("| sort @timestamp | head 1 | fields user.name, message, nothing")).toEqual({
      columns: ["user.name", "message", "nothing"],
      rows: [["root", "line e1", null]],
    });
    isProblem(await get("/api/v1/query?q=|sort%20user.name"), 400, "query_invalid");
    isProblem(await get("/api/v1/query?q=|stats%20count()%20by%20a|sort%20a,count"), 400, "query_invalid");
  });

  test("checking while typing, and names to complete", async () => {
    expect(await ok(schemas.check, "/api/v1/query/check?q=user.name:root")).toEqual({ ok: true });
    expect(await ok(schemas.check, "/api/v1/query/check?q=user.nmae:root")).toMatchObject({ ok: true, suggestion: "user.name" });
    expect(await ok(schemas.check, "/api/v1/query/check?q=(a")).toMatchObject({ ok: false, position: 0, length: 1 });
    expect((await get("/api/v1/fields")).json()).toEqual({ fields: ["@timestamp", "__proto__", "source.port", "user.name"] });
  });

  test("a query that takes too long is stopped and says so", async () => {
    it.store.hang = true;
    const pending = get("/api/v1/events");
    await it.clock.pass(0);
    await it.clock.pass(10_000);
    isProblem(await pending, 504, "query_timeout");
    expect(it.store.aborted).toHaveLength(1);
    it.store.hang = false;
    expect((await get("/api/v1/events")).statusCode).toBe(200);
  });

  test("a query stops when the client goes", async () => {
    await it.app.listen({ port: 0, host: "127.0.0.1" });
    const { port } = it.app.server.address() as { port: number };
    it.store.hang = true;
    const stop = new AbortController();
    const pending = fetch(`http://127.0.0.1:${port}/api/v1/events`, { headers: asAdmin, signal: stop.signal }).catch(() => "gone");
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    it.app.server.on("request", resolve);
    await asked;
    await it.clock.pass(0);
    stop.abort();
    expect(await pending).toBe("gone");
    for (let i = 0; i < 1_000 && it.store.aborted.length === 0; i++) await new Promise((done) => setImmediate(done));
    expect(it.store.aborted).toHaveLength(1);
    expect(it.errors).toEqual([]);
  });
});

describe("the program's own state", () => {
  test("sources, rules, ledger, dead letters", async () => {
    expect((await ok(schemas.sources, "/api/v1/sources")).sources[0]).toMatchObject({ name: "web", last_received: formatTime(start) });
    expect((await ok(schemas.rules, "/api/v1/rules")).hash).toBe("h");
    const ledger = await ok(schemas.ledger, "/api/v1/ledger");
    expect(ledger.sources[0]).toMatchObject({ in: 10, balance: 0 });
    expect(ledger.detectors[0]).toMatchObject({ name: "brute_force", late: 3, caught_up: 2, skipped: 1 });
    const page = await ok(schemas.dead, "/api/v1/dead?limit=1");
    expect(page.letters[0]).toMatchObject({ position: "9", received: formatTime(start) });
    expect((await ok(schemas.dead, `/api/v1/dead?cursor=${page.cursor}`)).letters[0]).toMatchObject({ position: "4" });
    isProblem(await get("/api/v1/dead?cursor=!!"), 400, "bad_request");
  });

  test("status", async () => {
    it.store.alertsById.set("a1", alertOf("a1"));
    it.store.all.push(eventOf("d", { "vedette.demo": true }));
    expect(await ok(schemas.status, "/api/v1/status")).toEqual({
      version: "1.2.3",
      started: formatTime(start),
      events: 1,
      rate: 12.5,
      lag_ms: 3,
      alerts: { open: { informational: 0, low: 0, medium: 0, high: 1, critical: 0 } },
      disk: { log_bytes: 4, open_bytes: 1, sealed_bytes: 2, original_bytes: 3 },
      demo: { present: true, running: false, events: 1 },
      ready: true,
      problems: [],
    });
  });

  test("figures do not wait for a slow count of demo events", async () => {
    it.store.hang = true;
    const pending = get("/api/v1/status");
    await it.clock.pass(0);
    await it.clock.pass(250);
    expect((await pending).json()).toMatchObject({ events: 0, demo: { present: false, events: 0 } });
  });

  test("demo", async () => {
    expect((await post("/api/v1/demo", {})).statusCode).toBe(202);
    expect((await ok(schemas.status, "/api/v1/status")).demo).toMatchObject({ present: true, running: true });
    const removed = await it.app.inject({ method: "DELETE", url: "/api/v1/demo", headers: asAdmin });
    expect(removed.json()).toEqual({ events: 5, alerts: 1 });
    expect((await ok(schemas.status, "/api/v1/status")).demo).toMatchObject({ present: false, running: false });
  });

  test("health, readiness, metrics", async () => {
    expect((await get("/healthz", {})).json()).toEqual({ status: "alive" });
    expect((await get("/readyz", {})).json()).toEqual({ ready: true, problems: [] });
    it.runtime.problems = [{ code: "log_full", message: "no space" }];
    const unready = await get("/readyz", {});
    expect([unready.statusCode, unready.json()]).toEqual([503, { ready: false, problems: it.runtime.problems }]);
    await get("/nowhere");
    const text = (await get("/metrics", {})).body;
    expect(text).toContain('vedette_source_in_total{source="web"} 10');
    expect(text).toContain('vedette_source_dropped_total{source="web",reason="comment"} 1');
    expect(text).toContain("vedette_lag_seconds 0.0025");
    expect(text).toContain('vedette_rules{state="enabled"} 1');
    expect(text).toContain("vedette_rules_unknown_fields 1");
    expect(text).toContain('route="/readyz",method="GET",status="503"');
    expect((await get("/metrics", {})).body).toContain('vedette_source_in_total{source="web"} 10');
    expect((await get("/metrics", {})).body).toContain('vedette_detector_observations_total{detector="brute_force",outcome="skipped"} 1');
    for (const line of text.split("\n")) expect(line === "" || line.startsWith("#") || line.startsWith("vedette_")).toBe(true);
  });
});

describe("ingest", () => {
  const send = (url: string, payload: Buffer | string, headers: { [name: string]: string }) =>
    it.app.inject({ method: "POST", url, payload, headers: { ...asAdmin, ...headers } });

  test("bodies arrive as they are, whatever they claim to be", async () => {
    for (const type of ["application/json", "application/x-ndjson", "text/plain", "nonsense", "application/x-protobuf"]) {
      const response = await send("/ingest", Buffer.from([0, 255, 123]), { "content-type": type });
      expect(response.json()).toEqual({ type, token: null, size: 3 });
    }
    expect((await send("/logs-2026/_bulk", "x".repeat(200_000), { "content-type": "application/json" })).json()).toMatchObject({
      size: 200_000,
    });
    expect((await post("/ingest")).json()).toMatchObject({ size: 0 });
  });

  test("a source's token decides the source", async () => {
    await send("/ingest", "a", {});
    await send("/ingest", "b", { authorization: `Bearer ${it.sourceToken}` });
    expect(it.accepted.map(({ source }) => source)).toEqual(["asked", "web"]);
  });

  test("trouble becomes back-pressure", async () => {
    const busy = await send("/fail/busy", "", {});
    isProblem(busy, 429, "backpressure");
    expect(busy.headers["retry-after"]).toBe("1");
    isProblem(await send("/fail/full", "", {}), 503, "log_full");
    expect(it.errors).toHaveLength(1);
    const bug = await send("/fail/bug", "", {});
    expect(bug.statusCode).toBe(500);
    expect(bug.body).not.toContain("secret");
    expect(it.errors).toHaveLength(2);
  });

  test("open routes and the banner", async () => {
    expect((await get("/banner", {})).body).toBe("banner");
    const root = await get("/", {});
    expect([root.body, root.headers["x-elastic-product"]]).toEqual(["banner", "Elasticsearch"]);
  });
});

describe("the console", () => {
  test("its files, its page, and nothing else", async () => {
    const root = mkdtempSync(join(tmpdir(), "vedette-console-"));
    mkdirSync(join(root, "assets"));
    writeFileSync(join(root, "index.html"), "<!doctype html>page");
    writeFileSync(join(root, "assets", "a.js"), "1");
    writeFileSync(join(root, "..", `${root.split("/").at(-1)}-secret`), "secret");
    const { app } = await rig({ consoleDirectory: root });
    const html = { accept: "text/html,*/*" };
    const page = await app.inject({ url: "/", headers: html });
    expect([page.body, page.headers["content-type"], page.headers["cache-control"]]).toEqual([
      "<!doctype html>page",
      "text/html; charset=utf-8",
      "no-cache",
    ]);
    expect((await app.inject({ url: "/", headers: { accept: "application/json" } })).body).toBe("banner");
    expect((await app.inject({ url: "/alerts/a1", headers: html })).body).toBe("<!doctype html>page");
    const script = await app.inject({ url: "/assets/a.js" });
    expect([script.body, script.headers["cache-control"]]).toEqual(["1", "public, max-age=31536000, immutable"]);
    isProblem(await app.inject({ url: "/api/v1/nothing", headers: html }), 404, "not_found");
    isProblem(await app.inject({ url: "/assets/b.js" }), 404, "not_found");
    for (const url of [`/..%2f${root.split("/").at(-1)}-secret`, `/assets/%2e%2e/%2e%2e/${root.split("/").at(-1)}-secret`])
      expect((await app.inject({ url })).body).not.toContain("secret\n");
    await app.close();
  });
});

describe("hostile input", () => {
  test("every failure is a problem document without a trace of the inside", async () => {
    const long = "x".repeat(20_000);
    const requests = [
      { method: "GET", url: "/%" },
      { method: "GET", url: "/api/v1/alerts/%ff" },
      { method: "GET", url: `/api/v1/alerts/${"x".repeat(300)}` },
      { method: "GET", url: `/api/v1/events?q=${long}` },
      { method: "GET", url: "/api/v1/events?q=a&__proto__=1" },
      {
        method: "POST",
        url: "/api/v1/session",
        payload: '{"__proto__":{"x":1},"token":"t"}',
        headers: { "content-type": "application/json" },
      },
      { method: "POST", url: "/api/v1/session", payload: "{", headers: { "content-type": "application/json" } },
      { method: "POST", url: "/api/v1/session", payload: "token=x", headers: { "content-type": "application/x-www-form-urlencoded" } },
      {
        method: "POST",
        url: "/api/v1/session",
        payload: `{"token":"${"x".repeat(70_000)}"}`,
        headers: { "content-type": "application/json" },
      },
      { method: "POST", url: "/api/v1/session", payload: `${"[".repeat(30_000)}`, headers: { "content-type": "application/json" } },
      { method: "PUT", url: "/api/v1/alerts" },
      { method: "GET", url: "/login?token=wrong" },
      { method: "GET", url: "/login?token=" },
    ] as const;
    for (const request of requests) {
      const response = await it.app.inject({
        ...request,
        headers: { ...asAdmin, ...("headers" in request ? request.headers : {}) },
      } as never);
      const name = `${request.method} ${request.url.slice(0, 60)}`;
      expect([name, response.statusCode >= 400 && response.statusCode < 500, response.headers["content-type"]]).toEqual([
        name,
        true,
        "application/problem+json",
      ]);
      expect(response.body.length).toBeLessThan(8_000);
      expect(response.body).not.toMatch(/node_modules|\.ts:|at \w+ \(/);
    }
    expect(it.errors).toEqual([]);
  });

  test("no query text gives a 500", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom(...'ab:*"()|/\\ =<>and or'), maxLength: 30 }), async (q) => {
        const response = await get(`/api/v1/query/check?q=${encodeURIComponent(q)}`);
        expect(response.statusCode).toBe(200);
        schemas.check.parse(response.json());
      }),
      { numRuns: 200 },
    );
  });
});

test("times read back as they were written", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000_000 }), (time) => {
      expect(parseTime(formatTime(time))).toBe(time);
    }),
  );
  expect(parseTime("2026-11-21T07:30:00+01:00")).toBe(parseTime("2026-11-21T06:30:00Z"));
  expect(parseTime("2026-11-21")).toBe(parseTime("2026-11-21T00:00:00Z"));
  for (const bad of ["", "now", "2026-13-01T00:00:00Z", "2026-11-21T06:30:00", "1763706600"]) expect(parseTime(bad)).toBeUndefined();
});
