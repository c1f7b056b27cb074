/** The requests of the events page: pages of events, histogram, top values, statistics, the check of a query. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api } from "../api/client.ts";
import type { QueryCheck } from "../api/types.ts";
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
      api.get("/events", { signal, query: { q: search.q, ...search.range, limit: page_size, cursor: pageParam, order: "desc" } }),
    getNextPageParam: (page) => page.cursor,
  });
}

/** `search` without any pipe: the histogram counts what the filter lets through. */
export function useHistogram(search: Search, enabled: boolean) {
  return useQuery({
    queryKey: ["histogram", search],
    enabled,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api.get("/events/histogram", { signal, query: { q: search.q, ...search.range, buckets: histogram_buckets } }),
  });
}

export function useTop(search: Search, field: string) {
  return useQuery({
    queryKey: ["top", search, field],
    queryFn: ({ signal }) => api.get("/events/top", { signal, query: { q: search.q, ...search.range, field, limit: top_values } }),
  });
}

export function useStats(search: Search, enabled: boolean) {
  return useQuery({
    queryKey: ["stats", search],
    enabled,
    queryFn: ({ signal }) => api.get("/query", { signal, query: { q: search.q, ...search.range } }),
  });
}

export function useFields(): readonly string[] {
  const { data } = useQuery({
    queryKey: ["fields"],
    staleTime: 60_000,
    queryFn: ({ signal }) => api.get("/fields", { signal }),
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
    queryFn: ({ signal }) => api.get("/query/check", { signal, query: { q: settled } }),
  });
  return settled === text && text.trim() !== "" ? data : undefined;
}
