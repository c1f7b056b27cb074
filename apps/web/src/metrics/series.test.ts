import { expect, it } from "vitest";
import type { SeriesPoints } from "../api/data.ts";
import { alignSeries, figuresOf, groupByName, labelText } from "./series.ts";

const series = (name: string, ...points: [string, number][]): SeriesPoints => ({ source: "otel", name, kind: "gauge", labels: {}, points });
const at = (second: number) => new Date(second * 1_000).toISOString();

it("puts series of different times on one axis and shows a gap as one", () => {
  const rows = alignSeries([series("a", [at(0), 1], [at(10), 2], [at(60), 3]), series("b", [at(10), 5])], 10);
  expect(rows).toEqual([
    [0, 10, 20, 60],
    [1, 2, null, 3],
    [null, 5, null, null],
  ]);
  expect(alignSeries([], 10)).toEqual([[]]);
});

it("groups by name and tells last, least and most", () => {
  const groups = groupByName([series("a", [at(0), 4]), series("b"), series("a", [at(0), 1], [at(1), -2], [at(2), 0])]);
  expect(groups.map(({ name, series: members }) => [name, members.length])).toEqual([
    ["a", 2],
    ["b", 1],
  ]);
  expect(figuresOf(groups[0]!.series[1]!)).toEqual({ last: 0, min: -2, max: 1 });
  expect(figuresOf(groups[1]!.series[0]!)).toBeUndefined();
});

it("quotes labels, so that one cannot pass for two", () => {
  expect(labelText({ host: 'a" b="c' })).toBe('host="a\\" b=\\"c"');
  expect(labelText({})).toBe("no labels");
});
