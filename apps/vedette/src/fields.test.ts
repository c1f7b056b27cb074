import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { enrichers } from "@vedette/enrich";
import { type Pipeline, parseRules } from "@vedette/sigma";
import { expect, test } from "vitest";
import { pipelines } from "./commands/rule/files.ts";
import { bundledPipelines } from "./content.ts";
import { fieldNames, unknownFieldsUnder } from "./fields.ts";

const usable = pipelines().filter((p): p is Pipeline => !("construct" in p));
const names = fieldNames(usable);
const golden = fileURLToPath(new URL("../../../tests/golden", import.meta.url));

test("what our formats write is known", () => {
  const unknown = new Set<string>();
  for (const set of readdirSync(golden, { withFileTypes: true })) {
    if (!set.isDirectory()) continue;
    const { datasets } = JSON.parse(readFileSync(`${golden}/${set.name}/summary.json`, "utf8")) as {
      datasets: { [dataset: string]: { fields: object } };
    };
    for (const [dataset, { fields }] of Object.entries(datasets)) {
      // in a collector's envelope lies whatever the sender's own document says
      if (dataset.startsWith("splunk.hec ")) continue;
      for (const field of Object.keys(fields)) if (field.includes(".") && !names.knows(field)) unknown.add(field);
    }
  }
  // names without a dot are the sender's own: plain JSON, keys and values
  expect([...unknown].sort(), "add these to content/fields.yml").toEqual([]);
});

test("what enrichers add is known", async () => {
  const added = [...(await enrichers()).values()].flatMap(({ examples }) => examples.flatMap(({ adds }) => Object.keys(adds)));
  expect(added.filter((field) => !names.knows(field))).toEqual([]);
});

test("slips are named with what was probably meant, and what may be meant is left alone", () => {
  const fields = ["ComandLine", "Foo", "process.comand_line", "user.nmae", "winlog.event_data.Foo", "nowhere.at.all", "a1"];
  const [rule] = parseRules(
    `title: T\nlogsource: { product: windows, category: process_creation }\ndetection:\n  s: { ${fields.map((f) => `${f}: x`).join(", ")} }\n  condition: s\n`,
    "t.yml",
  ).rules;
  expect(names.unknownIn(rule!)).toEqual([
    { field: "ComandLine", nearest: "CommandLine" },
    { field: "process.comand_line", nearest: "process.command_line" },
    { field: "user.nmae", nearest: "user.name" },
    { field: "nowhere.at.all" },
  ]);
  expect(unknownFieldsUnder(bundledPipelines())(rule!)).toEqual([
    "ComandLine (did you mean CommandLine?)",
    "process.comand_line (did you mean process.command_line?)",
    "user.nmae (did you mean user.name?)",
    "nowhere.at.all",
  ]);
});
