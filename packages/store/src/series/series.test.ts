import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Condition, masked, parseQuery, type View } from "@vedette/condition";
import type { Sample, SampleKind } from "@vedette/model";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { openStore, type StoreOptions } from "../open.ts";
import type { Store } from "../store.ts";
import { fine, type Point, rollUp, widened } from "./roll_up.ts";
import { openSamples, SampleWriter } from "./samples.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-series-"));
let next = 0;
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** 2026-03-01T10:00:00Z. */
const start = 1_772_359_200_000_000;
const second = 1_000_000;
const clock = { at: start, now: () => clock.at, sleep: () => Promise.resolve() };
const openNew = (options: Partial<StoreOptions> = {}, directory = join(root, String(next++))) =>
  openStore({ directory, clock, ...options });

const sample = (name: string, instance: string, at_s: number, value: number, kind: SampleKind = "gauge"): Sample => ({
  name,
  labels: [["instance", instance]],
  time: start + at_s * second,
  value,
  kind,
});
function encoded(samples: readonly Sample[], source = "prom") {
  const writer = new SampleWriter();
  for (const one of samples) writer.add("main", source, one);
  return writer.done()!;
}
function where(text: string) {
  const parsed = parseQuery(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.query.where;
}
const asked = (text: string, from_s = 0, to_s = 86_400) => ({
  tenant: "main",
  where: where(text),
  range: { from: start + from_s * second, to: start + to_s * second },
  limit: 100,
});
const rangeOf = (store: Store, text: string, step_s: number) => store.series.range({ ...asked(text), step: step_s * second });

test("samples come back from their bytes, hostile labels too", () => {
  const labels = [["__proto__", 'a"\u0000b'] as const];
  const { series, times, values, which } = openSamples(
    encoded([{ ...sample("up", "a", 1, 0.1), labels }, sample("up", "a", 2, -1e300)]).bytes,
  );
  expect(series.map((one) => one.labels)).toEqual(['{"__proto__":"a\\"\\u0000b"}', '{"instance":"a"}']);
  expect([[...which], [...times], [...values]]).toEqual([
    [0, 1],
    [start + second, start + 2 * second],
    [0.1, -1e300],
  ]);
});

test("a counter that begins again at zero has grown by what it shows", () => {
  const points: Point[] = [10, 15, 3, 4].map((value, i) => ({ time: start + i * second, value }));
  expect(rollUp("counter", points, fine, { time: start - second, value: 8 })).toEqual([
    { start, count: 4, sum: 32, min: 3, max: 15, last: 4, last_time: start + 3 * second, increase: 2 + 5 + 3 + 1 },
  ]);
  expect(rollUp("counter", points, fine, undefined)[0]!.increase).toBe(9);
  expect(rollUp("gauge", points, fine, undefined)[0]!.increase).toBe(0);
  expect(rollUp("delta", points, fine, undefined)[0]!.increase).toBe(32);
});

test("wider buckets come to the same whether rolled up at once or from narrow ones", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 600 }), fc.integer({ min: -50, max: 50 })), { maxLength: 80 }), (raw) => {
      const points = raw.map(([at, value]) => ({ time: start + at * second, value })).sort((a, b) => a.time - b.time);
      expect(widened(rollUp("counter", points, fine, undefined), 60 * second)).toEqual(rollUp("counter", points, 60 * second, undefined));
    }),
  );
});

test("a series is found and summed up the same open, sealed, half of each, and after another start", async () => {
  const directory = join(root, "life");
  let store = await openNew({}, directory);
  const halves = [0, 60].map((from) =>
    encoded([
      ...Array.from({ length: 60 }, (_, i) => sample("requests_total", "a", from + i, 2 * (from + i), "counter")),
      ...Array.from({ length: 60 }, (_, i) => sample("load", "b", from + i, (from + i) % 7)),
    ]),
  );
  await store.series.put(0, start, halves[0]!);
  await store.series.put(1, start, halves[1]!);
  const whole = await rangeOf(store, "metric.name:requests_total", 60);
  expect(whole.series.map(({ name, labels, kind }) => [name, labels, kind])).toEqual([["requests_total", { instance: "a" }, "counter"]]);
  expect(whole.series[0]!.rows.map(({ count, increase, last, sum }) => [count, increase, last, sum])).toEqual([
    [60, 118, 118, 3540],
    [60, 120, 238, 10740],
  ]);
  await store.series.seal(true);
  expect(await rangeOf(store, "metric.name:requests_total", 60)).toEqual(whole);
  // a batch that is put again, and one whose samples were all seen, change nothing
  await store.series.put(1, start, halves[1]!);
  await store.series.put(2, start, halves[1]!);
  expect(await rangeOf(store, "metric.name:requests_total", 60)).toEqual(whole);
  expect((await store.series.sources("main"))[0]).toMatchObject({ source: "prom", series: 2, kept: 240, repeated: 120, refused: 0 });
  await store.series.put(3, start, encoded([sample("requests_total", "a", 120, 300, "counter")]));
  await store.close();
  store = await openNew({}, directory);
  expect(await store.series.applied()).toBe(3);
  const after = await rangeOf(store, "labels.instance:a", 60);
  expect(after.series[0]!.rows.at(-1)).toMatchObject({ count: 1, increase: 62 });
  expect(after.series[0]!.rows.slice(0, 2)).toEqual(whole.series[0]!.rows);
  expect((await store.series.sources("main"))[0]).toMatchObject({ series: 2, kept: 241 });
  await store.series.seal(true);
  expect(await rangeOf(store, "labels.instance:a", 60)).toEqual(after);
  expect((await store.series.list(asked("metric.kind:gauge"))).series.map(({ name }) => name)).toEqual(["load"]);
  await store.close();
});

