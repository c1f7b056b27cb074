import { newFields } from "@vedette/kit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bucketOf, type Measure, measureOf, mergeMeasures } from "./measures.ts";

const of = (series: string, time: number, value: number, kind = "counter"): Measure =>
  measureOf(Object.assign(newFields(), { "metric.name": series, "metric.kind": kind, "metric.value": value }), time);
const all = (parts: readonly Measure[]): Measure => parts.reduce(mergeMeasures);

test("in whatever order and however often points come, the bucket is the same", () => {
  const point = fc.tuple(fc.constantFrom("a", "b"), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 50 }));
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 30 }), fc.infiniteStream(fc.nat(1_000)), (points, random) => {
      const parts = points.map(([series, time, value]) => of(series, time, value));
      const expected = bucketOf(0, all(parts), {});
      const twice = [...parts, ...parts].map((part) => [random.next().value as number, part] as const).sort((a, b) => a[0] - b[0]);
      // halves first, as batches bring them
      const half = twice.length / 2;
      const [first, second] = [twice.slice(0, half), twice.slice(half)].map((some) => all(some.map(([, part]) => part)));
      expect(bucketOf(0, mergeMeasures(first!, second!), {})).toEqual(expected);
    }),
  );
});

test("counters grow over resets, from the newest point before; each series by itself", () => {
  const parts = [of("a", 1, 10), of("a", 2, 3), of("b", 1, 7), of("b", 2, 9)];
  const first = bucketOf(0, all(parts), {});
  expect(first.bucket).toEqual({ start: 0, n: 4, sum: 29, min: 3, max: 10, last: 9, increase: 5 });
  const second = bucketOf(10, all([of("a", 11, 4), of("b", 11, 9.5)]), first.newest);
  expect(second.bucket.increase).toBe(1.5);
});

test("measurements of one moment all count; series beyond the bound do not", () => {
  const spans = [0.1, 0.3, 0.3].map((value) => of("d", 5, value, "measurement"));
  expect(bucketOf(0, all(spans), {}).bucket).toMatchObject({ n: 3, min: 0.1, max: 0.3 });
  const many = Array.from({ length: 200 }, (_, i) => of(`s${i}`, 1, 1));
  expect(Object.keys(all(many))).toEqual(Object.keys(all([...many].reverse())));
  expect(Object.keys(all(many))).toHaveLength(64);
});
