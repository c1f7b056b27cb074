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

  /** Counts one; returns 0 when it fits, else the microseconds to wait. */
  take(key: string, now: Micros): Micros {
    const due = Math.max(this.#due.get(key) ?? now, now);
    const over = due + this.#interval - now - this.#burst;
    if (over > 0) return over;
    if (this.#due.size >= maxKeys) this.#forget(now);
    this.#due.set(key, due + this.#interval);
    return 0;
  }

  #forget(now: Micros): void {
    for (const [key, due] of this.#due) if (due <= now) this.#due.delete(key);
    if (this.#due.size >= maxKeys) this.#due.clear();
  }
}
