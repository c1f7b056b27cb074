/** Processing pipelines in pySigma's YAML: parsed and checked here, applied in mapping.ts. Knows no rules' conditions. */
import type { Condition } from "@vedette/condition";
import { readSelection } from "./detection.ts";
import { contentHash } from "./header.ts";
import type { Logsource } from "./logsource.ts";
import { nearest, type Refusal, Refused, refusal } from "./refusal.ts";
import { get, loadYaml, type MapTree, plain, type Tree } from "./yaml.ts";

/** When a transformation applies to a rule: each part that is named must be the rule's; null, that the rule names none. */
export interface RuleCondition {
  readonly logsource: { readonly [part in keyof Logsource]?: string | null };
}

/** When a transformation applies to a field. */
export type FieldCondition =
  | { readonly type: "include_fields" | "exclude_fields"; readonly plain: ReadonlySet<string>; readonly patterns: readonly RegExp[] }
  | { readonly type: "processing_item_applied"; readonly item: string };

export type Action =
  | { readonly type: "field_name_mapping"; readonly mapping: ReadonlyMap<string, readonly string[]> }
  | { readonly type: "field_name_prefix"; readonly prefix: string }
  | { readonly type: "field_name_suffix"; readonly suffix: string }
  | { readonly type: "field_name_prefix_mapping"; readonly mapping: ReadonlyMap<string, readonly string[]> }
  | { readonly type: "add_condition"; readonly condition: Condition }
  | { readonly type: "change_logsource"; readonly logsource: Logsource }
  /** Values that are called otherwise in the events, compared without regard to case. */
  | { readonly type: "map_string"; readonly mapping: ReadonlyMap<string, readonly string[]> }
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
}

export interface Pipeline {
  readonly name: string;
  /** Pipelines run in ascending priority. */
  readonly priority: number;
  readonly transformations: readonly Transformation[];
  /** 128 bits of SHA-256 over the content, base64url. */
  readonly hash: string;
}

const actions = [
  "field_name_mapping",
  "field_name_prefix",
  "field_name_suffix",
  "field_name_prefix_mapping",
  "add_condition",
  "change_logsource",
  "map_string",
  "drop_detection_item",
  "rule_failure",
];
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
];
const actionKeys: { readonly [type: string]: readonly string[] } = {
  field_name_mapping: ["mapping"],
  field_name_prefix: ["prefix"],
  field_name_suffix: ["suffix"],
  field_name_prefix_mapping: ["mapping"],
  add_condition: ["conditions", "negated"],
  change_logsource: ["category", "product", "service"],
  map_string: ["mapping"],
  drop_detection_item: [],
  rule_failure: ["message"],
};

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
  const own = actionKeys[type];
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
      return { type, logsource: readLogsource(tree) };
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

function readRuleCondition(tree: Tree): RuleCondition {
  if (tree.kind !== "map") throw new Refused(tree.at, `a ${tree.kind}`, "a map", "write - type: logsource");
  onlyKeys(tree, ["type", "category", "product", "service"]);
  const type = text(tree, "type", true);
  if (type !== "logsource")
    throw new Refused(tree.at, `rule condition ${type}`, "logsource", "condition the transformation on the rule's logsource");
  const logsource: { category?: string | null; product?: string | null; service?: string | null } = readLogsource(tree);
  for (const { key, value } of tree.entries) {
    if (value.kind === "scalar" && value.value === null && key !== "type") logsource[key as keyof Logsource] = null;
  }
  return { logsource };
}

function readLogsource(tree: MapTree): Logsource {
  const logsource: { category?: string; product?: string; service?: string } = {};
  for (const key of ["category", "product", "service"] as const) {
    const value = get(tree, key);
    if (value?.kind === "scalar" && value.value === null) continue;
    const name = text(tree, key, false);
    if (name !== "") logsource[key] = name.toLowerCase();
  }
  return logsource;
}

function readFieldCondition(tree: Tree): FieldCondition {
  if (tree.kind !== "map") throw new Refused(tree.at, `a ${tree.kind}`, "a map", "write - type: include_fields");
  const type = text(tree, "type", true);
  if (type === "processing_item_applied") {
    onlyKeys(tree, ["type", "processing_item_id"]);
    return { type, item: text(tree, "processing_item_id", true) };
  }
  if (type !== "include_fields" && type !== "exclude_fields") {
    throw new Refused(tree.at, `field condition ${type}`, "include_fields, exclude_fields or processing_item_applied", "use one of these");
  }
  onlyKeys(tree, ["type", "fields", "mode"]);
  const fields = get(tree, "fields");
  const names = (fields?.kind === "list" ? fields.items : []).map((t) => (t.kind === "scalar" ? String(t.value) : ""));
  if (names.length === 0) throw new Refused(tree.at, "fields", "a list of field names", "add fields: [name]");
  const patterns = text(tree, "mode", false) === "re";
  try {
    return { type, plain: new Set(patterns ? [] : names), patterns: patterns ? names.map((n) => new RegExp(`^(?:${n})`)) : [] };
  } catch {
    throw new Refused(tree.at, `fields: ${names.join(", ")}`, "regular expressions", "repair the expression");
  }
}

function onlyKeys(tree: MapTree, known: readonly string[]): void {
  for (const { key, keyAt } of tree.entries) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    throw new Refused(keyAt, key, `one of ${known.join(", ")}`, near === undefined ? "remove the key" : `did you mean ${near}?`);
  }
}

function text(tree: MapTree, key: string, required: boolean): string {
  const value = get(tree, key);
  if (value?.kind === "scalar" && value.value !== null) return String(value.value);
  if (value !== undefined || required) throw new Refused(value?.at ?? tree.at, key, "text", `add ${key}: ...`);
  return "";
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
