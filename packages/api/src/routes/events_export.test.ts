import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { AuditEntry } from "@vedette/model";
import { afterEach, expect, test } from "vitest";
import { asking, userWith } from "../testing/as.ts";
import { asAdmin, eventOf, type Rig, rig, start } from "../testing/fakes.ts";

let it: Rig;
afterEach(() => it.app.close());

async function filled(count: number): Promise<readonly AuditEntry[]> {
  const kept: AuditEntry[] = [];
  const audit = { record: async (entry: AuditEntry) => void kept.push(entry), newest: async () => [], head: async () => ({}) } as never;
  it = await rig({ audit });
  it.store.all.push(
    ...Array.from({ length: count }, (_, n) => eventOf(`e${n}`, { n, "user.name": n % 2 ? "ann" : "bob" }, { time: start - n })),
  );
  return kept;
}
const ended = (kept: readonly AuditEntry[]) => kept.filter(({ action }) => action === "events_exported");

test("all events come, page after page, in order and once; what was taken is on record", async () => {
  const kept = await filled(12_001);
  const answer = await it.app.inject({ url: "/api/v1/events/export?order=asc", headers: asAdmin });
  const ids = answer.body
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { id: string }).id);
  expect(answer.headers["content-type"]).toBe("application/x-ndjson");
  expect(ids).toEqual(Array.from({ length: 12_001 }, (_, n) => `e${12_000 - n}`));
  await expect.poll(() => ended(kept).length, { timeout: 60_000 }).toBe(1);
  expect(kept.map(({ action, outcome }) => [action, outcome])).toEqual([
    ["events_export_begun", "success"],
    ["events_exported", "success"],
  ]);
  expect(ended(kept)[0]!.fields).toMatchObject({ "vedette.audit.rows": 12_001, "vedette.audit.complete": true });
  const few = await it.app.inject({ url: "/api/v1/events/export?q=user.name:ann&limit=5001", headers: asAdmin });
  expect(few.body.trimEnd().split("\n")).toHaveLength(5_001);
});

test("CSV has the columns that were asked for, and nothing that a spreadsheet runs", async () => {
  await filled(0);
  it.store.all.push(eventOf("x", { "user.name": "=cmd|'/C calc'!A0", tags: ["a", 'b"'] }, { original: "\t@SUM(1)\u202e" }));
  const answer = await it.app.inject({
    url: "/api/v1/events/export?format=csv&fields=time,user.name,tags,original,none",
    headers: asAdmin,
  });
  expect(answer.headers["content-type"]).toContain("text/csv");
  expect(answer.body).toBe(
    `time,user.name,tags,original,none\r\n2026-11-18T11:46:40.000000Z,'=cmd|'/C calc'!A0,"a, b""",'\\u0009@SUM(1)\\u202e,\r\n`.replace(
      "2026-11-18T11:46:40.000000Z",
      new Date(start / 1_000).toISOString().replace("Z", "000Z"),
    ),
  );
});

test("what is wrong is said before anything is sent; a permission of its own is needed", async () => {
  const kept = await filled(1);
  for (const query of ["q=user.name:(", "format=xml", "fields=a%20b", "from=tomorrow"])
    expect((await it.app.inject({ url: `/api/v1/events/export?${query}`, headers: asAdmin })).statusCode, query).toBe(400);
  const viewer = asking(it.auth, userWith({ role: "viewer" }));
  const answer = await it.app.inject({ url: "/api/v1/events/export", headers: viewer });
  expect([answer.statusCode, answer.json().detail]).toEqual([403, expect.stringContaining("events:export is needed")]);
  expect(ended(kept)).toEqual([]);
});

test("it stops when who asked has gone, says so in the trail, and makes room for the next", async () => {
  const kept = await filled(60_000);
  const search = it.store.events.search;
  let pages = 0;
  it.store.events.search = (...asked) => {
    pages++;
    return search(...asked);
  };
  await it.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = it.app.server.address() as AddressInfo;
  const begin = async () => {
    const sent = get({ host: "127.0.0.1", port, path: "/api/v1/events/export", headers: asAdmin });
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    return { sent, answer };
  };
  const four = await Promise.all([1, 2, 3, 4].map(begin));
  expect(four.map(({ answer }) => answer.statusCode)).toEqual([200, 200, 200, 200]);
  const fifth = await begin();
  expect(fifth.answer.statusCode).toBe(429);
  fifth.answer.resume();
  for (const { sent } of four) sent.destroy();
  await expect.poll(() => ended(kept).length, { timeout: 60_000 }).toBe(4);
  expect(ended(kept).map(({ fields }) => fields?.["vedette.audit.complete"])).toEqual([false, false, false, false]);
  // 60,000 events are 12 pages; nobody read them
  expect(pages).toBeLessThan(4 * 12);
  const again = await begin();
  expect(again.answer.statusCode).toBe(200);
  again.sent.destroy();
});
