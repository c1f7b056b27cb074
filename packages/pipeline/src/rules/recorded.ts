/** Puts on record which rules came on, went off or were rewritten, who did it and why. Waits for nobody. */
import type { AuditTrail } from "@vedette/audit";
import type { Requester } from "@vedette/model";
import type { OnProblem } from "../runtime/problems.ts";
import type { RuleMove } from "./moves.ts";

export function recordMoves(trail: AuditTrail, moves: readonly RuleMove[], { by, reason }: Requester, onProblem: OnProblem): void {
  const entries = moves.map(({ id, title, action }) =>
    trail.record({
      action,
      outcome: "success",
      by: { user: by },
      fields: { "rule.id": id, "rule.name": title, "vedette.audit.reason": reason },
    }),
  );
  Promise.all(entries).then(
    () => onProblem("audit_failed", undefined),
    (e: Error) => onProblem("audit_failed", e.message),
  );
}
