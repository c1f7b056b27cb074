import type { Condition } from "@vedette/condition";
import { expect, test } from "vitest";
import { mapRule } from "./mapping.ts";
import { type Pipeline, parsePipeline } from "./pipeline.ts";
import { formatRefusal } from "./refusal.ts";
import { parseRules } from "./rule.ts";
import { compileRules } from "./ruleset.ts";

function pipeline(transformations: string, head = "name: p\n"): Pipeline {
  const parsed = parsePipeline(`${head}transformations:\n${transformations}`, "p.yml");
  if ("construct" in parsed) throw new Error(formatRefusal(parsed));
  return parsed;
}
const rule = (detection: string, logsource = "{product: windows, category: process_creation}") =>
  parseRules(`title: T\nlogsource: ${logsource}\ndetection: {${detection}, condition: s}\n`, "t.yml").rules[0]!;
function mapped(detection: string, ...pipelines: Pipeline[]): Condition {
  const result = mapRule(rule(detection), pipelines);
  if ("message" in result) throw new Error(result.message);
  return result.condition;
}

test("one field to several: any may match, all must be absent", () => {
  const p = pipeline("  - {type: field_name_mapping, mapping: {Image: [x, y]}}\n");
  expect(mapped("s: {Image: a}", p)).toEqual({
    op: "or",
    of: [
      { op: "eq", field: "x", value: "a" },
      { op: "eq", field: "y", value: "a" },
    ],
  });
  expect(mapped("s: {Image: null}", p)).toEqual({
    op: "and",
    of: [
      { op: "eq", field: "x", value: null },
      { op: "eq", field: "y", value: null },
    ],
  });
});

test("both fields of a fieldref are renamed", () => {
  const p = pipeline("  - {type: field_name_prefix, prefix: w.}\n");
  expect(mapped("s: {a|fieldref: b}", p)).toEqual({ op: "fieldref", field: "w.a", other: "w.b", how: "eq" });
});

test("the rest gets a prefix: by what was not mapped, or by its name", () => {
  const p = pipeline(
    "  - {id: m, type: field_name_mapping, mapping: {EventID: event.code}}\n" +
      "  - {type: field_name_prefix, prefix: w., field_name_conditions: [{type: processing_item_applied, processing_item_id: m}], field_name_cond_not: true}\n",
  );
  expect(mapped("s: {EventID: 1, Image: a}", p)).toMatchObject({ of: [{ field: "event.code" }, { field: "w.Image" }] });
  const q = pipeline(
    "  - {type: field_name_prefix, prefix: w., field_name_conditions: [{type: include_fields, mode: re, fields: ['[^.]+$']}, {type: exclude_fields, fields: [message]}]}\n",
  );
  expect(mapped("s: {user.name: 1, Image: a, message: b}", q)).toMatchObject({
    of: [{ field: "user.name" }, { field: "w.Image" }, { field: "message" }],
  });
});

test("prefixes are exchanged, values renamed, items dropped", () => {
  const p = pipeline(
    "  - {type: field_name_prefix_mapping, mapping: {old.: new.}}\n  - {type: map_string, mapping: {'true': [yes, on]}, field_name_conditions: [{type: include_fields, fields: [new.x]}]}\n" +
      "  - {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [noise]}]}\n",
  );
  expect(mapped("s: {old.x: 'True', noise: 1}", p)).toEqual({
    op: "and",
    of: [
      {
        op: "or",
        of: [
          { op: "eq", field: "new.x", value: "yes" },
          { op: "eq", field: "new.x", value: "on" },
        ],
      },
    ],
  });
});

test("logsource conditions decide whether a transformation applies", () => {
  const item = (conditions: string, more = "") =>
    pipeline(`  - {type: field_name_prefix, prefix: w., rule_conditions: [${conditions}]${more}}\n`);
  const applies = (p: Pipeline) => (mapped("s: {a: 1}", p) as { field: string }).field === "w.a";
  expect(applies(item("{type: logsource, product: windows}"))).toBe(true);
  expect(applies(item("{type: logsource, product: linux}"))).toBe(false);
  expect(applies(item("{type: logsource, product: windows, service: null}"))).toBe(true);
  expect(applies(item("{type: logsource, product: windows, category: null}"))).toBe(false);
  expect(applies(item("{type: logsource, product: linux}, {type: logsource, category: process_creation}"))).toBe(false);
  expect(applies(item("{type: logsource, product: linux}, {type: logsource, category: process_creation}", ", rule_cond_op: or"))).toBe(
    true,
  );
  expect(applies(item("{type: logsource, product: linux}", ", rule_cond_not: true"))).toBe(true);
});

