/** The requests of the events page: pages of events, histogram, top values, statistics, the check of a query. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { request } from "../api/client.ts";
import type { EventPage, Histogram, QueryCheck, Stats, Top } from "../api/types.ts";
import type { Range } from "../url/range.ts";

const page_size = 100;
const histogram_buckets = 120;
const top_values = 10;
/** Typing settles for this long before the server checks the query. */
const settle_ms = 250;

export interface Search {
  readonly q: string;
  readonly range: Range;
}

export function useEvents(search: Search, enabled: boolean) {
  return useInfiniteQuery({
    queryKey: ["events", search],
    enabled,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      request<EventPage>("/events", {
        signal,
        params: { q: search.q, ...search.range, limit: page_size, cursor: pageParam, order: "desc" },
      }),
    getNextPageParam: (page) => page.cursor,
  });
}

/** `search` without any pipe: the histogram counts what the filter lets through. */
export function useHistogram(search: Search, enabled: boolean) {
  return useQuery({
    queryKey: ["histogram", search],
    enabled,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      request<Histogram>("/events/histogram", { signal, params: { q: search.q, ...search.range, buckets: histogram_buckets } }),
  });
}

export function useTop(search: Search, field: string) {
  return useQuery({
    queryKey: ["top", search, field],
    queryFn: ({ signal }) => request<Top>("/events/top", { signal, params: { q: search.q, ...search.range, field, limit: top_values } }),
  });
}

export function useStats(search: Search, enabled: boolean) {
  return useQuery({
    queryKey: ["stats", search],
    enabled,
    queryFn: ({ signal }) => request<Stats>("/query", { signal, params: { q: search.q, ...search.range } }),
  });
}

export function useFields(): readonly string[] {
  const { data } = useQuery({
    queryKey: ["fields"],
    staleTime: 60_000,
    queryFn: ({ signal }) => request<{ readonly fields: readonly string[] }>("/fields", { signal }),
  });
  return data?.fields ?? [];
}

/** The server's opinion of a query text once typing has settled; undefined while unknown. */
export function useQueryCheck(text: string): QueryCheck | undefined {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), settle_ms);
    return () => clearTimeout(timer);
  }, [text]);
  const { data } = useQuery({
    queryKey: ["check", settled],
    enabled: settled.trim() !== "",
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => request<QueryCheck>("/query/check", { signal, params: { q: settled } }),
  });
  return settled === text && text.trim() !== "" ? data : undefined;
}
