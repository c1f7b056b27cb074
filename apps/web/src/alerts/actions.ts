/** What a person can do with an alert, as requests; the answer is the alert as it is now. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { request } from "../api/client.ts";
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
      const { do: verb, ...body } = action;
      return request<Alert>(`/alerts/${encodeURIComponent(id)}/${verb}`, { method: "POST", body });
    },
    onSuccess: (alert, act) => {
      client.setQueryData(["alert", alert.id], alert);
      void client.invalidateQueries({ queryKey: ["alerts", "recent"] });
      announce(`Alert ${done_words[act.action.do]}`);
      onDone?.(alert, act);
    },
  });
}
