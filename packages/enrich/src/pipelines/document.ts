/** Reads an event pipeline's YAML; what is wrong with it is told with its place and the nearest known word. Runs nothing. */
import { type Condition, closest, parseQuery } from "@vedette/condition";
import type { z } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { fieldsOf, get, loadYaml, type MapTree, plain, type Refusal, Refused, refusal, type Tree } from "@vedette/sigma";
import { predicateOf } from "./predicate.ts";
import { stepSpecs } from "./registry.ts";
import type { StepSpec } from "./step.ts";

export interface PipelineFile {
  readonly file: string;
  readonly text: string;
}
export interface StepDocument {
  readonly name: string;
  readonly spec: StepSpec;
  readonly settings: unknown;
  readonly when: Condition | undefined;
  readonly line: number;
}
/** A case that a pipeline carries: what it makes of an event. */
export interface PipelineCase {
  readonly name: string;
  readonly fields: Fields;
  readonly original: string;
  /** Fields that the event has then, null for none; absent where it is dropped. */
  readonly expect: Fields | undefined;
  /** What is left of the original; absent: not asked. */
  readonly expectOriginal: string | undefined;
  readonly expectClass: string | undefined;
  readonly line: number;
}
export interface PipelineDocument {
  readonly file: string;
  readonly name: string;
  readonly when: Condition | undefined;
  readonly steps: readonly StepDocument[];
  readonly tests: readonly PipelineCase[];
}

const keys = ["name", "description", "when", "steps", "tests"];
const stepNames = stepSpecs.map(({ name }) => name);
const stepKeys = ["name", "when", ...stepNames];
const testKeys = ["name", "event", "original", "expect", "expect_original", "expect_class"];
/** Every event goes through every step. */
const maxSteps = 64;
const maxTests = 256;
const pipelineName = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Never throws: a document or why there is none. */
export function parseEventPipeline({ file, text }: PipelineFile): PipelineDocument | Refusal {
  const { documents, position } = loadYaml(text);
  const document = documents[0];
  const line = (at: number) => position(at).line;
  try {
    if (document === undefined || documents.length > 1)
      throw new Refused(0, `${documents.length} documents`, "one document", "put one pipeline in a file");
    if ("refused" in document) throw document.refused;
    const tree = mapOf(document.tree, "a pipeline", "steps");
    only(tree, keys);
    const name = textAt(tree, "name") ?? (file.split("/").at(-1) ?? "").replace(/\.ya?ml$/, "");
    if (!pipelineName.test(name))
      throw new Refused(tree.at, `name ${name}`, "lower-case letters, digits, _ and -, at most 64", "losses are counted by this name");
    const steps = listAt(tree, "steps", maxSteps);
    if (steps === undefined || steps.length === 0)
      throw new Refused(tree.at, "no steps", "a list of steps", `add steps, each with one of ${stepNames.join(", ")}`);
    const read = steps.map((one, i) => stepOf(one, i, line));
    checkOrder(read, tree, steps);
    const tests = (listAt(tree, "tests", maxTests) ?? []).map((one, i) => caseOf(one, i, line));
    return { file, name, when: conditionAt(tree, "when"), steps: read, tests };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return refusal({ file, ...position(error.at), title: "event pipeline" }, error);
  }
}

function stepOf(tree: Tree, i: number, line: (at: number) => number): StepDocument {
  const step = mapOf(tree, `step ${i + 1}`, stepNames.join(", "));
  only(step, stepKeys);
  const chosen = step.entries.filter(({ key }) => stepNames.includes(key));
  if (chosen.length !== 1)
    throw new Refused(
      step.at,
      `step ${i + 1} with ${chosen.length === 0 ? "nothing to do" : chosen.map(({ key }) => key).join(" and ")}`,
      `exactly one of ${stepNames.join(", ")}`,
      "one step does one thing",
    );
  const entry = chosen[0]!;
  const spec = stepSpecs.find(({ name }) => name === entry.key)!;
  const parsed = spec.settings.safeParse(plain(entry.value) ?? {});
  if (!parsed.success) throw settingsRefused(parsed.error.issues[0]!, spec, entry.value, entry.keyAt);
  try {
    spec.make(parsed.data, { pseudonyms: undefined });
  } catch (error) {
    throw new Refused(entry.keyAt, spec.name, "settings that can be used", (error as Error).message);
  }
  const name = textAt(step, "name") ?? `${i + 1} ${spec.name}`;
  return { name: name.slice(0, 100), spec, settings: parsed.data, when: conditionAt(step, "when"), line: line(step.at) };
}

