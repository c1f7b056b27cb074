/** Events that came too late for their keys, by key, until the catch-up lane folds them in: bounded, kept in the checkpoint. Knows no store. */
import type { Event, Micros, Observation } from "@vedette/model";

/** A stretch of one host's events of a source: all of the key's (in the bucket, where it tallies) from `seq` to `last` came too late. */
export interface LateSpan {
  /** Of the bucket. */
  readonly start?: Micros;
  readonly source: string;
  readonly host: string;
  readonly seq: number;
  last: number;
}

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
  readonly spans: LateSpan[];
  /** Of the spans, the first that may go on: none of the key's came in time since. */
  openFrom: number;
  /** When the first of them came. */
  received: Micros;
  /** When the last of them came. */
  newest: Micros;
  /** Values by which the store is asked for the key's events. */
  readonly by: { readonly [field: string]: string | number | boolean };
}

/** Keys with late events waiting; beyond it late events are counted as skipped. At some 500 bytes each. */
const maxItems = 20_000;
/** From here on catching up goes before everything else. */
const urgentItems = (3 * maxItems) / 4;
/** Stretches of one key that are told apart. */
const maxSpans = 2_000;
/** Late events wait so long (of receive time) for others of their key: a file that lies far behind is folded in once, not event by event. */
export const holdFor: Micros = 5_000_000;
/** A key that never stops getting late events is not put off for ever. */
const holdAtMost: Micros = 12 * holdFor;

export class Lane {
  readonly #items = new Map<string, LateItem>();
  readonly #changed = new Set<string>();

  get size(): number {
    return this.#items.size;
  }
  /** Soon there will be no room. */
  get urgent(): boolean {
    return this.#items.size > urgentItems;
  }

  /** @param about asked for the first of a key's; @returns false when there is no room */
  add(o: Observation, about: () => Pick<LateItem, "reach" | "by">): boolean {
    const id = `${o.detector}\0${o.key}`;
    let item = this.#items.get(id);
    if (!item) {
      if (this.#items.size >= maxItems) return false;
      const [from, to, received] = [o.time, o.time, o.received];
      const { detector, key } = o;
      item = { detector, key, from, to, count: 0, spans: [], openFrom: 0, received, newest: received, ...about() };
      this.#items.set(id, item);
    }
    if (!extend(item, o)) return false;
    item.from = Math.min(item.from, o.tally?.start ?? o.time);
    item.to = Math.max(item.to, o.time);
    item.count += o.tally?.count ?? 1;
    item.newest = Math.max(item.newest, o.received);
    this.#changed.add(id);
    return true;
  }

  /** One of the key's came in time: what comes too late after it is told apart from what came before. */
  inTime(id: string): void {
    const item = this.#items.size > 0 ? this.#items.get(id) : undefined;
    if (item) item.openFrom = item.spans.length;
  }

  /**
   * Takes out what has waited long enough, of the detector whose turn it is, oldest event first.
   * @param wall receive time of the newest tick
   * @param stored receive time of the newest event that the store has
   */
  take(wall: Micros, stored: Micros, most: number): readonly LateItem[] {
    const ripe: LateItem[] = [];
    let detector: string | undefined;
    for (const item of this.#items.values()) {
      if (item.newest > stored || (detector !== undefined && item.detector !== detector)) continue;
      if (item.newest + holdFor > wall && item.received + holdAtMost > wall && !this.urgent) continue;
      detector = item.detector;
      ripe.push(item);
    }
    ripe.sort((a, b) => a.from - b.from);
    if (ripe.length > most) ripe.length = most;
    for (const item of ripe) this.forget(item);
    return ripe;
  }

  drain(): { readonly id: string; readonly item: LateItem | undefined }[] {
    const changed = [...this.#changed].map((id) => ({ id, item: this.#items.get(id) }));
    this.#changed.clear();
    return changed;
  }
  /** Its row goes from the checkpoint. */
  forget({ detector, key }: Pick<LateItem, "detector" | "key">): void {
    this.#items.delete(`${detector}\0${key}`);
    this.#changed.add(`${detector}\0${key}`);
  }
  /** From the checkpoint, or back because it could not be dealt with. */
  restore(item: LateItem): void {
    const id = `${item.detector}\0${item.key}`;
    this.#items.set(id, item);
    this.#changed.add(id);
  }
}

/** @returns false when there are too many stretches */
function extend({ spans, openFrom }: LateItem, { source, host, seq, tally }: Observation): boolean {
  const start = tally?.start;
  const known = spans.findLast((s, i) => i >= openFrom && s.source === source && s.host === host && s.start === start);
  if (known) {
    known.last = Math.max(known.last, tally?.last ?? seq);
    return true;
  }
  if (spans.length >= maxSpans) return false;
  spans.push({ ...(start === undefined ? {} : { start }), source, host, seq: tally?.seq ?? seq, last: tally?.last ?? seq });
  return true;
}

/** Whether an event of the item's key came too late. @param start of its bucket, where the detector tallies */
export function cameLate({ spans }: LateItem, e: Pick<Event, "source" | "host" | "seq">, start?: Micros): boolean {
  return spans.some((s) => s.source === e.source && s.host === e.host && s.start === start && e.seq >= s.seq && e.seq <= s.last);
}
