import { UnavailableError } from "@vedette/kit";
import type { AuditEntry } from "@vedette/model";
import Fastify from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { audit } from "./audit.ts";
import type { ServerOptions } from "./ports.ts";
import { alertOf, asAdmin, eventOf, type Rig, rig } from "./testing/fakes.ts";

let it: Rig;
let told: AuditEntry[];
let full: boolean;
beforeEach(async () => {
  told = [];
  full = false;
  it = await rig({
    audit: {
      record: async (entry) => {
        if (full) throw new UnavailableError("store_unavailable", "the disk is full");
        told.push(entry);
        return { n: told.length, time: 0, hash: "" };
      },
      newest: async (limit, before = 3) =>
        [
          { n: 2, time: 1_795_000_000_000_000, hash: "b", fields: { "event.action": "login" } },
          { n: 1, time: 1_795_000_000_000_000, hash: "a", erased: { by: "dpo", reason: "asked", time: 1_795_000_000_000_000 } },
        ]
          .filter(({ n }) => n < before)
          .slice(0, limit),
      since: async () => [],
      head: () => ({ chain: "c", n: 2, hash: "b", time: 1, key: "k", signature: "s" }),
    },
  });
});
afterEach(() => it.app.close());

const short = () => told.map(({ action, outcome, by }) => `${by.user} ${action} ${outcome}`);
const api = (method: "GET" | "POST" | "DELETE", url: string, payload?: object, headers: { [name: string]: string } = asAdmin) =>
  it.app.inject({ method, url: `/api/v1${url}`, headers, ...(payload && { payload }) });

describe("the audit trail is told", () => {
  test("of a change before it is made and of how it ended, with who, from where and what was said", async () => {
    it.store.alertsById.set("a1", alertOf("a1"));
    expect((await api("POST", "/alerts/a1/close", { verdict: "benign", note: "the backup" })).statusCode).toBe(200);
    expect(short()).toEqual(["admin alert_closed unknown", "admin alert_closed success"]);
    expect(told[1]).toMatchObject({
      by: { ip: "127.0.0.1" },
      fields: {
        "http.request.method": "POST",
        "url.path": "/api/v1/alerts/a1/close",
        "vedette.audit.alert": "a1",
        "vedette.audit.verdict": "benign",
        "vedette.audit.note": "the backup",
        "http.response.status_code": 200,
      },
    });
  });

  test("of a change that came to nothing", async () => {
    expect((await api("POST", "/alerts/nobody/reopen")).statusCode).toBe(404);
    expect(short()).toEqual(["admin alert_reopened unknown", "admin alert_reopened failure"]);
  });

  test("and what it cannot keep is not done", async () => {
    it.store.alertsById.set("a1", alertOf("a1"));
    full = true;
    const refused = await api("POST", "/alerts/a1/close", { verdict: "benign" });
    expect(refused.statusCode).toBe(503);
    expect(refused.json()).toMatchObject({ status: 503, code: "store_unavailable" });
    expect(it.store.alertsById.get("a1")?.state).toBe("open");
    const read = await api("GET", "/events?q=secret");
    expect(read.statusCode).toBe(503);
    expect(read.body).not.toContain('"events"');
  });

  test("of sign-ins, refused ones too, and of nobody who only opened the page", async () => {
    await it.app.inject({ url: "/login" });
    expect(told).toEqual([]);
    await it.app.inject({ url: `/login?token=${it.auth.issueLogin()}` });
    await it.app.inject({ url: "/login?token=guess" });
    await it.app.inject({ url: "/login?token=guess", headers: { accept: "text/html" } });
    await api("POST", "/session", { token: "guess" }, {});
    await api("GET", "/alerts", undefined, { authorization: "Bearer guess" });
    // POST is a change: it is recorded as asked for first
    expect(told.map(({ action, outcome, fields }) => `${action} ${fields?.["event.outcome"] ?? outcome}`)).toEqual([
      "login success",
      "login failure",
      "login failure",
      "login unknown",
      "login failure",
      "login failure",
    ]);
    expect(JSON.stringify(told)).not.toContain("guess");
  });

  test("of what a token may not do", async () => {
    await api("GET", "/events", undefined, { authorization: `Bearer ${it.sourceToken}` });
    expect(short()).toEqual(["source web access_denied failure"]);
  });

  test("of what was read of events and of itself", async () => {
    it.store.all.push(eventOf("e1", { "user.name": "alice" }), eventOf("e2", { "user.name": "alice" }));
    await api("GET", "/events?q=user.name:alice");
    expect(told[0]).toMatchObject({
      action: "events_searched",
      fields: { "vedette.audit.query": "user.name:alice", "vedette.audit.rows": 2 },
    });
    const page = await api("GET", "/audit?limit=1");
    expect(page.json()).toMatchObject({
      records: [{ n: 2, time: "2026-11-18T11:06:40.000000Z", fields: { "event.action": "login" } }],
    });
    expect((await api("GET", `/audit?cursor=${page.json().cursor}`)).json()).toMatchObject({
      records: [{ n: 1, erased: { by: "dpo", reason: "asked" } }],
    });
    expect(told.at(-1)).toMatchObject({ action: "audit_read", outcome: "success" });
    expect((await api("GET", "/audit/head")).json()).toMatchObject({ n: 2, signature: "s" });
  });

  test("of so many refusals and no more; the rest is counted", async () => {
    const before = told.length;
    for (let i = 0; i < 200; i++) await api("GET", "/events", undefined, { authorization: `Bearer ${it.sourceToken}` });
    expect(told.length - before).toBe(50);
    it.clock.time += 60_000_000;
    await api("GET", "/events", undefined, { authorization: `Bearer ${it.sourceToken}` });
    expect(told.at(-1)?.fields).toMatchObject({ "vedette.audit.suppressed": 150 });
  });
});

test("a route that changes something and does not say what the trail calls that is refused at the start", () => {
  const app = Fastify();
  audit(app, {} as ServerOptions);
  const handler = async () => "";
  expect(() => app.route({ method: "POST", url: "/x", handler })).toThrow("POST /x changes something");
  expect(() => app.route({ method: "POST", url: "/y", config: { audit: false }, handler })).not.toThrow();
  expect(() => app.route({ method: "GET", url: "/z", handler })).not.toThrow();
});