/** What would silently do nothing is refused: steps behind one that drops all, and questions about what an earlier step took away. */
function checkOrder(steps: readonly StepDocument[], pipeline: MapTree, trees: readonly Tree[]): void {
  const taken = new Map<string, StepDocument>();
  for (const [i, step] of steps.entries()) {
    const { spec, settings, when } = step;
    const at = trees[i]!.at;
    const reads = [...(when === undefined ? [] : fieldsOf(when)), ...(spec.reads?.(settings) ?? [])];
    const gone = reads.find((name) => taken.has(name));
    if (gone !== undefined) {
      const by = taken.get(gone)!;
      throw new Refused(
        at,
        `${step.name} asks for ${gone}`,
        `a field that is still there`,
        `step "${by.name}" (${by.spec.name}, line ${by.line}) comes before it; put it after`,
      );
    }
    if (when === undefined) for (const name of spec.takes?.(settings) ?? []) taken.set(name, step);
    if (spec.name !== "drop" || when !== undefined) continue;
    if (get(pipeline, "when") === undefined)
      throw new Refused(at, "drop without a condition", "a condition, or every event would be lost", 'add when: "…" to the step');
    if (i < steps.length - 1)
      throw new Refused(
        trees[i + 1]!.at,
        steps[i + 1]!.name,
        "no step behind one that drops all",
        "put it before the drop, or give that a condition",
      );
  }
}

function settingsRefused(issue: z.core.$ZodIssue, spec: StepSpec, value: Tree, keyAt: number): Refused {
  const at = placeOf(value, issue.path) ?? keyAt;
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys((spec.settings as { readonly shape?: object }).shape ?? {});
    const key = issue.keys[0]!;
    const near = closest(key, known);
    const where = placeOf(value, [...issue.path, key]) ?? at;
    return new Refused(where, `${spec.name}.${key}`, `one of ${known.join(", ")}`, near ? `did you mean "${near}"?` : "remove it");
  }
  const path = [spec.name, ...issue.path.map(String)].join(".");
  const inner = issue.code === "invalid_union" ? issue.errors.flat().map((one) => one.message) : [];
  const near = issue.code === "invalid_value" || inner.length > 0 ? nearestName(value, issue.path, spec) : undefined;
  return new Refused(
    at,
    path,
    [...new Set(inner.length > 0 ? inner : [issue.message])].join(", or "),
    near ?? `see docs/guide/event-pipelines.md`,
  );
}

/** The nearest of the words that a description lists, for a value that is none of them. */
function nearestName(value: Tree, path: readonly PropertyKey[], spec: StepSpec): string | undefined {
  const found = treeAt(value, path);
  if (found?.kind !== "scalar") return undefined;
  const near = closest(
    String(found.value),
    JSON.stringify(spec.settings.toJSONSchema({ io: "input", unrepresentable: "any" })).match(/\w+/g) ?? [],
  );
  return near === undefined ? undefined : `did you mean "${near}"?`;
}

function treeAt(tree: Tree, path: readonly PropertyKey[]): Tree | undefined {
  let at: Tree | undefined = tree;
  for (const key of path) at = at?.kind === "map" ? get(at, String(key)) : at?.kind === "list" ? at.items[Number(key)] : undefined;
  return at;
}
function placeOf(tree: Tree, path: readonly PropertyKey[]): number | undefined {
  const parent = treeAt(tree, path.slice(0, -1));
  if (parent?.kind === "map") return parent.entries.find(({ key }) => key === String(path.at(-1)))?.keyAt ?? parent.at;
  return treeAt(tree, path)?.at ?? parent?.at;
}

