import { afterEach, beforeEach, expect, test } from "vitest";
import { asking, userWith } from "../testing/as.ts";
import { alertOf, asAdmin, eventOf, type Rig, rig, start } from "../testing/fakes.ts";
import { Holds } from "./holds.ts";

let it: Rig;
beforeEach(async () => {
  it = await rig();
  const { id, time, source, seq, original } = eventOf("e1");
  it.store.alertsById.set("a1", alertOf("a1", { evidence: [{ id, time, source, seq, original, fields: {}, matches: [] }] }));
});
afterEach(() => it.app.close());
const ask = (method: "GET" | "POST", url: string, payload?: object, headers: object = asAdmin) =>
  it.app.inject({ method, url: `/api/v1${url}`, headers: { ...headers }, ...(payload && { payload }) });
const range = { from: "2026-11-01T00:00:00Z", to: "2026-11-20T00:00:00Z" };

test("a hold keeps the evidence of alerts as it is now, and what a query finds, until it is released", async () => {
  const made = await ask("POST", "/holds", { alerts: ["a1"], q: "user.name:mallory", ...range, reason: "case 17" });
  expect([made.statusCode, made.json()]).toMatchObject([201, { by: "admin", alerts: ["a1"], q: "user.name:mallory", reason: "case 17" }]);
  const { id } = made.json();
  const holds = () => new Holds(it.store, it.clock, "main").inForce();
  const tenants = ["main", "main~audit"];
  expect(await holds()).toEqual([
    { tenants, range: { from: start, to: start + 1 }, ids: ["e1"] },
    {
      tenants,
      range: { from: Date.parse(range.from) * 1_000, to: Date.parse(range.to) * 1_000 },
      ids: [],
      where: { op: "eq", field: "user.name", value: "mallory" },
    },
  ]);
  const alert = it.store.alertsById.get("a1")!;
  it.store.alertsById.set("a1", { ...alert, evidence: [...alert.evidence, { ...alert.evidence[0]!, id: "e2", time: start + 9 }] });
  expect((await holds())[0]).toEqual({ tenants, range: { from: start, to: start + 10 }, ids: ["e1", "e2"] });
  const released = await ask("POST", `/holds/${id}/release`, { reason: "closed" });
  expect(released.json()).toMatchObject({ id, released: { by: "admin", reason: "closed" } });
  expect(await holds()).toEqual([]);
  expect((await ask("POST", `/holds/${id}/release`, { reason: "again" })).statusCode).toBe(409);
  expect((await ask("GET", "/holds")).json().holds).toMatchObject([{ id, released: { reason: "closed" } }]);
});

test("what holds nothing, or cannot be held, is refused and named", async () => {
  for (const [body, status, word] of [
    [{ reason: "x" }, 400, "what is held"],
    [{ reason: "x", alerts: ["none"] }, 404, "no alert none"],
    [{ reason: "x", q: "user.name:x" }, 400, "needs a range"],
    [{ reason: "x", q: "user.name:x", from: range.to, to: range.from }, 400, "needs a range"],
    [{ reason: "x", q: "user.name:(", ...range }, 400, "q"],
    [{ reason: "x", alerts: ["a1"], ...range }, 400, "belong to q"],
    [{ reason: " ", alerts: ["a1"] }, 400, "reason"],
  ] as const) {
    const refused = await ask("POST", "/holds", body);
    expect([refused.statusCode, refused.json().detail]).toEqual([status, expect.stringContaining(word)]);
  }
  expect((await ask("POST", "/holds/h0/release", { reason: "x" })).statusCode).toBe(404);
  const analyst = asking(it.auth, userWith({ role: "analyst" }));
  expect((await ask("GET", "/holds", undefined, analyst)).statusCode).toBe(200);
  expect((await ask("POST", "/holds", { reason: "x", alerts: ["a1"] }, analyst)).statusCode).toBe(403);
});
