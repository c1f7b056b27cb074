import { expect, test } from "vitest";
import { formatRefusal } from "./refusal.ts";
import { parseRules } from "./rule.ts";

const head = "title: A rule\nid: 0b5e1b9c-1111-4222-8333-444444444444\nlogsource: {product: linux, service: sshd}\n";
const rule = (detection: string, more = "") => `${head}${more}detection:\n${detection}`;

test("reads a rule with its metadata", () => {
  const { rules, refused } = parseRules(
    rule(
      "  selection:\n    message|contains: 'Failed password'\n  filter:\n    user.name: root\n  condition: selection and not filter\n",
      "level: high\nstatus: test\ntags: [attack.t1110.001, attack.credential-access]\nfalsepositives: [None]\ndate: 2026-01-02\nvedette: {owner: ops}\n",
    ),
    "ssh.yml",
  );
  expect(refused).toEqual([]);
  expect(rules).toHaveLength(1);
  expect(rules[0]).toMatchObject({
    title: "A rule",
    level: "high",
    status: "test",
    logsource: { product: "linux", service: "sshd" },
    attack: ["T1110.001"],
    date: "2026-01-02",
    file: "ssh.yml",
    line: 1,
    vedette: { owner: "ops" },
    condition: {
      op: "and",
      of: [
        { op: "contains", field: "message", value: "Failed password" },
        { op: "not", of: { op: "eq", field: "user.name", value: "root" } },
      ],
    },
  });
  expect(rules[0]!.selections.map((s) => s.name)).toEqual(["selection", "filter"]);
});

test("the hash follows what decides matches, not how it is written", () => {
  const hash = (text: string) => parseRules(text, "x.yml").rules[0]!.hash;
  const base = hash(rule("  selection: {a: 1}\n  condition: selection\n"));
  expect(hash(rule("  condition: selection\n  selection:\n    a: 1\n", "description: other words\nvedette: {tests: []}\n"))).toBe(base);
  expect(hash(rule("  selection: {a: 2}\n  condition: selection\n"))).not.toBe(base);
  expect(hash(rule("  selection: {a: 1}\n  condition: selection\n", "vedette: {entity: user.name}\n"))).not.toBe(base);
});

test("several documents give several rules, and a broken one does not take the others with it", () => {
  const text = `${rule("  selection: {a: 1}\n  condition: selection\n")}---\ntitle: Broken\ndetection: {}\n---\n${rule("  s: {b: 1}\n  condition: s\n")}`;
  const { rules, refused } = parseRules(text, "x.yml");
  expect(rules.map((r) => r.line)).toEqual([1, 11]);
  expect(refused).toMatchObject([{ title: "Broken", line: 9 }]);
});

