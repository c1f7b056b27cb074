import fc from "fast-check";
import { expect, test } from "vitest";
import { formatTime, parseTime } from "./time.ts";

test("times read back as they were written", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000_000 }), (time) => {
      expect(parseTime(formatTime(time))).toBe(time);
    }),
  );
  expect(parseTime("2026-11-21T07:30:00+01:00")).toBe(parseTime("2026-11-21T06:30:00Z"));
  expect(parseTime("2026-11-21")).toBe(parseTime("2026-11-21T00:00:00Z"));
  for (const bad of ["", "now", "2026-13-01T00:00:00Z", "2026-11-21T06:30:00", "1763706600"]) expect(parseTime(bad)).toBeUndefined();
});
