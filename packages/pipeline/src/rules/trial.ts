/** What rules on trial did, by day of event time, and what each rule costs: the figures a promotion rests on. Decides nothing and alters no answer. */
import type { Finding, Micros } from "@vedette/model";

/** Days of event time kept per rule: a week, and the day that has begun. */
const keptDays = 8;
const day: Micros = 86_400_000_000;
/** Alerts of a day that are told apart: a rule with more of them is none to enable, whatever the exact figure. */
const maxAlerts = 1_000;

/** What one analysed job tells of its rules. */
export interface Judged {
  readonly rules: { readonly [rule: string]: readonly [seen: number, matched: number] };
  /** Days of event time, ascending. */
  readonly days: readonly number[];
  readonly costs: { readonly [rule: string]: Cost };
}

interface Day {
  /** Events that it was asked about; of a correlation, those of the rules that it rests on. */
  seen: number;
  /** Findings. */
  matched: number;
  /** One entity on one day is one alert, as in a backtest; by the entity while the day goes on, then their number. */
  alerts: Set<string> | number;
}

interface Trial {
  /** Content hash: another content is another trial. */
  readonly hash: string;
  /** The rules that it is asked about events by: itself, or those that it rests on. */
  readonly asks: readonly string[];
  /** It rests on findings of detectors: they look at whatever comes in. */
  readonly follows: boolean;
  readonly days: Map<number, Day>;
}

/** A rule or correlation on trial. */
export type OnTrial = Omit<Trial, "days">;

export interface TrialState {
  readonly version: 2;
  readonly rules: readonly (readonly [
    id: string,
    hash: string,
    days: readonly (readonly [day: number, seen: number, matched: number, alerts: readonly string[] | number])[],
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

  /** @param shadow what is on trial now, by id: others are forgotten */
  follow(shadow: ReadonlyMap<string, OnTrial>): void {
    for (const [id, { hash }] of this.#trials) if (shadow.get(id)?.hash !== hash) this.#trials.delete(id);
    for (const [id, one] of shadow) this.#trials.set(id, { ...one, days: this.#trials.get(id)?.days ?? new Map() });
  }

  /** @param findings of both passes, as they came of it */
  add({ rules, days, costs }: Judged, findings: readonly Finding[]): void {
    for (const [id, { evaluated, estimated_ms }] of Object.entries(costs)) {
      const cost = this.#costs.get(id) ?? { evaluated: 0, estimated_ms: 0 };
      cost.evaluated += evaluated;
      cost.estimated_ms += estimated_ms;
      this.#costs.set(id, cost);
    }
    if (this.#trials.size === 0) return;
    for (const { asks, follows, days: known } of this.#trials.values()) {
      const seen = asks.reduce((n, id) => n + (rules[id]?.[0] ?? 0), follows ? days.length : 0);
      // a job is some seconds of the log: what it holds of several days is put to the newest, and the others are counted as days with data
      if (seen > 0) for (const [i, number] of days.entries()) dayIn(known, number).seen += i === days.length - 1 ? seen : 1;
    }
    for (const finding of findings) this.#find(finding);
  }

  #find({ rule, entities, window, shadow, revision, withdrawn, supersedes }: Finding): void {
    const trial = shadow ? this.#trials.get(rule.id) : undefined;
    // one that is amended was counted when it was raised
    if (trial === undefined || revision > 0 || withdrawn || supersedes !== undefined) return;
    const today = dayIn(trial.days, dayOf(window.start));
    today.matched++;
    if (typeof today.alerts === "number") return;
    today.alerts.add(`${entities[0]?.type ?? ""}\0${entities[0]?.id ?? ""}`.slice(0, maxEntity));
    if (today.alerts.size >= maxAlerts) today.alerts = today.alerts.size;
  }

  /** The newest week of event time in which a rule on trial was asked about events. */
  week(id: string): Week {
    const days = [...(this.#trials.get(id)?.days ?? [])].sort(([a], [b]) => b - a).slice(0, 7);
    const sum = (of: (one: Day) => number) => days.reduce((n, [, one]) => n + of(one), 0);
    return {
      days: days.length,
      seen: sum(({ seen }) => seen),
      matched: sum(({ matched }) => matched),
      alerts: sum(({ alerts }) => sizeOf(alerts)),
    };
  }

  cost(id: string): Cost {
    return this.#costs.get(id) ?? { evaluated: 0, estimated_ms: 0 };
  }
  /** Milliseconds by rule id. */
  spent(): ReadonlyMap<string, number> {
    return new Map([...this.#costs].map(([id, { estimated_ms }]) => [id, estimated_ms]));
  }

  state(): TrialState {
    const rowOf = ([number, { seen, matched, alerts }]: readonly [number, Day]) =>
      [number, seen, matched, typeof alerts === "number" ? alerts : [...alerts]] as const;
    return {
      version: 2,
      rules: [...this.#trials].flatMap(([id, { hash, days }]) => (days.size === 0 ? [] : [[id, hash, [...days].map(rowOf)] as const])),
    };
  }
  /** Before `follow`. What an earlier version wrote counts from now on anew. */
  restore({ version, rules }: { readonly version: number; readonly rules: TrialState["rules"] }): void {
    if (version !== 2) return;
    for (const [id, hash, days] of rules) {
      const known = days.map(([number, seen, matched, alerts]): [number, Day] => [
        number,
        { seen, matched, alerts: typeof alerts === "number" ? alerts : new Set(alerts) },
      ]);
      this.#trials.set(id, { hash, asks: [], follows: false, days: new Map(known) });
    }
  }
}

/** What the newest week of a trial came to. */
export interface Week {
  readonly days: number;
  readonly seen: number;
  readonly matched: number;
  readonly alerts: number;
}

/** Characters of an entity by which it is told from others. */
const maxEntity = 128;
/** Days whose entities are remembered: yesterday's last events may come today. */
const openDays = 2;

function dayIn(days: Trial["days"], number: number): Day {
  let found = days.get(number);
  if (found === undefined) {
    found = { seen: 0, matched: 0, alerts: new Set() };
    days.set(number, found);
    if (days.size > keptDays) days.delete(Math.min(...days.keys()));
    const newest = Math.max(...days.keys());
    for (const [one, counts] of days) if (one <= newest - openDays) counts.alerts = sizeOf(counts.alerts);
  }
  return found;
}

const sizeOf = (alerts: Day["alerts"]): number => (typeof alerts === "number" ? alerts : alerts.size);

export const dayOf = (time: Micros): number => Math.floor(time / day);
