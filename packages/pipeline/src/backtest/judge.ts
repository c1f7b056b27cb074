/**
 * Judges stored events as production would have, with the same rule set and the same keyed folds, in order of event time: so nothing is late.
 * Keeps counts, not findings. Knows no store and no thread.
 */
import type { View } from "@vedette/condition";
import { entitiesOf } from "@vedette/detect";
import { VedetteError } from "@vedette/kit";
import type { BacktestRule, Event, Finding, Micros, Observation } from "@vedette/model";
import { eventsOfPage, type ScanPage } from "@vedette/store";
import { KeyedEngine } from "../keyed.ts";
import { Watermarks } from "../watermarks.ts";
import type { BacktestPlan } from "./plan.ts";
import { bareOf } from "./seen.ts";
import { RuleTally } from "./tally.ts";

/** Observations and keys held at once: some 500 MB. */
const maxHeld = 500_000;
/** The scan itself is the only host that comes forward in time. */
const scan = ["\u0001scan", "", ""] as const;

export class Judge {
  readonly #plan: BacktestPlan;
  readonly #tallies: RuleTally[];
  readonly #episodes = new Map<string, Finding>();
  readonly #keyed: KeyedEngine;
  readonly #watermarks = new Watermarks();
  readonly #matched: number[] = [];
  #held: Observation[] = [];
  #complete: Micros = 0;
  #candidates = 0;
  readonly #seen: (events: readonly Event[]) => readonly Event[];

  /** @param view what who asked sees of the events of a page; all of it where absent */
  constructor(plan: BacktestPlan, view?: View) {
    this.#plan = plan;
    this.#seen = view === undefined ? (events) => events : bareOf(view, plan.where);
    const { rules, stage } = plan.compiled;
    this.#tallies = rules.rules.map(({ id, title, level }) => new RuleTally({ id, title, level, kind: "sigma" }));
    this.#keyed = new KeyedEngine(stage.detectors, this.#watermarks);
  }

  take(page: ScanPage): void {
    this.judge(this.#seen(eventsOfPage(page)), page.complete);
  }

  /** @param complete no later call brings an earlier event */
  judge(events: readonly Event[], complete: Micros): void {
    this.#candidates += events.length;
    for (const event of events) this.#event(event);
    for (const o of this.#plan.compiled.stage.flush().observations) this.#held.push(o);
    if (this.#held.length > maxHeld || this.#keyed.keysInMemory > maxHeld)
      throw new VedetteError("too_large", true, "these rules keep watch over more keys at once than a backtest can hold; narrow the range");
    if (complete > this.#complete) this.#advance(complete);
  }

  #event(event: Event): void {
    const { rules, stage, correlations, silent } = this.#plan.compiled;
    rules.match(event, this.#matched);
    for (const number of this.#matched) {
      if (silent.has(rules.rules[number]!.id)) continue;
      const entity = rules.rules[number]!.vedette?.entity;
      const [first] = entitiesOf(event, typeof entity === "string" ? entity : undefined);
      this.#tallies[number]!.add(event.time, first, event.id);
    }
    for (const o of stage.observe(event, Number.NEGATIVE_INFINITY, false)) this.#held.push(o);
    if (this.#matched.length === 0 || correlations.detectors.length === 0) return;
    const ids = this.#matched.map((number) => rules.rules[number]!.id);
    for (const o of correlations.observe(event, ids, Number.NEGATIVE_INFINITY, false)) this.#held.push(o);
  }

  /** Everything before `until` is here: it is folded in order, and what it completes is final. */
  #advance(until: Micros): void {
    this.#complete = until;
    const due = this.#held.filter((o) => o.time < until).sort(inOrder);
    this.#held = this.#held.filter((o) => o.time >= until);
    for (const observe of due) this.#keep(this.#keyed.observe(observe));
    this.#watermarks.advance(scan, until, until);
    this.#keep(this.#keyed.finalise(until));
  }

  #keep(findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (finding.supersedes !== undefined) this.#episodes.delete(finding.supersedes);
      if (finding.withdrawn) this.#episodes.delete(finding.id);
      else this.#episodes.set(finding.id, finding);
    }
  }

  finish(span_days: number): { readonly candidates: number; readonly rules: readonly BacktestRule[] } {
    this.#advance(Number.POSITIVE_INFINITY);
    const { rules, stage, silent } = this.#plan.compiled;
    const costs = rules.costs();
    const shown = [...stage.detectors.values()].filter(({ silent }) => !silent);
    const detectors = new Map(shown.map(({ spec, kind }) => [spec.name, episodeTally(spec.name, spec.title, kind ?? "detector")]));
    for (const f of this.#episodes.values()) detectors.get(f.rule.id)?.add(f.window.start, f.entities[0], f.events[0]);
    const { tells, taken } = this.#plan;
    const costOf = (id: string) => costs[rules.rules.findIndex((rule) => rule.id === id)] ?? noCost;
    return {
      candidates: this.#candidates,
      rules: [
        ...this.#tallies.flatMap((tally, number) => {
          if (silent.has(tally.name.id)) return [];
          return [tally.report(span_days, costs[number]!)];
        }),
        // a correlation costs what the rules do that it takes
        ...[...detectors.values()].map((tally) => tally.report(span_days, [...taken(tally.name.id)].map(costOf).reduce(added, noCost))),
      ].filter(({ id }) => tells(id)),
    };
  }
}

const episodeTally = (id: string, title: string, kind: "sigma" | "detector") => new RuleTally({ id, title, level: "", kind });

type Cost = BacktestRule["cost"];
const noCost: Cost = { evaluated: 0, timed: 0, estimated_ms: 0, longest_ms: 0 };
const added = (a: Cost, b: Cost): Cost => ({
  evaluated: a.evaluated + b.evaluated,
  timed: a.timed + b.timed,
  estimated_ms: a.estimated_ms + b.estimated_ms,
  longest_ms: Math.max(a.longest_ms, b.longest_ms),
});

/** Order key: (time, source, sequence within the source). */
function inOrder(a: Observation, b: Observation): number {
  return a.time - b.time || (a.source < b.source ? -1 : a.source > b.source ? 1 : a.seq - b.seq);
}
