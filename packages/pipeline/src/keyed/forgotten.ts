/**
 * Up to when what is forgotten of a key would still matter: an event of before that, which comes later, cannot simply begin afresh. A table of
 * fixed size in which keys share slots: it may say so of a key that never was, which costs a question to the store, never the other way round.
 */
import type { Micros } from "@vedette/model";

/** 8 MB once all are in use; with 100,000 different keys in a stream's time one in ten that are new is asked for in vain. */
const slots = 1 << 20;

export class Forgotten {
  /** 0: nothing. */
  #until: Float64Array | undefined;
  #floor: Micros = Number.NEGATIVE_INFINITY;

  note(id: string, until: Micros): void {
    this.#until ??= new Float64Array(slots);
    const slot = slotOf(id);
    if (until > this.#until[slot]!) this.#until[slot] = until;
  }
  until(id: string): Micros {
    return Math.max(this.#floor, this.#until?.[slotOf(id)] || Number.NEGATIVE_INFINITY);
  }
  /** After a restart nothing is known of what had been forgotten before `mark`. */
  assume(mark: Micros): void {
    this.#floor = mark;
  }
}

/** FNV-1a. */
function slotOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 12)) & (slots - 1);
}
