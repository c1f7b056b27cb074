/** Backtests: judging stored events by rules, beside production. What is tested and how is the server's. */
import { Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { api } from "../api/client.ts";
import { formatCount } from "../format/number.ts";
import { InnerLink } from "../shell/link.tsx";
import { PageHead, Panel } from "../shell/panel.tsx";
import { Mark } from "../shell/severity.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { Time } from "../shell/zone.tsx";
import { useSearch } from "../url/search.ts";
import { Report } from "./report.tsx";
import { backtestBody } from "./request.ts";

const key = ["backtests"] as const;
/** Often while one runs; else only for what others start. */
const refresh_ms = { running: 1_000, idle: 15_000 };
const tones = { waiting: "quiet", running: "busy", done: "good", cancelled: "quiet", failed: "bad" } as const;
const isOpen = (state: string) => state === "running" || state === "waiting";
const spans = ["1", "7", "30", "90"].map((days) => ({ value: days, label: days === "1" ? "last day" : `last ${days} days` }));

export function BacktestsPage() {
  useTitle("Backtests");
  const { params, patch } = useSearch();
  const chosen = params.get("id");
  const query = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => api.get("/backtests", { signal }),
    refetchInterval: ({ state }) => (state.data?.backtests.some((one) => isOpen(one.state)) ? refresh_ms.running : refresh_ms.idle),
  });
  return (
    <>
      <PageHead title="Backtests">
        <InnerLink to="/rules" className="small">
          Rules
        </InnerLink>
      </PageHead>
      <Start begun={(id) => patch({ id })} />
      <Panel title="Since the server started" flush>
        <Loaded query={query} what="Backtests" rows={3}>
          {({ backtests }) =>
            backtests.length === 0 ? (
              <Empty icon="search" title="No backtest yet">
                <p>
                  It says what a rule would have found in the stored events, before anybody is called by it. Name one above, or paste one.
                </p>
              </Empty>
            ) : (
              <TableScroll>
                <table className="grid">
                  <thead>
                    <tr>
                      <th scope="col">Backtest</th>
                      <th scope="col">State</th>
                      <th scope="col">From</th>
                      <th scope="col">To</th>
                      <th scope="col" className="number">
                        Rules
                      </th>
                      <th scope="col" className="number">
                        Events
                      </th>
                      <th scope="col">
                        <span className="visually-hidden">Actions</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {[...backtests].reverse().map((one) => (
                      <Row
                        key={one.id}
                        backtest={one}
                        shown={one.id === chosen}
                        show={() => patch({ id: one.id === chosen ? "" : one.id })}
                      />
                    ))}
                  </tbody>
                </table>
              </TableScroll>
            )
          }
        </Loaded>
      </Panel>
      {chosen !== null && <Report id={chosen} isOpen={isOpen} refresh_ms={refresh_ms.running} />}
    </>
  );
}

type Backtest = Awaited<ReturnType<typeof listed>>["backtests"][number];
const listed = () => api.get("/backtests");

function Row({ backtest, shown, show }: { readonly backtest: Backtest; readonly shown: boolean; readonly show: () => void }) {
  const client = useQueryClient();
  const { id, state, from, to, rules, read, stored, error } = backtest;
  const cancel = useMutation({
    mutationFn: () => api.delete("/backtests/{id}", { path: { id } }),
    onSettled: () => client.invalidateQueries({ queryKey: key }),
  });
  return (
    <tr>
      <td className="mono">{id}</td>
      <td>
        <Mark tone={tones[state]}>{state}</Mark>
        {error !== undefined && (
          <div className="cell-sub strong-bad">
            <Hostile text={error} />
          </div>
        )}
      </td>
      <td>
        <Time iso={from} digits={0} />
      </td>
      <td>
        <Time iso={to} digits={0} />
      </td>
      <td className="number">{formatCount(rules)}</td>
      <td className="number">
        {formatCount(read)}
        {isOpen(state) && (
          <>
            {" "}
            of {formatCount(stored)} <progress value={read} max={Math.max(1, stored)} aria-label={`Progress of ${id}`} />
          </>
        )}
      </td>
      <td>
        {isOpen(state) ? (
          <Button size="compact-xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            Cancel
          </Button>
        ) : (
          <Button size="compact-xs" variant="default" aria-expanded={shown} onClick={show}>
            {shown ? "Hide" : "Result"}
          </Button>
        )}
      </td>
    </tr>
  );
}

function Start({ begun }: { readonly begun: (id: string) => void }) {
  const client = useQueryClient();
  const [ids, setIds] = useState("");
  const [text, setText] = useState("");
  const [days, setDays] = useState("7");
  const asked = () => backtestBody({ ids, text, days: Number(days) }, Date.now());
  const estimate = useMutation({ mutationFn: () => api.post("/backtests/estimate", { body: asked() }) });
  const start = useMutation({
    mutationFn: () => api.post("/backtests", { body: asked() }),
    onSuccess: ({ id }) => {
      begun(id);
      void client.invalidateQueries({ queryKey: key });
    },
  });
  const nothing = ids.trim() === "" && text.trim() === "";
  const error = start.error ?? estimate.error;
  const found = estimate.data;
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!nothing) start.mutate();
  };
  return (
    <Panel title="Judge stored events by rules">
      <form className="stack" onSubmit={submit}>
        <TextInput
          size="xs"
          label="Running rules or detectors"
          description="Ids, with commas between them"
          value={ids}
          onChange={(event) => setIds(event.currentTarget.value)}
        />
        <Textarea
          size="xs"
          label="Or a Sigma rule"
          classNames={{ input: "mono" }}
          rows={5}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <NativeSelect size="xs" label="Over" data={spans} value={days} onChange={(event) => setDays(event.currentTarget.value)} />
        <div className="dialog-buttons">
          <Button size="xs" variant="default" disabled={nothing} loading={estimate.isPending} onClick={() => estimate.mutate()}>
            Estimate
          </Button>
          <Button size="xs" type="submit" disabled={nothing} loading={start.isPending}>
            Start
          </Button>
        </div>
        {found !== undefined && (
          <p className="small" role="status">
            {formatCount(found.candidates)} of {formatCount(found.stored)} events have to be looked at by {formatCount(found.rules)} rules:
            some {formatCount(Math.max(1, Math.round(found.seconds)))} s.
          </p>
        )}
        {found?.refused.map((line) => (
          <p key={line} className="small strong-bad">
            <Hostile text={line} />
          </p>
        ))}
        {error !== null && (
          <p className="strong-bad" role="alert">
            <Hostile text={error.message} />
          </p>
        )}
      </form>
    </Panel>
  );
}
