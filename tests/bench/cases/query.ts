/** Questions to a full store: a histogram over 1 M events, and the first page of 10 M; and what it costs that who asks sees a part only. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { viewOf } from "@vedette/access";
import { type Condition, parseQuery } from "@vedette/condition";
import { type EventStore, openStore, type SeenQuery, type TimeRange } from "@vedette/store";
import { rekeyedZeek, temporary } from "../corpus.ts";
import { type Batch, batchLines, fillStore } from "../filling.ts";
import { costOf, option, percentile, print, say } from "../harness.ts";

/** The goals, ms. */
const goal = { histogram: 150, page: 300 };
const buckets = 288;
const rowsOfPage = 100;
/** Events received in an hour: 280 a second, so that the store holds several hours' partitions. */
const eventsPerHour = 1_000_000;
const runs = 20;
/** An analyst of one project, as sites write it: everything but a few rows, and no names. It lets nearly all through, so that as much is found. */
const view = viewOf([{ role: "analyst", rows: "event.dataset:zeek* and not user.name:root", masks: ["user.*", "dns.question.name"] }])!;
const hour: number = 3_600_000_000;

/** @param events in the store when pages are asked for; the histogram is asked for at a tenth of them */
export async function bench(events = 10_000_000): Promise<void> {
  const directory = mkdtempSync(join(temporary, "query-"));
  const store = await openStore({ directory });
  const details: { [name: string]: number | string } = { events, histogram_events: events / 10 };
  try {
    const lines = rekeyedZeek();
    const start = Date.now() * 1_000 - Math.ceil(events / eventsPerHour) * hour;
    await fill(events / 10, 0);
    const histogram = await measure(details, "histogram", () => countPerBucket(store.events, "event.dataset:zeek.ssl"));
    await measure(details, "histogram_address", () => countPerBucket(store.events, "source.ip:10.0.0.0/8"));
    await fill(events - events / 10, events / 10);
    await measure(details, "page", () => firstPage(store.events, ""));
    await measure(details, "page_common", () => firstPage(store.events, "event.dataset:zeek.ssl"));
    await measure(details, "page_rare", () => firstPage(store.events, "event.dataset:zeek.notice"));
    await measure(details, "page_none", () => firstPage(store.events, "source.ip:203.0.113.77"));
    await compare(details, "histogram", (seen) => countPerBucket(store.events, "event.dataset:zeek.ssl", seen));
    await compare(details, "histogram_address", (seen) => countPerBucket(store.events, "source.ip:10.0.0.0/8", seen));
    await compare(details, "page", (seen) => firstPage(store.events, "", seen));
    await compare(details, "page_common", (seen) => firstPage(store.events, "event.dataset:zeek.ssl", seen));
    const usage = await store.events.usage();
    details["partitions"] = usage.partitions;
    details["sealed_mb"] = usage.sealedBytes / 1e6;
    details["open_mb"] = usage.openBytes / 1e6;
    details["goal_page_ms"] = goal.page;
    print({ name: "query", value: histogram, unit: "ms, median histogram", baseline: goal.histogram, details });

    async function fill(count: number, before: number): Promise<void> {
      say(`storing ${count} events`);
      const cost = await costOf(async () => {
        await fillStore(store, batches(count, before));
        await store.events.seal();
      });
      say(`  ${cost.wall_s.toFixed(1)} s`);
    }
    function* batches(count: number, before: number): Generator<Batch> {
      for (let n = 0; n < count; n += batchLines) {
        const batch = Array.from({ length: Math.min(batchLines, count - n) }, () => lines.next().value);
        const received = start + ((before + n) / eventsPerHour) * hour;
        if ((before + n) % 1_000_000 === 0) say(`  ${before + n}`);
        yield { source: "zeek", format: "json", lines: batch, received };
      }
    }
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @returns the median in ms; what came is looked at, so that nothing is measured that finds nothing by mistake */
async function measure(details: { [name: string]: number | string }, name: string, ask: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  let found = 0;
  for (let n = 0; n < (option("runs") ?? runs); n++) {
    const { wall_s } = await costOf(async () => {
      found = await ask();
    });
    times.push(wall_s * 1_000);
  }
  const median = percentile(times, 50);
  details[`${name}_median_ms`] = median;
  details[`${name}_p95_ms`] = percentile(times, 95);
  details[`${name}_first_ms`] = times[0]!;
  details[`${name}_found`] = found;
  return median;
}

/** CPU of a question asked within a view, as a share of the same question about everything; one after the other, so that other load hits both. */
async function compare(details: { [name: string]: number | string }, name: string, ask: (seen: Seen) => Promise<number>): Promise<void> {
  const cpu = { all: 0, seen: 0 };
  const found = { all: 0, seen: 0 };
  for (let n = 0; n < (option("runs") ?? runs); n++)
    for (const which of ["all", "seen"] as const) {
      const { cpu_s } = await costOf(async () => {
        found[which] = await ask(which === "seen" ? { view } : {});
      });
      cpu[which] += cpu_s;
    }
  details[`${name}_view_cpu_ratio`] = cpu.seen / cpu.all;
  details[`${name}_view_found_ratio`] = found.seen / found.all;
}
type Seen = Pick<SeenQuery, "view">;

async function everything(events: EventStore): Promise<TimeRange> {
  const { oldest = 0, newest = 0 } = await events.usage();
  return { from: oldest, to: newest + 1 };
}

function condition(query: string): Condition {
  const parsed = parseQuery(query);
  if (!parsed.ok) throw new Error(`${query}: ${JSON.stringify(parsed)}`);
  return parsed.query.where;
}

async function countPerBucket(events: EventStore, query: string, seen: Seen = {}): Promise<number> {
  const range = await everything(events);
  const width = Math.ceil((range.to - range.from) / buckets);
  const rows = await events.histogram({ tenant: "main", range, where: condition(query), width, ...seen });
  return rows.reduce((n, { count }) => n + count, 0);
}

async function firstPage(events: EventStore, query: string, seen: Seen = {}): Promise<number> {
  const range = await everything(events);
  return (await events.search({ tenant: "main", range, where: condition(query), limit: rowsOfPage, ...seen })).events.length;
}
