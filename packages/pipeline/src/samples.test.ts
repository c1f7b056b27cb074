import { formats } from "@vedette/normalise";
import { expect, test } from "vitest";
import { Analyser, compileProgram } from "./analyse.ts";
import { encodeRecords, type RecordsHeader } from "./batch.ts";
import { makeProgram } from "./program.ts";

const received = 1_714_557_700_000_000;
const program = makeProgram({ rules: [], pipelines: [], detectors: {}, lateness_s: 30 }, 0);

async function analysed(...records: readonly unknown[]) {
  const bodies = records.map((one) => Buffer.from(typeof one === "string" ? one : JSON.stringify(one)));
  const header: RecordsHeader = {
    kind: "records",
    version: 1,
    program: program.hash,
    tenant: "main",
    source: "metrics",
    received,
    demo: false,
    seq: 0,
    runs: [{ stream: "", format: "json", count: bodies.length }],
    positions: bodies.map((_, i) => String(i)),
  };
  const analyser = new Analyser(await formats());
  const entries = [{ offset: 0, bytes: encodeRecords(header, bodies) }];
  return analyser.analyse({ entries, sample: true, store: true }, await compileProgram(program));
}
const series = (name: string, ...samples: readonly (readonly [ms: number, value: number | string])[]) => ({
  timeseries: [{ labels: [{ name: "__name__", value: name }], samples: samples.map(([timestamp, value]) => ({ timestamp, value })) }],
});
const balance = ({ in: into, split, stored, dead, dropped }: Awaited<ReturnType<typeof analysed>>["sources"][string]) =>
  into + split - stored - dead - Object.values(dropped).reduce((a, b) => a + b, 0);

test("every value of every record is in the ledger: kept, or dropped by reason; none becomes an event", async () => {
  const analysis = await analysed(
    series("up", [1_714_557_600_000, 1], [1_714_557_615_000, "NaN"], [1_714_557_630_000, 0]),
    series("late", [1_714_999_999_000, 1]),
    { timeseries: [] },
    "not json at all",
  );
  const { metrics } = analysis.sources;
  expect(metrics).toEqual({ in: 4, split: 2, stored: 2, dead: 1, dropped: { not_a_number: 1, too_far_ahead: 1, empty: 1 } });
  expect(balance(metrics!)).toBe(0);
  expect(analysis.samples?.count).toBe(2);
  expect(analysis.events).toBeUndefined();
});

test("a span is an event and is measured besides; the ledger counts it once", async () => {
  const span = {
    traceId: "5b8efff798038103d269b633813fc60c",
    spanId: "eee19b7ec3c1b174",
    name: "charge",
    kind: 3,
    startTimeUnixNano: "1714557600000000000",
    endTimeUnixNano: "1714557600250000000",
    status: { code: 2 },
    attributes: [{ key: "peer.service", value: { stringValue: "bank" } }],
  };
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] };
  const analysis = await analysed({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] });
  expect(analysis.sources["metrics"]).toEqual({ in: 1, split: 0, stored: 1, dead: 0, dropped: {} });
  expect(analysis.events?.count).toBe(1);
  // the service's duration and failure, and the edge's
  expect(analysis.samples?.count).toBe(4);
});
