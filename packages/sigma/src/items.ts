/** What a pipeline's transformation makes of one comparison: other fields, other values, none. Knows no rule and no other comparison. */
import { type Condition, escapeLike, likeParts } from "@vedette/condition";
import { compare, tidy } from "./pattern.ts";
import type { Transformation } from "./pipeline.ts";
import type { FieldCondition, ItemCondition } from "./pipelineconditions.ts";
import type { Leaf } from "./predicate.ts";

/** A comparison with one field. */
export type Item = Exclude<Leaf, { op: "keyword" | "fieldref" }>;
type Text = Extract<Item, { op: "eq" | "contains" | "starts" | "ends" | "like" }>;

/** A pipeline that does not want a comparison. */
export class ItemFailure extends Error {}

/** The comparisons that take its place, `[]` where it is dropped, undefined where the transformation leaves it as it is. Throws `ItemFailure`. */
export function transformed({ action }: Transformation, item: Item): readonly Item[] | undefined {
  switch (action.type) {
    case "map_string": {
      const values = item.op === "eq" && item.value !== null ? action.mapping.get(String(item.value).toLowerCase()) : undefined;
      return values?.map((value) => ({ ...item, value }) as Item);
    }
    case "replace_string":
      return changed(item, (text) => text.replace(action.pattern, action.replacement));
    case "case":
      return changed(item, (text) => (action.method === "lower" ? text.toLowerCase() : text.toUpperCase()));
    case "set_value":
      return [{ op: "eq", field: item.field, value: action.value }];
    case "hashes_fields":
      return hashes(item, action);
    case "detection_item_failure":
      throw new ItemFailure(action.message);
    default:
      return undefined;
  }
}

function isText(item: Item): item is Text {
  return (
    item.op === "like" ||
    item.op === "contains" ||
    item.op === "starts" ||
    item.op === "ends" ||
    (item.op === "eq" && typeof item.value === "string")
  );
}

/** The value as Sigma writes it, with its wildcards. */
function written(item: Item): string | undefined {
  if (item.op === "eq") return item.value === null ? undefined : escapeLike(String(item.value));
  if (!isText(item)) return "value" in item ? String(item.value) : undefined;
  const value = String(item.value);
  if (item.op === "like") return value;
  return `${item.op === "starts" ? "" : "*"}${escapeLike(value)}${item.op === "ends" ? "" : "*"}`;
}

/** The text between wildcards, changed. */
function changed(item: Item, change: (text: string) => string): readonly Item[] | undefined {
  if (!isText(item)) return undefined;
  const cased = "cased" in item && item.cased === true;
  if (item.op !== "like") return [{ ...item, value: change(String(item.value)) }];
  const parts = likeParts(item.value).map((part) => (typeof part === "string" ? change(part) : part));
  const text = parts.map((part) => (typeof part === "string" ? escapeLike(part) : part.wild)).join("");
  return [{ op: "like", field: item.field, value: text, ...(cased ? { cased } : {}) }];
}

function hashes(
  item: Item,
  { algorithms, prefix, drop }: Extract<Transformation["action"], { type: "hashes_fields" }>,
): readonly Item[] | undefined {
  const found = isText(item) ? /^\**([A-Za-z0-9]+)[=|]([0-9A-Fa-f]+)\**$/.exec(written(item) ?? "") : null;
  if (found === null) return undefined;
  const algorithm = found[1]!.toUpperCase();
  if (algorithms.size > 0 && !algorithms.has(algorithm)) return undefined;
  return [compare(prefix + (drop ? "" : algorithm), tidy([found[2]!]), false) as Item];
}

export function appliesToItem({ items, itemsOp, itemsNot }: Transformation, item: Item, applied: ReadonlySet<string>): boolean {
  if (items.length === 0) return true;
  const holds = (condition: ItemCondition): boolean => {
    switch (condition.type) {
      case "processing_item_applied":
        return applied.has(condition.item);
      case "is_null":
        return item.op === "eq" && item.value === null;
      case "contains_wildcard":
        return isText(item) && item.op !== "eq";
      case "match_string":
        return condition.pattern.test(written(item) ?? "") !== condition.negate;
    }
  };
  return (itemsOp === "and" ? items.every(holds) : items.some(holds)) !== itemsNot;
}

export function appliesToField({ fields, fieldsOp, fieldsNot }: Transformation, name: string, applied: ReadonlySet<string>): boolean {
  if (fields.length === 0) return true;
  const holds = (condition: FieldCondition): boolean => {
    if (condition.type === "processing_item_applied") return applied.has(condition.item);
    const listed = condition.plain.has(name) || condition.patterns.some((p) => p.test(name));
    return listed === (condition.type === "include_fields");
  };
  return (fieldsOp === "and" ? fields.every(holds) : fields.some(holds)) !== fieldsNot;
}

/** Whether what a step does depends on more of a comparison than its field. */
export function looksAtValues({ action, items }: Transformation): boolean {
  return (
    items.length > 0 ||
    ["map_string", "replace_string", "case", "set_value", "hashes_fields", "detection_item_failure"].includes(action.type)
  );
}

/** Does some comparison of the condition have the field, and the value where one is asked for? */
export function contains(condition: Condition, field: string, value?: string): boolean {
  if (condition.op === "and" || condition.op === "or") return condition.of.some((one) => contains(one, field, value));
  if (condition.op === "not") return contains(condition.of, field, value);
  if (!("field" in condition) || condition.field !== field) return false;
  return value === undefined || ("value" in condition && String(condition.value).toLowerCase() === value);
}
