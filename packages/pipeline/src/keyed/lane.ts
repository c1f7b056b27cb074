/** Events that came too late for their keys, by key, until the catch-up lane folds them in: bounded, kept in the checkpoint. Knows no store. */
import type { Micros, Observation } from "@vedette/model";

/** What came too late for one key. */
export interface LateItem {
  readonly detector: string;
  readonly key: string;
  /** Event times of the late events. */
  from: Micros;
  to: Micros;
  /** How many events. */
  count: number;
  /** How long an event of the detector matters. */
  readonly reach: Micros;
  /** Late events by id, with how often each came. */
  events: { [id: string]: number };
  /** Late parts of buckets: all of a (source, host) from this sequence number on came too late. */
  buckets: { readonly start: Micros; readonly source: string; readonly host: string; seq: number }[];
  /** When the first of them came: the others have so long to join it. */
  received: Micros;
  /** When the last of them came. */
  newest: Micros;
  /** Values by which the store is asked for the key's events. */
  readonly by: { readonly [field: string]: string | number | boolean };
}

/** Keys with late events waiting; beyond it late events are counted as skipped. At some 300 bytes each. */
const maxItems = 2_000;
/** Late events of one key that are told apart. */
const maxEvents = 1_000;
/** Late events wait so long (of receive time) for others of their key: a host that delivers an hour's backlog is folded once, not event by event. */
export const holdFor: Micros = 5_000_000;

export class Lane {
  readonly #items = new Map<string, LateItem>();
  readonly #changed = new Set<string>();

  get size(): number {
    return this.#items.size;
  }

  /** @param about asked for the first of a key's; @returns false when there is no room */
  add(o: Observation, about: () => Pick<LateItem, "reach" | "by">): boolean {
    const id = `${o.detector}\0${o.key}`;
    let item = this.#items.get(id);
    if (!item) {
      if (this.#items.size >= maxItems) return false;
      item = {
        detector: o.detector,
        key: o.key,
        from: o.time,
        to: o.time,
        count: 0,
        events: {},
        buckets: [],
        received: o.received,
        newest: o.received,
        ...about(),
      };
      this.#items.set(id, item);
    }
    if (o.tally) {
      const { start, seq } = o.tally;
      // the newest are asked for most
      const known = item.buckets.findLast((b) => b.start === start && b.source === o.source && b.host === o.host);
      if (known) known.seq = Math.min(known.seq, seq);
      else if (item.buckets.length >= maxEvents) return false;
      else item.buckets.push({ start, source: o.source, host: o.host, seq });
      item.from = Math.min(item.from, start);
    } else {
      const times = Object.hasOwn(item.events, o.event) ? item.events[o.event]! : 0;
      // there are at most as many as came: only then are they worth counting
      if (times === 0 && item.count >= maxEvents && Object.keys(item.events).length >= maxEvents) return false;
      item.events[o.event] = times + 1;
      item.from = Math.min(item.from, o.time);
    }
    item.to = Math.max(item.to, o.time);
    item.count += o.tally?.count ?? 1;
    item.newest = Math.max(item.newest, o.received);
    this.#changed.add(id);
    return true;
  }

  /**
   * Takes out what has waited long enough, oldest first.
   * @param wall receive time of the newest tick
   * @param stored receive time of the newest event that the store has
   */
  take(wall: Micros, stored: Micros, most: number): readonly LateItem[] {
    const ripe: LateItem[] = [];
    for (const [id, item] of this.#items) {
      if (ripe.length >= most || item.received + holdFor > wall) break;
      if (item.newest > stored) continue;
      this.#items.delete(id);
      this.#changed.add(id);
      ripe.push(item);
    }
    return ripe;
  }

  drain(): { readonly id: string; readonly item: LateItem | undefined }[] {
    const changed = [...this.#changed].map((id) => ({ id, item: this.#items.get(id) }));
    this.#changed.clear();
    return changed;
  }
  /** From the checkpoint, or back because it could not be dealt with. */
  restore(item: LateItem): void {
    const id = `${item.detector}\0${item.key}`;
    this.#items.set(id, item);
    this.#changed.add(id);
  }
}
