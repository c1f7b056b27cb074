import { memoryLog } from "@vedette/log";
import type { Store } from "@vedette/store";
import { expect, test } from "vitest";
import type { Analysis, Job } from "../analysis.ts";
import type { Pool } from "../pool.ts";
import type { Program } from "../program.ts";
import { otlpTraces } from "./otlp.ts";
import { traced } from "./traced.ts";
import { Tracer } from "./tracer.ts";

let now = 0;
const clock = { now: () => ++now, sleep: async () => {} };
const findings = (raw: number) => Buffer.from(JSON.stringify({ raw, program: "p", findings: [] }));
const jobOf = (...offsets: number[]): Job => ({
  entries: offsets.map((offset) => ({ offset, bytes: new Uint8Array(1) })),
  sample: false,
  store: true,
});

function rig(ratio: number) {
  const log = memoryLog();
  const folded: number[] = [];
  class Counting implements Pool {
    readonly size = 2;
    #ran = 0;
    async run() {
      this.#ran++;
      return { findings: [], ran: this.#ran } as unknown as Analysis;
    }
    async close() {}
  }
  const store = { alerts: { fold: async (next: number) => void folded.push(next), offset: async () => 7 } } as unknown as Store;
  const tracer = new Tracer({ installation: "here", ratio });
  return { tracer, folded, ...traced({ log, pool: new Counting(), store }, tracer, clock) };
}
const program = {} as Program;

test("a batch's way from intake to alert is one trace, each step a child of the one before", async () => {
  const { tracer, log, pool, store, folded } = rig(1);
  const raw = await log.append("raw", 0, Buffer.from("batch"), { counts: { "in/web": 12 } });
  await pool.run(jobOf(raw), program);
  const found = await log.append("findings", 0, findings(raw));
  await store.alerts.fold(found + 1, [], []);
  const spans = tracer.take();
  expect(spans.map(({ stage }) => stage)).toEqual(["ingest", "analyse", "find", "alert"]);
  expect(new Set(spans.map(({ trace }) => trace)).size).toBe(1);
  for (const [i, span] of spans.entries()) {
    expect(span.parent).toBe(spans[i - 1]?.id);
    expect(span.to).toBeGreaterThanOrEqual(span.from);
  }
  expect(spans[0]!.attributes).toMatchObject({ "vedette.source": "web", records: 12 });
  // what is wrapped does what it did
  expect([folded, await store.alerts.offset(), pool.size]).toEqual([[found + 1], 7, 2]);
  expect(await log.bounds("raw", 0)).toEqual({ start: 0, end: 1 });
  expect(tracer.take()).toEqual([]);
});

test("ticks, and what Vedette reports itself, are no traces; an append that fails is none and fails", async () => {
  const { tracer, log } = rig(1);
  await log.append("raw", 0, Buffer.from("tick"));
  await log.append("findings", 0, Buffer.from('{"findings":[]}'));
  await log.append("control", 0, Buffer.from('{"raw":1}'));
  await expect(log.append("raw", -1, Buffer.from("x"), { counts: { "in/a": 1 } })).rejects.toThrow();
  expect(tracer.take()).toEqual([]);
});

test("which batches are traced, their place decides: the same everywhere, and about as many as asked for", async () => {
  const one = new Tracer({ installation: "here", ratio: 0.1 });
  const other = new Tracer({ installation: "here", ratio: 0.1 });
  const elsewhere = new Tracer({ installation: "there", ratio: 1 });
  const traces = Array.from({ length: 5_000 }, (_, i) => one.traceOf(i));
  expect(traces).toEqual(Array.from({ length: 5_000 }, (_, i) => other.traceOf(i)));
  const count = traces.filter((trace) => trace !== undefined).length;
  expect(count).toBeGreaterThan(350);
  expect(count).toBeLessThan(650);
  expect(traces).not.toContain(elsewhere.traceOf(0));
  expect(new Tracer({ installation: "here", ratio: 0 }).traceOf(1)).toBeUndefined();
});

test("spans that nobody fetches, and findings that triage never comes to, take no more than so much memory", async () => {
  const { tracer, log } = rig(1);
  for (let i = 0; i < 6_000; i++) await log.append("findings", 0, findings(i));
  expect(tracer.take().length).toBeLessThanOrEqual(4_096);
});

test("as OTLP: hexadecimal ids, nanoseconds and whole numbers as text", () => {
  const tracer = new Tracer({ installation: "here", ratio: 1 });
  tracer.add(tracer.traceOf(3)!, "analyse", 1_795_000_000_000_001, 1_795_000_000_000_009, { batches: 2, "vedette.source": "a" });
  const { resourceSpans } = otlpTraces(tracer.take(), { "service.name": "vedette" }) as {
    resourceSpans: { scopeSpans: { spans: object[] }[] }[];
  };
  expect(resourceSpans[0]!.scopeSpans[0]!.spans[0]).toMatchObject({
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    spanId: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    parentSpanId: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    name: "analyse",
    startTimeUnixNano: "1795000000000001000",
    endTimeUnixNano: "1795000000000009000",
    attributes: [
      { key: "batches", value: { intValue: "2" } },
      { key: "vedette.source", value: { stringValue: "a" } },
    ],
  });
});
