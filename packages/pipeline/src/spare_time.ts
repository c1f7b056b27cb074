/** How much of its time a process spends on what came too late, all that it folds together. Knows no key and no question. */
import type { Clock } from "@vedette/kit";
import type { Micros } from "@vedette/model";

/** At once, while there is other work: detection waits meanwhile. Ten times as much where there is none. */
const budget: Micros = 50_000;

export class SpareTime {
  readonly #clock: Clock;
  /** What has work besides. */
  readonly #busy = new Set<string>();
  /** Who asked in vain: before those who had their turn. */
  readonly #refused = new Set<string>();
  #from = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one of those that share the process has work that goes first. */
  busy(who: string, is: boolean): void {
    if (is) this.#busy.add(who);
    else this.#busy.delete(who);
  }

  /**
   * Work that waits while there is other: one at a time then, and what it took longer, later ones pay for.
   * @param rest so many times what was spent goes to the other work
   * @returns undefined where there is no time now
   */
  async spend<T>(who: string, { busy, rest }: { readonly busy: boolean; readonly rest: number }, work: (until: Micros) => Promise<T>) {
    const begun = this.#clock.now();
    const other = busy || this.#busy.size > 0;
    if (other && (begun < this.#from || (this.#refused.size > 0 && !this.#refused.has(who)))) {
      this.#refused.add(who);
      return undefined;
    }
    this.#refused.delete(who);
    this.#from = Number.POSITIVE_INFINITY;
    try {
      return await work(begun + budget * (other ? 1 : 10));
    } finally {
      const ended = this.#clock.now();
      this.#from = ended + rest * (ended - begun);
    }
  }
}
