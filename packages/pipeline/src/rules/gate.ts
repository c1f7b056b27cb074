/** Holds back rules that would raise or cost too much, by a backtest over the newest stored events. Changes nothing. */
import type { Condition } from "@vedette/condition";
import type { Clock } from "@vedette/kit";
import type { BacktestRule, Micros, RuleEstimate, RulePlan } from "@vedette/model";
import type { SigmaCorrelation, SigmaRule } from "@vedette/sigma";
import type { EventStore, TimeRange } from "@vedette/store";
import { type BacktestPlan, fixedOf, planBacktest } from "../backtest/plan.ts";
import { backtest, estimateBacktest, type JudgePort } from "../backtest/run.ts";
import { threadJudge } from "../backtest/thread.ts";
import type { Program } from "../program.ts";

export interface GateOptions {
  readonly events: EventStore;
  readonly clock: Clock;
  readonly tenant: string;
  /** Alerts a day beyond which a rule is held back. */
  readonly budget_per_day: number;
  /** Where the backtest judges; in a thread of its own if not given. */
  readonly judge?: (plan: BacktestPlan) => JudgePort;
}

type AnyRule = SigmaRule | SigmaCorrelation;

/** How far back it looks, the first that can be gone through in time: older events say little of tomorrow, minutes say little of a day. */
const spans: readonly Micros[] = [7 * 24, 2 * 24, 12, 3, 1].map((hours) => hours * 3_600_000_000);
/** A person waits for it, and so does a rollback, which is to be done within 10 s. */
const patience: Micros = 4_000_000;
const day: Micros = 86_400_000_000;
/**
 * µs of one core for each event that comes in: a quarter of the 40 that 25,000 events a CPU second leave for everything, the share beyond which
 * a running rule is quarantined (slow.ts).
 */
const maxCost_us = 10;
/** Evaluations timed, below which they tell more of the machine than of the rule; the longest of them, when the machine was elsewhere, is left out. */
const enough = 8;
/** Events a day that each alert of the budget may count: beyond it nobody can look at what an alert is made of. */
const eventsPerAlert = 100;

/** What those of the program's rules would come to that are named. @param fresh rules and correlations that would raise alerts and do not yet */
export async function estimate(
  fresh: readonly AnyRule[],
  program: Program,
  options: GateOptions,
  signal: AbortSignal,
): Promise<RulePlan["gate"]> {
  if (fresh.length === 0) return { events: 0, span_s: 0, estimates: [] };
  const { rules, overlay } = program;
  const plan = await planBacktest({ rules, ids: fresh.map(({ id }) => id), overlay }, fixedOf(program));
  const report = await run({ ...plan, where: { op: "and", of: [plan.where, notDemo] } }, options, signal);
  const known = new Map(report.rules.map((rule) => [rule.id, rule]));
  const estimates = fresh.map((rule): RuleEstimate => {
    const { id, title, file, line } = rule;
    const found = known.get(id) ?? unseen;
    const { matched, alerts_per_day, at_least } = found;
    const cost_us = costOf(found.cost, report.stored);
    const held = heldBack(rule, found, { cost_us, budget: options.budget_per_day, span_days: report.span_days });
    return {
      id,
      title,
      file: `${file}:${line}`,
      matched,
      alerts_per_day: rounded(alerts_per_day),
      ...(at_least ? { at_least } : {}),
      cost_us: rounded(cost_us),
      ...(held === undefined ? {} : { held }),
    };
  });
  return { events: report.stored, span_s: Math.round((report.span_days * day) / 1e6), estimates };
}

async function run(plan: BacktestPlan, { events, clock, tenant, judge = inThread }: GateOptions, signal: AbortSignal) {
  const begun = clock.now();
  const over = (range: TimeRange) => ({ events, tenant, range });
  // a clock that is ahead by less than a day is one of the site's
  const ranges = spans.map((span) => ({ from: begun - span, to: begun + day }));
  let range = ranges.at(-1)!;
  let candidates = 0;
  for (const one of ranges) {
    const found = await estimateBacktest(plan, over(one), signal);
    candidates = found.candidates;
    range = one;
    if (found.seconds * 1e6 <= patience) break;
  }
  const limit = { candidates, reached: () => clock.now() - begun > 2 * patience };
  return await backtest(plan, { ...over(range), judge: judge(plan), limit }, signal);
}

const inThread = ({ subject, program }: BacktestPlan): JudgePort => threadJudge({ subject, fixed: fixedOf(program) });

/** What the bundled scenario shows says nothing of this site. */
const notDemo: Condition = { op: "not", of: { op: "eq", field: "vedette.demo", value: true } };
const unseen: Pick<BacktestRule, "matched" | "alerts_per_day" | "at_least" | "cost"> = {
  matched: 0,
  alerts_per_day: 0,
  cost: { evaluated: 0, timed: 0, estimated_ms: 0, longest_ms: 0 },
};

/** For each stored event; 0 where too few evaluations were timed to tell. */
export function costOf({ evaluated, timed, estimated_ms, longest_ms }: BacktestRule["cost"], stored: number): number {
  if (timed < enough) return 0;
  const each_ms = ((estimated_ms / evaluated) * timed - longest_ms) / (timed - 1);
  return (Math.max(0, each_ms) * evaluated * 1_000) / stored;
}

/** Why a rule is held back; undefined if it is not. */
export function heldBack(
  rule: AnyRule,
  { matched, alerts_per_day, at_least }: typeof unseen,
  { cost_us, budget, span_days }: { readonly cost_us: number; readonly budget: number; readonly span_days: number },
): string | undefined {
  const events = matched / Math.max(span_days, 1 / 24);
  const about = (n: number) => rounded(n).toLocaleString("en");
  const told = `${at_least ? "at least" : "about"} ${about(alerts_per_day)} alerts a day (${about(events)} matches)`;
  if (alerts_per_day > budget) return `${told}; the budget of one rule is ${budget}`;
  if ("condition" in rule && holdsForAny(rule.condition))
    return `it holds for every event that has the field, whatever its value: ${told} over what is stored; name a value`;
  if (events > budget * eventsPerAlert) return `${told}; alerts of so many events are read by nobody`;
  if (cost_us > maxCost_us) return `${rounded(cost_us)} µs of every event that comes in; one rule may take ${maxCost_us}`;
  return undefined;
}

const rounded = (n: number): number => (n >= 10 ? Math.round(n) : Math.round(n * 10) / 10);

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
