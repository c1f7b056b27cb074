/** Boolean conditions of temporal correlations (`a and (b or c) and not d`), as the sets of rules of which one must have occurred. Knows no time. */
import type { Condition } from "@vedette/condition";
import { readExpression } from "./detectionblock.ts";
import type { Reference } from "./reference.ts";
import { Refused } from "./refusal.ts";
import type { LoadedFile, ScalarTree } from "./yaml.ts";

/** One way to hold: all of `need` occurred and none of `none`. Positions in the correlation's rules, in their order. */
export interface Term {
  readonly need: readonly number[];
  readonly none: readonly number[];
}

/** Ways one condition may hold: a correlation of more is better written as several. */
const maxTerms = 64;

/** The rules a temporal correlation speaks of and the ways in which it holds; without an expression all must occur. Throws `Refused`. */
export function readTerms(
  type: string,
  expression: ScalarTree | undefined,
  written: readonly Reference[],
  position: LoadedFile["position"],
): { readonly rules: readonly Reference[]; readonly terms: readonly Term[] } {
  if (!type.startsWith("temporal")) return { rules: written, terms: [] };
  if (expression === undefined) return { rules: written, terms: [{ need: written.map((_, i) => i), none: [] }] };
  const at = position(expression.at);
  const words = String(expression.value).match(/[^\s()]+/g) ?? [];
  const named = words.filter((word) => !/^(and|or|not)$/i.test(word)).map((to): Reference => ({ to, ...at }));
  const rules = unique(written.length > 0 ? written : named);
  // the expression's own reader wants conditions under names: here each is the position of a rule
  const positions = new Map<string, Condition>(rules.map(({ to }, i) => [to, { op: "eq", field: "rule", value: i }]));
  const condition = readExpression(expression, positions);
  for (const { to } of rules)
    if (!named.some((name) => name.to === to))
      throw new Refused(expression.at, `rule ${to}`, "every rule of rules in the condition", "use it, or remove it from rules");
  const terms = termsOf(condition, false);
  if (terms.length > maxTerms)
    throw new Refused(expression.at, `${terms.length} ways to hold`, `at most ${maxTerms}`, "split the correlation");
  if (terms.length === 0) throw new Refused(expression.at, "a condition that never holds", "one that can", "remove the contradiction");
  if (terms.some((term) => term.need.length === 0))
    throw new Refused(expression.at, "a condition of absences alone", "a rule that must occur", "add a rule without not");
  return { rules, terms };
}

function unique(rules: readonly Reference[]): readonly Reference[] {
  return rules.filter(({ to }, i) => rules.findIndex((rule) => rule.to === to) === i);
}

/** Disjunctive normal form without contradictions; stops growing soon after it is too large. */
function termsOf(condition: Condition, negated: boolean): Term[] {
  switch (condition.op) {
    case "not":
      return termsOf(condition.of, !negated);
    case "and":
    case "or": {
      const parts = condition.of.map((one) => termsOf(one, negated));
      if ((condition.op === "or") !== negated) return parts.flat().slice(0, maxTerms + 1);
      return parts.reduce<Term[]>(
        (all, part) => all.flatMap((a) => part.flatMap((b) => both(a, b))).slice(0, maxTerms + 1),
        [{ need: [], none: [] }],
      );
    }
    default: {
      const rule = condition.op === "eq" ? [Number(condition.value)] : [];
      return [negated ? { need: [], none: rule } : { need: rule, none: [] }];
    }
  }
}

function both(a: Term, b: Term): Term[] {
  const merged = (x: readonly number[], y: readonly number[]) => [...new Set([...x, ...y])].sort((one, other) => one - other);
  const term = { need: merged(a.need, b.need), none: merged(a.none, b.none) };
  return term.need.some((i) => term.none.includes(i)) ? [] : [term];
}
