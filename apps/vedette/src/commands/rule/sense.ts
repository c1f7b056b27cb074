/** What is probably not meant in a rule that loads: selections nobody uses, contradictions, and conditions that tell nothing apart. */
import { type Condition, likeParts, parseNetwork } from "@vedette/condition";
import type { SigmaRule } from "@vedette/sigma";

/** Selections that the condition does not name; those that begin with `_` may wait for `them`. */
export function unusedSelections(rule: SigmaRule): string[] {
  const used = new Set<Condition>();
  const walk = (c: Condition): void => {
    if (used.has(c)) return;
    used.add(c);
    if (c.op === "and" || c.op === "or") for (const child of c.of) walk(child);
    else if (c.op === "not") walk(c.of);
  };
  walk(rule.condition);
  return rule.selections.filter((s) => !used.has(s.condition) && !s.name.startsWith("_")).map((s) => s.name);
}

/** One plain character stands in nearly every line; anything longer, or beyond ASCII, tells something. */
const telling = (text: string): boolean => text.length > 1 || /[^ -~]/.test(text);

/** True when nothing in the condition tells one event of the logsource from another: `CommandLine: '*'`, or exceptions alone. */
export function isBroad(condition: Condition): boolean {
  return !tells(condition);
}

function tells(c: Condition): boolean {
  switch (c.op) {
    case "and":
      return c.of.some(tells);
    case "or":
      return c.of.length > 0 && c.of.every(tells);
    case "not":
      // an exception leaves almost everything; a double negation does not
      return c.of.op === "not" && tells(c.of.of);
    case "eq":
      return c.value !== null;
    case "contains":
      return telling(c.value);
    case "starts":
    case "ends":
      return c.value !== "";
    case "like":
    case "keyword":
      return telling(
        likeParts(c.value)
          .filter((part) => typeof part === "string")
          .join(""),
      );
    case "regex":
      return !/^\^?[(]?[.][*+]?[)]?\$?$/.test(c.value);
    case "cidr":
      return (parseNetwork(c.value)?.bits ?? 0) > 0;
    case "exists":
      return false;
    default:
      return true;
  }
}

/** Fields that hold several values at once: two comparisons may well hold together. */
const severalValues = /^(event\.(category|type)|tags|labels|related\..*|.*\.args|dns\.(answers\..*|resolved_ip)|host\.(ip|mac)|.*\.roles)$/;

/** A field that the condition, its logsource included, wants to equal two different things at once. */
export function contradiction(condition: Condition): string[] {
  const wanted = new Map<string, Set<string>>();
  for (const part of parts(condition)) {
    const one = equality(part);
    if (one === undefined || severalValues.test(one.field)) continue;
    const before = wanted.get(one.field);
    if (before === undefined) {
      wanted.set(one.field, one.values);
      continue;
    }
    const both = new Set([...one.values].filter((v) => before.has(v)));
    if (both.size === 0)
      return [`${one.field} cannot be ${[...before].slice(0, 4).join(" or ")} and ${[...one.values].slice(0, 4).join(" or ")} at once`];
    wanted.set(one.field, both);
  }
  return [];
}

function* parts(condition: Condition): Iterable<Condition> {
  if (condition.op !== "and") return void (yield condition);
  for (const child of condition.of) yield* parts(child);
}

/** `field = a or b or …`, and nothing else. */
function equality(c: Condition): { readonly field: string; readonly values: Set<string> } | undefined {
  if (c.op === "eq" && c.value !== null) return { field: c.field, values: new Set([String(c.value).toLowerCase()]) };
  if (c.op !== "or" || c.of.length === 0) return undefined;
  const values = new Set<string>();
  let field: string | undefined;
  for (const child of c.of) {
    if (child.op !== "eq" || child.value === null || (field !== undefined && child.field !== field)) return undefined;
    field = child.field;
    values.add(String(child.value).toLowerCase());
  }
  return { field: field!, values };
}
