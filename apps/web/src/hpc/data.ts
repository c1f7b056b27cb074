/** The cluster at a glance, asked for again while the page shows it. The shapes of the HTTP API about it. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { AlertRow } from "../api/types.ts";
import { resolveRange } from "../url/range.ts";

export interface Listed<T> {
  readonly rows: readonly T[];
  readonly more: boolean;
}
export interface Factor {
  readonly name: string;
  readonly points: number;
  readonly of: number;
  readonly value: string;
}
export interface HpcJob {
  readonly job: string;
  readonly cluster?: string;
  readonly user?: string;
  readonly account?: string;
  readonly partition?: string;
  readonly states: readonly string[];
  readonly nodes: readonly string[];
  /** How much it looks like mining, of 100. */
  readonly score?: number;
  readonly factors?: readonly Factor[];
  readonly alerts: readonly string[];
}
export interface HpcNode {
  readonly node: string;
  readonly events: number;
  readonly jobs: number;
  readonly alerts: number;
}
export interface Worker {
  readonly worker: string;
  readonly lost_percent: number | null;
  readonly dropped: number | null;
  readonly lag_s: number | null;
}
export interface Hpc {
  readonly from: string;
  readonly to: string;
  readonly jobs: Listed<HpcJob>;
  readonly partitions: Listed<{ readonly partition: string; readonly jobs: number; readonly users: number }>;
  readonly users: Listed<{ readonly user: string; readonly jobs: number; readonly alerts: number }>;
  readonly nodes: Listed<HpcNode>;
  readonly talkers: Listed<{ readonly address: string; readonly connections: number; readonly sent: number; readonly received: number }>;
  readonly sensors: { readonly workers: Listed<Worker>; readonly alerts: readonly AlertRow[] };
}

/** Questions over the whole store: no more often than jobs come and go. */
const refresh_ms = 60_000;

export function useHpc(t: string) {
  return useQuery({
    queryKey: ["hpc", t],
    placeholderData: keepPreviousData,
    refetchInterval: refresh_ms,
    queryFn: ({ signal }) => api.get("/hpc", { signal, query: { ...resolveRange(t, Date.now()) } }),
  });
}
