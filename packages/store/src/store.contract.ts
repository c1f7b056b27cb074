/** What every store must do, whichever driver is under it: run by the tests of each. Exported nowhere. */
import type { Condition } from "@vedette/condition";
import { idOf, newFields } from "@vedette/kit";
import type { Alert, Event, FieldValue } from "@vedette/model";
import { expect, test } from "vitest";
import { encodeEvents } from "./events/encode.ts";
import type { Store } from "./store.ts";

/** 2026-03-01T10:00:00Z. */
export const start = 1_772_359_200_000_000;
export const hour = 3_600_000_000;
export const always: Condition = { op: "and", of: [] };
export const everything = { tenant: "main", range: { from: 0, to: Number.MAX_SAFE_INTEGER }, where: always };

export function eventOf(seq: number, fields: { readonly [field: string]: FieldValue } = {}, change: Partial<Event> = {}): Event {
  const own = newFields();
  for (const [field, value] of Object.entries(fields)) own[field] = value;
  const base = { id: idOf("test", seq), tenant: "main", source: "test", time: start + seq * 1000, received: start + seq, seq };
  return { ...base, class: "network", host: "h1", original: `line ${seq}`, ...change, fields: own };
}
const batch = (from: number, count: number, change: Partial<Event> = {}) =>
  encodeEvents(
    Array.from({ length: count }, (_, i) => eventOf(from + i, { "source.ip": `10.0.0.${(from + i) % 7}`, n: from + i }, change)),
  );
const seqs = (events: readonly Event[]) => events.map((event) => event.seq);

export function alertOf(id: string, change: Partial<Alert> = {}): Alert {
  const base = {
    id,
    tenant: "main",
    severity: "high",
    title: `Title ${id}`,
    summary: "Many failures",
    attack: ["T1110"],
    count: 1,
    events: 3,
  } as const;
  const times = { first_seen: start, last_seen: start + Number.parseInt(id, 36), created: start, updated: start };
  const rule = { id: "r1", title: "Rule one" };
  return {
    ...base,
    ...times,
    rule,
    entities: [{ type: "user", id: "root" }],
    state: "open",
    demo: false,
    evidence: [],
    history: [],
    ...change,
  };
}

