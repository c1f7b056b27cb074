/** Which rules a filter shows, and in which order: what needs a person first. Pure. */
import type { Rule, RuleState } from "../api/types.ts";
import { patchSearch } from "../url/search.ts";

export const rule_states = ["enabled", "shadow", "quarantined", "refused"] as const satisfies readonly RuleState[];

/** Nothing is missing any more: somebody may enable it. */
export const isProposed = (rule: Rule): boolean => rule.state === "shadow" && rule.missing?.length === 0;

/** It is judged, and waits for a field that no event is known to carry. */
export const isBlind = (rule: Rule): boolean => rule.unknown_fields !== undefined && rule.state !== "quarantined";

export function filterRules(rules: readonly Rule[], q: string, states: readonly RuleState[], proposed = false): Rule[] {
  const wanted = q.trim().toLowerCase();
  const shown = rules.filter((rule) => {
    if (states.length > 0 && !states.includes(rule.state)) return false;
    if (proposed && !isProposed(rule)) return false;
    return wanted === "" || [rule.id, rule.title, rule.file, ...rule.attack].some((text) => text.toLowerCase().includes(wanted));
  });
  const rank = (rule: Rule) =>
    rule.state === "refused" ? 0 : rule.state === "quarantined" ? 1 : isProposed(rule) ? 2 : isBlind(rule) ? 3 : 4;
  return shown.sort(
    (a, b) => rank(a) - rank(b) || (b.matched ?? 0) - (a.matched ?? 0) || (a.title < b.title ? -1 : a.title > b.title ? 1 : 0),
  );
}

/** Where its alerts are; of a rule on trial, what it found. */
export const alertsOf = ({ id, state }: Rule): string =>
  `/alerts${patchSearch("", { state: "any", rule: id, ...(state === "shadow" && { shadow: "1" }) })}`;
