/** Which rules came on, went off or were rewritten by a change, one by one, as the audit trail names it. Pure. */
import type { DecidedState } from "@vedette/model";

/** What a rule was before a change or is after it. */
interface Standing {
  readonly state: DecidedState;
  readonly hash: string;
  readonly title: string;
}
export type Standings = ReadonlyMap<string, Standing>;

export interface RuleMove {
  readonly id: string;
  readonly title: string;
  readonly action: "rule_enabled" | "rule_shadowed" | "rule_disabled" | "rule_quarantined" | "rule_removed" | "rule_changed";
}

/** @param machine whether Vedette did it itself: it quarantines, people disable */
export function movesOf(before: Standings, after: Standings, machine: boolean): readonly RuleMove[] {
  const actions = {
    enabled: "rule_enabled",
    shadow: "rule_shadowed",
    quarantined: machine ? "rule_quarantined" : "rule_disabled",
  } as const satisfies { readonly [S in DecidedState]: RuleMove["action"] };
  const moves: RuleMove[] = [];
  for (const [id, { state, hash, title }] of after) {
    const old = before.get(id);
    // what comes in on trial judges nothing yet
    if (old === undefined ? state === "enabled" : old.state !== state) moves.push({ id, title, action: actions[state] });
    else if (old !== undefined && old.hash !== hash && state === "enabled") moves.push({ id, title, action: "rule_changed" });
  }
  for (const [id, { state, title }] of before) if (state === "enabled" && !after.has(id)) moves.push({ id, title, action: "rule_removed" });
  return moves;
}
