import { afterEach, expect, test } from "vitest";
import { asAdmin, type Rig, rig } from "../testing/fakes.ts";

let r: Rig;
afterEach(() => r.app.close());
const post = (url: string, payload: object) => r.app.inject({ method: "POST", url: `/api/v1${url}`, headers: asAdmin, payload });
const get = (url: string) => r.app.inject({ url: `/api/v1${url}`, headers: asAdmin });

test("rules by state, one rule with its history, versions and releases", async () => {
  r = await rig();
  expect((await get("/rules?state=enabled")).json()).toMatchObject({ rules: [{ id: "r1", state: "enabled" }], hash: "h", version: 1 });
  expect((await get("/rules?state=shadow")).json().rules).toEqual([]);
  expect((await get("/rules?proposed=true")).json().rules).toEqual([]);
  expect((await get("/rules?state=awake")).statusCode).toBe(400);
  const one = (await get("/rules/r1")).json();
  expect(one).toMatchObject({
    decision: { by: "ann", at: expect.stringMatching(/Z$/) },
    history: [{ what: "apply", at: expect.stringMatching(/Z$/) }],
  });
  expect((await get("/rules/nobody")).statusCode).toBe(404);
  expect((await get("/rule-versions")).json().versions).toMatchObject([{ number: 1, current: true, at: expect.stringMatching(/Z$/) }]);
  expect((await get("/rule-releases")).json().releases).toMatchObject([{ pack: "mine", at: expect.stringMatching(/Z$/) }]);
});

test("changes carry who asked, why, and what was insisted on; without a reason there is none", async () => {
  r = await rig();
  const { asked } = r.runtime.desk;
  expect((await post("/rules/r1/state", { state: "shadow", reason: "loud", owner: "soc", review: "2027-01-01" })).json()).toMatchObject({
    blocked: [],
  });
  await post("/rules/r1/promote", { reason: "quiet", force: true });
  await post("/rules/apply", { wish: { kind: "apply", release: "a".repeat(12), state: "shadow" }, reason: "trial", yes: true });
  await post("/rules/apply", { wish: { kind: "reload" }, reason: "edited" });
  await post("/rules/rollback", { to: 1, reason: "worse" });
  expect(asked).toEqual([
    ["decide", "r1", "shadow", { by: "admin", reason: "loud", owner: "soc", review: "2027-01-01" }, { force: false }],
    ["promote", "r1", { by: "admin", reason: "quiet" }, { force: true }],
    [
      "apply",
      { kind: "apply", release: "a".repeat(12), state: "shadow" },
      { by: "admin", reason: "trial" },
      { without_refused: false, force: false, yes: true },
    ],
    ["apply", { kind: "reload" }, { by: "admin", reason: "edited" }, { without_refused: false, force: false, yes: false }],
    ["rollback", 1, { by: "admin", reason: "worse" }],
  ]);
  for (const [url, body] of [
    ["/rules/r1/state", { state: "shadow" }],
    ["/rules/r1/state", { state: "refused", reason: "x" }],
    ["/rules/r1/state", { state: "shadow", reason: "x", review: "soon" }],
    ["/rules/apply", { wish: { kind: "apply", release: "../../etc", state: "enabled" }, reason: "x" }],
    ["/rules/apply", { wish: { kind: "reload" }, reason: "  " }],
    ["/rules/rollback", { to: 0, reason: "x" }],
  ] as const)
    expect([url, (await post(url, body)).statusCode]).toEqual([url, 400]);
  expect(asked).toHaveLength(5);
});

test("a whole release comes in over HTTP; other bodies stay small; a source's token changes nothing", async () => {
  r = await rig();
  const rules = Array.from({ length: 3_000 }, (_, n) => ({ file: `r${n}.yml`, text: "x".repeat(1_000) }));
  const kept = await post("/rule-releases", { pack: "mine", origin: "here", rules });
  expect([kept.statusCode, kept.json().release.pack]).toEqual([200, "mine"]);
  expect((await post("/rules/diff", { pack: "mine", origin: "here", rules, state: "shadow" })).statusCode).toBe(200);
  expect((await post("/rules/rollback", { reason: "x".repeat(70_000) })).statusCode).toBe(413);
  expect(r.runtime.desk.asked).toEqual([["keep", "mine", 3_000]]);
  const asSource = { authorization: `Bearer ${r.sourceToken}` };
  for (const url of ["/rules/rollback", "/rules/apply", "/rules/r1/state"])
    expect((await r.app.inject({ method: "POST", url: `/api/v1${url}`, headers: asSource, payload: { reason: "x" } })).statusCode).toBe(
      403,
    );
});

test("alerts of rules on trial are listed only when asked for", async () => {
  r = await rig();
  const filters: unknown[] = [];
  const { list } = r.store.alerts;
  r.store.alerts.list = (filter, limit) => {
    filters.push(filter.shadow);
    return list(filter, limit);
  };
  await get("/alerts?limit=7");
  await get("/alerts?limit=7&shadow=true");
  expect(filters.slice(-2)).toEqual([undefined, true]);
});
