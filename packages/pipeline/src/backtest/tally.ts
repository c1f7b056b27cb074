/** Counts one rule's findings by day and entity, in bounded memory. Knows no event. */
import type { BacktestRule, Entity, Micros } from "@vedette/model";

/** Alerts told apart per rule: a rule with more is no rule to enable, whatever the exact figure. */
const maxAlerts = 50_000;
/** Entities counted per rule; when there are more, the rarest half is forgotten. */
const maxEntities = 10_000;
const topEntities = 10;
const maxSamples = 5;
const day: Micros = 86_400_000_000;

interface Sampled {
  readonly time: Micros;
  readonly id: string;
}
const isEarlier = (a: Sampled, b: Sampled): boolean => a.time < b.time || (a.time === b.time && a.id < b.id);

export type RuleName = Pick<BacktestRule, "id" | "title" | "level" | "kind">;

export class RuleTally {
  readonly name: RuleName;
  #matched = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;
  #atLeast = false;
  readonly #alerts = new Set<string>();
  readonly #days = new Map<number, { matched: number; alerts: number }>();
  #entities = new Map<string, { readonly entity: Entity; count: number }>();
  readonly #samples: Sampled[] = [];

  constructor(name: RuleName) {
    this.name = name;
  }

  add(time: Micros, entity: Entity | undefined, event: string | undefined): void {
    this.#matched++;
    if (time < this.#first) this.#first = time;
    if (time > this.#last) this.#last = time;
    const number = Math.floor(time / day);
    let counts = this.#days.get(number);
    if (!counts) {
      counts = { matched: 0, alerts: 0 };
      this.#days.set(number, counts);
    }
    counts.matched++;
    const key = `${entity?.type ?? ""}\0${entity?.id ?? ""}`;
    const alert = `${number}\0${key}`;
    if (!this.#alerts.has(alert)) {
      if (this.#alerts.size < maxAlerts) {
        this.#alerts.add(alert);
        counts.alerts++;
      } else this.#atLeast = true;
    }
    if (entity) this.#count(key, entity);
    if (event !== undefined) this.#sample(time, event);
  }

  /** The earliest, whatever the order in which the store has them. */
  #sample(time: Micros, id: string): void {
    const last = this.#samples[maxSamples - 1];
    if (last !== undefined && !isEarlier({ time, id }, last)) return;
    const at = this.#samples.findIndex((one) => isEarlier({ time, id }, one));
    this.#samples.splice(at < 0 ? this.#samples.length : at, 0, { time, id });
    this.#samples.length = Math.min(this.#samples.length, maxSamples);
  }

  #count(key: string, entity: Entity): void {
    const known = this.#entities.get(key);
    if (known) known.count++;
    else {
      if (this.#entities.size >= maxEntities) this.#entities = new Map(this.#ranked().slice(0, maxEntities / 2));
      this.#entities.set(key, { entity, count: 1 });
    }
  }

  #ranked() {
    return [...this.#entities].sort(([a, { count: n }], [b, { count: m }]) => m - n || (a < b ? -1 : 1));
  }

  report(span_days: number, cost: BacktestRule["cost"]): BacktestRule {
    return {
      ...this.name,
      matched: this.#matched,
      alerts: this.#alerts.size,
      ...(this.#atLeast ? { at_least: true as const } : {}),
      // an hour's rate, taken for a day's, says something; a second's does not
      alerts_per_day: this.#alerts.size / Math.max(span_days, 1 / 24),
      days: [...this.#days]
        .sort(([a], [b]) => a - b)
        .map(([number, counts]) => ({ day: new Date(number * 86_400_000).toISOString().slice(0, 10), ...counts })),
      ...(this.#matched === 0 ? {} : { first: this.#first, last: this.#last }),
      entities: this.#ranked()
        .slice(0, topEntities)
        .map(([, { entity, count }]) => ({ ...entity, count })),
      samples: this.#samples.map(({ id }) => id),
      cost,
    };
  }
}
