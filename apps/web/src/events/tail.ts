/** The live tail: newest events on top, bounded, pausable. Without a query it reads the stream; with one it asks the server again and again. */
import { useEffect, useRef, useState } from "react";
import { api } from "../api/client.ts";
import { type EventBatch, openEventStream } from "../api/live.ts";
import type { EventRow } from "../api/types.ts";

/** Rows kept; more would only scroll away. */
export const tail_rows = 300;
const poll_ms = 2_000;
const poll_window_ms = 15 * 60_000;

/** New events on top of the rows, each once, at most `tail_rows`. */
export function addToTail(rows: readonly EventRow[], events: readonly EventRow[]): readonly EventRow[] {
  const known = new Set(rows.map((row) => row.id));
  const fresh = events.filter((event) => !known.has(event.id));
  if (fresh.length === 0) return rows;
  return [...[...fresh].sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0)), ...rows].slice(0, tail_rows);
}

export interface Tail {
  readonly rows: readonly EventRow[];
  readonly sampled: boolean;
  /** Arrived while paused. */
  readonly missed: number;
  readonly trouble: string | undefined;
}

const empty: Tail = { rows: [], sampled: false, missed: 0, trouble: undefined };

export function useTail(on: boolean, paused: boolean, query: string): Tail {
  const [tail, setTail] = useState<Tail>(empty);
  const held = useRef(paused);
  useEffect(() => {
    held.current = paused;
    if (!paused) setTail((now) => ({ ...now, missed: 0 }));
  }, [paused]);
  useEffect(() => {
    setTail(empty);
    if (!on) return;
    const take = (batch: EventBatch) =>
      setTail((now) => {
        if (held.current) return { ...now, missed: now.missed + batch.events.length };
        return { ...now, rows: addToTail(now.rows, batch.events), sampled: batch.sampled, trouble: undefined };
      });
    const fail = (trouble: string | undefined) => setTail((now) => ({ ...now, trouble }));
    if (query === "") return openEventStream(take, (open) => fail(open ? undefined : "The stream was interrupted; trying again."));
    return poll(query, take, fail);
  }, [on, query]);
  return tail;
}

function poll(q: string, take: (batch: EventBatch) => void, fail: (trouble: string) => void): () => void {
  const control = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = async () => {
    try {
      const from = new Date(Date.now() - poll_window_ms).toISOString();
      const page = await api.get("/events", { signal: control.signal, query: { q, from, limit: 100, order: "desc" } });
      take({ events: page.events, sampled: false });
    } catch (error) {
      if (!control.signal.aborted) fail(error instanceof Error ? error.message : String(error));
    }
    if (!control.signal.aborted) timer = setTimeout(ask, poll_ms);
  };
  void ask();
  return () => {
    control.abort();
    clearTimeout(timer);
  };
}
