import { expect, it } from "vitest";
import type { Rule } from "../api/types.ts";
import { filterRules } from "./filter.ts";

const rule = (id: string, changes: Partial<Rule> = {}): Rule => ({
  id,
  title: id,
  level: "low",
  status: "test",
  author: "",
  state: "enabled",
  file: `${id}.yaml:1`,
  attack: [],
  seen: 0,
  matched: 0,
  capped: 0,
  skipped: {},
  cost_ms: 0,
  ...changes,
});
const ids = (rules: readonly Rule[]) => rules.map(({ id }) => id);

it("puts refused and quarantined rules first, then proposed promotions, rules on unknown fields, then those that matched", () => {
  const rules = [
    rule("a"),
    rule("b", { matched: 3 }),
    rule("c", { state: "refused" }),
    rule("d", { state: "quarantined" }),
    rule("e", { state: "shadow", missing: [] }),
    rule("f", { state: "shadow", missing: ["data"], matched: 9 }),
    rule("g", { unknown_fields: ["user.nmae"] }),
  ];
  expect(ids(filterRules(rules, "", []))).toEqual(["c", "d", "e", "g", "f", "b", "a"]);
});

it("filters by state, by proposal, and by text in title, file or technique", () => {
  const rules = [
    rule("a", { attack: ["T1110"] }),
    rule("b", { state: "shadow", missing: ["x"] }),
    rule("c", { state: "shadow", missing: [] }),
  ];
  expect(ids(filterRules(rules, "t1110", []))).toEqual(["a"]);
  expect(ids(filterRules(rules, "", ["shadow"]))).toEqual(["c", "b"]);
  expect(ids(filterRules(rules, "", [], true))).toEqual(["c"]);
});
