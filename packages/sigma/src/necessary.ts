/** A weaker condition that a store can search by: whatever satisfies some rule satisfies it. Knows no store. */
import { always, type Condition, escapeLike } from "@vedette/condition";
import { compilePattern } from "./regex.ts";
import { type Literal, witnessesOf } from "./witness.ts";

/** Comparisons of one search that are told in full: each costs a store some 30 kB a thread and some ns an event. */
const maxLeaves = 300;

/** A condition that holds wherever one of these does, without negations and without patterns that stores may read otherwise. */
export function necessaryOf(conditions: readonly Condition[]): Condition {
  const weak = conditions.map(weaken);
  const all = gather(weak);
  // of many rules only what kind of event they are about and the one literal they wait for, which a store can look for all at once
  return leavesOf(all) <= maxLeaves ? all : gather(weak.map(witnessed));
}

/** Mapped rules begin with what their logsource means. */
function witnessed(condition: Condition): Condition {
  if (condition.op !== "and" || condition.of.length < 2) return condition;
  const [first, ...rest] = condition.of;
  const [witness] = witnessesOf({ op: "and", of: rest });
  if (witness === undefined) return first!;
  return { op: "and", of: [first!, { op: "or", of: witness.literals.map(literal) }] };
}

function literal({ field, kind, text }: Literal): Condition {
  if (field === "") return { op: "keyword", value: escapeLike(text) };
  if (kind === "any") return { op: "exists", field };
  return kind === "exact" ? { op: "eq", field, value: text } : { op: "contains", field, value: text };
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
      const { field } = condition;
      const pattern = compilePattern(condition.value, condition.flags ?? "");
      const needs = "problem" in pattern ? [] : pattern.needs;
      if (needs.length === 0) return { op: "exists", field };
      return { op: "and", of: needs.map((set) => ({ op: "or", of: set.map((value) => ({ op: "contains", field, value })) })) };
    }
    case "eq":
      return condition.value === null ? always : condition;
    default:
      return condition;
  }
}

/** One of several conditions; what many of them begin with is asked once, alternatives of alternatives are one list. */
function gather(conditions: readonly Condition[]): Condition {
  const groups = new Map<string, { readonly first: Condition; readonly rest: Condition[] }>();
  for (const condition of conditions) {
    if (isAlways(condition)) return always;
    const [first, rest] = condition.op === "and" ? [condition.of[0]!, condition.of.slice(1)] : [condition, []];
    const key = JSON.stringify(first);
    const group = groups.get(key) ?? { first, rest: [] };
    group.rest.push(rest.length === 1 ? rest[0]! : { op: "and", of: rest });
    groups.set(key, group);
  }
  const of = [...groups.values()].map(({ first, rest }): Condition => {
    if (rest.some(isAlways)) return first;
    const alternatives = rest.flatMap((one) => (one.op === "or" ? one.of : [one]));
    return { op: "and", of: [first, alternatives.length === 1 ? alternatives[0]! : { op: "or", of: alternatives }] };
  });
  return of.length === 1 ? of[0]! : { op: "or", of };
}

const isAlways = (condition: Condition): boolean => condition.op === "and" && condition.of.length === 0;

function leavesOf(condition: Condition): number {
  return condition.op === "and" || condition.op === "or" ? condition.of.reduce((n, one) => n + leavesOf(one), 0) : 1;
}
