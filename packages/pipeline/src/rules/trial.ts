/** What rules on trial did, by day of event time, and what each rule costs: the figures a promotion rests on. Decides nothing and alters no answer. */
import type { Micros } from "@vedette/model";

/** Days of event time kept per rule: a week, and the day that has begun. */
const keptDays = 8;
const day: Micros = 86_400_000_000;

/** What one analysed job tells of its rules. */
export interface Judged {
  readonly rules: { readonly [rule: string]: readonly [seen: number, matched: number] };
  /** Days of event time, ascending. */
  readonly days: readonly number[];
  readonly costs: { readonly [rule: string]: Cost };
}

interface Trial {
  /** Content hash: another content is another trial. */
  readonly hash: string;
  /** Day number → events it was asked about, and matches. */
  readonly days: Map<number, [seen: number, matched: number]>;
}

export interface TrialState {
  readonly version: 1;
  readonly rules: readonly (readonly [
    id: string,
    hash: string,
    days: readonly (readonly [day: number, seen: number, matched: number])[],
  ])[];
}

/** What one rule's evaluations took since this start. */
export interface Cost {
  readonly evaluated: number;
  readonly estimated_ms: number;
}

export class Trials {
  readonly #trials = new Map<string, Trial>();
  readonly #costs = new Map<string, { evaluated: number; estimated_ms: number }>();

  /** @param shadow the rules on trial now, id to content hash: others are forgotten */
  follow(shadow: ReadonlyMap<string, string>): void {
    for (const [id, { hash }] of this.#trials) if (shadow.get(id) !== hash) this.#trials.delete(id);
    for (const [id, hash] of shadow) if (!this.#trials.has(id)) this.#trials.set(id, { hash, days: new Map() });
  }

  add({ rules, days, costs }: Judged): void {
    for (const [id, { evaluated, estimated_ms }] of Object.entries(costs)) {
      const cost = this.#costs.get(id) ?? { evaluated: 0, estimated_ms: 0 };
      cost.evaluated += evaluated;
      cost.estimated_ms += estimated_ms;
      this.#costs.set(id, cost);
    }
    if (this.#trials.size === 0 || days.length === 0) return;
    for (const [id, [seen, matched]] of Object.entries(rules)) {
      const trial = this.#trials.get(id);
      // a job is some seconds of the log: what it holds of several days is put to the newest, and the others are counted as days with data
      if (trial) for (const [i, number] of days.entries()) count(trial.days, number, i === days.length - 1 ? [seen, matched] : [1, 0]);
    }
  }

  /** The newest week of event time in which a rule on trial was asked about events. */
  week(id: string): { readonly days: number; readonly seen: number; readonly matched: number } {
    const days = [...(this.#trials.get(id)?.days ?? [])].sort(([a], [b]) => b - a).slice(0, 7);
    return { days: days.length, seen: days.reduce((n, [, [seen]]) => n + seen, 0), matched: days.reduce((n, [, [, m]]) => n + m, 0) };
  }

  cost(id: string): Cost {
    return this.#costs.get(id) ?? { evaluated: 0, estimated_ms: 0 };
  }
  /** Milliseconds by rule id. */
  spent(): ReadonlyMap<string, number> {
    return new Map([...this.#costs].map(([id, { estimated_ms }]) => [id, estimated_ms]));
  }

  state(): TrialState {
    return {
      version: 1,
      rules: [...this.#trials].flatMap(([id, { hash, days }]) =>
        days.size === 0 ? [] : [[id, hash, [...days].map(([d, [seen, matched]]) => [d, seen, matched] as const)] as const],
      ),
    };
  }
  restore(state: TrialState): void {
    for (const [id, hash, days] of state.rules) this.#trials.set(id, { hash, days: new Map(days.map(([d, s, m]) => [d, [s, m]])) });
  }
}

function count(days: Trial["days"], number: number, [seen, matched]: readonly [number, number]): void {
  const known = days.get(number);
  if (known) {
    known[0] += seen;
    known[1] += matched;
    return;
  }
  days.set(number, [seen, matched]);
  if (days.size > keptDays) days.delete(Math.min(...days.keys()));
}

export const dayOf = (time: Micros): number => Math.floor(time / day);
