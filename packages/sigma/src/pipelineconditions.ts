/** When a pipeline's transformation applies: conditions on rules, fields and single comparisons, read here and asked in mapping. */

import { onlyKeys } from "./header.ts";
import type { Logsource } from "./logsource.ts";
import { nearest, Refused } from "./refusal.ts";
import { get, type MapTree, type Tree } from "./yaml.ts";

export type RuleCondition =
  /** Each part that is named must be the rule's; null, that the rule names none. */
  | { readonly type: "logsource"; readonly logsource: { readonly [part in keyof Logsource]?: string | null } }
  | { readonly type: "contains_field"; readonly field: string }
  | { readonly type: "contains_detection_item"; readonly field: string; readonly value: string }
  | { readonly type: "tag"; readonly tag: string }
  | { readonly type: "rule_attribute"; readonly attribute: string; readonly op: string; readonly values: readonly string[] }
  | { readonly type: "is_sigma_rule" | "is_sigma_correlation_rule" }
  | { readonly type: "processing_item_applied"; readonly item: string }
  | { readonly type: "processing_state"; readonly key: string; readonly value: string };

export type FieldCondition =
  | { readonly type: "include_fields" | "exclude_fields"; readonly plain: ReadonlySet<string>; readonly patterns: readonly RegExp[] }
  | { readonly type: "processing_item_applied"; readonly item: string };

/** On one comparison: of a list each value is asked by itself. */
export type ItemCondition =
  | { readonly type: "match_string"; readonly pattern: RegExp; readonly negate: boolean }
  | { readonly type: "is_null" | "contains_wildcard" }
  | { readonly type: "processing_item_applied"; readonly item: string };

const attributes = ["id", "name", "title", "status", "level", "author", "date", "modified", "description"];
const operators = ["eq", "ne", "gte", "gt", "lte", "lt", "in", "not_in"];
const keysOf: { readonly [kind: string]: { readonly [type: string]: readonly string[] } } = {
  rule: {
    logsource: ["category", "product", "service"],
    contains_field: ["field"],
    contains_detection_item: ["field", "value"],
    tag: ["tag"],
    rule_attribute: ["attribute", "value", "op"],
    is_sigma_rule: [],
    is_sigma_correlation_rule: [],
    processing_item_applied: ["processing_item_id"],
    processing_state: ["key", "val"],
  },
  field: {
    include_fields: ["fields", "mode"],
    exclude_fields: ["fields", "mode"],
    processing_item_applied: ["processing_item_id"],
  },
  "detection item": {
    match_string: ["pattern", "negate", "cond"],
    is_null: ["cond"],
    contains_wildcard: ["cond"],
    processing_item_applied: ["processing_item_id"],
  },
};

/** The condition's map and type, its keys checked. */
function typed(kind: keyof typeof keysOf, tree: Tree): { readonly map: MapTree; readonly type: string } {
  const known = keysOf[kind]!;
  const types = Object.keys(known);
  if (tree.kind !== "map") throw new Refused(tree.at, `a ${tree.kind}`, "a map", `write - type: ${types[0]}`);
  const type = text(tree, "type", true);
  const own = Object.hasOwn(known, type) ? known[type] : undefined;
  if (own === undefined) {
    const near = nearest(type, types);
    throw new Refused(
      get(tree, "type")!.at,
      `${kind} condition ${type}`,
      `one of ${types.join(", ")}`,
      near === undefined ? "use one of these" : `did you mean ${near}?`,
    );
  }
  onlyKeys(tree, ["type", ...own]);
  return { map: tree, type };
}

export function readRuleCondition(tree: Tree): RuleCondition {
  const { map, type } = typed("rule", tree);
  switch (type) {
    case "contains_field":
      return { type, field: text(map, "field", true) };
    case "contains_detection_item":
      return { type, field: text(map, "field", true), value: text(map, "value", true).toLowerCase() };
    case "tag":
      return { type, tag: text(map, "tag", true).toLowerCase() };
    case "rule_attribute": {
      const value = get(map, "value");
      const values = (value?.kind === "list" ? value.items : value === undefined ? [] : [value]).map((v) =>
        v.kind === "scalar" ? String(v.value) : "",
      );
      return { type, attribute: word(map, "attribute", attributes), op: word(map, "op", operators, "eq"), values };
    }
    case "processing_item_applied":
      return { type, item: text(map, "processing_item_id", true) };
    case "processing_state":
      return { type, key: text(map, "key", true), value: text(map, "val", true) };
    case "is_sigma_rule":
    case "is_sigma_correlation_rule":
      return { type };
  }
  const logsource: { category?: string | null; product?: string | null; service?: string | null } = readLogsourceParts(map);
  for (const { key, value } of map.entries) {
    if (value.kind === "scalar" && value.value === null && key !== "type") logsource[key as keyof Logsource] = null;
  }
  return { type: "logsource", logsource };
}

export function readFieldCondition(tree: Tree): FieldCondition {
  const { map, type } = typed("field", tree);
  if (type === "processing_item_applied") return { type, item: text(map, "processing_item_id", true) };
  const fields = get(map, "fields");
  const names = (fields?.kind === "list" ? fields.items : []).map((t) => (t.kind === "scalar" ? String(t.value) : ""));
  if (names.length === 0) throw new Refused(map.at, "fields", "a list of field names", "add fields: [name]");
  const patterns = text(map, "mode", false) === "re";
  return {
    type: type as "include_fields" | "exclude_fields",
    plain: new Set(patterns ? [] : names),
    patterns: patterns ? names.map((name) => atStart(name, fields!.at)) : [],
  };
}

export function readItemCondition(tree: Tree): ItemCondition {
  const { map, type } = typed("detection item", tree);
  if (type === "processing_item_applied") return { type, item: text(map, "processing_item_id", true) };
  if (type !== "match_string") return { type: type as "is_null" | "contains_wildcard" };
  return { type, pattern: atStart(text(map, "pattern", true), get(map, "pattern")!.at), negate: text(map, "negate", false) === "true" };
}

/** As pySigma matches: from the beginning. */
function atStart(pattern: string, at: number): RegExp {
  try {
    return new RegExp(`^(?:${pattern})`);
  } catch {
    throw new Refused(at, pattern, "a regular expression", "repair the expression");
  }
}

export function readLogsourceParts(tree: MapTree): Logsource {
  const logsource: { category?: string; product?: string; service?: string } = {};
  for (const key of ["category", "product", "service"] as const) {
    const value = get(tree, key);
    if (value?.kind === "scalar" && value.value === null) continue;
    const name = text(tree, key, false);
    if (name !== "") logsource[key] = name.toLowerCase();
  }
  return logsource;
}

export function text(tree: MapTree, key: string, required: boolean): string {
  const value = get(tree, key);
  if (value?.kind === "scalar" && value.value !== null) return String(value.value);
  if (value !== undefined || required) throw new Refused(value?.at ?? tree.at, key, "text", `add ${key}: ...`);
  return "";
}

export function word(tree: MapTree, key: string, known: readonly string[], otherwise?: string): string {
  const value = otherwise !== undefined && get(tree, key) === undefined ? otherwise : text(tree, key, true);
  if (known.includes(value)) return value;
  const near = nearest(value, known);
  throw new Refused(
    get(tree, key)!.at,
    `${key}: ${value}`,
    `one of ${known.join(", ")}`,
    near === undefined ? "use one of these" : `did you mean ${near}?`,
  );
}
