import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Condition, evaluate, type FieldValue } from "@vedette/condition";
import type { Event } from "@vedette/model";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { openStore } from "../open.ts";
import { always, everything } from "../store.contract.ts";
import type { Store } from "../store.ts";
import { condition, eventsOf, field, leaf, shape } from "../testing/arbitraries.ts";
import { openBatch } from "./batch.ts";
import { encodeEvents } from "./encode.ts";
import { FrameFile } from "./frames.ts";
import { eventsOfPage } from "./scan.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-events-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const plain = (events: readonly Event[]) =>
  events.map((event) => ({ ...event, fields: Object.entries(event.fields).sort(([a], [b]) => (a < b ? -1 : 1)) }));
const bySeq = (events: readonly Event[]) => [...events].sort((a, b) => a.seq - b.seq);

let folder = 0;
async function withStore(use: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore({ directory: join(root, String(folder++)) });
  try {
    await use(store);
  } finally {
    await store.close();
  }
}

test("gives back every event exactly, open, sealed, and after a restart", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(shape, { maxLength: 12 }), { minLength: 1, maxLength: 3 }), async (batches) => {
      let total = 0;
      const all: Event[] = [];
      const directory = join(root, String(folder++));
      let store = await openStore({ directory });
      for (const [offset, shapes] of batches.entries()) {
        const events = eventsOf(shapes, total);
        total += events.length;
        all.push(...events);
        await store.events.put(offset, 0, encodeEvents(events));
      }
      const read = async () => plain(bySeq((await store.events.search({ ...everything, limit: 1000 })).events));
      expect(await read()).toEqual(plain(all));
      await store.close();
      store = await openStore({ directory });
      expect(await read()).toEqual(plain(all));
      await store.events.seal(true);
      expect(await read()).toEqual(plain(all));
      await store.close();
    }),
    { numRuns: 5 },
  );
});

test("selects what the condition means, from open and from sealed events", async () => {
  const events = eventsOf(fc.sample(shape, { numRuns: 300, seed: 7 }), 0);
  await withStore(async (store) => {
    await store.events.put(0, 0, encodeEvents(events.slice(0, 150)));
    await store.events.seal(true);
    await store.events.put(1, 0, encodeEvents(events.slice(150)));
    await fc.assert(
      fc.asyncProperty(condition, async (where) => {
        const found = await store.events.search({ ...everything, where, limit: 1000 });
        const wanted = events.filter((event) => evaluate(where, { fields: event.fields, original: event.original }));
        expect(bySeq(found.events).map((event) => event.id)).toEqual(wanted.map((event) => event.id));
      }),
      { numRuns: 50 },
    );
  });
});

test("a scan hands over every event that a condition selects, once, in slices, from open and from sealed events", async () => {
  const odd = fc.constantFrom("\u0130x", "\u212a", "aİb", "ΑΣ", "x".repeat(70_000));
  const some = fc.sample(fc.tuple(shape, odd, field), { numRuns: 300, seed: 11 }).map(([one, text, name], i) => {
    return i % 9 === 0 ? { ...one, fields: [...one.fields, [name, text] as [string, FieldValue]] } : one;
  });
  const events = eventsOf(some, 0);
  const wide = fc.array(leaf, { minLength: 20, maxLength: 40 }).map((of): Condition => ({ op: "or", of }));
  const special = fc.record({ op: fc.constantFrom("eq" as const, "contains" as const, "ends" as const), field, value: odd });
  await withStore(async (store) => {
    for (let n = 0; n < 200; n += 50) {
      await store.events.put(n, 0, encodeEvents(events.slice(n, n + 50)));
      await store.events.seal(true);
    }
    await store.events.put(200, 0, encodeEvents(events.slice(200)));
    let narrowed = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ weight: 6, arbitrary: condition }, { weight: 2, arbitrary: wide }, { weight: 1, arbitrary: special }),
        async (where) => {
          const found: Event[] = [];
          let complete = 0;
          for await (const page of store.events.scan({ ...everything, where })) {
            const own = eventsOfPage(page);
            expect(own.filter((event) => event.time < complete)).toEqual([]);
            expect(page.complete).toBeGreaterThanOrEqual(complete);
            complete = page.complete;
            found.push(...own);
          }
          if (found.length < events.length) narrowed++;
          expect(new Set(found.map((event) => event.id)).size).toBe(found.length);
          const selected = (all: readonly Event[]) =>
            plain(bySeq(all.filter((event) => evaluate(where, { fields: event.fields, original: event.original }))));
          expect(selected(found)).toEqual(selected(events));
        },
      ),
      { numRuns: 60 },
    );
    expect(narrowed).toBeGreaterThan(20);
  });
});

