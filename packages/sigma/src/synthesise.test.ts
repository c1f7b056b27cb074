import type { Condition } from "@vedette/condition";
import { expect, test } from "vitest";
import { compileRules, parseRules, synthesise } from "./index.ts";

const rule = (detection: string) =>
  `title: T\nid: 6f4a6c3e-1111-4a5b-9c55-000000000001\nlogsource: {category: test}\ndetection:\n${detection}\nlevel: low\n`;

/** The first proposal that the engine takes. */
function satisfied(text: string) {
  const { rules, refused } = parseRules(text, "r.yml");
  expect(refused).toEqual([]);
  const set = compileRules(rules);
  for (const fields of synthesise(set.conditionOf(0))) if (set.test(0, { fields })) return { ...fields };
  return undefined;
}

test.each<readonly [string, string, object]>([
  ["whole values", "  a: {f: cmd.exe, g: 4625}\n  condition: a", { f: "cmd.exe", g: "4625" }],
  [
    "start, parts and end of one value",
    "  a:\n    f|startswith: 'C:\\'\n    f|contains|all: [temp, xy]\n    f|endswith: .exe\n  condition: a",
    { f: "C:\\ temp xy.exe" },
  ],
  ["two whole values of one field", "  a: {f: one}\n  b: {f: two}\n  condition: a and b", { f: ["one", "two"] }],
  ["the first of alternatives", "  a: {f: [one, two]}\n  condition: a", { f: "one" }],
  ["another alternative where a filter takes the first", "  a: {f: [one, two]}\n  b: {f: one}\n  condition: a and not b", { f: "two" }],
  ["a filter on another field", "  a: {f: one}\n  b: {g|contains: x}\n  condition: a and not b", { f: "one" }],
  ["a field that must be there", "  a: {f: one}\n  b: {g: null}\n  condition: a and not b", { f: "one", g: "x" }],
  ["a field that must not", "  a: {f: one, g: null}\n  condition: a", { f: "one" }],
  ["wildcards", "  a: {f: 'a*b?c'}\n  condition: a", { f: "abxc" }],
  ["a pattern", "  a: {f|re: '^ab+[0-9]{3}(x|y)\\s$'}\n  condition: a", { f: "ab111x " }],
  ["a network", "  a: {f|cidr: 10.2.0.0/16}\n  condition: a", { f: "10.2.0.1" }],
  ["numbers", "  a: {f|gt: 5, g|lte: 3}\n  condition: a", { f: 6, g: 3 }],
  ["two fields that are the same", "  a: {f|fieldref: g, g: one}\n  condition: a", { f: "one", g: "one" }],
  ["a word anywhere", "  k: ['evil word']\n  condition: k", { message: "evil word" }],
])("%s", (_, detection, fields) => expect(satisfied(rule(detection))).toEqual(fields));

test("what nothing can satisfy has no proposal that the engine takes", () => {
  expect(satisfied(rule("  a: {f: one}\n  condition: a and not a"))).toBeUndefined();
  const never: Condition = { op: "or", of: [] };
  expect([...synthesise({ op: "and", of: [never, never] })].length).toBeLessThanOrEqual(1);
});
