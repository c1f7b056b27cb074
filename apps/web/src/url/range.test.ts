import { describe, expect, it } from "vitest";
import { parseMoment, printRange, rangeAround, resolveRange } from "./range.ts";

const now = Date.parse("2026-11-21T06:30:00Z");

describe("resolveRange", () => {
  it("resolves presets against the moment given", () => {
    expect(resolveRange("15m", now)).toEqual({ from: "2026-11-21T06:15:00.000Z" });
    expect(resolveRange("all", now)).toEqual({});
  });

  it("reads absolute ranges, open ones too", () => {
    expect(resolveRange("2026-11-20T00:00:00Z..2026-11-21T00:00:00Z", now)).toEqual({
      from: "2026-11-20T00:00:00.000Z",
      to: "2026-11-21T00:00:00.000Z",
    });
    expect(resolveRange("..2026-11-21T00:00:00Z", now)).toEqual({ to: "2026-11-21T00:00:00.000Z" });
  });

  it("falls back to a day for what nobody can read", () => {
    const day = { from: "2026-11-20T06:30:00.000Z" };
    for (const value of [null, "", "tomorrow", "x..y", ".."]) expect(resolveRange(value, now)).toEqual(day);
  });
});

it("prints what it reads", () => {
  expect(resolveRange(printRange(now, now + 1_000), 0)).toEqual({ from: "2026-11-21T06:30:00.000Z", to: "2026-11-21T06:30:01.000Z" });
});

it("leaves room around an alert", () => {
  expect(rangeAround("2026-11-21T06:30:00Z", "2026-11-21T06:31:00Z")).toBe("2026-11-21T06:29:00.000Z..2026-11-21T06:32:00.000Z");
  expect(rangeAround("never", "2026-11-21T06:31:00Z")).toBe("all");
});

it("takes a moment with a space, and refuses words", () => {
  expect(parseMoment("2026-11-21 06:30:00Z")).toBe("2026-11-21T06:30:00.000Z");
  expect(parseMoment("soon")).toBeUndefined();
});
