/** What each rule costs, by timing a sample of its evaluations, and which rules are set aside. Decides no match but theirs. */
import type { Frame } from "./frame.ts";
import type { Predicate } from "./predicate.ts";

/** One evaluation in so many is timed: the clock costs as much as some evaluations do. */
const sampled = 61;

/** What one rule's evaluations cost since the set was made. */
export interface RuleCost {
  /** How often the rule's condition was evaluated: the events that held a witness of it. */
  readonly evaluated: number;
  /** Evaluations that were timed. */
  readonly timed: number;
  /** Milliseconds that all evaluations took, estimated from the timed ones; 0 where none was. */
  readonly estimated_ms: number;
  /** The longest timed one. */
  readonly longest_ms: number;
}

export class Meter {
  readonly #clock: () => number;
  readonly #evaluated: Float64Array;
  readonly #timed: Float64Array;
  readonly #spent: Float64Array;
  readonly #longest: Float64Array;
  readonly #aside: Uint8Array;
  #until = sampled;

  /** @param clock milliseconds; read for costs only, matches do not depend on it */
  constructor(rules: number, clock: () => number) {
    this.#clock = clock;
    this.#evaluated = new Float64Array(rules);
    this.#timed = new Float64Array(rules);
    this.#spent = new Float64Array(rules);
    this.#longest = new Float64Array(rules);
    this.#aside = new Uint8Array(rules);
  }

  /** Evaluates, and now and then times it. */
  holds(rule: number, predicate: Predicate, frame: Frame): boolean {
    if (this.#aside[rule] !== 0) return false;
    this.#evaluated[rule]!++;
    if (--this.#until > 0) return predicate(frame);
    this.#until = sampled;
    const before = this.#clock();
    const holds = predicate(frame);
    const took = this.#clock() - before;
    this.#timed[rule]!++;
    this.#spent[rule]! += took;
    if (took > this.#longest[rule]!) this.#longest[rule] = took;
    return holds;
  }

  /** From now on the rule is not evaluated and matches nothing; `false` takes it back. */
  setAside(rule: number, aside: boolean): void {
    this.#aside[rule] = aside ? 1 : 0;
  }

  isAside(rule: number): boolean {
    return this.#aside[rule] === 1;
  }

  costs(): RuleCost[] {
    return Array.from(this.#evaluated, (_, rule) => this.costOf(rule));
  }

  costOf(rule: number): RuleCost {
    const evaluated = this.#evaluated[rule]!;
    const timed = this.#timed[rule]!;
    const estimated_ms = timed === 0 ? 0 : (this.#spent[rule]! / timed) * evaluated;
    return { evaluated, timed, estimated_ms, longest_ms: this.#longest[rule]! };
  }
}
