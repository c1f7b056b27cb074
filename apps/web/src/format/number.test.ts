import { expect, it } from "vitest";
import { formatBytes, formatCompact, formatCount, formatFigure, formatRate, formatShare } from "./number.ts";

it("groups counts by thousands", () => {
  expect([0, 999, 1_000, 1_234_567].map(formatCount)).toEqual(["0", "999", "1,000", "1,234,567"]);
});

it("keeps numbers in tight places short", () => {
  expect([999, 1_000, 1_250, 340_000, 2_500_000_000].map(formatCompact)).toEqual(["999", "1k", "1.3k", "340k", "2.5G"]);
});

it("counts bytes in powers of 1024", () => {
  expect([0, 512, 3_500, 1_300_000_000].map(formatBytes)).toEqual(["0 B", "512 B", "3.4 KiB", "1.2 GiB"]);
});

it("shows slow rates with a digit and small shares as more than nothing", () => {
  expect([0, 0.4, 41.3].map(formatRate)).toEqual(["0/s", "0.4/s", "41/s"]);
  expect([formatShare(1, 1_000), formatShare(1, 3), formatShare(0, 5), formatShare(1, 0)]).toEqual(["<1 %", "33 %", "0 %", "–"]);
});

it("prints measured values of any size with four figures", () => {
  expect([0, 0.00123456, -12.3456, 9_999, 12_345, 4_190_000, 1.5e12].map(formatFigure)).toEqual([
    "0",
    "0.001235",
    "-12.35",
    "9999",
    "12.35k",
    "4.19M",
    "1500G",
  ]);
});
