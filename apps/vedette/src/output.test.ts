import { expect, test } from "vitest";
import { tableLines } from "./output.ts";

const columns = ["id", "state", "alert"];
const rows = [
  ["a".repeat(22), "open", "Password guessing from one address: 203.0.113.9 failed to log in 8 times"],
  ["b", "open", "Short"],
];

test("a table of a file is as wide as what it holds", () => {
  expect(tableLines(columns, rows)).toEqual([
    `ID${" ".repeat(22)}STATE  ALERT`,
    `${"a".repeat(22)}  open   ${rows[0]![2]}`,
    `b${" ".repeat(23)}open   Short`,
  ]);
});

test("a terminal ends each line, and what one came for is not what it cuts off", () => {
  expect(tableLines(columns, rows, 80)).toEqual([
    `ID${" ".repeat(22)}STATE  ALERT`,
    `${"a".repeat(22)}  open   ${rows[0]![2]!.slice(0, 49)}`,
    `b${" ".repeat(23)}open   Short`,
  ]);
  expect(tableLines(columns, rows, 60)).toEqual([
    `ID${" ".repeat(22)}STATE`,
    "    ALERT",
    `${"a".repeat(22)}  open`,
    `    ${rows[0]![2]!.slice(0, 56)}`,
    `b${" ".repeat(23)}open`,
    "    Short",
  ]);
});

test("one column, and a last column that is short, stay where they are", () => {
  expect(tableLines(["n"], [["x".repeat(100)]], 40)).toEqual(["N", "x".repeat(40)]);
  expect(tableLines(["host", "n"], [["h", "7"]], 10)).toEqual(["HOST  N", "h     7"]);
});
