/** The event store on a real OpenSearch: it does what the local one does, and says what the local one says. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evaluate, type FieldValue } from "@vedette/condition";
import { type Event, eventClasses } from "@vedette/model";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { encodeEvents } from "../events/encode.ts";
import { eventsOfPage } from "../events/scan.ts";
import { openStore } from "../open.ts";
import { eventContract, everything, hour, start } from "../store.contract.ts";
import type { Store } from "../store.ts";
import { condition, eventsOf, shape } from "../testing/arbitraries.ts";
import { openSearchUrl } from "../testing/opensearch.ts";
import { Client } from "./client.ts";
import type { OpenSearchSettings } from "./events.ts";

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
      { numRuns: 20 },
    );
    await close();
  });
});
