import { expect, test } from "vitest";
import { idsLast, program } from "./main.ts";

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

test("every command stands in help under a heading, and says what it does", () => {
  const cli = program();
  expect(cli.commands.filter((one) => one.helpGroup() === "").map((one) => one.name())).toEqual([]);
  const silent = (of: typeof cli): string[] =>
    of.commands.flatMap((one) => [...(one.description() === "" ? [one.name()] : []), ...silent(one as typeof cli)]);
  expect(silent(cli)).toEqual([]);
  expect(cli.commands[0]!.name()).toBe("up");
});
