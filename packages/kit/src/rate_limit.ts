/** A small rate limiter: the generic cell rate algorithm, one number per key. Knows nothing of what it limits. */
import type { Micros } from "@vedette/model";

/** Keys kept before all that have recovered are forgotten. */
const maxKeys = 10_000;

export class RateLimit {
  readonly #interval: Micros;
  readonly #burst: Micros;
  readonly #due = new Map<string, Micros>();

  /** @param perMinute sustained rate; @param burst how many at once */
  constructor(perMinute: number, burst: number) {
    this.#interval = 60_000_000 / perMinute;
    this.#burst = this.#interval * burst;
  }

  /** Counts one, or `cost`; returns 0 when it fits, else the microseconds to wait. */
  take(key: string, now: Micros, cost = 1): Micros {
    const wait = this.wait(key, now, cost);
    if (wait === 0) this.charge(key, now, cost);
    return wait;
  }

  /** Counts `cost` whether it fits or not; what is less than nothing gives back. */
  charge(key: string, now: Micros, cost: number): void {
    if (this.#due.size >= maxKeys) this.#forget(now);
    this.#due.set(key, Math.max(this.#due.get(key) ?? now, now) + this.#interval * cost);
  }

  /** As `take`, but counts nothing. What costs more than the burst fits when nothing is owed. */
  wait(key: string, now: Micros, cost = 1): Micros {
    const due = Math.max(this.#due.get(key) ?? now, now);
    return Math.max(0, due + Math.min(this.#interval * cost, this.#burst) - now - this.#burst);
  }

  /** How many fit now, and the microseconds until all do. */
  state(key: string, now: Micros): { readonly left: number; readonly recovered: Micros } {
    const recovered = Math.max(0, (this.#due.get(key) ?? now) - now);
    return { left: Math.max(0, Math.floor((this.#burst - recovered) / this.#interval)), recovered };
  }

  #forget(now: Micros): void {
    for (const [key, due] of this.#due) if (due <= now) this.#due.delete(key);
    if (this.#due.size >= maxKeys) this.#due.clear();
  }
}
