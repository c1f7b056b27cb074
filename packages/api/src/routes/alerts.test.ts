import { afterEach, beforeEach, expect, test } from "vitest";
import * as schemas from "../schemas.ts";
import { alertOf, type Rig, rig, start } from "../testing/fakes.ts";
import { isProblem, requestsTo } from "../testing/requests.ts";
import { formatTime } from "../time.ts";

let it: Rig;
beforeEach(async () => {
  it = await rig();
});
afterEach(() => it.app.close());
const { get, post, ok } = requestsTo(() => it);

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
