import { expect, test } from "vitest";
import { picture } from "./picture.ts";
import type { Sample } from "./sample.ts";

const sample = (more: Partial<Sample> = {}): Sample => ({
  at: "2026-11-21T12:00:00.000Z",
  server: "http://127.0.0.1:8080",
  version: "0.1.0",
  started: "2026-11-21T11:00:00.000Z",
  ready: true,
  problems: [],
  events: 1_234_567,
  rate: 812.4,
  lag_ms: 140,
  open_alerts: { high: 2, low: 0 },
  disk_bytes: { log_bytes: 5_000_000, open_bytes: 1, sealed_bytes: 2_000_000_000 },
  process: { cpu_seconds: 100, resident_bytes: 400_000_000, heap_bytes: 70_000_000, loop_seconds: 0.02 },
  sources: [
    { name: "quiet", type: "file", state: "idle", rate: 0, in: 10, dead: 0, pending: 0 },
    { name: "busy", type: "http", state: "running", rate: 800, in: 1_200_000, dead: 3, pending: 12 },
  ],
  sinks: [{ name: "soc", state: "waiting", pending: 4, lag_s: 90 }],
  rules: [
    { id: "a", title: "Cheap", state: "enabled", cost_ms: 100, matched: 1 },
    { id: "b", title: "Dear now", state: "enabled", cost_ms: 50, matched: 0 },
    { id: "c", title: "Never asked", state: "enabled", cost_ms: 0, matched: 0 },
  ],
  detectors: [{ name: "ssh_brute_force", keys: 7, observations: 300, late: 0, skipped: 0 }],
  alerts: [{ severity: "high", title: "SSH brute force", summary: "12 failures", count: 3, updated: "2026-11-21T11:59:30Z" }],
  ...more,
});
const wide = { columns: 140, lines: 60 };
const lineOf = (text: string, word: string) => text.split("\n").find((line) => line.includes(word)) ?? "";

test("what is busiest comes first, and costs are those since the sample before", () => {
  const before = sample({
    at: "2026-11-21T11:59:58.000Z",
    rules: [{ id: "a", title: "Cheap", state: "enabled", cost_ms: 100, matched: 1 }],
  });
  const text = picture(sample(), before, wide);
  const order = ["busy", "quiet", "Dear now", "Cheap", "ssh_brute_force", "soc", "SSH brute force"].map((word) => text.indexOf(word));
  expect([...order].sort((a, b) => a - b)).toEqual(order);
  expect(lineOf(text, "Dear now")).toMatch(/25\.00 +50 +0$/);
  expect(lineOf(text, "Cheap")).toMatch(/0\.00 +100 +1$/);
  expect(text).not.toContain("Never asked");
  expect(text).toContain("812 events/s  1235k stored  140 ms behind  alerts: 2 high");
});

test("without a sample before, costs are those since the start", () => {
  expect(lineOf(picture(sample(), undefined, wide), "Cheap")).toMatch(/0\.03 +100 +1$/);
});

test("no line is wider than the terminal and no picture higher, down to twenty columns; figures are not cut", () => {
  const many = sample({
    sources: Array.from({ length: 300 }, (_, i) => ({ ...sample().sources[1]!, name: `a-very-long-name-of-a-source-${i}` })),
    problems: [{ code: "log_full", message: "x".repeat(500) }],
  });
  for (const columns of [20, 40, 80, 132])
    for (const lines of [10, 24, 50]) {
      const drawn = picture(many, undefined, { columns, lines }).split("\n");
      expect(Math.max(...drawn.map((line) => line.length))).toBeLessThanOrEqual(columns);
      expect(drawn.length).toBeLessThanOrEqual(lines);
    }
  expect(lineOf(picture(many, undefined, { columns: 60, lines: 24 }), "a-very")).toMatch(/800\.0 +1200k +3 +12$/);
});

test("what is wrong is at the top", () => {
  const text = picture(sample({ ready: false, problems: [{ code: "behind", message: "detection is 70 s behind" }] }), undefined, wide);
  expect(text.split("\n")[0]).toContain("NOT READY");
  expect(text.split("\n")[3]).toBe("! behind: detection is 70 s behind");
});

test("text of logs and names of senders steer no terminal", () => {
  const evil = "\u001b[2J\u001b]0;x\u0007\nroot\u202e";
  const text = picture(
    sample({
      sources: [{ ...sample().sources[0]!, name: evil, type: evil }],
      alerts: [{ severity: "high", title: evil, summary: evil, count: 1, updated: "2026-11-21T11:59:30Z" }],
      problems: [{ code: evil, message: evil }],
    }),
    undefined,
    wide,
  );
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/);
});
