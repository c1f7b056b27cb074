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

/** Why the condition, its logsource included, can never hold: a field would have to equal two different things at once. */
export function contradiction(condition: Condition): string[] {
  const pinned = pins(condition);
  return typeof pinned === "string" ? [pinned] : [];
}

/** Values a field must be one of where the condition holds. */
type Pins = ReadonlyMap<string, ReadonlySet<string>>;

/** What the condition pins down, or why it never holds. Conditions that pin nothing are not looked into. */
function pins(c: Condition): Pins | string {
  if (c.op === "eq" && c.value !== null && !severalValues.test(c.field))
    return new Map([[c.field, new Set([String(c.value).toLowerCase()])]]);
  if (c.op === "and") return allOf(c.of.map(pins));
  if (c.op === "or") return oneOf(c.of.map(pins));
  return new Map();
}

function allOf(parts: readonly (Pins | string)[]): Pins | string {
  const all = new Map<string, ReadonlySet<string>>();
  for (const part of parts) {
    if (typeof part === "string") return part;
    for (const [field, values] of part) {
      const before = all.get(field);
      const both = before === undefined ? values : new Set([...values].filter((v) => before.has(v)));
      if (both.size === 0) return `${field} cannot be ${some(before!)} and ${some(values)} at once`;
      all.set(field, both);
    }
  }
  return all;
}

/** Only what every alternative pins is certain. */
function oneOf(parts: readonly (Pins | string)[]): Pins | string {
  const possible = parts.filter((p): p is Pins => typeof p !== "string");
  const [first, ...others] = possible;
  if (first === undefined) return parts.find((p) => typeof p === "string") ?? new Map();
  const all = new Map<string, ReadonlySet<string>>();
  for (const [field, values] of first) {
    const sets = others.map((o) => o.get(field));
    if (sets.every((v) => v !== undefined)) all.set(field, new Set([...values, ...sets.flatMap((v) => [...v])]));
  }
  return all;
}

const some = (values: ReadonlySet<string>): string => [...values].slice(0, 4).join(" or ");
