/** Which rules a filter shows, and in which order: what needs a person first. Pure. */
import type { Rule } from "../api/types.ts";

export const rule_states = ["enabled", "shadow", "refused"] as const;

export function filterRules(rules: readonly Rule[], q: string, states: readonly Rule["state"][]): Rule[] {
  const wanted = q.trim().toLowerCase();
  const shown = rules.filter((rule) => {
    if (states.length > 0 && !states.includes(rule.state)) return false;
    return wanted === "" || [rule.id, rule.title, rule.file, ...rule.attack].some((text) => text.toLowerCase().includes(wanted));
  });
  const rank = (rule: Rule) => (rule.state === "refused" ? 0 : 1);
  return shown.sort((a, b) => rank(a) - rank(b) || b.matched - a.matched || (a.title < b.title ? -1 : a.title > b.title ? 1 : 0));
}