function caseOf(tree: Tree, i: number, line: (at: number) => number): PipelineCase {
  const test = mapOf(tree, `case ${i + 1}`, testKeys.join(", "));
  only(test, testKeys);
  const event = get(test, "event");
  if (event === undefined) throw new Refused(test.at, `case ${i + 1} without event`, "an event", "add event: {field: value}");
  const expect = get(test, "expect");
  if (expect === undefined)
    throw new Refused(test.at, `case ${i + 1} without expect`, "dropped, or fields", "add expect: dropped, or expect: {field: value}");
  const dropped = expect.kind === "scalar" && expect.value === "dropped";
  return {
    name: textAt(test, "name") ?? `case ${i + 1}`,
    fields: eventOf(event, "event"),
    original: textAt(test, "original") ?? "",
    expect: dropped ? undefined : eventOf(expect, "expect"),
    expectOriginal: textAt(test, "expect_original"),
    expectClass: textAt(test, "expect_class"),
    line: line(test.at),
  };
}

function eventOf(tree: Tree, what: string): Fields {
  const fields = plain(mapOf(tree, what, what === "event" ? "fields" : "dropped, or fields")) as Fields;
  for (const [name, value] of Object.entries(fields))
    if (
      typeof value === "object" &&
      value !== null &&
      !(Array.isArray(value) && value.every((one) => typeof one !== "object" || one === null))
    )
      throw new Refused(placeOf(tree, [name]) ?? tree.at, name, "a value or a list of values", "write nested fields with dots: user.name");
  return fields;
}

function conditionAt(tree: MapTree, key: string): Condition | undefined {
  const value = get(tree, key);
  if (value === undefined) return undefined;
  if (value.kind !== "scalar" || typeof value.value !== "string")
    throw new Refused(value.at, key, "a condition in the query language", 'write it in quotes, e.g. when: "url.path:/healthz"');
  const parsed = parseQuery(value.value);
  if (!parsed.ok)
    throw new Refused(
      value.at,
      `${key}: ${value.value}`,
      parsed.message,
      parsed.suggestion ? `write ${parsed.suggestion}` : "see docs/guide/queries.md",
    );
  const { where, ...pipes } = parsed.query;
  if (Object.keys(pipes).length > 0) throw new Refused(value.at, `${key} with a pipe`, "a filter alone", "leave out what follows the |");
  try {
    predicateOf(where);
  } catch (error) {
    throw new Refused(value.at, `${key}: ${value.value}`, "a condition that can be evaluated", (error as Error).message);
  }
  return where;
}

function mapOf(tree: Tree, what: string, expected: string): MapTree {
  if (tree.kind !== "map")
    throw new Refused(
      tree.at,
      `${what} that is ${tree.kind === "list" ? "a list" : "a value"}`,
      `a map with ${expected}`,
      "see docs/guide/event-pipelines.md",
    );
  return tree;
}
function only(tree: MapTree, known: readonly string[]): void {
  for (const { key, keyAt } of tree.entries) {
    if (known.includes(key)) continue;
    const near = closest(key, known);
    throw new Refused(keyAt, `key "${key}"`, `one of ${known.join(", ")}`, near ? `did you mean "${near}"?` : "remove it");
  }
}
function textAt(tree: MapTree, key: string): string | undefined {
  const value = get(tree, key);
  if (value === undefined) return undefined;
  if (value.kind !== "scalar" || value.value === null) throw new Refused(value.at, key, "text", `write ${key}: text`);
  return String(value.value);
}
function listAt(tree: MapTree, key: string, most: number): readonly Tree[] | undefined {
  const value = get(tree, key);
  if (value === undefined) return undefined;
  if (value.kind !== "list") throw new Refused(value.at, key, "a list", `begin each with "- "`);
  if (value.items.length > most) throw new Refused(value.at, `${value.items.length} ${key}`, `at most ${most}`, "split the pipeline");
  return value.items;
}