/** What asks the event store. @param byOffset a repeat is told by its offset, else by the ids of its events */
export function eventContract(open: () => Promise<Store>, byOffset = true): void {
  test("stores batches once, newest first, in pages, before and after sealing", async () => {
    const { events, close } = await open();
    await events.put(0, start, batch(0, 50));
    await events.put(1, start, batch(50, 50));
    await events.put(1, start, byOffset ? batch(500, 50) : batch(50, 50));
    await events.put(0, start, byOffset ? batch(500, 50) : batch(0, 50));
    expect(await events.applied()).toBe(byOffset ? 1 : -1);
    for (const sealed of [false, true]) {
      if (sealed) await events.seal(true);
      const seen: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await events.search({ ...everything, limit: 30, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...seqs(page.events));
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => 99 - i));
      const oldest = await events.search({ ...everything, limit: 3, oldestFirst: true });
      expect(seqs(oldest.events)).toEqual([0, 1, 2]);
      const next = await events.search({ ...everything, limit: 2, oldestFirst: true, cursor: oldest.cursor as string });
      expect(seqs(next.events)).toEqual([3, 4]);
    }
    await close();
  });

  test("answers before there is anything to find", async () => {
    const { events, close } = await open();
    expect((await events.search({ ...everything, limit: 9 })).events).toEqual([]);
    expect(await events.get("main", [idOf("test", 1)])).toEqual([]);
    expect(await events.histogram({ ...everything, width: hour })).toEqual([]);
    expect(await events.top({ ...everything, field: "host.name", limit: 9 })).toEqual([]);
    const counted = { ...everything, aggregates: [{ fn: "count" as const, as: "n" }], limit: 9 };
    expect(await events.stats({ ...counted, by: [] })).toEqual([{ n: 0 }]);
    expect(await events.stats({ ...counted, by: ["host.name"] })).toEqual([]);
    expect(await events.estimate(everything)).toMatchObject({ stored: 0, candidates: 0 });
    expect(await events.usage()).toMatchObject({ events: 0, partitions: 0 });
    await close();
  });

  test("keeps the page order where many events share a time, across open and sealed parts", async () => {
    const { events, close } = await open();
    await events.put(0, start, batch(0, 20, { time: start }));
    await events.seal(true);
    await events.put(1, start, batch(20, 20, { time: start }));
    const all = (await events.search({ ...everything, limit: 100 })).events;
    const paged: Event[] = [];
    let cursor: string | undefined;
    do {
      const page = await events.search({ ...everything, limit: 7, ...(cursor === undefined ? {} : { cursor }) });
      paged.push(...page.events);
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(paged).toEqual(all);
    expect(new Set(paged.map((event) => event.id)).size).toBe(40);
    await close();
  });

  test("answers by tenant, time and id", async () => {
    const { events, close } = await open();
    await events.put(0, start, encodeEvents([eventOf(1), eventOf(2, {}, { tenant: "other" }), eventOf(3)]));
    const range = { from: start + 1000, to: start + 3000 };
    expect(seqs((await events.search({ ...everything, range, limit: 9 })).events)).toEqual([1]);
    expect(seqs(await events.get("main", [idOf("test", 3), idOf("test", 2), "none", idOf("test", 1)]))).toEqual([3, 1]);
    expect(await events.get("main", [idOf("test", 3)], range)).toEqual([]);
    expect(await events.get("main", [])).toEqual([]);
    await close();
  });

  test("counts per bucket, ranks values, computes statistics", async () => {
    const { events, close } = await open();
    await events.put(0, start, batch(0, 14));
    await events.seal(true);
    await events.put(1, start, encodeEvents([eventOf(14, { "source.ip": ["10.0.0.1", "10.0.0.9"], n: "many" }), eventOf(15)]));
    const query = { ...everything, range: { from: start, to: start + hour } };
    expect(await events.histogram({ ...query, width: 10_000 })).toEqual([
      { start, count: 10 },
      { start: start + 10_000, count: 6 },
    ]);
    expect(await events.top({ ...query, field: "source.ip", limit: 2 })).toEqual([
      { value: "10.0.0.1", count: 3 },
      { value: "10.0.0.0", count: 2 },
    ]);
    const rows = await events.stats({
      ...query,
      aggregates: [
        { fn: "count", as: "all" },
        { fn: "sum", field: "n", as: "sum" },
        { fn: "max", field: "n", as: "max" },
        { fn: "values", field: "n", as: "values" },
        { fn: "distinct", field: "n", as: "distinct" },
      ],
      by: ["source.ip"],
      sort: { by: "sum", descending: true },
      limit: 2,
    });
    expect(rows).toEqual(
      [
        { "source.ip": "10.0.0.6", all: 2, sum: 19, max: "13.0", values: "13, 6", distinct: 2 },
        { "source.ip": "10.0.0.5", all: 2, sum: 17, max: "12.0", values: "12, 5", distinct: 2 },
      ].map((row) => ({ ...row, max: expect.anything() })),
    );
    expect(await events.stats({ ...query, aggregates: [{ fn: "count", as: "n" }], by: [], limit: 1 })).toEqual([{ n: 16 }]);
    await close();
  });

  test("drops the oldest by age and size, and the demo's events only", async () => {
    const { events, close } = await open();
    await events.put(
      0,
      start,
      encodeEvents([eventOf(1, { "vedette.demo": true }), eventOf(2), eventOf(3, { "vedette.demo": true }, { class: "process" })]),
    );
    const later = { received: start + hour };
    const others = [eventOf(4, { "vedette.demo": "true" }, later), eventOf(5, {}, { ...later, class: "process" })];
    await events.put(1, start + hour, encodeEvents(others));
    expect(await events.clearDemo()).toBe(2);
    expect(await events.clearDemo()).toBe(0);
    expect(seqs((await events.search({ ...everything, limit: 9 })).events)).toEqual([5, 4, 2]);
    expect((await events.usage()).events).toBe(3);
    expect(await events.retain({ network: { maxBytes: 1 } })).toEqual({ dropped: 2 });
    expect(seqs((await events.search({ ...everything, limit: 9 })).events)).toEqual([5]);
    // a store may keep what the demo left empty until now
    expect((await events.retain({ process: { maxAge: 1 } })).dropped).toBeGreaterThan(0);
    expect((await events.usage()).partitions).toBe(0);
    await close();
  });

  test("takes events away for good, out of open and sealed parts, those of one tenant", async () => {
    const { events, close } = await open();
    await events.put(0, start, batch(0, 10));
    await events.seal(true);
    await events.put(
      1,
      start,
      encodeEvents([...Array.from({ length: 9 }, (_, n) => eventOf(10 + n)), eventOf(19, {}, { tenant: "other" })]),
    );
    const seen = async (tenant: string) =>
      (await events.search({ ...everything, tenant, limit: 100, oldestFirst: true })).events.map(({ seq }) => seq);
    const gone = [1, 2, 15, 19].map((n) => eventOf(n).id);
    expect(await events.remove("main", [...gone, "there is none", "'"], everything.range)).toBe(3);
    expect(await events.remove("main", gone, everything.range)).toBe(0);
    const rest = Array.from({ length: 19 }, (_, n) => n).filter((n) => ![1, 2, 15].includes(n));
    expect([await seen("main"), await seen("other")]).toEqual([rest, [19]]);
    // none of a file is left
    expect(
      await events.remove(
        "main",
        rest.map((n) => eventOf(n).id),
        everything.range,
      ),
    ).toBe(rest.length);
    expect([await seen("main"), await seen("other")]).toEqual([[], [19]]);
    await close();
  });

  test("keeps what is held, by id or by a condition, and drops it once it is released", async () => {
    const { events, close } = await open();
    const hours = [0, 1, 2].map((n) => [eventOf(n * 10, { "user.name": n === 1 ? "mallory" : "ann" }), eventOf(n * 10 + 1)]);
    for (const [n, of] of hours.entries()) {
      const back = n * 24 * hour;
      await events.put(n, start - back, encodeEvents(of.map((one) => ({ ...one, time: one.time - back, received: start - back }))));
      await events.seal(true);
    }
    const held = async () => seqs((await events.search({ ...everything, limit: 9 })).events).sort((a, b) => a - b);
    const base = { tenants: ["main"], range: { from: 0, to: Number.MAX_SAFE_INTEGER } };
    const byId = { ...base, ids: [hours[0]![1]!.id] };
    const byQuery = { ...base, ids: [], where: { op: "eq" as const, field: "user.name", value: "mallory" } };
    const drop = { network: { maxAge: 1 } };
    await events.retain(drop, [byId, byQuery, { ...byId, tenants: ["other"] }]);
    const kept = await held();
    expect(kept).toEqual(expect.arrayContaining([1, 10]));
    expect(kept).not.toContain(20);
    // held outside its range is not held
    await events.retain(drop, [byId, { ...byQuery, range: { from: 0, to: 1 } }]);
    expect(await held()).toEqual(expect.arrayContaining([1]));
    expect(await held()).not.toContain(10);
    await events.retain(drop, []);
    expect(await held()).toEqual([]);
    await close();
  });

  test("refuses a hostile or wrong query as the query's fault, and stops when told", async () => {
    const { events, close } = await open();
    await events.put(0, start, batch(0, 10));
    const refused = (where: Condition) =>
      expect(events.search({ ...everything, where, limit: 1 })).rejects.toMatchObject({ code: "query_invalid" });
    await refused({ op: "regex", field: "source.ip", value: "(" });
    await refused({ op: "cidr", field: "source.ip", value: "10.0.0.0/99" });
    await refused(Array.from({ length: 100 }).reduce<Condition>((of) => ({ op: "not", of }), always));
    await expect(events.search({ ...everything, limit: 1, cursor: "x" })).rejects.toMatchObject({ code: "query_invalid" });
    const odd = `'; DROP TABLE x; -- " $1`;
    const page = await events.search({ ...everything, where: { op: "eq", field: odd, value: odd }, limit: 1 });
    expect(page.events).toEqual([]);
    const gone = AbortSignal.abort();
    await expect(events.search({ ...everything, limit: 1 }, gone)).rejects.toMatchObject({ name: "AbortError" });
    await close();
  });
}

