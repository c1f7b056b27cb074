/** Runs a backtest: pages of the store's scan to a judge, which may be in a thread of its own. Changes nothing. Knows no rule. */
import type { View } from "@vedette/condition";
import type { BacktestEstimate, BacktestReport, BacktestRule } from "@vedette/model";
import type { EventStore, ScanPage, TimeRange } from "@vedette/store";
import { Judge } from "./judge.ts";
import type { BacktestPlan } from "./plan.ts";
import { type BacktestEvents, seenStore, wholeStore } from "./seen.ts";

/** Where pages are judged. `take` resolves when the next page may come. */
export interface JudgePort {
  take(page: ScanPage): Promise<void>;
  finish(span_days: number): Promise<{ readonly candidates: number; readonly rules: readonly BacktestRule[]; readonly cpu_s: number }>;
  close(): Promise<void>;
}

export interface BacktestOptions {
  readonly events: EventStore;
  readonly tenant: string;
  readonly range: TimeRange;
  /** What who asked may see of the events; everything where absent. */
  readonly view?: View;
  /** In this thread where absent. */
  readonly judge?: JudgePort;
  readonly onProgress?: (read: number, stored: number) => void;
  /** Asked before each page; while it has not resolved, production goes first. */
  readonly turn?: (signal: AbortSignal) => Promise<void>;
  /** Ends it after the page at which `reached` says so; the report is then about the share that was gone through of the candidates expected. */
  readonly limit?: { readonly candidates: number; readonly reached: () => boolean };
}

const day = 86_400_000_000;
const readOf = ({ events, view }: BacktestOptions): BacktestEvents => (view === undefined ? wholeStore(events) : seenStore(events, view));

export function estimateBacktest({ where }: BacktestPlan, options: BacktestOptions, signal?: AbortSignal): Promise<BacktestEstimate> {
  const { tenant, range } = options;
  return readOf(options).estimate({ tenant, range, where }, signal);
}

/** @throws DOMException `AbortError` when `signal` aborts */
export async function backtest(plan: BacktestPlan, options: BacktestOptions, signal: AbortSignal): Promise<BacktestReport> {
  const { tenant, range, judge = inlineJudge(plan, options.view), onProgress, turn, limit } = options;
  const events = readOf(options);
  const begun = performance.now();
  let stored = 0;
  let looked = 0;
  let share = 1;
  try {
    for await (const page of events.scan({ tenant, range, where: plan.where }, signal)) {
      stored = page.stored;
      looked += page.rows.length;
      await judge.take(page);
      onProgress?.(page.read, page.stored);
      await turn?.(signal);
      if (limit?.reached() && page.read < page.stored) {
        share = Math.max(page.read / page.stored, Math.min(1, looked / Math.max(1, limit.candidates)));
        stored = Math.round(share * page.stored);
        break;
      }
    }
    const { from, to } = (await events.span({ tenant, range })) ?? { from: 0, to: 0 };
    const span_days = (share * Math.max(0, to - from)) / day;
    const { candidates, rules, cpu_s } = await judge.finish(span_days);
    const seconds = (performance.now() - begun) / 1_000;
    return { ...range, span_days, stored, candidates, seconds, cpu_s, rules, refused: plan.refused };
  } finally {
    await judge.close();
  }
}

/** In this thread: offline, and in tests. */
export function inlineJudge(plan: BacktestPlan, view?: View): JudgePort {
  const judge = new Judge(plan, view);
  const before = process.threadCpuUsage();
  return {
    take: async (page) => judge.take(page),
    finish: async (span_days) => {
      const counted = judge.finish(span_days);
      const { user, system } = process.threadCpuUsage(before);
      return { ...counted, cpu_s: (user + system) / 1e6 };
    },
    close: async () => {},
  };
}
