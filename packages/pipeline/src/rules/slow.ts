/** Names rules that take more than their share of the machine, from what evaluating them took. Knows no rule's content and quarantines nothing. */

/** What one rule may take of one core: more, and the others wait for it. The whole of detection is made for 40 µs an event. */
const maxShare = 0.25;

export class SlowRules {
  #before = new Map<string, number>();
  #suspects = new Set<string>();

  /**
   * Slow is what takes too much in two windows one after the other: costs are estimated from a sample, and a busy machine may stop in the
   * middle of one timed evaluation.
   * @param spent milliseconds of every rule since the start
   * @returns shares of one core by rule id
   */
  after(spent: ReadonlyMap<string, number>, window_ms: number): ReadonlyMap<string, number> {
    const slow = new Map<string, number>();
    const suspects = new Set<string>();
    for (const [id, ms] of spent) {
      const share = (ms - (this.#before.get(id) ?? 0)) / window_ms;
      if (share <= maxShare) continue;
      suspects.add(id);
      if (this.#suspects.has(id)) slow.set(id, share);
    }
    this.#before = new Map(spent);
    this.#suspects = suspects;
    return slow;
  }
}
