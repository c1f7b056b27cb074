/** Erasures: what one would come to, beginning it, and how those that were begun go: progress, what a hold kept, the tombstones. */
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import { useMay } from "../api/session.ts";
import { RecordTabs } from "../audit/section.tsx";
import { formatCount } from "../format/number.ts";
import { announce } from "../shell/announce.tsx";
import { Confirm } from "../shell/confirm.tsx";
import { InnerLink } from "../shell/link.tsx";
import { PageHead, Panel } from "../shell/panel.tsx";
import { RangeForm, type RangeRequest } from "../shell/range_form.tsx";
import { Mark } from "../shell/severity.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { Time } from "../shell/zone.tsx";
import { linkPart } from "../url/search.ts";

const key = ["erasures"] as const;
const list = ({ signal }: { readonly signal: AbortSignal }) => api.get("/erasures", { signal });
type Erasure = Awaited<ReturnType<typeof list>>["erasures"][number];
type ErasureRequest = RangeRequest & { readonly audit: boolean };

/** While one runs. */
const refresh_ms = 2_000;
const states = { running: ["busy", "running"], done: ["good", "done"], failed: ["bad", "failed"] } as const;

export function ErasuresPage() {
  useTitle("Erasures");
  const may_erase = useMay("data:erase");
  const query = useQuery({
    queryKey: key,
    queryFn: list,
    refetchInterval: ({ state }) => (state.data?.erasures.some((one) => one.state === "running") ? refresh_ms : false),
  });
  return (
    <>
      <PageHead title="Erasures" />
      <RecordTabs />
      {may_erase && <Begin />}
      <Loaded query={query} what="Erasures">
        {({ erasures }) => (
          <section className="panel panel-flush" aria-label="Erasures">
            {erasures.length === 0 ? (
              <Empty icon="audit" title="Nothing was erased yet">
                <p>Each erasure stays on record here: who asked, why, and what went. What is older than its retention goes by itself.</p>
              </Empty>
            ) : (
              <TableScroll>
                <table className="grid">
                  <thead>
                    <tr>
                      <th scope="col">Begun</th>
                      <th scope="col">By and why</th>
                      <th scope="col">Time erased</th>
                      <th scope="col">State</th>
                      {["Events", "Held back", "Alerts", "Records"].map((name) => (
                        <th key={name} scope="col" className="number">
                          {name}
                        </th>
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {erasures.map((one) => (
                      <Row key={one.id} erasure={one} />
                    ))}
                  </tbody>
                </table>
              </TableScroll>
            )}
          </section>
        )}
      </Loaded>
    </>
  );
}

/** Nothing is erased that was not looked at before: the button is there for exactly what was previewed. */
function Begin() {
  const client = useQueryClient();
  const [asked, setAsked] = useState<ErasureRequest>();
  const [sure, setSure] = useState(false);
  const preview = useMutation({ mutationFn: (body: ErasureRequest) => api.post("/erasures/preview", { body }) });
  const erase = useMutation({
    mutationFn: (body: ErasureRequest) => api.post("/erasures", { body }),
    onSuccess: () => {
      announce("The erasure has begun");
      forget();
      void client.invalidateQueries({ queryKey: key });
    },
  });
  const forget = () => {
    setSure(false);
    setAsked(undefined);
    preview.reset();
  };
  const found = asked === undefined ? undefined : preview.data;
  return (
    <Panel title="Erase for good" aside={<span className="dim small">first what it would come to; nothing brings it back</span>}>
      <RangeForm
        action="Preview"
        option="Audit records too"
        busy={preview.isPending}
        error={preview.error}
        onChange={forget}
        onSubmit={(request, audit) => {
          setAsked({ ...request, audit });
          preview.mutate({ ...request, audit });
        }}
      />
      {found !== undefined && asked !== undefined && (
        <div role="status" className="dialog-form section-gap">
          <p>
            {formatCount(found.events)} events, what {formatCount(found.alerts)} alerts quote
            {asked.audit && `, what ${formatCount(found.records)} records of the audit trail hold`} would go.
          </p>
          {found.held > 0 && (
            <p>
              {formatCount(found.held)} events would stay, kept by{" "}
              {found.holds.map((hold) => (
                <code key={hold}>
                  <Hostile text={hold} />{" "}
                </code>
              ))}
            </p>
          )}
          <div className="row-actions">
            <Button size="xs" variant="default" onClick={() => setSure(true)}>
              Erase…
            </Button>
            {found.held > 0 && <InnerLink to="/holds">Legal holds</InnerLink>}
          </div>
        </div>
      )}
      {sure && asked !== undefined && (
        <Confirm
          title="Erase for good"
          subject={asked.q}
          busy={erase.isPending}
          error={erase.error}
          onConfirm={() => erase.mutate(asked)}
          onClose={() => setSure(false)}
        />
      )}
    </Panel>
  );
}

function Row({ erasure }: { readonly erasure: Erasure }) {
  const { id, at, by, reason, from, to, audit, digest, state, ended, events, held, alerts, records, problem } = erasure;
  const tombstones = `event.dataset:vedette.audit and vedette.audit.erasure:${JSON.stringify(id)}`;
  return (
    <tr>
      <td>
        <Time iso={at} digits={0} />
        <div className="cell-sub mono" title={`SHA-256 of the question: ${digest}`}>
          <InnerLink to={`/events?t=all&q=${linkPart(tombstones)}`}>
            <Hostile text={id} />
          </InnerLink>
        </div>
      </td>
      <td className="cell-main wrap">
        <Hostile text={by} />: <Hostile text={reason} />
      </td>
      <td>
        <Time iso={from} digits={0} />
        <div className="cell-sub">
          to <Time iso={to} digits={0} />
        </div>
      </td>
      <td className="wrap">
        <Mark tone={states[state][0]}>{states[state][1]}</Mark>
        {ended !== undefined && (
          <div className="cell-sub">
            <Time iso={ended} digits={0} />
          </div>
        )}
        {problem !== undefined && (
          <div className="cell-sub">
            <Hostile text={problem} />
          </div>
        )}
      </td>
      <td className="number">{formatCount(events)}</td>
      <td className="number">{formatCount(held)}</td>
      <td className="number">{formatCount(alerts)}</td>
      <td className="number">{audit ? formatCount(records) : "·"}</td>
    </tr>
  );
}