test("an added condition takes part in what comes after it, not in what came before", () => {
  const p = pipeline(
    "  - {type: field_name_mapping, mapping: {a: early}}\n  - {type: add_condition, conditions: {a: 1}}\n  - {type: field_name_mapping, mapping: {a: late}}\n",
  );
  expect(mapped("s: {a: 2}", p)).toEqual({
    op: "and",
    of: [
      { op: "eq", field: "late", value: 1 },
      { op: "eq", field: "early", value: 2 },
    ],
  });
});

test("pipelines run by priority, and a changed logsource counts for those after", () => {
  const change = pipeline("  - {type: change_logsource, product: linux}\n", "name: a\npriority: 1\n");
  const last = pipeline(
    "  - {type: field_name_prefix, prefix: l., rule_conditions: [{type: logsource, product: linux}]}\n",
    "name: b\npriority: 2\n",
  );
  expect(mapped("s: {a: 1}", last, change)).toMatchObject({ field: "l.a" });
});

test("a rule that no pipeline places, or that one refuses, is listed by name", () => {
  const p = pipeline(
    "  - {type: add_condition, conditions: {x: 1}, rule_conditions: [{type: logsource, product: linux}]}\n  - {type: rule_failure, message: no macs here, rule_conditions: [{type: logsource, product: macos}]}\n",
  );
  const set = compileRules([rule("s: {a: 1}"), { ...rule("s: {a: 1}", "{product: macos}"), id: "m" }], { pipelines: [p] });
  expect(set.rules).toEqual([]);
  expect(set.refused.map((r) => r.message)).toEqual([
    expect.stringContaining("logsource product: windows, category: process_creation: expected a logsource that a pipeline maps"),
    expect.stringContaining("no macs here"),
  ]);
  expect(compileRules([rule("s: {a: 1}")]).rules).toHaveLength(1);
});

test.each([
  ["transformations: []\n", /1:1: pipeline: name/],
  ["name: p\n", /transformations/],
  ["name: p\ntransformations: [{type: field_name_maping, mapping: {}}]\n", /2:26: .*did you mean field_name_mapping/],
  ["name: p\ntransformations: [{type: field_name_mapping, maping: {}}]\n", /2:46: .*did you mean mapping/],
  ["name: p\ntransformations: [{type: field_name_mapping, mapping: {a: []}}]\n", /at least one field/],
  ["name: p\ntransformations: [{type: add_condition, conditions: x}]\n", /conditions/],
  [
    "name: p\ntransformations: [{type: field_name_prefix, prefix: x, rule_conditions: [{type: tagg}]}]\n",
    /rule condition tagg.*did you mean tag/,
  ],
  [
    "name: p\ntransformations: [{type: field_name_prefix, prefix: x, field_name_conditions: [{type: include_fields, mode: re, fields: ['(']}]}]\n",
    /regular expression/,
  ],
  ["name: p\npriority: high\ntransformations: []\n", /2:11: .*a number/],
  ["a: [\n", /YAML/],
  ["", /one document/],
])("a mistaken pipeline is refused with its place: %j", (text, message) => {
  const parsed = parsePipeline(text, "p.yml");
  expect("construct" in parsed && formatRefusal(parsed)).toMatch(message);
  expect(compileRules([rule("s: {a: 1}")], { pipelines: [parsed] }).refused).toHaveLength(2);
});

