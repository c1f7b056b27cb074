/** The event store on a real OpenSearch: it does what the local one does, and says what the local one says. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evaluate, type FieldValue, type View } from "@vedette/condition";
import { type Event, eventClasses } from "@vedette/model";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { encodeEvents } from "../events/encode.ts";
import { eventsOfPage } from "../events/scan.ts";
import { openStore } from "../open.ts";
import { eventContract, eventOf, everything, hour, start } from "../store.contract.ts";
import type { Store } from "../store.ts";
import { condition, eventsOf, leaf, shape } from "../testing/arbitraries.ts";
import { openSearchUrl } from "../testing/opensearch.ts";
import { Client } from "./client.ts";
import type { OpenSearchSettings } from "./events.ts";
import { openSearchStatus } from "./status.ts";

const url = openSearchUrl();
const root = mkdtempSync(join(tmpdir(), "vedette-opensearch-"));
const run = `t${process.pid}${Date.now().toString(36)}`;
const clock = { now: () => start + 3 * hour, sleep: () => Promise.resolve() };
const hourly = Object.fromEntries(eventClasses.map((name) => [name, 1]));
let next = 0;

const settings = (change: Partial<OpenSearchSettings> = {}): OpenSearchSettings => ({
  urls: [url ?? ""],
  prefix: `${run}-${next}`,
  shards: 1,
  replicas: 0,
  bucketHours: hourly,
  timeout_ms: 60_000,
  ...change,
});
const open = (change: Partial<OpenSearchSettings> = {}) => {
  next++;
  return openStore({ directory: join(root, String(next)), clock, openSearch: settings(change) });
};

afterAll(async () => {
  rmSync(root, { recursive: true, force: true });
  if (url === undefined) return;
  const client = new Client(settings());
  await client.ask("DELETE", `/${run}-*`);
  await client.ask("DELETE", `/_index_template/${run}-*`);
  client.close();
});

describe.skipIf(url === undefined)("events on OpenSearch", { timeout: 120_000 }, () => {
  eventContract(open, false);
});

const bySeq = (events: readonly Event[]) => [...events].sort((a, b) => a.seq - b.seq);
const plain = (events: readonly Event[]) =>
  bySeq(events).map((event) => ({ ...event, fields: Object.entries(event.fields).sort(([a], [b]) => (a < b ? -1 : 1)) }));

/** The same events in both stores. */
async function both(events: readonly Event[]): Promise<{ readonly local: Store; readonly remote: Store; close(): Promise<void> }> {
  const remote = await open({ bucketHours: {} });
  const local = await openStore({ directory: join(root, `local-${next}`), clock });
  for (let n = 0; n < events.length; n += 100)
    for (const store of [local, remote]) await store.events.put(n, events[n]!.received, encodeEvents(events.slice(n, n + 100)));
  const close = async () => {
    await Promise.all([local.close(), remote.close()]);
  };
  return { local, remote, close };
}

