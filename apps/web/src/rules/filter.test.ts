import { expect, it } from "vitest";
import type { Rule } from "../api/types.ts";
import { filterRules } from "./filter.ts";

const rule = (id: string, changes: Partial<Rule> = {}): Rule => ({
  id,
  title: id,
  level: "low",
  state: "enabled",
  file: `${id}.yaml:1`,
  attack: [],
  seen: 0,
  matched: 0,
  skipped: {},
  ...changes,
});

it("puts refused rules first, then those that matched", () => {
  const rules = [rule("a"), rule("b", { matched: 3 }), rule("c", { state: "refused" })];
  expect(filterRules(rules, "", []).map(({ id }) => id)).toEqual(["c", "b", "a"]);
});

it("filters by state and by text in title, file or technique", () => {
  const rules = [rule("a", { attack: ["T1110"] }), rule("b", { state: "shadow" })];
  expect(filterRules(rules, "t1110", []).map(({ id }) => id)).toEqual(["a"]);
  expect(filterRules(rules, "", ["shadow"]).map(({ id }) => id)).toEqual(["b"]);
});
