import { expect, test } from "vitest";
import { PartitionMarks } from "./marks.ts";

const minute = 60_000_000;
const marks = (...reports: readonly (readonly [wall: number, mark: number])[]) => {
  const all = new PartitionMarks(reports.length);
  reports.forEach(([wall, mark], n) => {
    all.report(n, wall * minute, { mark: mark * minute, far: [] });
  });
  const again = new PartitionMarks(reports.length);
  again.restore(JSON.parse(JSON.stringify(all.entries())));
  expect(again.global()).toBe(all.global());
  return all.global() / minute;
};

test("nothing is passed before every partition was heard of", () => {
  const all = new PartitionMarks(2);
  all.report(0, 100 * minute, { mark: 99 * minute, far: [] });
  expect(all.global()).toBe(Number.NEGATIVE_INFINITY);
});

test("the slowest partition counts, also one that is an hour behind because nobody analysed it", () => {
  expect(marks([100, 99], [100, 98], [101, 101])).toBe(98);
  expect(marks([100, 99], [100, 99], [40, 39])).toBe(39);
});

test("a partition of nothing but old files, or of a wrong clock, holds the others back by ten minutes and no more", () => {
  expect(marks([100, 99], [100, 99], [100, -5_000])).toBe(89);
});

test("partitions that nothing comes to do not make what comes to the others old: as in one process", () => {
  expect(marks([100, 100], [100, 100], [100, -5_000])).toBe(-5_000);
  expect(marks([100, 100], [100, -5_000], [100, -5_002])).toBe(-5_002);
  expect(marks([100, 100], [100, 98], [100, -5_000])).toBe(88);
  expect(marks([100, 100], [100, 100])).toBe(100);
});
