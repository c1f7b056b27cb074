/**
 * What was told of alerts before, by view and by the number of their last change, so that a list judges only what changed since. Holds what lists
 * are searched and ordered by, in bounded memory, and no alert.
 */
import type { View } from "@vedette/condition";
import type { Alert } from "@vedette/model";
import type { Judged, RestsOn } from "./seen_alerts.ts";

/** How often events were added and taken away: a judgement that rests on stored events holds until then. */
export interface StoredChanges {
  readonly added: number;
  readonly removed: number;
}
/** What a list needs of an alert that is seen. */
export interface Told {
  readonly last_seen: number;
  readonly text: string;
  readonly entities: readonly string[];
}
interface Entry extends StoredChanges {
  readonly serial: number;
  readonly rests: RestsOn;
  readonly told: Told | undefined;
}

/** Some 500 bytes each; further ones are judged anew each time. */
const maxEntries = 40_000;

export class SeenCache {
  readonly #textOf: (alert: Alert) => string;
  /** The view asked by longest ago is the first. */
  readonly #views = new Map<string, Map<string, Entry>>();
  #entries = 0;

  constructor(textOf: (alert: Alert) => string) {
    this.#textOf = textOf;
  }

  /** What is known of alerts within a view, as of now. */
  of(view: View, now: StoredChanges): SeenBefore {
    const name = JSON.stringify(view);
    const known = this.#views.get(name) ?? new Map<string, Entry>();
    this.#views.delete(name);
    this.#views.set(name, known);
    return {
      get: (id, serial) => {
        const entry = known.get(id);
        if (entry?.serial !== serial) return undefined;
        const holds = entry.rests === "alert" || (entry.removed === now.removed && (entry.rests === "found" || entry.added === now.added));
        return holds ? entry : undefined;
      },
      keep: (id, serial, { seen, rests }) => {
        const told = seen && this.#toldOf(seen.outline);
        if (!known.has(id)) {
          this.#makeRoom(known);
          if (this.#entries >= maxEntries) return { told };
          this.#entries++;
        }
        known.set(id, { serial, rests, told, ...now });
        return { told };
      },
    };
  }

  #toldOf(outline: Alert): Told {
    const { last_seen, entities } = outline;
    return { last_seen, text: this.#textOf(outline), entities: entities.map(({ id }) => id) };
  }

  #makeRoom(except: ReadonlyMap<string, Entry>): void {
    for (const [name, entries] of this.#views) {
      if (this.#entries < maxEntries) return;
      if (entries === except) continue;
      this.#views.delete(name);
      this.#entries -= entries.size;
    }
  }
}

export interface SeenBefore {
  /** Undefined: it must be judged. `told` undefined: it is not seen. */
  get(id: string, serial: number): { readonly told: Told | undefined } | undefined;
  keep(id: string, serial: number, judged: Judged): { readonly told: Told | undefined };
}
