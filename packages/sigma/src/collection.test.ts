import { expect, test } from "vitest";
import { formatRefusal } from "./refusal.ts";
import { parseRules } from "./rule.ts";
import { compileRules } from "./ruleset.ts";

/** Rules of a file with the ids they have and which of three events they match; refusals as lines. */
function read(...documents: readonly string[]) {
  const { rules, refused } = parseRules(documents.join("---\n"), "c.yml");
  const set = compileRules(rules);
  const events = [{ a: 1 }, { a: 2 }, { a: 3, b: 1 }];
  const matched = set.rules.map((rule, i) => [rule.id, ...events.flatMap((fields, n) => (set.test(i, { fields }) ? [n] : []))]);
  return { matched, refused: [...refused, ...set.refused].map(formatRefusal), rules };
}

const shared = "action: global\ntitle: Shared\nlevel: high\nlogsource: {product: windows}\ndetection: {condition: s}\n";
const one = "detection: {s: {a: 1}}\n";
const two = "detection: {s: {a: 2}}\nlogsource: {service: sysmon}\n";

test("rules after a global document have what it shares, and names of their own", () => {
  const { matched, refused, rules } = read(shared, one, two);
  expect(refused).toEqual([]);
  expect(matched).toEqual([
    ["shared", 0],
    ["shared-2", 1],
  ]);
  expect(rules.map(({ title, level, line }) => [title, level, line])).toEqual([
    ["Shared", "high", 7],
    ["Shared", "high", 9],
  ]);
  expect(rules.map((r) => r.logsource)).toEqual([{ product: "windows" }, { product: "windows", service: "sysmon" }]);
});

test("what is shared counts where both say something, lists as a whole", () => {
  const tags = "tags: [x, y]\n";
  const { rules } = read(`${shared}${tags}`, `${one}tags: [z]\nlevel: low\nid: own\n`);
  expect(rules[0]).toMatchObject({ id: "own", level: "high", tags: ["x", "y"] });
});

test("repeat changes the rule before it, and reset ends what is shared", () => {
  const alone = "title: Alone\nlogsource: {product: linux}\ndetection: {s: {b: 1}, condition: s}\n";
  const { matched, refused, rules } = read(shared, one, "action: repeat\ntitle: Again\ndetection: {s: {a: 3}}\n", "action: reset\n", alone);
  expect(refused).toEqual([]);
  expect(matched).toEqual([
    ["shared", 0],
    ["again", 2],
    ["alone", 2],
  ]);
  expect(rules.map(({ logsource }) => logsource.product)).toEqual(["windows", "windows", "linux"]);
});

test("correlations and filters stand alone beside what rules share", () => {
  const correlation = "title: C\ncorrelation: {type: event_count, rules: [shared], timespan: 1m, group-by: [u], condition: {gte: 2}}\n";
  const { correlations, rules, refused } = parseRules([shared, one, correlation].join("---\n"), "c.yml");
  expect([correlations[0]?.title, rules.length, refused]).toEqual(["C", 1, []]);
});

test.each([
  ["a global document alone", [shared], /c\.yml:1:1: Shared: action: global: expected a rule after it/],
  ["repeat of nothing", ["action: repeat\n"], /action: repeat: expected a document before it/],
  ["another action", ["title: A\naction: globel\n"], /2:9: A: action: globel.*did you mean global\?/],
  ["a map as action", ["title: A\naction: {a: 1}\n"], /action: a map/],
])("%s is refused with its place", (_name, documents, message) => {
  const { matched, refused } = read(...documents);
  expect(matched).toEqual([]);
  expect(refused).toEqual([expect.stringMatching(message)]);
});

test("a refusal has the names that are shared", () => {
  const { refused } = parseRules(
    [shared.replace("level", "id: x-1\nlevel"), "detection: {s: {a: 1}, timeframe: 5m}\n"].join("---\n"),
    "c.yml",
  );
  expect(refused).toMatchObject([{ title: "Shared", id: "x-1", line: 8, construct: "timeframe" }]);
});

test("what is shared cannot grow without end", () => {
  const long = `action: global\ntitle: Long\nlogsource: {product: x}\ndetection: {s: {a: [${Array(20_000).fill("x").join(",")}]}, condition: s}\n`;
  const { rules, refused } = parseRules([long, ...Array(30).fill("level: low\n")].join("---\n"), "c.yml");
  expect(rules.length).toBeGreaterThan(0);
  expect(rules.length).toBeLessThan(12);
  expect(rules.length + refused.length).toBe(30);
  expect(refused[0]!.message).toMatch(/grow without end/);
});
