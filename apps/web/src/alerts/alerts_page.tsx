/** The alert list: filters in the address, live rows, and triage from the keyboard. */
import { Button } from "@mantine/core";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useLocation, useNavigate } from "react-router";
import { useMay } from "../api/session.ts";
import type { AlertRow } from "../api/types.ts";
import { formatCount } from "../format/number.ts";
import { Only } from "../shell/allowed.tsx";
import { announce } from "../shell/announce.tsx";
import { Icon } from "../shell/icons.tsx";
import { keysOf } from "../shell/keymap.ts";
import { useKeys } from "../shell/keys.ts";
import { InnerLink } from "../shell/link.tsx";
import { LoadMore } from "../shell/load_more.tsx";
import { PageHead } from "../shell/panel.tsx";
import { Empty, Failure, Loading } from "../shell/states.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { keepZone, linkPart, useSearch } from "../url/search.ts";
import { type ActOn, done_words, useAlertAction } from "./actions.ts";
import { useAlertList } from "./alert_list.ts";
import { AlertTable } from "./alert_table.tsx";
import { CloseDialog } from "./close_dialog.tsx";
import { describeFilter, isUsual, matchesFilter, printKind, readFilter } from "./filter.ts";
import { FilterBar } from "./filter_bar.tsx";

export function AlertsPage() {
  useTitle("Alerts");
  const { params, patch } = useSearch();
  const { search } = useLocation();
  const navigate = useNavigate();
  const filter = useMemo(() => readFilter(new URLSearchParams(search)), [search]);
  const stable = useStable(filter);
  const selected = params.get("sel") ?? undefined;
  const list = useAlertList(stable, selected);
  const may_write = useMay("alerts:write");
  const input = useRef<HTMLInputElement>(null);
  const [closing, setClosing] = useState<string>();
  const [done, setDone] = useState<ActOn>();
  const select = useCallback((id: string | undefined) => patch({ sel: id }, { replace: true }), [patch]);
  const act = useAlertAction((alert, what) => {
    const rows = list.rows ?? [];
    const at = rows.findIndex((row) => row.id === alert.id);
    if (!matchesFilter(alert, stable) && selected === alert.id) select((rows[at + 1] ?? rows[at - 1])?.id);
    list.take(alert);
    // An answer to an earlier action must not shut a dialog opened since.
    if (what.action.do === "close") setClosing(undefined);
    setDone(what);
  });
  const current = list.rows?.find((row) => row.id === selected);
  const target = list.rows?.find((row) => row.id === closing);
  const onSelected = (act_on: (row: AlertRow) => void) => () => {
    const row = list.rows?.find(({ id }) => id === selectedNow());
    if (row !== undefined) act_on(row);
  };
  const move = (by: number) => {
    const rows = list.rows ?? [];
    const at = rows.findIndex((row) => row.id === selectedNow());
    const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))];
    if (next === undefined) return;
    select(next.id);
    announce(`${next.severity}: ${next.title}`);
  };
  useKeys({
    alerts_next: () => move(1),
    alerts_previous: () => move(-1),
    alerts_search: () => input.current?.focus(),
    alerts_open: onSelected(({ id }) => navigate(keepZone(`/alerts/${linkPart(id)}`, window.location.search))),
    ...(may_write && {
      alerts_acknowledge: onSelected(({ id, title }) => act.mutate({ id, title, action: { do: "acknowledge" } })),
      alerts_close: onSelected(({ id }) => setClosing(id)),
    }),
  });
  return (
    <>
      <PageHead title="Alerts">
        {list.rows !== undefined && (
          <span className="dim small">
            {formatCount(list.rows.length)} of {formatCount(list.total)} shown · keys {keysOf("alerts_next")} {keysOf("alerts_previous")}{" "}
            move, {keysOf("help")} for all
          </span>
        )}
      </PageHead>
      <FilterBar filter={filter} patch={patch} input={input} />
      <div className="action-bar">
        <Only needs="alerts:write">
          <Button
            size="xs"
            variant="default"
            disabled={current === undefined || current.state !== "open"}
            onClick={() => current && act.mutate({ id: current.id, title: current.title, action: { do: "acknowledge" } })}
          >
            Acknowledge
            <kbd>{keysOf("alerts_acknowledge")}</kbd>
          </Button>
          <Button
            size="xs"
            variant="default"
            disabled={current === undefined || current.state === "closed"}
            onClick={() => current && setClosing(current.id)}
          >
            Close…<kbd>{keysOf("alerts_close")}</kbd>
          </Button>
        </Only>
        <span className="action-state">
          {act.error !== null ? (
            <span className="strong-bad">{act.error.message}</span>
          ) : done !== undefined ? (
            <>
              <span className="dim">
                “<Hostile text={done.title} />” {done_words[done.action.do]}.
              </span>{" "}
              {done.action.do === "close" && (
                <button type="button" className="link-button" onClick={() => act.mutate({ ...done, action: { do: "reopen" } })}>
                  Reopen
                </button>
              )}
            </>
          ) : (
            <span className="dim small">{may_write && current === undefined ? "Select a row to act on it." : ""}</span>
          )}
        </span>
        {list.waiting.length > 0 && (
          <Button size="xs" onClick={list.showWaiting} leftSection={<Icon name="plus" size={14} />}>
            {list.waiting.length} new {list.waiting.length === 1 ? "alert" : "alerts"}
          </Button>
        )}
      </div>
      <section className="panel panel-flush" aria-label="Alerts" aria-busy={list.rows === undefined}>
        <AlertRows
          list={list}
          clauses={describeFilter(filter)}
          asUsual={isUsual(filter)}
          selected={selected}
          select={select}
          clear={() => patch({ state: "any", severity: undefined, q: undefined, rule: undefined, entity: undefined, ...printKind("now") })}
        />
      </section>
      <CloseDialog
        title={target?.title}
        busy={act.isPending}
        error={act.error?.message}
        onCancel={() => setClosing(undefined)}
        onClose={(verdict, note) =>
          target &&
          act.mutate({ id: target.id, title: target.title, action: { do: "close", verdict, ...(note !== undefined && { note }) } })
        }
      />
    </>
  );
}

