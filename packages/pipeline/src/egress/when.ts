/** Which of everything a sink sends, in the query language. */
import { type Condition, parseQuery } from "@vedette/condition";

/** A query of `when`. @returns what is wrong with it, for people */
export function readWhen(when: string): { readonly where: Condition } | { readonly wrong: string } {
  const parsed = parseQuery(when);
  if (!parsed.ok)
    return {
      wrong: `${parsed.message} at position ${parsed.position + 1}${parsed.suggestion ? `; did you mean "${parsed.suggestion}"?` : ""}`,
    };
  const { where, ...pipes } = parsed.query;
  return Object.keys(pipes).length > 0 ? { wrong: "expected a filter without | pipes" } : { where };
}
