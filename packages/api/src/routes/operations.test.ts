/** The program's own state: sources, ledger, dead letters, status, demo, health. */
import { afterEach, beforeEach, expect, test } from "vitest";
import * as schemas from "../schemas.ts";
import { alertOf, asAdmin, eventOf, type Rig, rig, start } from "../testing/fakes.ts";
import { isProblem, requestsTo } from "../testing/requests.ts";
import { formatTime } from "../time.ts";

let it: Rig;
beforeEach(async () => {
  it = await rig();
});
afterEach(() => it.app.close());
const { get, post, ok } = requestsTo(() => it);

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
