/** Processing pipelines in pySigma's YAML: parsed and checked here, applied in mapping.ts. Knows no rules' conditions. */
import type { Condition } from "@vedette/condition";
import { readSelection } from "./detection.ts";
import { contentHash, onlyKeys } from "./header.ts";
import type { Logsource } from "./logsource.ts";
import {
  type FieldCondition,
  type ItemCondition,
  type RuleCondition,
  readFieldCondition,
  readItemCondition,
  readLogsourceParts,
  readRuleCondition,
  text,
  word,
} from "./pipelineconditions.ts";
import { nearest, type Refusal, Refused, refusal } from "./refusal.ts";
import { get, loadYaml, type MapTree, plain, type Tree } from "./yaml.ts";

export type Action =
  | { readonly type: "field_name_mapping"; readonly mapping: ReadonlyMap<string, readonly string[]> }
  | { readonly type: "field_name_prefix"; readonly prefix: string }
  | { readonly type: "field_name_suffix"; readonly suffix: string }
  | { readonly type: "field_name_prefix_mapping"; readonly mapping: ReadonlyMap<string, readonly string[]> }
  | { readonly type: "add_condition"; readonly condition: Condition }
  | { readonly type: "change_logsource"; readonly logsource: Logsource }
  /** Values that are called otherwise in the events, compared without regard to case. */
  | { readonly type: "map_string"; readonly mapping: ReadonlyMap<string, readonly string[]> }
  /** Within the text of values, as the pattern says; `$1` stands for a group. */
  | { readonly type: "replace_string"; readonly pattern: RegExp; readonly replacement: string }
  | { readonly type: "set_value"; readonly value: string | number | boolean | null }
  | { readonly type: "case"; readonly method: "lower" | "upper" }
  /** `Hashes: SHA256=…` as a comparison with a field for the algorithm. */
  | { readonly type: "hashes_fields"; readonly algorithms: ReadonlySet<string>; readonly prefix: string; readonly drop: boolean }
  | { readonly type: "set_state"; readonly key: string; readonly value: string }
  | { readonly type: "detection_item_failure"; readonly message: string }
  | { readonly type: "drop_detection_item" }
  | { readonly type: "rule_failure"; readonly message: string };

export interface Transformation {
  readonly id: string;
  readonly action: Action;
  readonly rules: readonly RuleCondition[];
  readonly rulesOp: "and" | "or";
  readonly rulesNot: boolean;
  readonly fields: readonly FieldCondition[];
  readonly fieldsOp: "and" | "or";
  readonly fieldsNot: boolean;
  readonly items: readonly ItemCondition[];
  readonly itemsOp: "and" | "or";
  readonly itemsNot: boolean;
}

export interface Pipeline {
  readonly name: string;
  /** Pipelines run in ascending priority. */
  readonly priority: number;
  readonly transformations: readonly Transformation[];
  /** 128 bits of SHA-256 over the content, base64url. */
  readonly hash: string;
}

const pipelineKeys = ["name", "priority", "transformations", "allowed_backends", "vars"];
const shared = [
  "id",
  "type",
  "rule_conditions",
  "rule_cond_op",
  "rule_cond_not",
  "field_name_conditions",
  "field_name_cond_op",
  "field_name_cond_not",
  "detection_item_conditions",
  "detection_item_cond_op",
  "detection_item_cond_not",
];
const actionKeys: { readonly [type: string]: readonly string[] } = {
  field_name_mapping: ["mapping"],
  field_name_prefix: ["prefix"],
  field_name_suffix: ["suffix"],
  field_name_prefix_mapping: ["mapping"],
  add_condition: ["conditions", "negated"],
  change_logsource: ["category", "product", "service"],
  map_string: ["mapping"],
  replace_string: ["regex", "replacement", "skip_special"],
  set_value: ["value", "force_type"],
  case: ["method"],
  hashes_fields: ["valid_hash_algos", "field_prefix", "drop_algo_prefix"],
  set_state: ["key", "val"],
  detection_item_failure: ["message"],
  drop_detection_item: [],
  rule_failure: ["message"],
};
const actions = Object.keys(actionKeys);

/** Reads one pipeline. Never throws: trouble is a refusal with its place. */
export function parsePipeline(text: string, file: string): Pipeline | Refusal {
  const { documents, position } = loadYaml(text);
  const document = documents[0];
  try {
    if (document === undefined || documents.length > 1)
      throw new Refused(0, `${documents.length} documents`, "one document", "put one pipeline in a file");
    if ("refused" in document) throw document.refused;
    if (document.tree.kind !== "map")
      throw new Refused(document.tree.at, `a ${document.tree.kind}`, "a map with name and transformations", "see the package's README");
    return readPipeline(document.tree);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return refusal({ file, ...position(error.at), title: "pipeline" }, error);
  }
}

function readPipeline(tree: MapTree): Pipeline {
  onlyKeys(tree, pipelineKeys);
  const list = get(tree, "transformations");
  if (list?.kind !== "list") throw new Refused(tree.at, "transformations", "a list", "add transformations: [...]");
  const priority = get(tree, "priority");
  if (priority !== undefined && !(priority.kind === "scalar" && typeof priority.value === "number"))
    throw new Refused(priority.at, "priority", "a number", "write priority: 10");
  return {
    name: text(tree, "name", true),
    priority: priority?.kind === "scalar" ? Number(priority.value) : 0,
    transformations: list.items.map((item, i) => readTransformation(item, i)),
    hash: contentHash(plain(tree)),
  };
}

