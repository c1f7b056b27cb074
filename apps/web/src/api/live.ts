/** The one live connection (SSE): newest status, five minutes of rate samples, and whoever wants alerts. It knows nothing of pages. */
import { useEffect, useSyncExternalStore } from "react";
import { api, apiPath } from "./client.ts";
import type { AlertRow, EventRow, Status } from "./types.ts";

export interface Sample {
  /** Seconds since the epoch. */
  readonly at: number;
  readonly rate: number;
  readonly lag_ms: number;
}

export interface Live {
  readonly connection: "connecting" | "live" | "lost";
  readonly status: Status | undefined;
  readonly samples: readonly Sample[];
}

/** What the chart on the first page shows: five minutes of one sample a second. */
export const samples_kept = 300;
/** Reconnects double from 1 s to this, so that a restarting server is not hammered. */
const retry_max_ms = 15_000;

let current: Live = { connection: "connecting", status: undefined, samples: [] };
const watchers = new Set<() => void>();
const alertListeners = new Set<(alert: AlertRow) => void>();
const reconnectListeners = new Set<() => void>();

function publish(next: Live): void {
  current = next;
  for (const watch of watchers) watch();
}

/** Reads one SSE payload; a payload that is not JSON is skipped, since the next second brings another. */
export function parseData<T>(data: unknown): T | undefined {
  try {
    return JSON.parse(String(data)) as T;
  } catch {
    return undefined;
  }
}

/** Opens an event stream and keeps it open; a closed one is retried with growing pauses. Returns the way to close it. */
export function openStream(
  path: string,
  handlers: { readonly [event: string]: (data: unknown) => void },
  onState: (open: boolean, again: boolean) => void,
): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pause_ms = 1_000;
  let opened = 0;
  let ended = false;
  const connect = () => {
    source = new EventSource(path);
    source.onopen = () => {
      pause_ms = 1_000;
      opened += 1;
      onState(true, opened > 1);
    };
    source.onerror = () => {
      onState(false, false);
      if (source?.readyState !== EventSource.CLOSED || ended) return;
      source.close();
      // EventSource hides the status; this asks for it, and a 401 leads to the login page.
      api.get("/session").catch(() => undefined);
      timer = setTimeout(connect, pause_ms);
      pause_ms = Math.min(pause_ms * 2, retry_max_ms);
    };
    for (const [event, handle] of Object.entries(handlers))
      source.addEventListener(event, (message) => handle((message as MessageEvent).data));
  };
  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    source?.close();
  };
}

/** Takes a status in: newest wins, samples older than five minutes go. Exported for its test. */
export function takeStatus(live: Live, status: Status, at: number): Live {
  const kept = live.samples.filter((sample) => sample.at > at - samples_kept);
  return { connection: "live", status, samples: [...kept, { at, rate: status.rate, lag_ms: status.lag_ms }] };
}

export interface LiveRights {
  /** May listen at all. */
  readonly stream: boolean;
  /** May see the state of the whole. */
  readonly status: boolean;
}

/** Keeps the live connection open while the shell is mounted; the first status is asked for, since the stream's comes up to a second later. */
export function useLiveConnection({ stream, status: whole }: LiveRights): void {
  useEffect(() => {
    if (!stream) return;
    const asked = new AbortController();
    if (whole)
      api.get("/status", { signal: asked.signal }).then(
        (status) => publish({ ...current, status: current.status ?? (status as Status) }),
        () => undefined,
      );
    const missed = () => {
      for (const listener of reconnectListeners) listener();
    };
    const close = openStream(
      apiPath("/stream"),
      {
        status: (data) => {
          const status = parseData<Status>(data);
          if (status !== undefined) publish(takeStatus(current, status, Date.now() / 1_000));
        },
        alert: (data) => {
          const alert = parseData<AlertRow>(data);
          if (alert !== undefined) for (const listener of alertListeners) listener(alert);
        },
        // The server no longer knows what happened since the last id.
        reset: missed,
      },
      (open, again) => {
        publish({ ...current, connection: open ? "live" : "lost" });
        if (again) missed();
      },
    );
    return () => {
      asked.abort();
      close();
      // Somebody else may sign in next.
      publish({ connection: "connecting", status: undefined, samples: [] });
    };
  }, [stream, whole]);
}

function subscribe(watch: () => void): () => void {
  watchers.add(watch);
  return () => watchers.delete(watch);
}

export function useLive(): Live {
  return useSyncExternalStore(subscribe, () => current);
}

/** Calls back for every alert created or changed, and after a reconnect, when some may have been missed. Keep both callbacks stable. */
export function useAlertStream(onAlert: (alert: AlertRow) => void, onReconnect: () => void): void {
  useEffect(() => {
    alertListeners.add(onAlert);
    reconnectListeners.add(onReconnect);
    return () => {
      alertListeners.delete(onAlert);
      reconnectListeners.delete(onReconnect);
    };
  }, [onAlert, onReconnect]);
}

export interface EventBatch {
  readonly events: readonly EventRow[];
  readonly sampled: boolean;
}

/** Opens the stream with events; the caller closes it with the function returned. */
export function openEventStream(onEvents: (batch: EventBatch) => void, onState: (open: boolean) => void): () => void {
  return openStream(
    apiPath("/stream", { events: 1 }),
    {
      events: (data) => {
        const batch = parseData<EventBatch>(data);
        if (batch !== undefined) onEvents(batch);
      },
    },
    onState,
  );
}
