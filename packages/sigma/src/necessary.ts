/** A weaker condition that a store can search by: whatever satisfies some rule satisfies it. Knows no store. */
import { always, type Condition } from "@vedette/condition";
import { compilePattern } from "./regex.ts";

/** Comparisons of one search: above it a store spends longer on the search than on handing everything over. */
const maxLeaves = 1_500;

/** A condition that holds wherever one of these does, without negations and without patterns that stores may read otherwise. */
export function necessaryOf(conditions: readonly Condition[]): Condition {
  const weak = conditions.map(weaken);
  if (weak.some(isAlways)) return always;
  const whole = gather(weak);
  if (leavesOf(whole) <= maxLeaves) return whole;
  // too many rules to search for each: their first clauses, which say what kind of event they are about, are few
  const first = gather(weak.map((one) => (one.op === "and" ? one.of[0]! : one)));
  return leavesOf(first) <= maxLeaves ? first : always;
}

function weaken(condition: Condition): Condition {
  switch (condition.op) {
    case "not":
      return always;
    case "and": {
      const of = condition.of.map(weaken).filter((one) => !isAlways(one));
      return of.length === 1 ? of[0]! : { op: "and", of: of.flatMap((one) => (one.op === "and" ? one.of : [one])) };
    }
    case "or": {
      const of = condition.of.map(weaken);
      return of.some(isAlways) ? always : { op: "or", of };
    }
    case "regex": {
      const pattern = compilePattern(condition.value, condition.flags ?? "");
      const { field } = condition;
      const needs = "problem" in pattern ? [] : pattern.needs;
      const sets = needs.map((set): Condition => ({ op: "or", of: set.map((value) => ({ op: "contains", field, value })) }));
      return sets.length === 0 ? { op: "exists", field } : sets.length === 1 ? sets[0]! : { op: "and", of: sets };
    }
    case "eq":
      return condition.value === null ? always : condition;
    default:
      return condition;
  }
}

/** One alternative of several conditions; what many of them begin with is asked once. */
function gather(conditions: readonly Condition[]): Condition {
  const groups = new Map<string, { readonly first: Condition; readonly rest: Condition[] }>();
  for (const condition of conditions) {
    const [first, rest] = condition.op === "and" ? [condition.of[0]!, condition.of.slice(1)] : [condition, []];
    const key = JSON.stringify(first);
    const group = groups.get(key) ?? { first, rest: [] };
    group.rest.push({ op: "and", of: rest });
    groups.set(key, group);
  }
  const of = [...groups.values()].map(({ first, rest }): Condition => {
    if (rest.some(isAlways)) return first;
    return { op: "and", of: [first, rest.length === 1 ? rest[0]! : { op: "or", of: rest }] };
  });
  return of.length === 1 ? of[0]! : { op: "or", of };
}

const isAlways = (condition: Condition): boolean => condition.op === "and" && condition.of.length === 0;

function leavesOf(condition: Condition): number {
  return condition.op === "and" || condition.op === "or" ? condition.of.reduce((n, one) => n + leavesOf(one), 0) : 1;
}
