/** Who is told of new alerts and events while it happens: servers with open streams, displays. Keeps nothing. */
import type { Clock } from "@vedette/kit";
import type { Notice } from "@vedette/model";
import type { AlertStore } from "@vedette/store";
import type { OnProblem } from "./problems.ts";

export class Listeners {
  readonly #listeners = new Map<(n: Notice) => void, boolean>();

  /** @param wantsEvents whether it wants samples of the newest events too */
  add(listener: (n: Notice) => void, wantsEvents: boolean): () => void {
    this.#listeners.set(listener, wantsEvents);
    return () => this.#listeners.delete(listener);
  }

  get wantEvents(): boolean {
    return [...this.#listeners.values()].some((wants) => wants);
  }

  notify(notice: Notice): void {
    for (const [listener, wantsEvents] of this.#listeners) if (notice.kind !== "events" || wantsEvents) listener(notice);
  }
}

/** Alerts that another process made are seen so soon by who looks on here. */
const alertsEvery_ms = 500;
const alertsAtOnce = 500;

/** Of a cluster: what other processes made of findings is told here as what this one makes. */
export async function followAlerts(
  listeners: Listeners,
  alerts: Pick<AlertStore, "lastChange" | "changed">,
  clock: Clock,
  onProblem: OnProblem,
  signal: AbortSignal,
): Promise<void> {
  let last: number | undefined;
  while (!signal.aborted) {
    try {
      last ??= await alerts.lastChange();
      for (const { serial, alert } of await alerts.changed(last, alertsAtOnce)) {
        last = serial;
        if (!alert.shadow && !alert.historical) listeners.notify({ kind: "alert", alert });
      }
      onProblem("alerts_not_followed", undefined);
    } catch (e) {
      onProblem("alerts_not_followed", (e as Error).message);
    }
    await clock.sleep(alertsEvery_ms, signal);
  }
}
