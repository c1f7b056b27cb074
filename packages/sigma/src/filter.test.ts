import { expect, test } from "vitest";
import { formatRefusal } from "./refusal.ts";
import { parseRuleFiles, parseRules } from "./rule.ts";
import { compileRules } from "./ruleset.ts";

const rules = `
title: One
id: one
name: first
logsource: {product: windows, category: process_creation}
detection: {s: {Image|endswith: cmd.exe}, condition: s}
---
title: Two
id: two
logsource: {product: windows, service: security}
detection: {s: {Image|endswith: cmd.exe}, condition: s}
`;
const filter = (rulesOf: string, logsource = "{product: windows}") => `
title: Admins
id: admins
logsource: ${logsource}
filter:
  rules: ${rulesOf}
  admins: {User|startswith: adm_}
  condition: not admins
`;

function matches(filterText: string, fields: { [field: string]: string }): { found: string[]; refused: string[] } {
  const parsed = parseRuleFiles([
    { file: "rules.yml", text: rules },
    { file: "filter.yml", text: filterText },
  ]);
  const set = compileRules(parsed.rules, { filters: parsed.filters });
  const out: number[] = [];
  set.match({ fields }, out);
  return { found: out.map((i) => set.rules[i]!.id), refused: [...parsed.refused, ...set.refused].map(formatRefusal) };
}

const admin = { Image: "c:\\cmd.exe", User: "adm_ada" };
test.each<[string, string, readonly string[]]>([
  ["by id", filter("[one]"), ["two"]],
  ["by name", filter("first"), ["two"]],
  ["any rule of the logsource", filter("any"), []],
  ["any rule of a narrower logsource", filter("any", "{product: windows, service: security}"), ["one"]],
])("a filter is put into rules: %s", (_name, text, expected) => {
  expect(matches(text, admin)).toEqual({ found: expected, refused: [] });
  expect(matches(text, { ...admin, User: "ada" })).toEqual({ found: ["one", "two"], refused: [] });
});

test("a filter's selections are evidence like the rule's own, and change its hash", () => {
  const [before] = parseRules(rules, "r.yml").rules;
  const { rules: all, filters } = parseRuleFiles([
    { file: "r.yml", text: `${rules}---${filter("[one]").replace("condition: not admins", "condition: admins")}` },
  ]);
  const set = compileRules(all, { filters });
  expect(set.explain(0, { fields: admin }).map((e) => e.clause)).toEqual(["s", "admins"]);
  expect(set.rules[0]!.hash).not.toBe(before!.hash);
});

test.each<[string, string, RegExp]>([
  ["for no loaded rule", filter("[onee]"), /filter.yml:6:11: Admins: rule onee.*did you mean one\?/],
  ["for another logsource", filter("[one]", "{product: linux}"), /filter.yml:6:11: .*covers the rule's/],
  ["for a logsource that no rule has", filter("any", "{product: linux}"), /filter.yml:2:1: .*logsource product: linux/],
  ["without a logsource", filter("any").replace(/logsource.*\n/, ""), /filter.yml:2:1: .*logsource/],
  ["without rules", filter("[]"), /filter.yml:6:10: .*or any/],
  ["without a condition", filter("any").replace(/ {2}condition.*\n/, ""), /a condition/],
])("a filter %s is refused with its place", (_name, text, message) => {
  const { refused, found } = matches(text, admin);
  expect(refused.join("\n")).toMatch(message);
  expect(found).toEqual(["one", "two"]);
});
