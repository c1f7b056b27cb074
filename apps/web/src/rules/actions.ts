/** What a person can do with rules, as requests; what stands in the way comes back as text. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import { announce } from "../shell/announce.tsx";

export type RuleAction =
  | { readonly do: "promote"; readonly id: string }
  | { readonly do: "state"; readonly id: string; readonly state: "enabled" | "shadow" | "quarantined" }
  | { readonly do: "rollback"; readonly to: number };

export interface Decided {
  readonly version: number;
  /** Empty when it was done. */
  readonly blocked?: readonly string[];
}

export interface ActOnRules {
  readonly action: RuleAction;
  readonly reason: string;
  readonly force: boolean;
}

function send({ action, reason, force }: ActOnRules): Promise<Decided> {
  if (action.do === "rollback") return api.post("/rules/rollback", { body: { to: action.to, reason } });
  const body = { reason, ...(force && { force }) };
  const path = { id: action.id };
  if (action.do === "state") return api.post("/rules/{id}/state", { path, body: { ...body, state: action.state } });
  return api.post("/rules/{id}/promote", { path, body });
}

export function useRuleAction(onDone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: send,
    onSuccess: ({ blocked = [], version }) => {
      if (blocked.length > 0) return;
      for (const key of ["rules", "rule", "rule-versions"]) void client.invalidateQueries({ queryKey: [key] });
      announce(`Rules are at version ${version}`);
      onDone();
    },
  });
}
