/** Conditions of pipelines made ready. Knows no pipeline. */
import { type Condition, compile, FoldMemo, type Predicate, type RegexFactory } from "@vedette/condition";
import { compilePattern } from "@vedette/sigma";

/** @throws ConditionError. A memo of its own for each: steps change fields between the questions. */
export const predicateOf = (when: Condition): Predicate => compile(when, { memo: new FoldMemo(), regex: linear });

/** For patterns that need another engine than JavaScript's to be linear. */
const linear: RegexFactory = (pattern, flags) => {
  const made = compilePattern(pattern, flags);
  if ("problem" in made) throw new Error(made.problem);
  return made;
};
