/** Events per second over the last ten seconds, by name. */
import type { Clock } from "@vedette/kit";

const seconds = 10;

export class Rates {
  readonly #clock: Clock;
  readonly #slots = new Map<string, { readonly counts: number[]; second: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(name: string, n: number): void {
    const now = Math.floor(this.#clock.now() / 1_000_000);
    const slot = this.#slots.get(name) ?? { counts: new Array<number>(seconds).fill(0), second: now };
    this.#slots.set(name, slot);
    roll(slot, now);
    slot.counts[now % seconds]! += n;
  }

  of(name: string): number {
    const slot = this.#slots.get(name);
    if (!slot) return 0;
    roll(slot, Math.floor(this.#clock.now() / 1_000_000));
    return slot.counts.reduce((a, b) => a + b, 0) / seconds;
  }
}

function roll(slot: { readonly counts: number[]; second: number }, now: number): void {
  for (let s = Math.max(slot.second + 1, now - seconds + 1); s <= now; s++) slot.counts[s % seconds] = 0;
  slot.second = Math.max(slot.second, now);
}
