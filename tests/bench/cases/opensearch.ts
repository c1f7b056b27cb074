/** Events on OpenSearch beside the local driver: what a put costs us and the server, and how long questions take, over the same events. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseQuery } from "@vedette/condition";
import { type EncodedEvents, type EventStore, openStore, type Store } from "@vedette/store";
import { service } from "../../e2e/services.ts";
import { rekeyedZeek, temporary } from "../corpus.ts";
import { batchLines, fillStore } from "../filling.ts";
import { costOf, option, percentile, print, say } from "../harness.ts";

/** Clock ticks a second of /proc: Linux's USER_HZ, the same on every machine. */
const ticks = 100;
const runs = 10;
interface Put {
  readonly offset: number;
  readonly received: number;
  readonly events: EncodedEvents;
}

const questions: { readonly [name: string]: (events: EventStore) => Promise<number> } = {
  page: (events) => page(events, ""),
  page_term: (events) => page(events, "event.dataset:zeek.ssl"),
  page_network: (events) => page(events, "source.ip:10.0.0.0/8"),
  page_none: (events) => page(events, "source.ip:203.0.113.77"),
  page_contains: (events) => page(events, "dns.question.name:*mail*"),
  page_word: (events) => page(events, "microsoft"),
  page_regex: (events) => page(events, "dns.question.name:/^[a-f0-9]{8,}\\./"),
  histogram: async (events) => (await events.histogram({ ...(await asked(events, "event.dataset:zeek.ssl")), width: 60_000_000 })).length,
  top: async (events) => (await events.top({ ...(await asked(events, "")), field: "source.ip", limit: 10 })).length,
  stats_sum: async (events) =>
    (
      await events.stats({
        ...(await asked(events, "event.dataset:zeek.ssl")),
        aggregates: [{ fn: "sum", field: "destination.bytes", as: "bytes" }],
        by: ["source.ip"],
        limit: 10,
      })
    ).length,
};

/** @param events put into each of the two */
export async function bench(events = 20_000): Promise<void> {
  const found = service("opensearch");
  if (found === undefined) return say("needs OpenSearch: scripts/services up opensearch");
  const directory = mkdtempSync(join(temporary, "opensearch-"));
  const prefix = `bench-${process.pid}`;
  const url = `http://${found.host}:${found.port}`;
  const details: { [name: string]: number | string } = { events };
  const settings = { urls: [url], prefix, shards: 1, replicas: 0, bucketHours: {}, timeout_ms: 120_000 };
  const local = await openStore({ directory: join(directory, "local") });
  const remote = await openStore({ directory: join(directory, "remote"), openSearch: settings });
  try {
    say(`decoding ${events} events`);
    const batches = await encoded(events);
    const per = { local: 0, remote: 0 };
    for (const [name, store] of [["local", local] as const, ["remote", remote] as const]) {
      say(`putting into ${name}`);
      const before = cpuOf(found.pid);
      const cost = await costOf(() => putAll(store, batches));
      per[name] = events / cost.cpu_s;
      details[`${name}_events_per_cpu_s`] = per[name];
      details[`${name}_put_wall_s`] = cost.wall_s;
      if (name === "remote") details["server_events_per_cpu_s"] = events / (cpuOf(found.pid) - before);
    }
    await local.events.seal(true);
    details["local_bytes_per_event"] = (await local.events.usage()).sealedBytes / events;
    details["server_bytes_per_event"] = (await remote.events.usage()).sealedBytes / events;
    for (const [question, ask] of Object.entries(questions))
      for (const [name, store] of [["local", local] as const, ["remote", remote] as const]) {
        const times: number[] = [];
        for (let n = 0; n < (option("runs") ?? runs); n++) {
          const { wall_s } = await costOf(async () => {
            details[`${question}_${name}_found`] = await ask(store.events);
          });
          times.push(wall_s * 1_000);
        }
        details[`${question}_${name}_p50_ms`] = percentile(times, 50);
      }
    print({ name: "opensearch", value: per.remote, unit: "events put per CPU second of ours", baseline: per.local, details });
  } finally {
    await Promise.all([local.close(), remote.close()]);
    await fetch(`${url}/${prefix}-*`, { method: "DELETE" });
    await fetch(`${url}/_index_template/${prefix}`, { method: "DELETE" });
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The events as the analysis workers hand them over; both stores are given the same. */
async function encoded(count: number): Promise<readonly Put[]> {
  const lines = rekeyedZeek();
  const received = Date.now() * 1_000;
  const puts: Put[] = [];
  const collecting = {
    events: {
      applied: async () => -1,
      put: async (offset: number, at: number, events: EncodedEvents) => {
        puts.push({ offset, received: at, events });
        return [];
      },
    },
  } as unknown as Store;
  const batches = Array.from({ length: Math.ceil(count / batchLines) }, (_, n) => ({
    source: "zeek",
    format: "json",
    lines: Array.from({ length: Math.min(batchLines, count - n * batchLines) }, () => lines.next().value),
    received,
  }));
  await fillStore(collecting, batches);
  return puts;
}

async function putAll(store: Store, batches: readonly Put[]): Promise<void> {
  for (const { offset, received, events } of batches) await store.events.put(offset, received, events);
}

/** CPU seconds of a process so far. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticks;
}

async function asked(events: EventStore, query: string) {
  const { oldest = 0, newest = 0 } = await events.usage();
  const parsed = parseQuery(query);
  if (!parsed.ok) throw new Error(`${query}: ${JSON.stringify(parsed)}`);
  return { tenant: "main", range: { from: oldest, to: newest + 1 }, where: parsed.query.where };
}

const page = async (events: EventStore, query: string) =>
  (await events.search({ ...(await asked(events, query)), limit: 100 })).events.length;