type StateStores = Pick<Store, "alerts" | "checkpoints" | "settings" | "keys" | "machines" | "people" | "close">;

/** What does not ask the event store. */
export function stateContract(open: () => Promise<StateStores>): void {
  test("fences an older owner of a checkpoint and keeps its keys with the offset", async () => {
    const { checkpoints, close } = await open();
    expect(await checkpoints.load("c")).toEqual({ epoch: 0, offset: 0, meta: undefined, keys: [], count: 0 });
    const first = await checkpoints.acquire("c");
    await checkpoints.commit("c", first, 5, "m", [
      { shard: 1, key: "a", value: "1" },
      { shard: 2, key: "b", value: "2" },
    ]);
    const second = await checkpoints.acquire("c");
    expect(second).toBeGreaterThan(first);
    const stale = checkpoints.commit("c", first, 9, "x", [{ shard: 1, key: "a", value: undefined }]);
    await expect(stale).rejects.toMatchObject({ code: "conflict" });
    await checkpoints.commit("c", second, 6, "n", [
      { shard: 2, key: "b", value: undefined },
      { shard: 1, key: "a", value: "3" },
    ]);
    expect(await checkpoints.load("c")).toEqual({
      epoch: second,
      offset: 6,
      meta: "n",
      keys: [{ shard: 1, key: "a", value: "3" }],
      count: 1,
    });
    const many = Array.from({ length: 3000 }, (_, i) => ({ shard: i % 64, key: `k${i}`, value: "v" }));
    await checkpoints.commit("c", second, 7, "n", many);
    expect((await checkpoints.load("c")).keys).toHaveLength(3001);
    expect(await checkpoints.load("c", 3000)).toMatchObject({ keys: [], count: 3001 });
    expect(await checkpoints.standing(["never", "c"])).toEqual([{ consumer: "c", offset: 7, meta: "n" }]);
    expect(await checkpoints.standing([])).toEqual([]);
    await close();
  });

  test("gives some of a consumer's keys: by name, by beginning, by when they are due", async () => {
    const { checkpoints, close } = await open();
    const epoch = await checkpoints.acquire("c");
    const rows = Array.from({ length: 1200 }, (_, i) => ({ shard: i % 64, key: `${i % 2 ? "odd" : "even"}\0${i}`, value: `${i}`, due: i }));
    await checkpoints.commit("c", epoch, 1, "m", [...rows, { shard: 0, key: "odd\u0001", value: "none" }]);
    const values = async (which: Parameters<typeof checkpoints.rows>[1]) => (await checkpoints.rows("c", which)).map((r) => r.value).sort();
    expect(await values({ keys: [rows[7]!, rows[1100]!, { shard: 3, key: "absent" }] })).toEqual(["1100", "7"]);
    expect(await values({ prefix: "odd\0" })).toHaveLength(600);
    expect(await values({ due: 5, limit: 3 })).toEqual(["0", "1", "2"]);
    expect(await values({ from: 4, due: 9, limit: 3 })).toEqual(["4", "5", "6"]);
    await checkpoints.commit("c", epoch, 2, "m", [
      { ...rows[0]!, due: 9_000 },
      ...rows.slice(1, 1_000).map(({ shard, key }) => ({ shard, key, value: undefined })),
    ]);
    expect(await values({ due: 1_001, limit: 100 })).toEqual(["1000", "1001"]);
    expect((await checkpoints.load("c")).count).toBe(202);
    await close();
  });

  test("keeps people and their sessions: a change is made whole or not at all, a name is one person's", async () => {
    const { people, close } = await open();
    const session = (id: string, expires: number) => ({ id, person: "p1", expires, body: "{}" });
    await people.save({ people: [{ id: "p1", name: "ada", body: "1" }], sessions: [session("s1", 10), session("s2", 20)] });
    await people.save({ people: [{ id: "p1", name: "ada", body: "2" }], removedSessions: ["none"] });
    const clash = people.save({ sessions: [session("s3", 20)], people: [{ id: "p2", name: "ada", body: "" }], removedSessions: ["s2"] });
    await expect(clash).rejects.toMatchObject({ code: "conflict" });
    expect(await people.load(10)).toEqual({ people: [{ id: "p1", name: "ada", body: "2" }], sessions: [session("s2", 20)] });
    await people.save({ removedPeople: ["p1"], people: [{ id: "p2", name: "ada", body: "" }], removedSessions: ["s2"] });
    expect(await people.load(0)).toEqual({ people: [{ id: "p2", name: "ada", body: "" }], sessions: [] });
    await close();
  });

  test("keeps machines, their certificates and enrolments: a change is made whole, what expired goes", async () => {
    const { machines, close } = await open();
    const certificate = (serial: string, expires: number, body = "{}") => ({ serial, machine: "agent:n1", expires, body });
    const enrolment = (hash: string, expires: number, body = "{}") => ({ hash, expires, body });
    const machine = { id: "agent:n1", body: "1" };
    await machines.save({
      machines: [machine],
      certificates: [certificate("a", 10), certificate("b", 20)],
      enrolments: [enrolment("h", 20)],
    });
    await machines.save({ certificates: [certificate("b", 20, "revoked")], enrolments: [enrolment("h", 20, "used"), enrolment("i", 10)] });
    const wrong = enrolment("j", 30, null as unknown as string);
    await expect(machines.save({ machines: [{ id: "agent:n2", body: "" }], enrolments: [wrong] })).rejects.toThrow();
    // what was read meanwhile is not written over
    const moments = await Promise.all(["first", "second"].map((after) => machines.replaceEnrolment("h", "used", after)));
    expect(moments.toSorted()).toEqual([false, true]);
    expect(await machines.replaceEnrolment("none", "used", "after")).toBe(false);
    await machines.save({ enrolments: [enrolment("h", 20, "used")] });
    expect(await machines.load(10)).toEqual({
      machines: [machine],
      certificates: [certificate("b", 20, "revoked")],
      enrolments: [enrolment("h", 20, "used")],
    });
    await close();
  });

  test("keeps keys by their hash; what expired goes", async () => {
    const { keys, people, close } = await open();
    await people.save({ people: [{ id: "u1", name: "ada", body: "" }] });
    const key = (hash: string, expires: number, body = "{}") => ({ hash, owner: "u1", expires, body });
    await keys.save({ keys: [key("a", 10), key("b", 20), key("c", 30)] });
    await keys.save({ keys: [key("b", 20, "used")], removed: ["c"] });
    expect(await keys.load(10)).toEqual([key("b", 20, "used")]);
    expect(await keys.load(0)).toEqual([key("b", 20, "used")]);
    await close();
  });

  test("keeps settings", async () => {
    const { settings, close } = await open();
    await settings.set("a", "1");
    await settings.set("a", "2");
    expect([await settings.get("a"), await settings.get("b")]).toEqual(["2", undefined]);
    await settings.set("a", undefined);
    expect(await settings.get("a")).toBeUndefined();
    await close();
  });

  test("a setting that several ask to be the first or the next of is one's", async () => {
    const { settings, close } = await open();
    const first = await Promise.all(["1", "2", "3"].map((value) => settings.add("a", value)));
    expect([new Set(first).size, await settings.get("a")]).toEqual([1, first[0]]);
    const next = await Promise.all(["4", "5", "6"].map((value) => settings.replace("a", first[0]!, value)));
    expect(next.filter((won) => won)).toEqual([true]);
    expect(await settings.get("a")).toBe(["4", "5", "6"][next.indexOf(true)]);
    expect([await settings.replace("a", first[0]!, "7"), await settings.replace("b", "1", "2"), await settings.get("b")]).toEqual([
      false,
      false,
      undefined,
    ]);
    await close();
  });

  test("folds alerts with their findings and offset, finds and lists them", async () => {
    const { alerts, close } = await open();
    const closed = alertOf("3", { state: "closed", demo: true, severity: "low", entities: [{ type: "host", id: "web%1" }] });
    const folded = ["1", "2"].map((id) => ({ group: `g${id}`, alert: alertOf(id) }));
    await alerts.fold(7, [...folded, { group: "g3", alert: closed }], [{ id: "f1", alert: "1", revision: 2, events: 3 }]);
    expect(await alerts.offset()).toBe(7);
    expect([...(await alerts.byGroup(["g1", "g3", "g9"])).keys()]).toEqual(["g1"]);
    expect([...(await alerts.seen(["f1", "f2"]))]).toEqual([["f1", { alert: "1", revision: 2, events: 3 }]]);
    const filter = { tenant: "main" };
    const page = await alerts.list(filter, 2);
    expect([page.total, page.alerts.map((alert) => alert.id)]).toEqual([3, ["3", "2"]]);
    const rest = await alerts.list(filter, 2, page.cursor);
    expect([rest.cursor, rest.alerts]).toEqual([undefined, [alertOf("1")]]);
    const ids = async (more: object) => (await alerts.list({ ...filter, ...more }, 9)).alerts.map((alert) => alert.id);
    expect(await ids({ states: ["open"] })).toEqual(["2", "1"]);
    expect(await ids({ severities: ["low"] })).toEqual(["3"]);
    expect(await ids({ entity: "root" })).toEqual(["2", "1"]);
    expect(await ids({ text: "TITLE 2" })).toEqual(["2"]);
    expect(await ids({ text: "b%1" })).toEqual(["3"]);
    expect(await ids({ text: "w%1" })).toEqual([]);
    expect(await ids({ range: { from: start + 2, to: start + 3 } })).toEqual(["2"]);
    expect(await ids({ tenant: "other" })).toEqual([]);
    await close();
  });

  test("replaces an alert only as it was last seen; clears the demo's", async () => {
    const { alerts, close } = await open();
    await alerts.fold(
      1,
      [
        { group: "g", alert: alertOf("1") },
        { group: "d", alert: alertOf("2", { demo: true }) },
      ],
      [],
    );
    const changed = alertOf("1", { state: "acknowledged", updated: start + 5 });
    expect(await alerts.replace(changed, start)).toBe(true);
    expect(await alerts.replace(alertOf("1"), start)).toBe(false);
    expect(await alerts.replace(alertOf("9"), start)).toBe(false);
    expect(await alerts.get("main", "1")).toEqual(changed);
    expect((await alerts.byGroup(["g"])).get("g")).toEqual(changed);
    // what somebody did meanwhile is not folded over; nothing of such a batch is written
    const grown = alertOf("1", { count: 9, updated: start + 9 });
    const offset = await alerts.offset();
    const fold = (was: number) => alerts.fold(offset + 1, [{ group: "g", alert: grown, was }], []);
    await expect(fold(start)).rejects.toMatchObject({ code: "conflict" });
    expect([await alerts.offset(), await alerts.get("main", "1")]).toEqual([offset, changed]);
    await fold(start + 5);
    expect([await alerts.offset(), await alerts.get("main", "1")]).toEqual([offset + 1, grown]);
    // nor does whoever stood still while another went on take its place back, or make anew what the other made
    const behind = alerts.fold(offset, [{ group: "n", alert: alertOf("5") }], []);
    await expect(behind).rejects.toMatchObject({ code: "conflict" });
    const twice = alerts.fold(
      offset + 2,
      [
        { group: "n", alert: alertOf("5") },
        { group: "g", alert: alertOf("1") },
      ],
      [],
    );
    await expect(twice).rejects.toMatchObject({ code: "conflict" });
    expect([await alerts.offset(), await alerts.get("main", "1"), await alerts.get("main", "5")]).toEqual([offset + 1, grown, undefined]);
    expect([await alerts.clearDemo(), await alerts.get("main", "2")]).toEqual([1, undefined]);
    await close();
  });

  test("numbers every change of an alert, in order and never twice", async () => {
    const { alerts, close } = await open();
    expect([await alerts.lastChange(), await alerts.changed(0, 9)]).toEqual([0, []]);
    const add = (id: string, more: Parameters<typeof alertOf>[1] = {}) => ({ group: id, alert: alertOf(id, more) });
    await alerts.fold(1, [add("1"), add("2", { demo: true }), add("3")], []);
    const ids = async (after: number, limit = 9) => (await alerts.changed(after, limit)).map(({ serial, alert }) => [serial, alert.id]);
    expect(await ids(0, 2)).toEqual([
      [1, "1"],
      [2, "2"],
    ]);
    await alerts.replace(alertOf("1", { state: "closed", updated: start + 5 }), start);
    expect(await ids(1)).toEqual([
      [2, "2"],
      [3, "3"],
      [4, "1"],
    ]);
    // what is gone gives its number to nobody
    await alerts.fold(2, [{ ...add("2", { demo: true }), was: alertOf("2").updated }], []);
    await alerts.clearDemo();
    await alerts.fold(3, [add("4")], []);
    expect([await ids(4), await alerts.lastChange()]).toEqual([[[6, "4"]], 6]);
    await close();
  });
}

/** `open` gives an empty store each time; the suite closes it. */
export function storeContract(open: () => Promise<Store>): void {
  eventContract(open);
  stateContract(open);
}
