import { expect, test } from "vitest";
import { summaryOfMatches } from "./match_summary.ts";

const matches = (...values: readonly (readonly [field: string, value: string])[]) =>
  values.map(([field, value]) => ({ clause: "selection", field, value }));

test("the longest value is told, cut where it is too long; nothing but the logsource is the rule's title", () => {
  expect(summaryOfMatches("T", matches(["network.transport", "tcp"], ["process.command_line", "xmrig -o pool"]))).toBe(
    "process.command_line = xmrig -o pool",
  );
  expect(summaryOfMatches("T", matches(["url.original", "x".repeat(500)]))).toBe(`url.original = ${"x".repeat(160)}`);
  expect(summaryOfMatches("T", [{ clause: "logsource", field: "event.dataset", value: "zeek.conn" }])).toBe("T");
});

test("a duration reads as people say it, and does not stand before an address for its digits", () => {
  const of = (ns: string) => summaryOfMatches("T", matches(["event.duration", ns]));
  expect(["5000000", "61000000000", "4500000000000", "86400000000000", "long"].map(of)).toEqual([
    "event.duration = 5 ms",
    "event.duration = 61 s",
    "event.duration = 75 min",
    "event.duration = 24 h",
    "event.duration = long",
  ]);
  expect(summaryOfMatches("T", matches(["destination.ip", "192.0.2.7"], ["event.duration", "4500000000000"]))).toBe(
    "destination.ip = 192.0.2.7",
  );
});
