/** Legal holds: what is kept past retention and erasure, by whom and why; putting one on what a question finds, and releasing one. */
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import { useMay } from "../api/session.ts";
import { RecordTabs } from "../audit/section.tsx";
import { announce } from "../shell/announce.tsx";
import { InnerLink } from "../shell/link.tsx";
import { PageHead, Panel } from "../shell/panel.tsx";
import { RangeForm, type RangeRequest } from "../shell/range_form.tsx";
import { ReasonDialog } from "../shell/reason_dialog.tsx";
import { Mark } from "../shell/severity.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { Time } from "../shell/zone.tsx";
import { linkPart } from "../url/search.ts";

const key = ["holds"] as const;
const list = ({ signal }: { readonly signal: AbortSignal }) => api.get("/holds", { signal });
type Hold = Awaited<ReturnType<typeof list>>["holds"][number];

export function HoldsPage() {
  useTitle("Legal holds");
  const client = useQueryClient();
  const may_write = useMay("holds:write");
  const [releasing, setReleasing] = useState<Hold>();
  const query = useQuery({ queryKey: key, queryFn: list });
  const changed = (text: string) => {
    announce(text);
    setReleasing(undefined);
    void client.invalidateQueries({ queryKey: key });
  };
  const add = useMutation({
    mutationFn: (body: RangeRequest) => api.post("/holds", { body: { alerts: [], ...body } }),
    onSuccess: () => changed("The events are held"),
  });
  const release = useMutation({
    mutationFn: ({ id, reason }: { readonly id: string; readonly reason: string }) =>
      api.post("/holds/{id}/release", { path: { id }, body: { reason } }),
    onSuccess: () => changed("The hold is released"),
  });
  return (
    <>
      <PageHead title="Legal holds" />
      <RecordTabs />
      {may_write && (
        <Panel title="Hold what a question finds" aside={<span className="dim small">neither retention nor an erasure takes it</span>}>
          <RangeForm action="Hold" busy={add.isPending} error={add.error} onSubmit={(body) => add.mutate(body)} />
        </Panel>
      )}
      <Loaded query={query} what="Holds">
        {({ holds }) => (
          <section className="panel panel-flush" aria-label="Holds">
            {holds.length === 0 ? (
              <Empty icon="audit" title="Nothing is held">
                <p>
                  A hold keeps the events of a case from retention and erasure until somebody releases it. An alert's page has one for its
                  events.
                </p>
              </Empty>
            ) : (
              <TableScroll>
                <table className="grid">
                  <thead>
                    <tr>
                      <th scope="col">Since</th>
                      <th scope="col">By</th>
                      <th scope="col">What</th>
                      <th scope="col">Reason</th>
                      <th scope="col">State</th>
                      {may_write && <th scope="col">Change</th>}
                    </tr>
                  </thead>
                  <tbody>
                    {holds.map((hold) => (
                      <Row key={hold.id} hold={hold} onRelease={may_write ? setReleasing : undefined} />
                    ))}
                  </tbody>
                </table>
              </TableScroll>
            )}
          </section>
        )}
      </Loaded>
      {releasing !== undefined && (
        <ReasonDialog
          title="Release hold"
          subject={releasing.reason}
          busy={release.isPending}
          error={release.error}
          onSubmit={(reason) => release.mutate({ id: releasing.id, reason })}
          onClose={() => setReleasing(undefined)}
        />
      )}
    </>
  );
}

function Row({ hold, onRelease }: { readonly hold: Hold; readonly onRelease: ((hold: Hold) => void) | undefined }) {
  const { id, at, by, reason, alerts, q, from, to, released } = hold;
  return (
    <tr>
      <td>
        <Time iso={at} digits={0} />
        <div className="cell-sub mono">
          <Hostile text={id} />
        </div>
      </td>
      <td>
        <Hostile text={by} />
      </td>
      <td className="wrap">
        {alerts.map((alert) => (
          <div key={alert}>
            <InnerLink to={`/alerts/${linkPart(alert)}`}>
              alert <Hostile text={alert} />
            </InnerLink>
          </div>
        ))}
        {q !== undefined && (
          <code>
            <Hostile text={q} />
          </code>
        )}
        {from !== undefined && to !== undefined && (
          <div className="cell-sub">
            <Time iso={from} digits={0} /> to <Time iso={to} digits={0} />
          </div>
        )}
      </td>
      <td className="cell-main wrap">
        <Hostile text={reason} />
      </td>
      <td className="wrap">
        {released === undefined ? <Mark tone="busy">in force</Mark> : <Mark tone="quiet">released</Mark>}
        {released !== undefined && (
          <div className="cell-sub">
            <Time iso={released.at} digits={0} /> by <Hostile text={released.by} />: <Hostile text={released.reason} />
          </div>
        )}
      </td>
      {onRelease !== undefined && (
        <td>
          {released === undefined && (
            <Button size="compact-xs" variant="default" onClick={() => onRelease(hold)}>
              Release…
            </Button>
          )}
        </td>
      )}
    </tr>
  );
}
