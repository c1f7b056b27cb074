import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { compileProgram } from "../analyse.ts";
import { makeProgram } from "../program.ts";
import { catalogueOf } from "./catalogue.ts";
import { keepRules, keptRules, readKeptRules } from "./kept.ts";
import { parseFiles, pipelinesOf, readRulesFrom } from "./living.ts";

const pipeline = {
  file: "p.yml",
  text: "name: p\ntransformations:\n  - type: add_condition\n    conditions: {event.dataset: d}\n    rule_conditions: [{type: logsource, product: p}]\n",
};
/** Each test has rules of its own. */
let serial = 0;
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vedette-rules-"));
  file = join(folder, "of/rules.cache");
});
afterEach(() => {
  readRulesFrom(undefined);
  rmSync(folder, { recursive: true });
});

function program(value: string) {
  const text = `title: T\nlogsource: {product: p}\ndetection: {s: {a: ${value}}, condition: s}\n`;
  return makeProgram({ rules: [{ file: `r${++serial}.yml`, text }], pipelines: [pipeline], detectors: {}, lateness_s: 30 }, 0);
}

/** Whether what was kept sufficed, and whether the rule does what it says. */
async function start(from: ReturnType<typeof program>): Promise<{ readonly sufficed: boolean; readonly matches: number }> {
  // what a thread has read once is not read again: it reads something else in between
  parseFiles(from.rules.map(({ file }) => ({ file, text: "" })));
  pipelinesOf([{ file: pipeline.file, text: "" }]);
  const kept = keptRules(file);
  readRulesFrom(kept);
  const { rules } = await compileProgram(from);
  const sufficed = kept.changed() === undefined;
  return { sufficed, matches: rules.match({ fields: { "event.dataset": "d", a: "x" } }, []) };
}

async function keep(from: ReturnType<typeof program>): Promise<void> {
  readKeptRules(file);
  await compileProgram(from);
}

test("a start after another reads and maps no rule, and its rules match as before", async () => {
  const from = program("x");
  await keep(from);
  expect(await start(from)).toEqual({ sufficed: true, matches: 1 });
  expect(readdirSync(join(folder, "of"))).toEqual(["rules.cache"]);
});

test("a torn, flipped, foreign or writable file is as good as none", async () => {
  const fresh = async (change: (from: ReturnType<typeof program>) => void) => {
    const from = program("x");
    await keep(from);
    change(from);
    expect(await start(from)).toEqual({ sufficed: false, matches: 1 });
  };
  await fresh(() => truncateSync(file, readFileSync(file).length - 7));
  await fresh(() => {
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1]! ^= 4;
    writeFileSync(file, bytes);
  });
  await fresh(() => writeFileSync(file, "not rules"));
  await fresh(() => chmodSync(file, 0o666));
});

test("where nothing can be kept, rules are read as ever", async () => {
  writeFileSync(join(folder, "of"), "a file where the folder should be");
  const from = program("x");
  await keep(from);
  const cache = keptRules("/proc/absent/.cache/rules");
  cache.parseRules("title: T", "a.yml");
  keepRules("/proc/absent/.cache/rules", cache);
});

test("what the catalogue read and mapped need not be read and mapped by a thread that starts after it", () => {
  const mapping = { ...pipeline, file: "own.yml" };
  const from = { ...program("x"), pipelines: [mapping] };
  const nothing = { ...from, rules: [], pipelines: [] };
  readKeptRules(file);
  expect(catalogueOf(nothing).entries.size).toBe(0);
  expect(catalogueOf(from).entries.size).toBe(1);
  const [rule] = from.rules;
  const kept = keptRules(file);
  const { rules } = kept.parseRules(rule!.text, rule!.file, { placeholders: {} });
  const set = kept.compileRules(rules, { pipelines: [kept.parsePipeline(mapping.text, mapping.file)] });
  expect(set.match({ fields: { "event.dataset": "d", a: "x" } }, [])).toBe(1);
  expect(kept.changed()).toBeUndefined();
  const before = readFileSync(file);
  catalogueOf(nothing);
  catalogueOf(from);
  expect(readFileSync(file)).toEqual(before);
});
