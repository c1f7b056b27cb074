import { expect, test } from "vitest";
import { fieldsOf, mapFields, type Pipeline, parsePipeline, parseRules } from "./index.ts";

const rule = parseRules(
  `title: T
logsource: { product: windows, category: process_creation }
detection:
  a: { Image|endswith: '\\x.exe', User: root }
  b: { Path|fieldref: Image, Gone: 1 }
  c: [word]
  condition: a and not b or c
`,
  "t.yml",
).rules[0]!;
const pipeline = parsePipeline(
  `name: p
transformations:
  - { type: field_name_mapping, mapping: { Image: [process.executable, process.name], User: user.name } }
  - { type: drop_detection_item, field_name_conditions: [{ type: include_fields, fields: [Gone] }] }
`,
  "p.yml",
) as Pipeline;

test("a rule's fields are told as it writes them and as the events call them", () => {
  expect([...fieldsOf(rule.condition)].sort()).toEqual(["Gone", "Image", "Path", "User"]);
  expect(Object.fromEntries(mapFields(rule, [pipeline]))).toEqual({
    Image: ["process.executable", "process.name"],
    User: ["user.name"],
    Path: ["Path"],
    Gone: [],
  });
});