describe.skipIf(url === undefined)("what the local event store says, OpenSearch says", { timeout: 120_000 }, () => {
  test("gives back every event exactly, and finds what a condition means", async () => {
    const long = [["message", "A".repeat(9_000)] as [string, FieldValue], ["zeek.uid", `${"x".repeat(40_000)}É`] as [string, FieldValue]];
    const some = fc
      .sample(shape, { numRuns: 300, seed: 7 })
      .map((one, i) => (i % 20 === 0 ? { ...one, fields: [...one.fields, ...long] } : one));
    const events = eventsOf(some, 0);
    const { local, remote, close } = await both(events);
    const all = await remote.events.search({ ...everything, limit: 1_000 });
    expect(plain(all.events)).toEqual(plain(events));
    const scanned: Event[] = [];
    for await (const page of remote.events.scan(everything)) scanned.push(...eventsOfPage(page));
    expect(plain(scanned)).toEqual(plain(events));
    await fc.assert(
      fc.asyncProperty(condition, async (where) => {
        const wanted = events.filter((event) => evaluate(where, event)).map((event) => event.id);
        const found = await remote.events.search({ ...everything, where, limit: 1_000 });
        expect(bySeq(found.events).map((event) => event.id)).toEqual(wanted);
        const candidates: string[] = [];
        for await (const page of remote.events.scan({ ...everything, where }))
          candidates.push(...eventsOfPage(page).map((event) => event.id));
        expect(wanted.filter((id) => !candidates.includes(id))).toEqual([]);
        const width = 3 * 2 ** 45;
        const count = (buckets: readonly { readonly count: number }[]) => buckets.reduce((sum, one) => sum + one.count, 0);
        const buckets = await remote.events.histogram({ ...everything, where, width });
        expect(count(buckets)).toBe(wanted.length);
        expect(buckets).toEqual(await local.events.histogram({ ...everything, where, width }));
      }),
      { numRuns: 20, seed: 42 },
    );
    await close();
  });

  test("counts, ranks and sums as the local driver does, of what a view shows", async () => {
    const names = ["user.name", "event.category", "zeek.uid"];
    const some = fc.sample(shape, { numRuns: 120, seed: 3 }).map((one, i) => ({
      ...one,
      class: "network" as const,
      fields: [
        ...one.fields,
        ["host.name", `h${i % 5}`] as [string, FieldValue],
        ["network.protocol", i % 4 ? "tcp" : "UDP"] as [string, FieldValue],
      ],
    }));
    const { local, remote, close } = await both(eventsOf(some, 0));
    const partly: View = {
      parts: [
        { rows: { op: "eq", field: "host.name", value: "h1" }, masks: [] },
        { rows: { op: "eq", field: "network.protocol", value: "udp" }, masks: ["user.*", "event.category"] },
      ],
    };
    const view = fc.constantFrom<View | undefined>(undefined, undefined, partly);
    const by = fc.subarray(["host.name", "network.protocol", ...names], { maxLength: 2 });
    const count = fc.constant({ fn: "count" as const, as: "n" });
    const other = fc.record({
      fn: fc.constantFrom("count" as const, "distinct" as const, "max" as const, "values" as const),
      field: fc.constantFrom(...names, "source.port"),
      as: fc.constant("x"),
    });
    const sort = fc.constantFrom(undefined, { by: "n", descending: true }, { by: "n", descending: false });
    const where = fc.oneof(fc.constant(everything.where), leaf);
    await fc.assert(
      fc.asyncProperty(
        where,
        view,
        by,
        fc.option(other),
        sort,
        fc.constantFrom("host.name", "network.protocol", ...names),
        async (where, view, by, other, sort, field) => {
          const query = { ...everything, where, ...(view && { view }) };
          const aggregates = [fc.sample(count, 1)[0]!, ...(other ? [other] : [])];
          const asked = { ...query, aggregates, by, ...(sort && { sort }), limit: 7 };
          expect(await remote.events.stats(asked)).toEqual(await local.events.stats(asked));
          for (const limit of [3, 1_000]) {
            const top = { ...query, field, limit };
            expect(await remote.events.top(top)).toEqual(await local.events.top(top));
          }
          const page = { ...query, limit: 20 };
          expect(await remote.events.search(page)).toEqual(await local.events.search(page));
        },
      ),
      { numRuns: 30, seed: 42 },
    );
    await close();
  });

  test("says why it waits while its disk is full, and takes the same batch afterwards", async () => {
    const store = await open();
    const client = new Client(settings());
    // as a full disk does it, but that the cluster, whose disk is not full, does not lift it by itself after a while
    const block = (on: boolean) => client.get("PUT", `/${run}-${next}-*/_settings`, { "index.blocks.write": on || null });
    const events = (from: number) => encodeEvents([0, 1, 2].map((n) => eventOf(from + n)));
    await store.events.put(0, start, events(0));
    expect(await openSearchStatus(settings())).toMatchObject({ indices: 1, blocked: [], foreign: [] });
    await block(true);
    expect((await openSearchStatus(settings())).blocked).toHaveLength(1);
    await expect(store.events.put(1, start, events(10))).rejects.toThrow(/free disk space/);
    await block(false);
    await store.events.put(1, start, events(10));
    const { events: found } = await store.events.search({ ...everything, limit: 10 });
    expect(found.map(({ seq }) => seq)).toEqual([12, 11, 10, 2, 1, 0]);
    expect(await store.events.usage()).toMatchObject({ events: 6, oldest: start, newest: start + 12_000, partitions: 1 });
    client.close();
    await store.close();
  });
});