const eq = (field: string, value: string | number | null) => ({ op: "eq", field, value });
test.each<[string, string, string, unknown]>([
  ["replace_string", "{type: replace_string, regex: '^C:', replacement: 'D:'}", "s: {Image: 'C:\\x'}", eq("Image", "D:\\x")],
  [
    "replace_string with groups, between wildcards",
    "{type: replace_string, regex: '(a)(b)', replacement: '\\2\\g<1>$'}",
    "s: {Image: 'ab*ab'}",
    { op: "like", field: "Image", value: "ba$*ba$" },
  ],
  ["set_value", "{type: set_value, value: 5, field_name_conditions: [{type: include_fields, fields: [a]}]}", "s: {a: x}", eq("a", 5)],
  ["case", "{type: case, method: upper}", "s: {a|startswith: x}", { op: "starts", field: "a", value: "X" }],
  [
    "hashes_fields",
    "{type: hashes_fields, valid_hash_algos: [MD5, SHA256], field_prefix: File}",
    "s: {Hashes|contains: 'SHA256=AB12'}",
    eq("FileSHA256", "AB12"),
  ],
  [
    "hashes_fields of another algorithm",
    "{type: hashes_fields, valid_hash_algos: [MD5]}",
    "s: {Hashes: 'SHA1=ab'}",
    eq("Hashes", "SHA1=ab"),
  ],
  [
    "an item's text",
    "{type: field_name_prefix, prefix: w., detection_item_conditions: [{type: match_string, pattern: 'S-1-.*'}]}",
    "s: {a: [S-1-5, x]}",
    { op: "or", of: [eq("w.a", "S-1-5"), eq("a", "x")] },
  ],
  [
    "an absent value",
    "{type: drop_detection_item, detection_item_conditions: [{type: is_null}]}",
    "s: {a: [null, x]}",
    { op: "or", of: [eq("a", "x")] },
  ],
  [
    "a wildcard",
    "{type: field_name_suffix, suffix: .text, detection_item_conditions: [{type: contains_wildcard}], detection_item_cond_not: true}",
    "s: {a: 'x*', b: x}",
    { op: "and", of: [{ op: "starts", field: "a", value: "x" }, eq("b.text", "x")] },
  ],
])("values: %s", (_name, step, detection, expected) => {
  const found = mapped(detection, pipeline(`  - ${step}\n`));
  expect(JSON.parse(JSON.stringify(found))).toEqual(expected);
});

test.each<[string, string, boolean]>([
  ["a field", "{type: contains_field, field: Image}", true],
  ["no such field", "{type: contains_field, field: Imag}", false],
  ["a value of a field", "{type: contains_detection_item, field: Image, value: A}", true],
  ["another value of it", "{type: contains_detection_item, field: Image, value: b}", false],
  ["a tag", "{type: tag, tag: attack.t1059}", true],
  ["an attribute", "{type: rule_attribute, attribute: level, value: high}", true],
  ["an attribute in order", "{type: rule_attribute, attribute: level, op: gte, value: critical}", false],
  ["a date", "{type: rule_attribute, attribute: date, op: lt, value: '2025-01-01'}", true],
  ["an attribute of several", "{type: rule_attribute, attribute: status, op: in, value: [test, stable]}", true],
  ["a state", "{type: processing_state, key: k, val: v}", true],
  ["another state", "{type: processing_state, key: k, val: w}", false],
  ["a transformation before", "{type: processing_item_applied, processing_item_id: mark}", true],
  ["a rule", "{type: is_sigma_rule}", true],
  ["a correlation", "{type: is_sigma_correlation_rule}", false],
])("rules: a transformation for %s", (_name, condition, applies) => {
  const text =
    "title: T\nlevel: high\nstatus: test\ndate: 2024-05-01\ntags: [attack.t1059]\nlogsource: {product: x}\ndetection: {s: {Image: a}, condition: s}\n";
  const p = pipeline(
    `  - {id: mark, type: set_state, key: k, val: v}\n  - {type: field_name_prefix, prefix: w., rule_conditions: [${condition}]}\n`,
  );
  const result = mapRule(parseRules(text, "t.yml").rules[0]!, [p]);
  expect(result).toMatchObject({ condition: eq(applies ? "w.Image" : "Image", "a") });
});

test("a comparison that cannot be had refuses its rule with the message", () => {
  const p = pipeline(
    "  - {type: detection_item_failure, message: no such field here, field_name_conditions: [{type: include_fields, fields: [Odd]}]}\n",
  );
  expect(mapRule(rule("s: {Odd: 1}"), [p])).toEqual({ message: "no such field here" });
  expect(mapRule(rule("s: {Image: 1}"), [p])).toHaveProperty("condition");
});
