/** A rule held against one event clause by clause: what holds, what does not, and the value met. Decides nothing itself. */
import type { Condition, Readable } from "@vedette/condition";
import { describeLeaf, metBy } from "./explain.ts";
import type { Frame } from "./frame.ts";
import type { MappedRule } from "./mapping.ts";
import type { Compiler, Leaf } from "./predicate.ts";

/** One part of the rule's condition. */
export interface Clause {
  readonly op: "and" | "or" | "not" | "compare";
  readonly holds: boolean;
  /** Name of the selection that begins here, "logsource" for what a pipeline added, else absent. */
  readonly name?: string;
  /** Of a comparison: the event's field ("" for a keyword), what is wanted, and the value met ("" where the field is absent). */
  readonly field?: string;
  readonly comparison?: string;
  readonly value?: string;
  readonly of: readonly Clause[];
  /** Alternatives beyond those in `of`: none of them holds. */
  readonly more?: number;
}

/** Alternatives shown of a list of which none holds; long lists of names differ in nothing that explains. */
const maxAlternatives = 12;
/** Clauses of one trace: a page of text is read, a megabyte is not. */
const maxClauses = 1_000;

export function traceRule(rule: MappedRule, event: Readable, compiler: Compiler, frame: Frame): Clause {
  const names = new Map(rule.selections.map(({ name, condition }) => [condition, name]));
  // what the pipelines added stands before the rule's own condition
  if (rule.placed && rule.condition.op === "and") for (const added of rule.condition.of.slice(0, -1)) names.set(added, "logsource");
  let left = maxClauses;
  const trace = (condition: Condition): Clause => {
    left--;
    const name = names.get(condition);
    const named = name === undefined ? {} : { name };
    const holds = compiler.predicate(condition)(frame);
    if (condition.op === "not") return { op: "not", holds, ...named, of: [trace(condition.of)] };
    if (condition.op !== "and" && condition.op !== "or") {
      const leaf = condition as Leaf;
      return { op: "compare", holds, ...named, ...metBy(leaf, event, frame), comparison: describeLeaf(leaf), of: [] };
    }
    // of alternatives those that hold say why; when none does, the first ones show what was wanted
    const telling = condition.op === "or" && holds ? condition.of.filter((c) => compiler.predicate(c)(frame)) : condition.of;
    const most = Math.min(condition.op === "or" ? maxAlternatives : telling.length, Math.max(0, left));
    const more = telling.length - most;
    return { op: condition.op, holds, ...named, of: telling.slice(0, most).map(trace), ...(more > 0 ? { more } : {}) };
  };
  return trace(rule.condition);
}

/** The clauses from the whole rule down to the first that fails; empty when the rule holds. */
export function firstFailure(clause: Clause): readonly Clause[] {
  if (clause.holds) return [];
  // a `not` fails because of what holds within it; of alternatives none is to blame alone
  const next = clause.op === "and" ? clause.of.find((c) => !c.holds) : undefined;
  return next === undefined ? [clause] : [clause, ...firstFailure(next)];
}