interface AlertRowsProps {
  readonly list: ReturnType<typeof useAlertList>;
  readonly clauses: readonly string[];
  /** Nobody has narrowed the list. */
  readonly asUsual: boolean;
  readonly selected: string | undefined;
  readonly select: (id: string) => void;
  readonly clear: () => void;
}

/** The list in one of its four states. */
function AlertRows({ list, clauses, asUsual, selected, select, clear }: AlertRowsProps) {
  if (list.rows === undefined)
    return list.error ? <Failure error={list.error} what="Alerts" retry={list.retry} /> : <Loading what="alerts" rows={10} />;
  if (list.rows.length === 0 && asUsual) {
    return (
      <Empty icon="check" title="No alert is open">
        <p>
          What a rule finds appears here at once. <InnerLink to="/rules">See what is watched for</InnerLink>, or{" "}
          <InnerLink to="/sources">what arrives</InnerLink>.
        </p>
        <Button size="xs" variant="default" onClick={clear}>
          Show closed ones too
        </Button>
      </Empty>
    );
  }
  if (list.rows.length === 0 && clauses.length > 0) {
    return (
      <Empty icon="search" title="No alert passes the filter">
        <p>
          Shown are alerts whose{" "}
          {clauses.map((clause, at) => (
            <span key={clause}>
              {at > 0 && " and "}
              <strong>{clause}</strong>
            </span>
          ))}
          .
        </p>
        <Button size="xs" variant="default" onClick={clear}>
          Show all alerts
        </Button>
      </Empty>
    );
  }
  if (list.rows.length === 0) {
    return (
      <Empty icon="check" title="No alert yet">
        <p>
          Alerts appear here as soon as a rule matches. <InnerLink to="/rules">See what is watched for</InnerLink>, or{" "}
          <InnerLink to="/sources">what arrives</InnerLink>.
        </p>
      </Empty>
    );
  }
  return (
    <>
      <AlertTable rows={list.rows} selected={selected} select={select} />
      {list.error !== null && <p className="panel-pad strong-bad">More could not be loaded: {list.error.message}</p>}
      {list.hasMore && <LoadMore loading={list.loadingMore} onClick={list.loadMore} />}
    </>
  );
}

/** The selection as the address has it: keys may come faster than pages are drawn. */
function selectedNow(): string | null {
  return new URLSearchParams(window.location.search).get("sel");
}

/** The same object while the content is the same, so that a moved selection does not make a new list. */
function useStable<T>(value: T): T {
  const [kept, setKept] = useState(value);
  const same = JSON.stringify(kept) === JSON.stringify(value);
  useEffect(() => {
    if (!same) setKept(value);
  }, [same, value]);
  return same ? kept : value;
}