const selection = (body: string) => rule(`  selection:\n    ${body}\n  condition: selection\n`);
test.each([
  ["an unknown modifier", selection("a|containz: x"), /6:5: .*\|containz.*did you mean \|contains/],
  ["an hour that is none", selection("a|hour: 24"), /6:13: .*whole number from 0 to 23/],
  ["two parts of a time", selection("a|hour|day: 5"), /6:5: .*one part of a time/],
  ["a part of a time as text", selection("a|hour|contains: 5"), /6:5: .*\|hour on a field/],
  ["cased numbers", selection("a|cased|gt: 5"), /6:5: .*comparison of text/],
  ["two comparisons", selection("a|cidr|re: x"), /6:5: .*one comparison/],
  ["a part before its pattern", selection("a|contains|re: x"), /6:5: .*write a\|re\|contains/],
  ["dashes of a pattern", selection("a|windash|re: ' -x'"), /6:5: .*remove \|windash or \|re/],
  ["characters encoded after base64", selection("a|base64offset|wide: x"), /6:5: .*write \|wide before \|base64offset/],
  ["a keyword at the start", rule("  s: {'|startswith': x}\n  condition: s\n"), /5:22: .*may stand anywhere.*field\|startswith/],
  ["networks that a placeholder is not", selection("a|cidr|expand: '%admins%'"), /6:20: .*%admins%/],
  ["a placeholder", selection("a|expand: '%admins%'"), /6:15: .*%admins%.*placeholder/],
  ["look-around", selection("a|re: 'x(?=y)'"), /6:11: .*x\(\?=y\).*RE2/],
  ["a network that is none", selection("a|cidr: 10.0.0.0/33"), /6:13: .*10\.0\.0\.0\/33/],
  ["exists with text", selection("a|exists: maybe"), /6:15: .*true or false/],
  ["a number that is none", selection("a|gt: ten"), /6:11: .*a number/],
  ["a nested map as value", selection("a: {b: c}"), /6:8: .*a map/],
  ["an empty list", selection("a: []"), /6:8: .*at least one value/],
  ["an empty selection", rule("  selection: {}\n  condition: selection\n"), /5:14: .*at least one field/],
  ["an unknown selection", rule("  selection: {a: 1}\n  condition: selecton\n"), /6:14: .*did you mean selection\?/],
  ["an unclosed parenthesis", rule("  selection: {a: 1}\n  condition: (selection\n"), /6:24: .*\)/],
  ["an aggregation", rule("  selection: {a: 1}\n  condition: selection | count() > 5\n"), /6:24: .*write a correlation/],
  ["a timeframe", rule("  selection: {a: 1}\n  timeframe: 5m\n  condition: selection\n"), /6:3: .*write a correlation/],
  ["no condition", rule("  selection: {a: 1}\n"), /5:3: .*a condition/],
  ["no logsource", "title: A\ndetection: {s: {a: 1}, condition: s}\n", /1:1: .*logsource/],
  ["a correlation", "title: A\ncorrelation: {type: event_count}\n", /2:14: A: correlation.rules/],
  ["a filter", "title: A\nlogsource: {product: x}\nfilter: {rules: []}\n", /3:17: A: filter.rules/],
  ["a global document", "title: A\naction: global\n", /2:1: A: action/],
  ["a level that is none", `${head}level: hig\ndetection: {s: {a: 1}, condition: s}\n`, /4:8: .*did you mean high\?/],
  ["an unknown key of ours", `${head}vedette: {test: []}\ndetection: {s: {a: 1}, condition: s}\n`, /4:11: .*did you mean tests\?/],
  ["a duplicate key", rule("  s: {a: 1}\n  s: {b: 1}\n  condition: s\n"), /6:3: .*duplicate key/],
  ["a list instead of a rule", "- a\n- b\n", /1:1: .*a list/],
  ["text instead of a rule", "hello\n", /1:1: .*a scalar/],
  ["broken YAML", `${head}detection: [}\n`, /A rule: YAML/],
  ["an unknown alias", rule("  s: {a: *x}\n  condition: s\n"), /5:10: .*alias/],
])("%s is refused with its place", (_name, text, message) => {
  const { rules, refused } = parseRules(text, "x.yml");
  expect(rules).toEqual([]);
  expect(refused).toHaveLength(1);
  expect(formatRefusal(refused[0]!)).toMatch(message);
});

test("an alias bomb, endless nesting and an oversized file end in a refusal", () => {
  let bomb = "title: Bomb\nx0: &x0 [a,a,a,a,a,a,a,a,a,a]\n";
  for (let i = 1; i < 9; i++)
    bomb += `x${i}: &x${i} [${Array(10)
      .fill(`*x${i - 1}`)
      .join(",")}]\n`;
  const deep = `title: Deep\ndetection: ${"[".repeat(100_000)}`;
  const nested = `title: Nested\nlogsource: {product: x}\ndetection: ${"{a: ".repeat(200)}1${"}".repeat(200)}\n`;
  for (const text of [bomb, deep, nested, `# ${"x".repeat(2 << 20)}`]) {
    const { rules, refused } = parseRules(text, "x.yml");
    expect(rules).toEqual([]);
    expect(refused).toHaveLength(1);
  }
});

test("aliases that end are taken", () => {
  const { rules } = parseRules(rule("  s: &s {a: 1}\n  t: *s\n  condition: s or t\n"), "x.yml");
  expect(rules).toHaveLength(1);
});

test("a key called __proto__ is a field like any other", () => {
  const { rules } = parseRules(rule("  s: {__proto__: 1}\n  condition: s\n"), "x.yml");
  expect(rules[0]!.condition).toEqual({ op: "eq", field: "__proto__", value: 1 });
});
