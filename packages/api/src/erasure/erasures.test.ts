import { type Clock, UnavailableError } from "@vedette/kit";
import type { AuditEntry, Event } from "@vedette/model";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asking, userWith } from "../testing/as.ts";
import { alertOf, asAdmin, eventOf, type Rig, rig, start } from "../testing/fakes.ts";
import { erasedText } from "./erased_alert.ts";
import { Erasures } from "./erasures.ts";
import { Holds } from "./holds.ts";

let it: Rig;
let told: AuditEntry[];
let erasures: Erasures;
/** Records of the trail by number; undefined: a tombstone. */
let records: (Record<string, string> | undefined)[];

const evidenceOf = ({ id, time, source, seq, original, fields }: Event) => ({
  ...{ id, time, source, seq, original, matches: [{ clause: "user", field: "user.name", value: String(fields["user.name"]) }] },
  fields: { "user.name": String(fields["user.name"]) },
});
const of = (id: string, user: string) => eventOf(id, { "user.name": user });
const made = (store: Rig["store"], clock: Clock) =>
  new Erasures({
    store,
    holds: new Holds(store, clock, "main"),
    clock,
    tenant: "main",
    trail: {
      record: async (entry) => {
        told.push(entry);
        return { n: 0, time: 0, hash: "" };
      },
      count: async (wanted) => records.filter((fields, n) => fields && wanted({ n, time: start, hash: "", fields })).length,
      erase: async (wanted) => {
        let erased = 0;
        for (const [n, fields] of records.entries())
          if (fields && wanted({ n, time: start, hash: "", fields })) {
            records[n] = undefined;
            erased++;
          }
        return erased;
      },
    },
  });

beforeEach(async () => {
  told = [];
  records = [
    { "event.action": "login", "user.name": "mallory" },
    { "event.action": "login", "user.name": "ann" },
  ];
  const { app, store, clock } = await rig();
  await app.close();
  clock.time += 7 * 86_400_000_000;
  erasures = made(store, clock);
  it = { ...(await rig({ erasures, store, clock, holds: new Holds(store, clock, "main") })), store, clock };
  it.store.all.push(of("e1", "mallory"), of("e2", "mallory"), of("e3", "ann"));
  const [e1, e2, e3] = it.store.all.map(evidenceOf);
  const user = (id: string) => ({ type: "user.name", id });
  const note = { at: start, by: "ann", what: "note" as const, note: "mallory again" };
  const opened = { at: start, by: "vedette", what: "opened" as const };
  it.store.alertsById.set(
    "a1",
    alertOf("a1", {
      summary: "mallory and ann failed",
      entities: [user("mallory"), user("ann")],
      evidence: [e1!, e3!],
      history: [opened, note],
    }),
  );
  it.store.alertsById.set("a2", alertOf("a2", { evidence: [e2!], entities: [user("mallory")] }));
});
afterEach(() => it.app.close());

const range = { from: "2026-11-01T00:00:00Z", to: "2026-11-20T00:00:00Z" };
const body = { q: "user.name:mallory", ...range, reason: "asked by the person" };
const post = (url: string, payload: object, headers: object = asAdmin) =>
  it.app.inject({ method: "POST", url: `/api/v1${url}`, headers: { ...headers }, payload });
const left = () => it.store.all.map(({ id }) => id);

test("events go, alerts quote them no more, and nothing names who was erased; others stay as they are", async () => {
  const untouched = JSON.stringify(it.store.alertsById.get("a1")!.evidence[1]);
  expect((await post("/erasures/preview", body)).json()).toEqual({ events: 2, held: 0, alerts: 2, records: 0, holds: [] });
  expect(left()).toEqual(["e1", "e2", "e3"]);
  const begun = await post("/erasures", body);
  expect([begun.statusCode, begun.json()]).toMatchObject([202, { state: "running", by: "admin", reason: "asked by the person" }]);
  await erasures.idle();
  expect(left()).toEqual(["e3"]);
  const [a1, a2] = ["a1", "a2"].map((id) => it.store.alertsById.get(id)!);
  expect(a1!.evidence[0]).toMatchObject({ id: "e1", original: erasedText, fields: {}, matches: [] });
  expect(JSON.stringify(a1!.evidence[1])).toBe(untouched);
  expect([a1!.entities.map(({ id }) => id), a1!.summary, a1!.history[1]!.note]).toEqual([["ann"], a1!.rule.title, erasedText]);
  expect(a2!.entities).toEqual([]);
  const listed = await it.app.inject({ url: "/api/v1/erasures", headers: { ...asAdmin } });
  expect(listed.json().erasures).toMatchObject([{ state: "done", events: 2, alerts: 2, held: 0, records: 0 }]);
  expect(told).toMatchObject([
    { action: "erasure_ended", outcome: "success", fields: { "vedette.audit.events": 2, "vedette.audit.alerts": 2 } },
  ]);
  for (const kept of [listed.body, [...it.store.kept.values()].join(), JSON.stringify([told, a1, a2])])
    expect(kept).not.toContain("mallory");
  expect(records[0]).toBeDefined();
});

