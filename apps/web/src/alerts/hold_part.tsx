/** Whether the events of an alert are held past retention, and putting a hold on them or releasing it. */
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import { useMay } from "../api/session.ts";
import { announce } from "../shell/announce.tsx";
import { Panel } from "../shell/panel.tsx";
import { ReasonDialog } from "../shell/reason_dialog.tsx";
import { Loaded } from "../shell/states.tsx";
import { Hostile } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";

const key = ["holds"] as const;

export function HoldPart({ alert }: { readonly alert: { readonly id: string; readonly title: string } }) {
  const client = useQueryClient();
  const may_write = useMay("holds:write");
  /** The hold to release, or "new". */
  const [asking, setAsking] = useState<string>();
  const query = useQuery({ queryKey: key, queryFn: ({ signal }) => api.get("/holds", { signal }) });
  const change = useMutation({
    mutationFn: async (reason: string): Promise<void> => {
      if (asking === "new") await api.post("/holds", { body: { alerts: [alert.id], reason } });
      else if (asking !== undefined) await api.post("/holds/{id}/release", { path: { id: asking }, body: { reason } });
    },
    onSuccess: () => {
      announce(asking === "new" ? "The events are held" : "The hold is released");
      setAsking(undefined);
      void client.invalidateQueries({ queryKey: key });
    },
  });
  return (
    <Panel title="Legal hold">
      <Loaded query={query} what="Holds" rows={1}>
        {({ holds }) => {
          const own = holds.filter(({ alerts, released }) => released === undefined && alerts.includes(alert.id));
          return (
            <>
              {own.length === 0 && <p className="dim small">Its events go when their time is up.</p>}
              {own.map((hold) => (
                <p key={hold.id} className="small">
                  Held since <Time iso={hold.at} digits={0} /> by <Hostile text={hold.by} />: <Hostile text={hold.reason} />{" "}
                  {may_write && (
                    <Button size="compact-xs" variant="default" onClick={() => setAsking(hold.id)}>
                      Release…
                    </Button>
                  )}
                </p>
              ))}
              {may_write && own.length === 0 && (
                <Button size="compact-xs" variant="default" onClick={() => setAsking("new")}>
                  Hold its events…
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
      {asking !== undefined && (
        <ReasonDialog
          title={asking === "new" ? "Hold events" : "Release hold"}
          subject={alert.title}
          busy={change.isPending}
          error={change.error}
          onSubmit={(reason) => change.mutate(reason)}
          onClose={() => setAsking(undefined)}
        />
      )}
    </Panel>
  );
}
