/** Named selections and the condition over them, as rules (`detection`) and filters have them, read into one Condition. */
import type { Condition } from "@vedette/condition";
import { join, readSelection } from "./detection.ts";
import { parseExpression } from "./expression.ts";
import { Refused } from "./refusal.ts";
import type { Placeholders } from "./transform.ts";
import { get, type MapTree, type Tree } from "./yaml.ts";

/** A selection under its name, the very object that stands in the rule's condition. */
export interface NamedSelection {
  readonly name: string;
  readonly condition: Condition;
}

export interface DetectionBlock {
  readonly selections: readonly NamedSelection[];
  readonly condition: Condition;
}

/** @param others keys of the block that are no selections. Throws `Refused`. */
export function readDetectionBlock(block: MapTree, others: ReadonlySet<string>, placeholders: Placeholders): DetectionBlock {
  const selections = new Map<string, Condition>();
  for (const { key, keyAt, value } of block.entries) {
    if (key === "timeframe")
      throw new Refused(keyAt, "timeframe", "a condition on single events", "write a correlation with timespan, in a document of its own");
    if (key !== "condition" && !others.has(key)) selections.set(key, readSelection(key, value, placeholders));
  }
  if (selections.size === 0) throw new Refused(block.at, "detection", "at least one selection", "add selection: {field: value}");
  const condition = get(block, "condition");
  if (condition === undefined) throw new Refused(block.at, "detection", "a condition", "add condition: selection");
  const trees: readonly Tree[] = condition.kind === "list" ? condition.items : [condition];
  if (trees.length === 0) throw new Refused(condition.at, "condition: []", "an expression", "write condition: selection");
  return {
    selections: [...selections].map(([name, selection]) => ({ name, condition: selection })),
    condition: join(
      "or",
      trees.map((tree) => readExpression(tree, selections)),
    ),
  };
}

/** Reads an expression where it stands, over anything that has names. Throws `Refused`. */
export function readExpression(tree: Tree, selections: ReadonlyMap<string, Condition>): Condition {
  if (tree.kind !== "scalar" || typeof tree.value !== "string")
    throw new Refused(tree.at, "condition", "an expression as text", "write condition: selection");
  const read = parseExpression(tree.value, selections);
  if (!("construct" in read)) return read;
  // Within a plain one-line scalar the text stands as it is in the file; elsewhere the value's start is near enough.
  const inside = tree.source === tree.value && !tree.value.includes("\n") ? read.offset : 0;
  throw new Refused(tree.at + inside, read.construct, read.expected, read.suggestion);
}
