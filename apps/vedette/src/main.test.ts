import { expect, test } from "vitest";
import { idsLast } from "./main.ts";

const id = "-dYwwDnu8vthCcsHQOmxOO";

test("an alert's id that begins with a dash is no option", () => {
  expect(idsLast(["node", "vedette", "alerts", "close", id, "--verdict", "benign"])).toEqual([
    "node",
    "vedette",
    "alerts",
    "close",
    "--verdict",
    "benign",
    "--",
    id,
  ]);
});

test("other commands, other words and a `--` of one's own are left alone", () => {
  for (const words of [
    ["alerts", "--severity", "high"],
    ["alerts", "show", "yrpPbXpyJ0Tx1f1POTlaJa"],
    ["alerts", "show", "--", id],
    ["query", id],
  ])
    expect(idsLast(["node", "vedette", ...words])).toEqual(["node", "vedette", ...words]);
});