function readTransformation(tree: Tree, index: number): Transformation {
  if (tree.kind !== "map") throw new Refused(tree.at, `a ${tree.kind}`, "a map with type", "write - type: field_name_mapping");
  const type = text(tree, "type", true);
  const own = Object.hasOwn(actionKeys, type) ? actionKeys[type] : undefined;
  if (own === undefined) {
    const near = nearest(type, actions);
    throw new Refused(
      get(tree, "type")!.at,
      `type: ${type}`,
      `one of ${actions.join(", ")}`,
      near === undefined ? "use one of these" : `did you mean ${near}?`,
    );
  }
  onlyKeys(tree, [...shared, ...own]);
  return {
    id: text(tree, "id", false) || `#${index + 1}`,
    action: readAction(type, tree),
    rules: items(tree, "rule_conditions").map(readRuleCondition),
    rulesOp: operator(tree, "rule_cond_op"),
    rulesNot: flag(tree, "rule_cond_not"),
    fields: items(tree, "field_name_conditions").map(readFieldCondition),
    fieldsOp: operator(tree, "field_name_cond_op"),
    fieldsNot: flag(tree, "field_name_cond_not"),
    items: items(tree, "detection_item_conditions").map(readItemCondition),
    itemsOp: operator(tree, "detection_item_cond_op"),
    itemsNot: flag(tree, "detection_item_cond_not"),
  };
}

function readAction(type: string, tree: MapTree): Action {
  switch (type) {
    case "field_name_mapping":
    case "field_name_prefix_mapping":
      return { type, mapping: readMapping(tree) };
    case "map_string":
      return { type, mapping: new Map([...readMapping(tree)].map(([from, to]) => [from.toLowerCase(), to])) };
    case "field_name_prefix":
      return { type, prefix: text(tree, "prefix", true) };
    case "field_name_suffix":
      return { type, suffix: text(tree, "suffix", true) };
    case "add_condition": {
      const conditions = get(tree, "conditions");
      if (conditions === undefined || conditions.kind === "scalar")
        throw new Refused(
          conditions?.at ?? tree.at,
          "conditions",
          "a map of fields, or a list of such maps of which one must hold",
          "write conditions: {event.dataset: zeek.conn}",
        );
      const condition = readSelection("conditions", conditions, {});
      return { type, condition: flag(tree, "negated") ? { op: "not", of: condition } : condition };
    }
    case "change_logsource":
      return { type, logsource: readLogsourceParts(tree) };
    case "replace_string":
      return { type, pattern: readPattern(tree), replacement: pythonGroups(text(tree, "replacement", false)) };
    case "set_value": {
      const value = get(tree, "value");
      if (value?.kind !== "scalar")
        throw new Refused(value?.at ?? tree.at, "value", "text, a number, true, false or null", "add value: ...");
      return { type, value: value.value };
    }
    case "case":
      return { type, method: word(tree, "method", ["lower", "upper"], "lower") as "lower" | "upper" };
    case "hashes_fields":
      return {
        type,
        algorithms: new Set(items(tree, "valid_hash_algos").map((t) => (t.kind === "scalar" ? String(t.value).toUpperCase() : ""))),
        prefix: text(tree, "field_prefix", false),
        drop: flag(tree, "drop_algo_prefix"),
      };
    case "set_state":
      return { type, key: text(tree, "key", true), value: text(tree, "val", true) };
    case "detection_item_failure":
    case "rule_failure":
      return { type, message: text(tree, "message", true) };
    default:
      return { type: "drop_detection_item" };
  }
}

function readMapping(tree: MapTree): ReadonlyMap<string, readonly string[]> {
  const mapping = get(tree, "mapping");
  if (mapping?.kind !== "map")
    throw new Refused(
      mapping?.at ?? tree.at,
      "mapping",
      "a map from field to field or fields",
      "write mapping: {Image: process.executable}",
    );
  return new Map(
    mapping.entries.map(({ key, value }) => {
      const targets = value.kind === "list" ? value.items : [value];
      const names = targets.map((t) => {
        if (t.kind !== "scalar" || typeof t.value !== "string")
          throw new Refused(t.at, `mapping.${key}`, "a field name or a list of them", "write plain text");
        return t.value;
      });
      if (names.length === 0) throw new Refused(value.at, `mapping.${key}: []`, "at least one field", "name the target field");
      return [key, names];
    }),
  );
}

function readPattern(tree: MapTree): RegExp {
  const pattern = text(tree, "regex", true);
  try {
    return new RegExp(pattern, "gu");
  } catch {
    throw new Refused(get(tree, "regex")!.at, pattern, "a regular expression", "repair the expression");
  }
}

/** Python's `\1`, `\g<1>` and `\g<name>` as JavaScript writes them. */
function pythonGroups(replacement: string): string {
  return replacement
    .replace(/\$/g, "$$$$")
    .replace(/\\(?:g<(\d+)>|(\d))/g, "$$$1$2")
    .replace(/\\g<(\w+)>/g, "$$<$1>");
}

function flag(tree: MapTree, key: string): boolean {
  const value = get(tree, key);
  if (value === undefined) return false;
  if (value.kind !== "scalar" || typeof value.value !== "boolean") throw new Refused(value.at, key, "true or false", `write ${key}: true`);
  return value.value;
}

function operator(tree: MapTree, key: string): "and" | "or" {
  const value = text(tree, key, false) || "and";
  if (value !== "and" && value !== "or") throw new Refused(get(tree, key)!.at, `${key}: ${value}`, "and or or", `write ${key}: or`);
  return value;
}

function items(tree: MapTree, key: string): readonly Tree[] {
  const value = get(tree, key);
  if (value === undefined) return [];
  if (value.kind !== "list") throw new Refused(value.at, key, "a list", `write ${key}: [...]`);
  return value.items;
}
