import { request as httpsRequest } from "node:https";
import { memorySecrets, systemClock } from "@vedette/kit";
import { Authority, MachineListener, makeRequest, memoryMachines, newMachineKey, Register } from "@vedette/machines";
import type { AuditEntry } from "@vedette/model";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asAdmin, type Rig, rig } from "../testing/fakes.ts";

const domain = "site.example";
const uri = (name: string) => `spiffe://${domain}/agent/${name}`;
const audited: AuditEntry[] = [];
let it: Rig;
let app: FastifyInstance;
let listener: MachineListener;

beforeAll(async () => {
  const authority = await Authority.open({ secrets: memorySecrets(), clock: systemClock, trustDomain: domain });
  const register = await Register.open({ store: memoryMachines(), authority, clock: systemClock });
  listener = new MachineListener({
    register,
    clock: systemClock,
    host: "127.0.0.1",
    port: 0,
    hosts: ["127.0.0.1"],
    self: { role: "server", name: "here" },
    handle: (request, answer) => app.routing(request, answer),
    onRefused: () => undefined,
  });
  const audit = { record: async (entry: AuditEntry) => void audited.push(entry) } as never;
  it = await rig({ machines: { register, listener }, clock: systemClock, audit });
  app = it.app;
  await listener.listen();
});
afterAll(async () => {
  await listener.close();
  await app.close();
});

interface Client {
  readonly ca: string;
  readonly key?: string;
  readonly cert?: string;
}
/** Over the machines' port. */
function over(client: Client, method: string, path: string, body?: unknown, headers: { readonly [name: string]: string } = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body ?? {});
  const type = typeof body === "string" ? "application/x-ndjson" : "application/json";
  return new Promise<{ readonly status: number; readonly body: string }>((resolve, reject) => {
    const all = { method, headers: { "content-type": type, ...headers }, agent: false as const, ...client };
    const asked = httpsRequest(`${listener.url}${path}`, all, (answer) => {
      let got = "";
      answer.on("data", (part) => (got += part));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: got }));
    });
    asked.on("error", reject);
    asked.end(method === "GET" ? undefined : text);
  });
}

async function admin(method: "GET" | "POST" | "DELETE", url: string, payload?: object) {
  const answer = await app.inject({ method, url: `/api/v1${url}`, headers: asAdmin, ...(payload && { payload }) });
  return { status: answer.statusCode, json: answer.body === "" ? undefined : answer.json() };
}

async function enrol(name: string): Promise<Client & { readonly token: string }> {
  const { token } = (await admin("POST", "/machines/tokens", { role: "agent", name })).json;
  const { certificate: ca } = (await admin("GET", "/machines/authority")).json;
  const keys = newMachineKey();
  const made = await over({ ca }, "POST", "/api/v1/machines/enrol", { token, request: makeRequest(keys, uri(name)) });
  expect(made.status).toBe(201);
  const { certificate, authority } = JSON.parse(made.body) as { certificate: string; authority: string };
  expect(authority).toBe(ca);
  return { ca, cert: certificate, key: keys.privateKey.export({ type: "pkcs8", format: "pem" }) as string, token };
}

