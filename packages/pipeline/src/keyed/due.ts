/** Which keys may have become canonical or forgettable by when. Knows no key's content. */
import type { Micros } from "@vedette/model";

/** Width of a slot: a key is looked at so much later than it could be, at most. */
const width: Micros = 10_000_000;

export class Due {
  readonly #slots = new Map<number, Set<string>>();

  /** Puts a key where it is due; @returns the slot, for the next call's `old` */
  set(id: string, time: Micros, old: number): number {
    const slot = Math.floor(Math.max(time, 0) / width) + 1;
    if (slot === old && this.#slots.get(slot)?.has(id)) return slot;
    this.delete(id, old);
    const ids = this.#slots.get(slot);
    if (ids) ids.add(id);
    else this.#slots.set(slot, new Set([id]));
    return slot;
  }
  delete(id: string, slot: number): void {
    const ids = this.#slots.get(slot);
    ids?.delete(id);
    if (ids?.size === 0) this.#slots.delete(slot);
  }

  /** Takes out all keys due by `mark`, in the order of their names. */
  take(mark: Micros): readonly string[] {
    const due: string[] = [];
    for (const [slot, ids] of this.#slots) {
      if (slot * width > mark) continue;
      this.#slots.delete(slot);
      due.push(...ids);
    }
    return due.sort();
  }
}

/** The watermark at which a key of this slot is due. */
export const dueAt = (slot: number): Micros => slot * width;
