/** What a person can do with an alert, as requests; the answer is the alert as it is now. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { Alert, Verdict } from "../api/types.ts";
import { announce } from "../shell/announce.tsx";

export type AlertAction =
  | { readonly do: "acknowledge"; readonly note?: string }
  | { readonly do: "close"; readonly verdict: Verdict; readonly note?: string }
  | { readonly do: "reopen"; readonly note?: string }
  | { readonly do: "notes"; readonly note: string };

export const done_words: { readonly [action in AlertAction["do"]]: string } = {
  acknowledge: "acknowledged",
  close: "closed",
  reopen: "reopened",
  notes: "noted",
};

export interface ActOn {
  readonly id: string;
  readonly title: string;
  readonly action: AlertAction;
}

export function useAlertAction(onDone?: (alert: Alert, act: ActOn) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, action }: ActOn) => {
      const path = { id };
      if (action.do === "close") return api.post("/alerts/{id}/close", { path, body: { verdict: action.verdict, note: action.note } });
      if (action.do === "notes") return api.post("/alerts/{id}/notes", { path, body: { note: action.note } });
      return api.post(`/alerts/{id}/${action.do}`, { path, body: { note: action.note } });
    },
    onSuccess: (alert, act) => {
      client.setQueryData(["alert", alert.id], alert);
      void client.invalidateQueries({ queryKey: ["alerts", "recent"] });
      announce(`Alert ${done_words[act.action.do]}`);
      onDone?.(alert, act);
    },
  });
}
