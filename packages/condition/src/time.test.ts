import { expect, test } from "vitest";
import { compile } from "./compile.ts";
import { evaluate } from "./evaluate.ts";
import { timeOf, timePart, timeParts } from "./time.ts";

test.each<[unknown, string | undefined]>([
  ["2024-05-01T10:11:12Z", "2024-05-01T10:11:12.000Z"],
  ["2024-05-01 10:11:12.123456", "2024-05-01T10:11:12.123Z"],
  ["2024-05-01T00:30:00+02:00", "2024-04-30T22:30:00.000Z"],
  ["2024-05-01T10:11Z", undefined],
  [1_714_558_272, "2024-05-01T10:11:12.000Z"],
  ["1714558272.5", "2024-05-01T10:11:12.500Z"],
  [1_714_558_272_123, "2024-05-01T10:11:12.123Z"],
  [1_714_558_272_123_456, "2024-05-01T10:11:12.123Z"],
  ["2024-02-30T10:00:00Z", undefined],
  ["2024-05-01T24:00:00Z", undefined],
  ["2024-05-01", undefined],
  ["soon", undefined],
  [10, undefined],
  [null, undefined],
  [{}, undefined],
])("%s is the time %s", (value, expected) => {
  const time = timeOf(value);
  expect(Number.isNaN(time) ? undefined : new Date(time).toISOString()).toBe(expected);
});

test("parts are in UTC, weeks those of ISO 8601", () => {
  const parts = (value: string) => timeParts.map((part) => timePart(part, timeOf(value)));
  expect(parts("2024-05-01T10:11:12Z")).toEqual([11, 10, 1, 18, 5, 2024]);
  expect(parts("2021-01-03T23:59:59Z")).toEqual([59, 23, 3, 53, 1, 2021]);
  expect(parts("2018-12-31T00:00:00Z")).toEqual([0, 0, 31, 1, 12, 2018]);
  expect(parts("no time")).toEqual(Array(6).fill(Number.NaN));
});

test("`@timestamp` is the event's own time, whatever its fields say", () => {
  const condition = { op: "time", field: "@timestamp", part: "hour", how: "gte", value: 10 } as const;
  const event = { fields: { "@timestamp": "2024-05-01T03:00:00Z" }, time: Date.UTC(2024, 4, 1, 10) * 1_000 };
  expect([evaluate(condition, event), compile(condition)(event)]).toEqual([true, true]);
  expect([evaluate(condition, { fields: event.fields }), compile(condition)({ fields: event.fields })]).toEqual([false, false]);
});
