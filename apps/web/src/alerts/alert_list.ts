/** The alert list as data: pages from the server, live changes merged in, and newcomers held back while someone reads. */
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api } from "../api/client.ts";
import { useAlertStream } from "../api/live.ts";
import type { AlertPage, AlertRow } from "../api/types.ts";
import { type AlertFilter, matchesFilter, mergeAlert } from "./filter.ts";

const page_size = 50;

interface Pages {
  readonly pages: readonly AlertPage[];
  readonly pageParams: readonly unknown[];
}

/** Puts merged rows back into the pages they came from; new rows go to the first page. */
export function rowsToPages(data: Pages, rows: readonly AlertRow[], added: number): Pages {
  const next = new Map(rows.map((row) => [row.id, row]));
  const known = new Set(data.pages.flatMap((page) => page.alerts.map((row) => row.id)));
  const fresh = rows.filter((row) => !known.has(row.id));
  const pages = data.pages.map((page, at) => ({
    ...page,
    total: Math.max(0, page.total + added),
    alerts: [...(at === 0 ? fresh : []), ...page.alerts.flatMap((row) => next.get(row.id) ?? [])],
  }));
  return { ...data, pages };
}

export interface AlertList {
  readonly rows: readonly AlertRow[] | undefined;
  readonly total: number;
  readonly waiting: readonly AlertRow[];
  readonly error: Error | null;
  readonly hasMore: boolean;
  readonly loadingMore: boolean;
  readonly loadMore: () => void;
  readonly retry: () => void;
  /** Lets the newcomers in. */
  readonly showWaiting: () => void;
  /** Takes an alert as changed by the person's own action. */
  readonly take: (alert: AlertRow) => void;
}

/** `selected` is the row being looked at; while there is one, or the page is scrolled, newcomers wait. */
export function useAlertList(filter: AlertFilter, selected: string | undefined): AlertList {
  const client = useQueryClient();
  const key = useMemo(() => ["alerts", "list", filter] as const, [filter]);
  const query = useInfiniteQuery({
    queryKey: key,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      api.get("/alerts", {
        signal,
        query: {
          state: filter.state.join(","),
          severity: filter.severity.join(","),
          q: filter.q,
          rule: filter.rule,
          entity: filter.entity,
          shadow: filter.shadow ? "true" : undefined,
          historical: filter.historical ? "true" : undefined,
          limit: page_size,
          cursor: pageParam,
        },
      }),
    getNextPageParam: (page) => page.cursor,
  });
  const [waiting, setWaiting] = useState<readonly AlertRow[]>([]);
  const waitingNow = useRef(waiting);
  const looked_at = useRef(selected);
  useEffect(() => {
    looked_at.current = selected;
  }, [selected]);
  const hold = useCallback((rows: readonly AlertRow[]) => {
    waitingNow.current = rows;
    setWaiting(rows);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another list
  useEffect(() => hold([]), [key]);
  const merge = useCallback(
    (alert: AlertRow, own: boolean) => {
      const data = client.getQueryData<Pages>(key);
      if (data === undefined) return;
      const rows = data.pages.flatMap((page) => page.alerts);
      const reading = looked_at.current !== undefined || window.scrollY > 80;
      const next = mergeAlert({ rows, waiting: waitingNow.current }, alert, filter, reading, own ? undefined : looked_at.current);
      if (next.rows !== rows) client.setQueryData<Pages>(key, rowsToPages(data, next.rows, next.rows.length - rows.length));
      if (next.waiting !== waitingNow.current) hold(next.waiting);
    },
    [client, key, filter, hold],
  );
  const onAlert = useCallback((alert: AlertRow) => merge(alert, false), [merge]);
  const onReconnect = useCallback(() => void client.invalidateQueries({ queryKey: ["alerts"] }), [client]);
  useAlertStream(onAlert, onReconnect);
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.alerts), [query.data]);
  return {
    rows,
    total: query.data?.pages[0]?.total ?? 0,
    waiting,
    error: query.error,
    hasMore: query.hasNextPage,
    loadingMore: query.isFetchingNextPage,
    loadMore: () => void query.fetchNextPage(),
    retry: () => void query.refetch(),
    showWaiting: () => {
      const data = client.getQueryData<Pages>(key);
      const fresh = waitingNow.current.filter((alert) => matchesFilter(alert, filter));
      if (data !== undefined)
        client.setQueryData<Pages>(key, rowsToPages(data, [...fresh, ...data.pages.flatMap((page) => page.alerts)], fresh.length));
      hold([]);
    },
    take: (alert) => merge(alert, true),
  };
}