test("a legal hold wins: what it keeps stays, in events and in alerts, and the hold is named", async () => {
  const hold = (await post("/holds", { alerts: ["a2"], reason: "case 17" })).json().id;
  expect((await post("/erasures/preview", body)).json()).toEqual({ events: 1, held: 1, alerts: 1, records: 0, holds: [hold] });
  await post("/erasures", body);
  await erasures.idle();
  expect([left(), (await erasures.list())[0]]).toMatchObject([["e2", "e3"], { state: "done", events: 1, held: 1, alerts: 1 }]);
  expect(it.store.alertsById.get("a2")!.evidence[0]!.fields).toEqual({ "user.name": "mallory" });
});

test("where asked for, records of the audit trail become tombstones", async () => {
  expect((await post("/erasures/preview", { ...body, audit: true })).json()).toMatchObject({ records: 1 });
  await post("/erasures", { ...body, audit: true });
  await erasures.idle();
  expect(records).toEqual([undefined, { "event.action": "login", "user.name": "ann" }]);
  expect(await erasures.list()).toMatchObject([{ state: "done", records: 1 }]);
});

test("what is cut short at any step is finished by whoever starts next", async () => {
  for (const step of ["replace", "remove", "set"] as const) {
    it.store.all.splice(0, 9, of("e1", "mallory"), of("e3", "ann"));
    it.store.alertsById.set(
      "a1",
      alertOf("a1", { evidence: [evidenceOf(it.store.all[0]!)], entities: [{ type: "user.name", id: "mallory" }] }),
    );
    const broken = { events: { ...it.store.events }, alerts: { ...it.store.alerts }, settings: { ...it.store.settings } };
    const fail = () => Promise.reject(new UnavailableError("store_unavailable", "killed"));
    let sets = 0;
    if (step === "replace") broken.alerts.replace = fail;
    if (step === "remove") broken.events.remove = fail;
    if (step === "set") broken.settings.set = (...what) => (sets++ === 0 ? it.store.settings.set(...what) : fail());
    const first = made({ ...it.store, ...broken } as Rig["store"], it.clock);
    await first.start({ q: body.q, range: { from: 0, to: start + 1 }, audit: false, by: "admin", reason: step });
    await first.idle();
    expect([step, (await erasures.list())[0]!.state]).toEqual([step, "running"]);
    const stop = new AbortController();
    const next = made(it.store, it.clock);
    const running = next.run(stop.signal);
    await next.idle();
    while ((await next.list())[0]!.state === "running") await next.idle();
    stop.abort();
    await running;
    expect([step, left(), (await next.list())[0]!.state, it.store.alertsById.get("a1")!.entities]).toEqual([step, ["e3"], "done", []]);
  }
});

test("what is not a question about something, or not theirs to ask, is refused and changes nothing", async () => {
  for (const [change, status, word] of [
    [{ q: "" }, 400, "q"],
    [{ q: "*" }, 400, "everything"],
    [{ q: "user.name:(" }, 400, "q"],
    [{ to: "2999-01-01T00:00:00Z" }, 400, "to"],
    [{ from: range.to, to: range.from }, 400, "range"],
    [{ from: undefined }, 400, "range"],
    [{ reason: " " }, 400, "reason"],
  ] as const) {
    const refused = await post("/erasures", { ...body, ...change });
    expect([change, refused.statusCode, refused.json().detail]).toEqual([change, status, expect.stringContaining(word)]);
  }
  for (const role of ["viewer", "analyst", "responder", "engineer", "auditor"] as const)
    expect([role, (await post("/erasures", body, asking(it.auth, userWith({ role })))).statusCode]).toEqual([role, 403]);
  expect([left(), await erasures.list()]).toEqual([["e1", "e2", "e3"], []]);
});