test("a scan can be estimated, left and stopped", async () => {
  await withStore(async (store) => {
    const batch = eventsOf(fc.sample(shape, { numRuns: 1_500, seed: 5 }), 0).map(
      (event, i): Event => ({ ...event, class: "network", time: i }),
    );
    await store.events.put(0, 0, encodeEvents(batch));
    await store.events.seal(true);
    const { stored, candidates } = await store.events.estimate({ ...everything, range: { from: 0, to: 750 } });
    expect([stored, candidates]).toEqual([750, 750]);
    let pages = 0;
    for await (const { rows } of store.events.scan(everything)) {
      pages++;
      expect(rows.length).toBeGreaterThan(999);
      break;
    }
    expect(pages).toBe(1);
    const stop = new AbortController();
    const stopped = (async () => {
      for await (const _ of store.events.scan(everything, stop.signal)) stop.abort();
    })();
    await expect(stopped).rejects.toThrow(/abort/i);
    expect((await store.events.usage()).partitions).toBe(1);
  });
});

test("parts of times are in SQL what they are in evaluation", async () => {
  const times = [
    "2024-05-01T10:11:12Z",
    "2024-05-01 10:11:12.123456",
    "2024-05-01T00:30:00+02:00",
    "2018-12-31T23:30:00-05:30",
    "2021-01-03T23:59Z",
    "0000-01-01T00:00Z",
    "2024-02-30T10:00:00Z",
    "2024-05-01T24:00:00Z",
    "2024-05-01T10:00:60Z",
    "2024-05-01T10:00:00+16:00",
    "2024-05-01",
    1_714_558_272,
    "1714558272.5",
    1_714_558_272_123,
    1_714_558_272_123_456,
    12,
    "soon",
    ["x", "2024-05-01T10:11:12Z"],
  ];
  const events = eventsOf(fc.sample(shape, { numRuns: times.length, seed: 3 }), 0).map((event, i) => {
    return { ...event, fields: Object.assign(Object.create(null), { "odd.time": times[i]!, message: times[i]! }) } as Event;
  });
  await withStore(async (store) => {
    await store.events.put(0, 0, encodeEvents(events));
    for (const field of ["odd.time", "message", "@timestamp"])
      for (const [part, value] of [
        ["minute", 11],
        ["hour", 10],
        ["day", 1],
        ["week", 1],
        ["week", 18],
        ["year", 2018],
      ] as const)
        for (const how of ["eq", "lt", "gte"] as const) {
          const where: Condition = { op: "time", field, part, how, value };
          const found = await store.events.search({ ...everything, where, limit: 1000 });
          const wanted = events.filter((event) => evaluate(where, event));
          expect(
            bySeq(found.events).map((e) => e.id),
            `${field} ${part} ${how} ${value}`,
          ).toEqual(wanted.map((e) => e.id));
        }
  });
});

test("joins many small files of an hour into one and still answers", async () => {
  await withStore(async (store) => {
    for (let offset = 0; offset < 20; offset++) {
      const shapes = fc.sample(shape, { numRuns: 5, seed: offset });
      await store.events.put(offset, 0, encodeEvents(eventsOf(shapes, offset * 5).map((event) => ({ ...event, class: "web" as const }))));
      await store.events.seal(true);
    }
    const { partitions, events } = await store.events.usage();
    expect([partitions, events]).toEqual([1, 100]);
    expect((await store.events.search({ ...everything, limit: 1000 })).events).toHaveLength(100);
  });
});

test("splits a segment into many row groups of one class without losing any", async () => {
  const store = await openStore({ directory: join(root, String(folder++)), sealRows: 500 });
  for (let offset = 0; offset < 6; offset++) {
    const shapes = fc.sample(shape, { numRuns: 250, seed: 100 + offset });
    await store.events.put(offset, 0, encodeEvents(eventsOf(shapes, offset * 250)));
  }
  await store.events.seal(true);
  const counted = await store.events.stats({ ...everything, where: always, aggregates: [{ fn: "count", as: "n" }], by: [], limit: 1 });
  expect(counted).toEqual([{ n: 1500 }]);
  await store.close();
});

test("halves of a surrogate pair in neighbouring cells do not meet", () => {
  const one = { tenant: "main" as const, source: "s", class: "web" as const, time: 0, fields: [], original: "o" };
  const halves = eventsOf(
    ["\ud83d", "\ude00", "é", "\ud83d"].map((host) => ({ ...one, host })),
    0,
  );
  const column = openBatch(encodeEvents(halves).bytes).columns.get("host");
  expect(column).toMatchObject({ lengths: Uint32Array.of(3, 3, 2, 3), bytes: new TextEncoder().encode("\ufffd\ufffdé\ufffd") });
});

test("a frame that was damaged, and what follows it, counts no more", () => {
  const path = join(mkdtempSync(join(tmpdir(), "vedette-frames-")), "one.frames");
  const file = new FrameFile(path);
  for (const offset of [1, 2, 3]) file.append({ offset, received: 0, batch: Buffer.alloc(40, offset) });
  file.close();
  const bytes = readFileSync(path);
  bytes[2 * 72 - 1]! ^= 1;
  writeFileSync(path, bytes);
  const again = new FrameFile(path);
  again.recover();
  expect([again.bytes, [...again.read(0)].map(({ offset }) => offset)]).toEqual([72, [1]]);
  again.close();
  rmSync(dirname(path), { recursive: true });
});
