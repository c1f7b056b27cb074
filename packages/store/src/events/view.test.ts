import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Condition, evaluate, masked, narrowed, sightOf, type View } from "@vedette/condition";
import type { Event } from "@vedette/model";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore } from "../open.ts";
import { always, eventOf, everything } from "../store.contract.ts";
import type { Store } from "../store.ts";
import type { Duck } from "./duck.ts";
import { encodeEvents } from "./encode.ts";
import { SeenIn } from "./seen_in.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-view-"));
const hour = 3_600_000_000;
let store: Store;

/** Two populations; what the second one's values hold stands nowhere else. */
const canary = "canary";
const events: readonly Event[] = Array.from({ length: 40 }, (_, n) => {
  const b = n % 2 === 1;
  const secret = b ? `${canary}${n % 7}` : `user${n % 5}`;
  const fields = {
    "labels.site": b ? "b" : "a",
    "user.name": n % 3 === 0 ? [secret, `${secret}x`] : secret,
    "host.name": b ? `${canary}-host` : "login1",
    "source.ip": b ? "10.9.0.1" : "10.0.0.1",
    "process.pid": b ? 900_000 + n : n,
    [b ? `labels.${canary}` : "labels.open"]: "x",
    ...(n % 4 === 0 ? {} : { message: `session of ${secret}` }),
  };
  return eventOf(n, fields, { host: b ? `${canary}-host` : "login1", original: `line of ${secret}` });
});

beforeAll(async () => {
  store = await openStore({ directory: root });
  // files that hold one population alone, one of both, and what is not sealed yet
  const early = events.slice(0, 20);
  const batches = [early.filter(({ seq }) => seq % 2 === 0), early.filter(({ seq }) => seq % 2 === 1), events.slice(20, 30)];
  for (const [n, batch] of batches.entries()) {
    await store.events.put(n, events[0]!.received + n * hour, encodeEvents(batch));
    await store.events.seal(true);
  }
  await store.events.put(batches.length, events[30]!.received + batches.length * hour, encodeEvents(events.slice(30)));
});
afterAll(async () => {
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

const site = (name: string): Condition => ({ op: "eq", field: "labels.site", value: name });
const ofA: View = { parts: [{ rows: site("a"), masks: [] }] };
/** Sees all rows; of the second population neither users nor hosts. */
const maskedB: View = {
  parts: [
    { rows: site("a"), masks: [] },
    { rows: always, masks: ["user.*", "host.name", `labels.${canary}`] },
  ],
};

const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({
    op: fc.constant("eq" as const),
    field: fc.constantFrom("user.name", "host.name", "labels.site"),
    value: fc.constantFrom("user1", `${canary}1`, `${canary}-host`, "a", null),
  }),
  fc.record({ op: fc.constant("exists" as const), field: fc.constantFrom("user.name", "message", `labels.${canary}`) }),
  fc.record({
    op: fc.constant("starts" as const),
    field: fc.constantFrom("user.name", "message"),
    value: fc.constantFrom("can", "user", "session"),
  }),
  fc.record({ op: fc.constant("keyword" as const), value: fc.constantFrom(canary, "user1", "line") }),
  fc.record({ op: fc.constant("gt" as const), field: fc.constant("process.pid"), value: fc.constant(10) }),
);
const condition = fc.oneof(
  leaf,
  fc.record({ op: fc.constantFrom("and" as const, "or" as const), of: fc.array(leaf, { maxLength: 3 }) }),
  leaf.map((of): Condition => ({ op: "not", of })),
);
const anyView = fc.oneof(
  fc.constantFrom<View>(ofA, maskedB, { parts: [] }),
  fc
    .array(
      fc.record({
        rows: fc.constantFrom<Condition>(always, site("a"), site("b"), { op: "not", of: site("a") }),
        masks: fc.subarray(["user.*", "message", "labels.site", "process.pid"]),
      }),
      { maxLength: 3 },
    )
    .map((parts) => ({ parts })),
);

test("search, look-up, histogram, top and statistics say what is told of the events that are seen", async () => {
  await fc.assert(
    fc.asyncProperty(anyView, condition, async (view, where) => {
      const asked = narrowed(where, view);
      const seen = events.filter((event) => evaluate(asked, event));
      const query = { ...everything, where, view };
      const { events: found } = await store.events.search({ ...query, limit: 100 });
      expect(found.map((event) => event.seq).sort((a, b) => a - b)).toEqual(seen.map((event) => event.seq));
      const sight = sightOf(view);
      for (const event of found) {
        const shows = sight(events[event.seq]!)!;
        for (const [name, value] of Object.entries(events[event.seq]!.fields))
          expect(event.fields[name]).toEqual(shows(name) ? value : masked);
      }
      const ids = events.map((event) => event.id);
      const looked = await store.events.get("main", ids, undefined, view);
      expect(looked.map((event) => event.seq)).toEqual(events.filter((event) => sight(event) !== undefined).map((event) => event.seq));
      const buckets = await store.events.histogram({ ...query, width: 3_600_000_000 });
      expect(buckets.reduce((sum, one) => sum + one.count, 0)).toBe(seen.length);
      const shown = seen.flatMap((event) => (sight(event)!("user.name") ? [event.fields["user.name"]].flat() : []));
      const top = await store.events.top({ ...query, field: "user.name", limit: 100 });
      expect(top.map((one) => [one.value, one.count]).sort()).toEqual(
        [...new Set(shown)].map((value) => [value, shown.filter((one) => one === value).length]).sort(),
      );
      const aggregates = [
        { fn: "count" as const, as: "all" },
        { fn: "count" as const, field: "user.name", as: "n" },
        { fn: "max" as const, field: "process.pid", as: "last" },
      ];
      const [sums] = await store.events.stats({ ...query, aggregates, by: [], limit: 10 });
      const pids = seen.filter((event) => sight(event)!("process.pid")).map((event) => event.fields["process.pid"] as number);
      expect(sums).toEqual({
        all: seen.length,
        n: seen.filter((event) => sight(event)!("user.name")).length,
        last: pids.length === 0 ? null : `${Math.max(...pids)}.0`,
      });
    }),
    { numRuns: 25 },
  );
});

test("nothing of the population that is not seen, or not shown, stands in any answer", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(ofA, maskedB), condition, fc.integer({ min: 4, max: 9 }), async (view, where, limit) => {
      const query = { ...everything, where, view };
      const said: unknown[] = [];
      for (let cursor: string | undefined, page = 0; page < 50; page++) {
        const found = await store.events.search({ ...query, limit, ...(cursor !== undefined && { cursor }) });
        said.push(found.events, cursor && Buffer.from(cursor, "base64url").toString());
        cursor = found.cursor;
        if (cursor === undefined) break;
      }
      for (const field of ["user.name", "host.name", "message", `labels.${canary}`])
        said.push(await store.events.top({ ...query, field, limit: 100 }));
      const aggregates = (["distinct", "values", "min", "max"] as const).flatMap((fn) =>
        ["user.name", "host.name", "message"].map((field) => ({ fn, field, as: `${fn} ${field}` })),
      );
      said.push(await store.events.stats({ ...query, aggregates, by: [], limit: 100 }));
      said.push(await store.events.stats({ ...query, aggregates: [{ fn: "count", as: "n" }], by: ["user.name", "host.name"], limit: 100 }));
      const text = JSON.stringify(said);
      // the mask itself hides values, not that there is a field of this name in a row that is seen
      expect(view === ofA ? text : text.replaceAll(`"labels.${canary}":"${masked}"`, "")).not.toContain(canary);
    }),
    { numRuns: 10 },
  );
});

