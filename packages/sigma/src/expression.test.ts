import type { Condition } from "@vedette/condition";
import { expect, test } from "vitest";
import { parseExpression } from "./expression.ts";

const leaf = (field: string): Condition => ({ op: "exists", field });
const selections = new Map(["selection_a", "selection_b", "filter", "_hidden", "not_me", "1_odd"].map((name) => [name, leaf(name)]));

/** The expression's shape: names, `&`, `|`, `!`. */
function shape(text: string): string {
  const read = parseExpression(text, selections);
  if ("construct" in read) return `${read.offset}: ${read.construct}`;
  const show = (c: Condition): string => {
    if (c.op === "and" || c.op === "or") return `(${c.of.map(show).join(c.op === "and" ? "&" : "|")})`;
    if (c.op === "not") return `!${show(c.of)}`;
    return "field" in c ? c.field : c.op;
  };
  return show(read);
}

test.each([
  ["filter", "filter"],
  ["selection_a and not filter", "(selection_a&!filter)"],
  ["filter or selection_a and selection_b", "(filter|(selection_a&selection_b))"],
  ["(filter or selection_a) and selection_b", "((filter|selection_a)&selection_b)"],
  ["not filter and selection_a", "(!filter&selection_a)"],
  ["not (filter and selection_a)", "!(filter&selection_a)"],
  ["NOT filter AND not not selection_a", "(!filter&!!selection_a)"],
  ["1 of selection_*", "(selection_a|selection_b)"],
  ["all of selection_*", "(selection_a&selection_b)"],
  ["any of *_a", "selection_a"],
  ["1 of s*_b", "selection_b"],
  ["1 of *e*", "(selection_a|selection_b|filter|not_me)"],
  ["1 of _h*", "_hidden"],
  ["1 of them", "(selection_a|selection_b|filter|not_me|1_odd)"],
  ["selection_a and not 1 of filter*", "(selection_a&!filter)"],
  ["1_odd", "1_odd"],
  ["_hidden", "_hidden"],
  ["not_me", "not_me"],
  ["", "0: an empty condition"],
  ["filter and", "10: the end of the condition"],
  ["filter selection_a", "7: selection_a"],
  ["2 of them", "0: 2 of"],
  ["1 of nothing*", "5: nothing*"],
  ["((filter)", "9: the end of the condition"],
  ["filter)", "6: )"],
])("%s", (text, expected) => {
  expect(shape(text)).toBe(expected);
});

test("nesting without end is refused, not followed", () => {
  expect(shape("(".repeat(100_000))).toMatch(/nesting/);
  expect(shape("not ".repeat(100_000))).toMatch(/nesting/);
});

test("the selections' own objects stand in the tree", () => {
  expect(parseExpression("filter", selections)).toBe(selections.get("filter"));
});

test("nesting by the thousand is refused, not followed", () => {
  const selections = new Map([["s", { op: "exists", field: "a" } as const]]);
  for (const text of [`${"(".repeat(1_000)}s${")".repeat(1_000)}`, `${"not ".repeat(1_000)}s`, `${"(not ".repeat(50_000)}s`])
    expect(parseExpression(text, selections)).toMatchObject({ construct: "nesting", expected: "at most 64 levels" });
});
