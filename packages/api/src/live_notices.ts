/**
 * Carries what happens in the processes that detect to the servers that tell people of it: alerts by their id, the newest events as they are.
 * A lost notice is an alert that shows at the next load. Knows neither listeners of the API nor what an alert is about.
 */
import type { Notices } from "@vedette/cluster";
import { maxNotice } from "@vedette/cluster";
import { type Clock, inTurn, jsonText, newFields } from "@vedette/kit";
import type { Event } from "@vedette/model";
import type { Store } from "@vedette/store";
import type { Notice, RuntimePort } from "./ports.ts";

type Subscribe = RuntimePort["subscribe"];
type Listener = Parameters<Subscribe>[0];

const alertTopic = "alert";
const eventTopic = "events";
const wantedTopic = "events wanted";
/** Servers where somebody looks at events say so this often; without a word for three times as long, none are sent. */
const wanted_ms = 3_000;
/** No console shows more of a second. */
const maxEvents = 20;
/** Alerts that are changed in masses are shown at the next load instead. */
const maxWaiting = 1_000;

/** In a process where alerts are made and events are taken in: tells the servers. @returns the way to stop */
export async function tellServers(subscribe: Subscribe, notices: Notices, clock: Clock): Promise<() => void> {
  const stopAlerts = subscribe((notice) => {
    if (notice.kind === "alert") notices.publish(alertTopic, Buffer.from(notice.alert.id));
  });
  let wantedUntil = 0;
  let stopEvents: (() => void) | undefined;
  const endEvents = () => {
    stopEvents?.();
    stopEvents = undefined;
  };
  const unsubscribe = await notices.subscribe(wantedTopic, {
    notice: () => {
      wantedUntil = clock.now() + 3 * wanted_ms * 1_000;
      stopEvents ??= subscribe((notice) => {
        if (clock.now() > wantedUntil) endEvents();
        else if (notice.kind === "events") notices.publish(eventTopic, packed(notice.events, notice.count ?? notice.events.length));
      }, true);
    },
    missed: () => undefined,
  });
  return () => {
    unsubscribe();
    stopAlerts();
    endEvents();
  };
}

/** The newest that fit. */
function packed(events: readonly Event[], count: number): Uint8Array {
  for (let kept = Math.min(events.length, maxEvents); ; kept = Math.floor(kept / 2)) {
    const bytes = Buffer.from(jsonText({ events: kept === 0 ? [] : events.slice(-kept), count }));
    if (bytes.length <= maxNotice) return bytes;
  }
}

/** Another version of the program may have sent it. */
function unpacked(bytes: Uint8Array): Notice | undefined {
  try {
    const { events, count } = JSON.parse(Buffer.from(bytes).toString()) as { readonly events: readonly Event[]; readonly count: number };
    return { kind: "events", events: events.map((event) => ({ ...event, fields: Object.assign(newFields(), event.fields) })), count };
  } catch {
    return undefined;
  }
}

export interface Heard {
  /** As the runtime's, in a process that has none. */
  readonly subscribe: Subscribe;
  stop(): void;
}

/** In a process that tells people: hears those that detect. */
export async function hearProcesses(notices: Notices, alerts: Pick<Store["alerts"], "get">, tenant: string, clock: Clock): Promise<Heard> {
  const listeners = new Map<Listener, { readonly wantsEvents: boolean }>();
  const wanting = () => [...listeners.values()].some(({ wantsEvents }) => wantsEvents);
  const tell = (notice: Notice) => {
    for (const [listener, { wantsEvents }] of listeners) if (notice.kind === "alert" || wantsEvents) listener(notice);
  };
  const waiting = new Set<string>();
  const after = inTurn();
  const hearAlert = async (id: string) => {
    waiting.delete(id);
    const alert = await alerts.get(tenant, id);
    if (alert !== undefined) tell({ kind: "alert", alert });
  };
  const ends = [
    await notices.subscribe(alertTopic, {
      notice(bytes) {
        const id = Buffer.from(bytes).toString();
        if (waiting.has(id) || waiting.size >= maxWaiting) return;
        waiting.add(id);
        // a store that does not answer: the alert shows at the next load
        after(() => hearAlert(id)).catch(() => undefined);
      },
      missed: () => undefined,
    }),
    await notices.subscribe(eventTopic, {
      notice(bytes) {
        const notice = wanting() ? unpacked(bytes) : undefined;
        if (notice !== undefined) tell(notice);
      },
      missed: () => undefined,
    }),
  ];
  const stopped = new AbortController();
  const sayWanted = () => wanting() && notices.publish(wantedTopic, new Uint8Array());
  void (async () => {
    while (!stopped.signal.aborted) {
      await clock.sleep(wanted_ms, stopped.signal);
      if (!stopped.signal.aborted) sayWanted();
    }
  })();
  return {
    subscribe(listener, wantsEvents = false) {
      listeners.set(listener, { wantsEvents });
      if (wantsEvents) sayWanted();
      return () => void listeners.delete(listener);
    },
    stop() {
      stopped.abort();
      for (const end of ends) end();
      listeners.clear();
    },
  };
}