test("nothing seen is told the same whether there is something or nothing", async () => {
  const aggregates = [{ fn: "count" as const, as: "all" }];
  const query = { ...everything, by: [], aggregates, limit: 1 };
  const elsewhere = { ...query, tenant: "other", range: { from: 0, to: 1 } };
  for (const view of [{ parts: [] }, ofA]) expect(await store.events.stats({ ...elsewhere, view })).toEqual([{ all: 0 }]);
  expect(await store.events.stats({ ...query, view: { parts: [] } })).toEqual([{ all: 0 }]);
});

test("a sealed file is asked once what a view comes to in it, a few files for one question, and an open segment never", async () => {
  const asked: string[] = [];
  const says: { readonly [relation: string]: readonly boolean[] } = {
    "'all'": [true, true],
    "'none'": [false, false],
    "'some'": [false, true],
  };
  const query = async (sql: string) => {
    const relation = /read_parquet\((.*)\)$/.exec(sql)![1]!;
    asked.push(relation);
    return [says[relation] ?? [true, true]];
  };
  const seenIn = new SeenIn({ query } as unknown as Duck);
  const source = (relation: string) => ({ relation, rows: 1, minTime: 0, maxTime: 1, odd: [] });
  const sources = ["'all'", "open_1", "'none'", "'some'"].map(source);
  for (let n = 0; n < 2; n++) {
    const split = await seenIn.split(sources, ofA);
    expect(split.map((one) => [one.sources.map(({ relation }) => relation), one.view])).toEqual([
      [["'all'"], { parts: [{ rows: always, masks: [] }] }],
      [["open_1", "'some'"], ofA],
    ]);
    expect(asked).toEqual(["'all'", "'none'", "'some'"]);
  }
  asked.length = 0;
  const many = Array.from({ length: 40 }, (_, n) => source(`'${n}'`));
  expect((await seenIn.split(many, ofA)).map((one) => one.sources.length)).toEqual([16, 24]);
  await seenIn.split(many, ofA);
  await seenIn.split(many, ofA);
  await seenIn.split(many, ofA);
  expect([asked.length, new Set(asked).size]).toEqual([40, 40]);
});
