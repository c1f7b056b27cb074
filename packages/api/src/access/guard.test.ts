/** Who may do what, over all routes; what every answer carries. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { adminToken, asAdmin, type Rig, rig } from "../testing/fakes.ts";
import { isProblem, requestsTo } from "../testing/requests.ts";
import { Auth } from "./auth.ts";

let it: Rig;
beforeEach(async () => {
  it = await rig();
});
afterEach(() => it.app.close());
const { get, post } = requestsTo(() => it);

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