test("a machine enrols, delivers as the source of its name, finds others, renews, and is turned away once revoked", async () => {
  const client = await enrol("node1");
  expect((await over(client, "POST", "/ingest", '{"a":1}')).status).toBe(200);
  expect(it.accepted.map(({ source }) => source)).toEqual(["node1"]);
  const said = await over(client, "PUT", "/api/v1/machines/self", { health: "degraded", address: "https://node1:9000", detail: "disk" });
  expect(JSON.parse(said.body)).toMatchObject({ id: "agent:node1", state: "active", report: { health: "degraded" } });
  const found = JSON.parse((await over(client, "GET", "/api/v1/machines")).body) as { machines: object[] };
  expect(found.machines).toMatchObject([{ id: "agent:node1", report: { address: "https://node1:9000" } }]);
  const keys = newMachineKey();
  const renewed = await over(client, "POST", "/api/v1/machines/renew", { request: makeRequest(keys, uri("node1")) });
  expect(renewed.status).toBe(201);
  const next = {
    ca: client.ca,
    cert: (JSON.parse(renewed.body) as { certificate: string }).certificate,
    key: keys.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
  expect((await over(next, "GET", "/api/v1/machines")).status).toBe(200);
  const other = await over(client, "POST", "/api/v1/machines/renew", { request: makeRequest(keys, uri("node2")) });
  expect([other.status, JSON.parse(other.body).detail]).toEqual([403, expect.stringContaining("asks for the name node2")]);
  expect((await admin("DELETE", "/machines/agent%3Anode1?reason=stolen")).json).toEqual({ revoked: 2 });
  for (const one of [client, next]) await expect(over(one, "POST", "/ingest", "{}")).rejects.toThrow();
  expect((await admin("GET", "/machines")).json.machines).toMatchObject([{ state: "revoked", revoked: { reason: "stolen" } }]);
  expect((await admin("DELETE", "/machines/agent%3Anode9")).status).toBe(404);
});

test("a machine may do nothing else, whatever token it brings along, and without a certificate only enrol", async () => {
  const client = await enrol("node3");
  for (const path of ["/alerts", "/events", "/audit", "/vault", "/source-tokens", "/session"])
    expect([path, (await over(client, "GET", `/api/v1${path}`, undefined, asAdmin)).status]).toEqual([path, 403]);
  expect((await over(client, "POST", "/api/v1/machines/tokens", { role: "agent", name: "x" }, asAdmin)).status).toBe(403);
  for (const path of ["/healthz", "/", "/api/v1/machines", "/api/v1/openapi.json"])
    expect([path, (await over({ ca: client.ca }, "GET", path, undefined, asAdmin)).status]).toEqual([path, 401]);
  expect((await over({ ca: client.ca }, "POST", "/ingest", "{}", asAdmin)).status).toBe(401);
});

test("an enrolment token that is used twice is refused, and both are on record", async () => {
  audited.length = 0;
  const { ca, token } = await enrol("node4");
  const again = await over({ ca }, "POST", "/api/v1/machines/enrol", { token, request: makeRequest(newMachineKey(), uri("node4")) });
  expect([again.status, JSON.parse(again.body)]).toEqual([
    401,
    expect.objectContaining({
      code: "unauthorised",
      detail: expect.stringContaining("the enrolment token of agent:node4 was used before"),
    }),
  ]);
  const told = audited.filter(({ action }) => action === "machine_enrolled");
  expect(told.map(({ outcome, fields }) => [outcome, fields?.["vedette.audit.machine"]])).toEqual([
    ["unknown", undefined],
    ["success", "agent:node4"],
    ["unknown", undefined],
    ["failure", "agent:node4"],
  ]);
  expect(JSON.stringify(audited)).not.toContain(token);
});

test("who guesses enrolment tokens is told to wait", async () => {
  const { certificate: ca } = (await admin("GET", "/machines/authority")).json;
  const body = { token: "vdm_guess", request: makeRequest(newMachineKey(), uri("node5")) };
  const statuses: number[] = [];
  for (let i = 0; i < 30; i++) statuses.push((await over({ ca }, "POST", "/api/v1/machines/enrol", body)).status);
  expect(statuses[0]).toBe(401);
  expect(statuses).toContain(429);
});

test("what is wrong with a request names its field", async () => {
  const named = async (url: string, payload: object) => {
    const { status, json } = await admin("POST", url, payload);
    return `${status} ${json.detail}`;
  };
  expect(await named("/machines/tokens", { role: "Agent!", name: "n" })).toMatch(/^400 .*role: expected a lower case word/);
  expect(await named("/machines/tokens", { role: "agent", name: "../x" })).toMatch(/^400 .*name: expected letters, digits/);
  expect(await named("/machines/enrol", { token: "vdm_x", request: "hello" })).toMatch(/^400 request: expected a PEM block/);
});
