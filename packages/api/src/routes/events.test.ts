/** Events by query, as tables and as figures; queries while they are typed. */
import { afterEach, beforeEach, expect, test } from "vitest";
import * as schemas from "../schemas.ts";
import { asAdmin, eventOf, type Rig, rig, start } from "../testing/fakes.ts";
import { isProblem, requestsTo } from "../testing/requests.ts";
import { formatTime } from "../time.ts";

let it: Rig;
beforeEach(async () => {
  it = await rig();
});
afterEach(() => it.app.close());
const { get, ok } = requestsTo(() => it);

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