test("a source's series are bounded: those beyond are counted and named, others' samples go on", async () => {
  const store = await openNew({ seriesPerSource: 3 });
  const many = Array.from({ length: 6 }, (_, i) => sample("load", `n${i}`, i, 1));
  await store.series.put(0, start, encoded(many));
  await store.series.put(1, start, encoded([sample("load", "n0", 9, 2), sample("load", "n5", 9, 2)]));
  await store.series.put(2, start, encoded(many, "other"));
  expect(await store.series.sources("main")).toEqual([
    {
      source: "prom",
      series: 3,
      limit: 3,
      kept: 4,
      repeated: 0,
      refused: 4,
      refused_beside: 0,
      refused_series: ['load{"instance":"n3"}', 'load{"instance":"n4"}', 'load{"instance":"n5"}'],
    },
    expect.objectContaining({ source: "other", series: 3, kept: 3, refused: 3 }),
  ]);
  expect((await store.series.list(asked("vedette.source:prom"))).series).toHaveLength(3);
  await store.close();
});

test("segments are sealed when they are full or old; small files are joined, old ones dropped", async () => {
  const store = await openNew({ sealSamples: 10 });
  for (let i = 0; i < 30; i++) {
    await store.series.put(i, start + i * second, encoded(Array.from({ length: 10 }, (_, k) => sample("load", "a", i * 60 + k, k))));
  }
  // 29 sealed: two dozens of each width joined, five left
  expect((await store.series.usage()).files).toBe(2 * (2 + 5));
  const whole = await rangeOf(store, "metric.name:load", 10);
  expect(whole.series[0]!.rows.map(({ count, max }) => [count, max])).toEqual(Array.from({ length: 30 }, () => [10, 9]));
  clock.at = start + 1_300 * second;
  await store.series.seal();
  expect((await store.series.usage()).openBytes).toBe(0);
  expect(await rangeOf(store, "metric.name:load", 10)).toEqual(whole);
  expect(await store.series.retain({ fine: 0, coarse: 86_400 * second })).toEqual({ dropped: expect.any(Number) });
  const left = (await rangeOf(store, "metric.name:load", 10)).series[0]?.rows ?? [];
  expect(left.length).toBeLessThan(30);
  expect((await rangeOf(store, "metric.name:load", 60)).series[0]!.rows).toHaveLength(30);
  clock.at = start;
  await store.close();
});

test("measurements of one moment all count", async () => {
  const store = await openNew();
  const spans = [0.1, 0.4, 0.2].map((value) => sample("duration", "a", 5, value, "measurement"));
  await store.series.put(0, start, encoded(spans));
  expect((await rangeOf(store, "metric.name:duration", 10)).series[0]!.rows[0]).toMatchObject({ count: 3, max: 0.4 });
  await store.close();
  const full = await openNew({ seriesPerSource: 1 });
  await full.series.put(0, start, encoded([sample("load", "a", 5, 1), ...spans]));
  expect((await full.series.sources("main"))[0]).toMatchObject({ kept: 1, refused: 3, refused_beside: 3 });
  await full.close();
});

test("who sees some series, or not all of their labels, is told of those alone", async () => {
  const store = await openNew();
  await store.series.put(0, start, encoded([sample("up", "login1:9100", 0, 1), sample("up", "dark:9100", 0, 1)]));
  const told = async (text: string, view: View) =>
    (await store.series.list({ ...asked(text), view })).series.map((one) => one.labels["instance"]);
  const everything: Condition = { op: "and", of: [] };
  const ofLogin: View = { parts: [{ rows: where("host.name:login*"), masks: [] }] };
  expect(await told("metric.name:up", ofLogin)).toEqual(["login1:9100"]);
  expect(await told("labels.instance:dark*", ofLogin)).toEqual([]);
  // the label names the host, so that a mask of one is a mask of the other
  for (const mask of ["host.name", "labels.instance"]) {
    const view: View = { parts: [{ rows: everything, masks: [mask] }] };
    expect(await told("metric.name:up", view)).toEqual([masked, masked]);
    for (const q of ["labels.instance:dark*", "host.name:dark"]) expect(await told(q, view)).toEqual([]);
  }
  await store.close();
});
