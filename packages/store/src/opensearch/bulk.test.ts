/** What becomes of events when OpenSearch is away, busy, full or refuses them: against a stand-in that answers as told. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Event } from "@vedette/model";
import { afterEach, expect, test } from "vitest";
import { Duck } from "../events/duck.ts";
import { encodeEvents } from "../events/encode.ts";
import { eventOf, start } from "../store.contract.ts";
import { Bulk } from "./bulk.ts";
import { Client, type Cluster } from "./client.ts";
import { OpenSearchEvents } from "./events.ts";
import { bucketOf, indexOf, type Layout } from "./indices.ts";

type Reply = { readonly status: number; readonly body: unknown };
interface Item {
  readonly id: string;
  readonly document: { readonly o: readonly string[]; readonly f: readonly string[] };
}

const layout: Layout = { prefix: "v", shards: 1, replicas: 0, bucketHours: {} };
const rejected = { status: 429, error: { type: "rejected_execution_exception", reason: "queue is full" } };
const unfit = { status: 400, error: { type: "mapper_parsing_exception", reason: "failed to parse" } };
let server: Server;
const closing: (() => void)[] = [];

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** A cluster that gives `answer` to what is asked of it, and remembers each bulk request. */
async function standIn(answer: (path: string, items: readonly Item[], nth: number, text: string) => Reply | undefined): Promise<string> {
  let nth = 0;
  server = createServer(async (request, response) => {
    const text = await textOf(request);
    const lines = text.split("\n").filter((line) => line !== "");
    const path = request.url ?? "";
    const items = !path.startsWith("/_bulk")
      ? []
      : lines.flatMap((line, n) => {
          if (n % 2 === 1) return [];
          const { index } = JSON.parse(line) as { index: { _id: string } };
          return [{ id: index._id, document: JSON.parse(lines[n + 1]!) as Item["document"] }];
        });
    const fine: Reply = path.startsWith("/_bulk")
      ? { status: 200, body: { errors: false, items: items.map(() => ({ index: { status: 201 } })) } }
      : { status: 200, body: path === "/" ? { version: { number: "2.19.1", distribution: "opensearch" } } : { acknowledged: true } };
    const { status, body } = answer(path, items, path.startsWith("/_bulk") ? nth++ : -1, text) ?? fine;
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const cluster = (url: string, change: Partial<Cluster> = {}): Cluster => ({ urls: [url], timeout_ms: 60_000, ...change });
const events: readonly Event[] = [0, 1, 2, 3].map((n) => eventOf(n, { "user.name": `u${n}` }));

function bulkOn(url: string, slept: number[] = []): Bulk {
  const client = new Client(cluster(url));
  closing.push(() => client.close());
  return new Bulk(client, layout, async (ms) => void slept.push(ms));
}
function storeOn(url: string, change: Partial<Cluster> = {}): OpenSearchEvents {
  const duck = new Duck({ memoryMb: 64, threads: 1, temporary: "/nowhere" }, []);
  const store = new OpenSearchEvents(
    { ...cluster(url, change), ...layout },
    duck,
    () => start,
    async () => {},
  );
  closing.push(() => store.close());
  return store;
}
const put = (store: OpenSearchEvents) => store.put(0, start, encodeEvents(events));

test("items that a busy cluster rejects are sent again, later each time, and no others", async () => {
  const sent: string[][] = [];
  const url = await standIn((_, items, nth) => {
    sent.push(items.map(({ id }) => id));
    const busy = nth < 2;
    return { status: 200, body: { errors: busy, items: items.map((_, n) => ({ index: busy && n === 1 ? rejected : { status: 201 } })) } };
  });
  const slept: number[] = [];
  // the second item of the first request alone is sent again, and is the first of the second
  expect(await bulkOn(url, slept).put(events)).toEqual([]);
  expect(sent.map((ids) => ids.length)).toEqual([4, 1]);
  expect(sent[1]).toEqual([sent[0]![1]]);
  expect(slept).toEqual([100]);
});

test("an event whose terms are refused is stored without them; one that is refused for good is told with the reason", async () => {
  const bare: string[] = [];
  const url = await standIn((_, items) => {
    const answers = items.map(({ id, document }) => {
      if (document.f.length === 0) bare.push(id);
      const bad = id.endsWith(events[2]!.id) || (id.endsWith(events[1]!.id) && document.f.length > 0);
      return { index: bad ? unfit : { status: 201 } };
    });
    return { status: 200, body: { errors: true, items: answers } };
  });
  const refused = await bulkOn(url).put(events);
  expect(refused.map(({ event, reason }) => [event.id, reason])).toEqual([[events[2]!.id, "mapper_parsing_exception: failed to parse"]]);
  expect(bare.sort()).toEqual([1, 2].map((n) => `main/${events[n]!.id}`).sort());
});

test("what is wrong with the cluster is never held against an event, and says what to do", async () => {
  const full = {
    type: "cluster_block_exception",
    reason:
      "index [v-network] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block]",
  };
  const shards = {
    type: "validation_exception",
    reason: "this action would add [1] total shards, but this cluster currently has [1000]/[1000] maximum shards open",
  };
  for (const [status, error, words] of [
    [429, full, /free disk space/],
    [400, shards, /opensearch\.bucket_hours/],
    [400, { type: "index_closed_exception", reason: "closed" }, /index_closed_exception/],
    [503, { type: "unavailable_shards_exception", reason: "primary shard is not active" }, /OpenSearch failed/],
    [403, { type: "security_exception", reason: "no permissions" }, /does not allow/],
  ] as const) {
    const url = await standIn((_, items) => ({
      status: 200,
      body: { errors: true, items: items.map(() => ({ index: { status, error } })) },
    }));
    await expect(bulkOn(url).put(events), error.type).rejects.toMatchObject({
      code: "store_unavailable",
      permanent: false,
      message: expect.stringMatching(words),
    });
  }
});

test("a request too large for the cluster is sent in parts; only the event that is too large alone is refused", async () => {
  const taken: string[] = [];
  const url = await standIn((path, items) => {
    if (!path.startsWith("/_bulk")) return undefined;
    if (items.length > 1 || items[0]!.id.endsWith(events[3]!.id)) return { status: 413, body: {} };
    taken.push(items[0]!.id);
    return undefined;
  });
  const refused = await bulkOn(url).put(events);
  expect(refused.map(({ event, reason }) => [event.id, reason])).toEqual([
    [events[3]!.id, expect.stringMatching(/http\.max_content_length/)],
  ]);
  expect(taken).toEqual([0, 1, 2].map((n) => `main/${events[n]!.id}`));
});

test("messages name the setting: wrong password, wrong product, wrong version, nobody there, no answer", async () => {
  const password = await standIn(() => ({ status: 401, body: "Unauthorized" }));
  await expect(put(storeOn(password, { username: "eve", password: "x" }))).rejects.toThrow(/password of eve.*opensearch\.password/);
  const foreign = await standIn((path) => (path === "/" ? { status: 200, body: { version: { number: "8.15.0" } } } : undefined));
  await expect(put(storeOn(foreign))).rejects.toThrow(/expected OpenSearch 2 or 3.*opensearch\.url.*elasticsearch 8\.15\.0/);
  const old = await standIn((path) =>
    path === "/" ? { status: 200, body: { version: { number: "1.3.0", distribution: "opensearch" } } } : undefined,
  );
  await expect(put(storeOn(old))).rejects.toThrow(/found opensearch 1\.3\.0/);
  const gone = await standIn(() => undefined);
  for (const close of closing.splice(0)) close();
  await expect(put(storeOn(gone))).rejects.toThrow(/does not answer \(ECONNREFUSED\): check opensearch\.url/);
  const tls = await standIn(() => undefined);
  await expect(put(storeOn(tls.replace("http:", "https:")))).rejects.toThrow(/does not speak TLS|does not answer/);
});

test("waits for a cluster that comes back, and asks another node where one is away", async () => {
  const gone = await standIn(() => undefined);
  for (const close of closing.splice(0)) close();
  let away = true;
  const url = await standIn((path) => (away && path === "/" ? { status: 503, body: {} } : undefined));
  const store = storeOn(url, { urls: [gone, url] });
  await expect(put(store)).rejects.toThrow(/OpenSearch failed \(HTTP 503\)/);
  away = false;
  expect(await put(store)).toEqual([]);
});

test("an event's index follows from itself, and says what it holds", () => {
  const received = Date.UTC(2026, 2, 17, 13, 5) * 1_000;
  expect(indexOf(layout, "network", received)).toBe("v-network-24h-2026.03.17.00");
  expect(indexOf({ ...layout, bucketHours: { network: 1 } }, "network", received)).toBe("v-network-1h-2026.03.17.13");
  for (const name of ["network", "authentication", "process"] as const) {
    const bucket = bucketOf("v", indexOf(layout, name, received));
    expect(bucket?.class).toBe(name);
    expect(bucket!.end).toBeGreaterThan(received);
    expect(indexOf(layout, name, bucket!.end - 1)).toBe(bucket!.index);
    expect(indexOf(layout, name, bucket!.end)).not.toBe(bucket!.index);
  }
  for (const other of ["v-network", "w-network-24h-2026.03.17.00", "v-nothing-24h-2026.03.17.00"])
    expect(bucketOf("v", other)).toBeUndefined();
});

test("what would fetch or hold too much to be summed is refused, and nothing is fetched for it", async () => {
  let fetched = 0;
  const buckets = Array.from({ length: 10_000 }, (_, n) => ({ key: { g0: `v${n}` }, doc_count: 1 }));
  const url = await standIn((path, _items, _nth, text) => {
    if (!path.includes("/_search")) return undefined;
    const { size, aggs } = JSON.parse(text) as { size: number; aggs?: { groups?: object } };
    if (size > 0) fetched++;
    if (aggs?.groups === undefined) return { status: 200, body: { hits: { total: { value: 2_000_000 }, hits: [] } } };
    // as many groups as one answer takes, each time
    const groups = { buckets, after_key: { g0: buckets.at(-1)!.key.g0 } };
    return { status: 200, body: { hits: { total: { value: 2_000_000 }, hits: [] }, aggregations: { groups, odd: { doc_count: 0 } } } };
  });
  const store = storeOn(url);
  const all = { tenant: "main", range: { from: 0, to: start * 2 }, where: { op: "and" as const, of: [] }, limit: 10 };
  const refused = { code: "query_invalid", message: expect.stringContaining("narrow the time") };
  await expect(store.stats({ ...all, by: [], aggregates: [{ fn: "sum", field: "source.bytes", as: "n" }] })).rejects.toMatchObject(refused);
  expect(fetched).toBe(0);
  await expect(store.stats({ ...all, by: ["source.ip"], aggregates: [{ fn: "count", as: "n" }] })).rejects.toMatchObject(refused);
  expect(fetched).toBe(0);
});
