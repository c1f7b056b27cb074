import { expect, test } from "vitest";
import { parsePipeline } from "./pipeline.ts";
import { parseRules } from "./rule.ts";
import { compileRules } from "./ruleset.ts";

type Value = string | number | boolean | null | readonly (string | number | null)[];

const placeholders = { admins: ["ada", "bob"], odd: ["a.b(c)", "z"], nets: ["10.0.0.0/8", "192.0.2.0/24"] };

/** Does a selection (YAML, one line a key) match an event? */
function matches(selection: string, fields: { [field: string]: Value }, original?: string): boolean {
  const body = selection.split("\n").map((line) => `    ${line}\n`);
  const text = `title: T\nlogsource: {product: x}\ndetection:\n  s:\n${body.join("")}  condition: s\n`;
  const { rules, refused } = parseRules(text, "t.yml", { placeholders });
  if (refused.length > 0) throw new Error(refused[0]!.message);
  const set = compileRules(rules);
  const event = { fields: Object.assign(Object.create(null), fields), ...(original === undefined ? {} : { original }) };
  const found = set.match(event, []) === 1;
  // The index and plain evaluation must agree in every case of this file.
  expect(set.test(0, event)).toBe(found);
  return found;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");
const wide = (text: string) => Buffer.from(text, "utf16le").toString("base64");

test.each<[string, { [field: string]: Value }, boolean]>([
  // Plain values.
  ["a: Foo", { a: "fOO" }, true],
  ["a: foo", { a: "foobar" }, false],
  ["a: 4625", { a: "4625" }, true],
  ["a: '4625'", { a: 4625 }, true],
  ["a: true", { a: "True" }, true],
  ["a: 12345678901234567890", { a: "12345678901234567890" }, true],
  ["a: [x, y]", { a: "y" }, true],
  ["a: x", { a: ["z", "X"] }, true],
  // Absent, null, empty.
  ["a: null", {}, true],
  ["a: null", { a: null }, true],
  ["a: null", { a: [] }, true],
  ["a: null", { a: "" }, false],
  ["a: ''", { a: "" }, true],
  ["a: ''", {}, false],
  ["a: [null, x]", {}, true],
  ["a: '*'", { a: "" }, true],
  ["a: '*'", {}, false],
  // Wildcards and escapes.
  ["a: 'f*r'", { a: "foobar" }, true],
  ["a: 'f?o'", { a: "fxo" }, true],
  ["a: 'f?o'", { a: "fxxo" }, false],
  ["a: 'f\\*o'", { a: "f*o" }, true],
  ["a: 'f\\*o'", { a: "fxo" }, false],
  ["a: 'c:\\windows\\*'", { a: "C:\\Windows*" }, true],
  ["a: 'c:\\windows\\\\*'", { a: "C:\\Windows\\x" }, true],
  ["a|startswith: '\\\\\\\\host'", { a: "\\\\host\\share" }, true],
  ["a: '\\*'", { a: "*" }, true],
  ["a: '\\*'", { a: "z" }, false],
  ["a: 'x\\\\\\*y'", { a: "x\\*y" }, true],
  ["a|contains: '\\?'", { a: "what" }, false],
  ["a|endswith: '\\\\'", { a: "c:\\" }, true],
  ["a|startswith: '?b'", { a: "abc" }, true],
  // Parts.
  ["a|contains: oo", { a: "fOOd" }, true],
  ["a|contains: ''", { a: "x" }, true],
  ["a|contains|all: [a, b]", { a: "xbya" }, true],
  ["a|contains|all: [a, b]", { a: "xa" }, false],
  ["a|startswith: fo", { a: "food" }, true],
  ["a|endswith: od", { a: "food" }, true],
  ["a|endswith: 'f*d'", { a: "a food" }, true],
  ["a|contains: 'b?r'", { a: "foobarbaz" }, true],
  // Case.
  ["a|cased: Foo", { a: "foo" }, false],
  ["a|contains|cased: Oo", { a: "fOod" }, true],
  ["a|contains: 'ΑΣ'", { a: "xας" }, true],
  // Regular expressions.
  ["a|re: 'f[o0]+'", { a: "xfoo" }, true],
  ["a|re: 'f[o0]+'", { a: "FOO" }, false],
  ["a|re|i: 'f[o0]+'", { a: "FOO" }, true],
  ["a|re: '(?i)f[o0]+'", { a: "FOO" }, true],
  ["a|re: 'a.b'", { a: "a\nb" }, false],
  ["a|re|s: 'a.b'", { a: "a\nb" }, true],
  ["a|re: '^b'", { a: "a\nb" }, false],
  ["a|re|m: '^b'", { a: "a\nb" }, true],
  ["a|re|i|m|s: '^B.c'", { a: "a\nb\nC" }, true],
  ["a|re|m: '^B'", { a: "a\nb" }, false],
  ["a|re|contains: 'fo+'", { a: "xfoox" }, true],
  ["a|re|startswith: 'fo+|b'", { a: "bar" }, true],
  ["a|re|startswith: 'fo+|b'", { a: "xfoo" }, false],
  ["a|re|endswith: 'fo+|b'", { a: "xfoo" }, true],
  ["a|re|endswith: 'fo+|b'", { a: "foox" }, false],
  ["a|re|startswith: '(?i)FO+'", { a: "foox" }, true],
  ["a|re|m|startswith: 'fo+'", { a: "x\nfoo" }, false],
  ["a|re|m|endswith: 'fo+'", { a: "foo\nx" }, false],
  ["a|re|i|endswith: 'fo+'", { a: "x FOO" }, true],
  // Dashes.
  ["a|windash|contains: ' -enc'", { a: "x /enc y" }, true],
  ["a|windash|contains: ' -enc'", { a: "x \u2013enc y" }, true],
  ["a|windash|contains: ' -enc'", { a: "x \u2015enc y" }, true],
  ["a|windash|contains: ' -enc'", { a: "x +enc y" }, false],
  ["a|windash|contains: 'a-b'", { a: "a/b" }, false],
  ["a|windash|contains: ' /enc'", { a: "x -enc" }, true],
  ["a|windash|contains: ' -enc'", { a: "x \u2014enc y" }, true],
  ["a|windash: 'x -a -b'", { a: "x /a \u2015b" }, true],
  ["a|windash|contains|all: [' -a', ' -b']", { a: "x \u2013b /a" }, true],
  ["a|windash|contains: ' -ü'", { a: " /ü" }, true],
  ["a|windash|contains: 'ü-b'", { a: "ü/b" }, false],
  // Encodings.
  ["a|base64: foobar", { a: base64("foobar") }, true],
  ["a|base64offset|contains: foobar", { a: base64("xfoobar!") }, true],
  ["a|base64offset|contains: foobar", { a: base64("xyfoobarzz") }, true],
  ["a|base64offset|contains: foobar", { a: base64("foobarz") }, true],
  ["a|base64offset|contains: foobar", { a: base64("fooba") }, false],
  ["a|wide|base64offset|contains: ping", { a: wide("xping ") }, true],
  ["a|utf16le|base64: ping", { a: wide("ping") }, true],
  ["a|utf16be|base64: pi", { a: "AHAAaQ==" }, true],
  ["a|utf16|base64: pi", { a: "//5wAGkA" }, true],
  ["a|base64offset|contains: [foo, bar]", { a: base64("zbarz") }, true],
  ["a|utf16be|base64offset|contains: http", { a: "eABoAHQAdABw" }, true],
  // Networks.
  ["a|cidr: 10.0.0.0/8", { a: "10.200.1.2" }, true],
  ["a|cidr: 10.0.0.0/8", { a: "11.0.0.1" }, false],
  ["a|cidr: 10.0.0.0/8", { a: "ten" }, false],
  ["a|cidr: fe80::/10", { a: "fe80::1" }, true],
  ["a|cidr: fe80::/10", { a: "10.0.0.1" }, false],
  // Numbers.
  ["a|gt: 5", { a: 6 }, true],
  ["a|gte: 5", { a: "5" }, true],
  ["a|lt: 5", { a: "x" }, false],
  ["a|lte: 5", { a: 6 }, false],
  ["a|lt: 5", {}, false],
  ["a|gt: '5'", { a: "10" }, true],
  ["a|gt: 5", { a: "5.5" }, true],
  ["a|lt: -1", { a: "-2" }, true],
  ["a|contains: 5", { a: 153 }, true],
  // Numbers that are written otherwise than they are printed: both are meant.
  ["a: 5.0", { a: 5 }, true],
  ["a: 5.0", { a: "5.0" }, true],
  ["a: 5.0", { a: "5.00" }, false],
  ["a: 007", { a: "007" }, true],
  ["a: 0x10", { a: 16 }, true],
  ["a|neq: 5.0", { a: "5.0" }, false],
  ["a|endswith: 1.10", { a: "v1.10" }, true],
  ["a|endswith: 1.10", { a: "v1.1" }, false],
  // Parts of times, in UTC.
  ["a|minute: 11", { a: "2024-05-01T10:11:12Z" }, true],
  ["a|minute: 12", { a: "2024-05-01T10:11:12Z" }, false],
  ["a|hour: 22", { a: "2024-05-01T00:30:00+02:00" }, true],
  ["a|hour: [21, 22]", { a: "2024-05-01 22:00:00" }, true],
  ["a|hour|gte: 22", { a: 1_714_600_800 }, true],
  ["a|hour|lt: 6", { a: "2024-05-01T06:00:00Z" }, false],
  ["a|hour|neq: 6", { a: "2024-05-01T06:00:00Z" }, false],
  ["a|day: 1", { a: "2024-05-01T06:00:00Z" }, true],
  ["a|week: 53", { a: "2021-01-03T00:00:00Z" }, true],
  ["a|month|lte: 4", { a: "2024-05-01T06:00:00Z" }, false],
  ["a|year: 2024", { a: ["x", "2024-05-01T06:00:00.123456Z"] }, true],
  ["a|year|gt: 2000", { a: "not a time" }, false],
  ["a|year|gt: 2000", {}, false],
  // Presence and negation.
  ["a|exists: true", { a: "" }, true],
  ["a|exists: true", {}, false],
  ["a|exists: false", {}, true],
  ["a|neq: x", { a: "y" }, true],
  ["a|neq: x", { a: "X" }, false],
  ["a|contains|neq: [x, y]", { a: "zy" }, false],
  ["a|neq: x", {}, true],
  ["a|neq: x", { a: ["x", "y"] }, false],
  ["a|neq: 5", { a: "6" }, true],
  ["a|re|neq: '^x'", { a: "xy" }, false],
  ["a|cidr|neq: 10.0.0.0/8", { a: "192.0.2.1" }, true],
  ["a|gt|neq: 5", { a: 5 }, true],
  ["a|exists: true", { a: null }, false],
  ["a|exists: true", { a: [] }, false],
  ["a|exists: true", { a: [null, 1] }, true],
  ["a|cased|startswith: Fo", { a: "Food" }, true],
  ["a|cased|endswith: OD", { a: "food" }, false],
  // Other fields.
  ["a|fieldref: b", { a: "Foo", b: "foo" }, true],
  ["a|fieldref: b", { a: "foo" }, false],
  ["a|fieldref|neq: b", { a: "foo", b: "bar" }, true],
  ["a|fieldref|startswith: b", { a: "foobar", b: "foo" }, true],
  ["a|fieldref|endswith: b", { a: "foobar", b: "bar" }, true],
  ["a|fieldref|contains: b", { a: "foobar", b: "oba" }, true],
  ["a|fieldref|startswith: b", { a: "xfoo", b: "foo" }, false],
  ["a|fieldref|startswith|neq: b", { a: "xfoo", b: "foo" }, true],
  ["a|fieldref|endswith|neq: b", { a: "xfoo", b: "foo" }, false],
  ["a|fieldref|contains|neq: b", { a: "xfoox", b: "foo" }, false],
  ["a|fieldref|cased: b", { a: "Foo", b: "foo" }, false],
  ["a|fieldref: b", { a: ["x", "y"], b: ["y", "z"] }, true],
  // Placeholders.
  ["a|expand: '%admins%@x'", { a: "bob@x" }, true],
  ["a|expand: '%admins%@x'", { a: "eve@x" }, false],
  ["a|re|expand: '^%odd%$'", { a: "a.b(c)" }, true],
  ["a|re|expand: '^%odd%$'", { a: "axb(c)" }, false],
  ["a|cidr|expand: '%nets%'", { a: "192.0.2.9" }, true],
  ["a|cidr|expand: '%nets%'", { a: "198.51.100.9" }, false],
  // Several keys, lists of maps, keywords.
  ["a: 1\nb: 2", { a: 1, b: 2 }, true],
  ["a: 1\nb: 2", { a: 1 }, false],
  ["- a: 1\n- b: 2", { b: 2 }, true],
  ["- needle", { a: "a Needle here" }, true],
  ["- 'n*le'", { a: "a needle" }, true],
  ["- needle", { a: "hay" }, false],
  ["'|all': [nee, dle]", { a: "nee", b: "dle" }, true],
  ["'|all': [nee, dle]", { a: "nee" }, false],
  ["'|all': ['foo*bar', baz]", { a: "foo 1 bar", b: "BAZ" }, true],
  ["- [foo, bar]\n- baz: 1", { a: "a bar" }, true],
  ["- a: 1\n  b: [2, 3]\n- c|contains: z", { a: 1, b: 3 }, true],
  ["- a: 1\n  b: [2, 3]\n- c|contains: z", { a: 1, b: 4 }, false],
])("%s on %o: %s", (selection, fields, expected) => {
  expect(matches(selection, fields)).toBe(expected);
});

test("`@timestamp` is the event's own time", () => {
  const text = "title: T\nlogsource: {product: x}\ndetection: {s: {'@timestamp|hour|gte': 22, a: 1}, condition: s}\n";
  const set = compileRules(parseRules(text, "t.yml").rules);
  const at = (time: string) => ({ fields: { a: 1 }, time: Date.parse(time) * 1_000 });
  expect([
    set.match(at("2024-05-01T22:00:00Z"), []),
    set.match(at("2024-05-01T21:59:59Z"), []),
    set.match({ fields: { a: 1 } }, []),
  ]).toEqual([1, 0, 0]);
  expect(set.explain(0, at("2024-05-01T22:00:00Z"))[0]).toMatchObject({ value: "2024-05-01T22:00:00.000Z", comparison: "hour gte 22" });
});

test("every modifier of Sigma 2.1 is taken", () => {
  const values: { [modifier: string]: string } = { cidr: "10.0.0.0/8", exists: "true", expand: "'%admins%'", re: "x" };
  const names =
    "all startswith endswith contains exists cased neq windash re re|i re|m re|s base64 base64offset utf16le utf16be utf16 wide lt lte gt gte minute hour day week month year cidr expand fieldref";
  expect(names.split(" ")).toHaveLength(31);
  for (const name of names.split(" ")) expect(() => matches(`a|${name}: ${values[name] ?? 5}`, { a: "x" }), name).not.toThrow();
});

test("an event of several logsources meets the rules of each", () => {
  const rule = (name: string) =>
    `title: ${name}\nlogsource: {category: ${name}, product: windows}\ndetection: {s: {a: 1}, condition: s}\n---\n`;
  const pipeline = parsePipeline(
    "name: p\ntransformations:\n" +
      ["registry_set", "registry_event"]
        .map((c) => `  - {type: add_condition, conditions: {event.dataset: ${c}}, rule_conditions: [{type: logsource, category: ${c}}]}\n`)
        .join(""),
    "p.yml",
  );
  const set = compileRules(parseRules(rule("registry_set") + rule("registry_event"), "t.yml").rules, { pipelines: [pipeline] });
  const met = (dataset: Value) => {
    const out: number[] = [];
    set.match({ fields: { a: "1", "event.dataset": dataset as string } }, out);
    return out;
  };
  expect([met("registry_set"), met(["registry_set", "registry_event"]), met(["registry_event", "other"]), met("other")]).toEqual([
    [0],
    [0, 1],
    [1],
    [],
  ]);
});

test("keywords look at the original line too", () => {
  expect(matches("- needle", {}, "a NEEDLE in a line")).toBe(true);
  expect(matches("- needle", {}, "hay")).toBe(false);
});
