/** Estimates what rules would raise and cost, over the newest stored events, and holds back those that ask too much. Changes nothing. */
import { type Condition, compile } from "@vedette/condition";
import type { Clock } from "@vedette/kit";
import type { Event, Micros, RulePlan } from "@vedette/model";
import { compileRules, type Pipeline, type Refusal, type SigmaRule } from "@vedette/sigma";
import type { EventStore } from "@vedette/store";

export interface GateOptions {
  readonly events: EventStore;
  readonly clock: Clock;
  readonly tenant: string;
  readonly pipelines: readonly (Pipeline | Refusal)[];
  /** Matches a day beyond which a rule is held back. */
  readonly budget_per_day: number;
}

/** Events looked at: a second of work, and enough that one match in a day's 10 M events is the only kind not seen. */
const sampleSize = 20_000;
const pageSize = 1_000;
/** How far back these may lie: older events say little of tomorrow. */
const newestDays = 7;
const day: Micros = 86_400_000_000;
/** A shorter sample says nothing of a day: a burst at the start would be taken for the whole day's rate. */
const leastSpan: Micros = 3_600_000_000;
/** Plain evaluation of one event, in µs: 25,000 events a CPU second leave 40 µs for all rules together (issue of the engine's speed). */
const maxCost_us = 100;
/** Evaluations timed of each rule; their median does not mind a busy machine. Fewer than `enough` tell more of the first than of the rest. */
const timed = 200;
const enough = 50;

/** @param rules those that would raise alerts and do not yet */
export async function estimate(rules: readonly SigmaRule[], options: GateOptions, signal?: AbortSignal): Promise<RulePlan["gate"]> {
  if (rules.length === 0) return { events: 0, span_s: 0, estimates: [] };
  const events = await newest(options, signal);
  const span = spanOf(events);
  const set = compileRules(rules, { pipelines: options.pipelines });
  const matched = new Float64Array(set.rules.length);
  const durations: number[][] = set.rules.map(() => []);
  const plain = set.rules.map((_, number) => compile(set.conditionOf(number)));
  const hits: number[] = [];
  for (const [i, event] of events.entries()) {
    if (i % pageSize === 0) await options.clock.sleep(0, signal);
    signal?.throwIfAborted();
    set.match(event, hits);
    for (const hit of hits) matched[hit]!++;
    for (const number of set.rulesIn(set.bucketOf(event))) {
      const some = durations[number]!;
      if (some.length >= timed) continue;
      const from = process.hrtime.bigint();
      plain[number]!(event);
      some.push(Number(process.hrtime.bigint() - from) / 1_000);
    }
  }
  const estimates = set.rules.map((rule, number) => {
    const per_day = Math.round((matched[number]! * day) / span);
    const cost_us = durations[number]!.length < enough ? 0 : Math.round(median(durations[number]!) * 10) / 10;
    const held = heldBack(rule, per_day, cost_us, options.budget_per_day);
    const { id, title, file, line } = rule;
    return { id, title, file: `${file}:${line}`, matched: matched[number]!, per_day, cost_us, ...(held === undefined ? {} : { held }) };
  });
  return { events: events.length, span_s: events.length === 0 ? 0 : Math.round(span / 1e6), estimates };
}

async function newest({ events, clock, tenant }: GateOptions, signal?: AbortSignal): Promise<Event[]> {
  const now = clock.now();
  const query = { tenant, range: { from: now - newestDays * day, to: now + day }, where: notDemo, limit: pageSize };
  const found: Event[] = [];
  for (let cursor: string | undefined; found.length < sampleSize; ) {
    const page: Awaited<ReturnType<EventStore["search"]>> = await events.search({ ...query, ...(cursor ? { cursor } : {}) }, signal);
    for (const event of page.events) found.push(event);
    cursor = page.cursor;
    if (cursor === undefined) break;
  }
  return found;
}

/** What the bundled scenario shows says nothing of this site. */
const notDemo: Condition = { op: "not", of: { op: "eq", field: "vedette.demo", value: true } };

const spanOf = (events: readonly Event[]): Micros => Math.max(leastSpan, (events[0]?.time ?? 0) - (events.at(-1)?.time ?? 0));

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function heldBack(rule: SigmaRule, per_day: number, cost_us: number, budget: number): string | undefined {
  if (per_day > budget) return `about ${per_day} matches a day; the budget of one rule is ${budget}`;
  if (holdsForAny(rule.condition)) return "it holds for every event that has the field, whatever its value; name a value";
  if (cost_us > maxCost_us) return `${cost_us} µs an event; one rule may take ${maxCost_us}`;
  return undefined;
}

/** True of every event that has the fields at all: `CommandLine: '*'`. */
export function holdsForAny(condition: Condition): boolean {
  switch (condition.op) {
    case "and":
      return condition.of.every(holdsForAny);
    case "or":
      return condition.of.some(holdsForAny);
    case "exists":
      return true;
    case "like":
      return /^\*+$/.test(condition.value);
    case "contains":
    case "starts":
    case "ends":
      return condition.value === "";
    case "regex":
      return /^\^?(\.\*\??)?\$?$/.test(condition.value);
    case "keyword":
      return /^\**$/.test(condition.value);
    default:
      return false;
  }
}
