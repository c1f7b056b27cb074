/** The backtests of a running server: one at a time beside production, the rest wait; the last few are remembered. Changes nothing. */
import { type Clock, VedetteError } from "@vedette/kit";
import type { Backtest, BacktestEstimate, BacktestRequest, Micros, Viewer } from "@vedette/model";
import type { EventStore } from "@vedette/store";
import type { Program } from "../program.ts";
import { rulesOf } from "../rules/living.ts";
import { type BacktestFixed, type BacktestSubject, fixedOf, planBacktest } from "./plan.ts";
import { backtest, estimateBacktest } from "./run.ts";
import { threadJudge } from "./thread.ts";

export interface BacktestQueueOptions {
  readonly events: EventStore;
  readonly clock: Clock;
  readonly tenant: string;
  /** What is in force: its field mappings and, by id, its rules and detectors. */
  readonly program: () => Program;
  /** How far production is behind. */
  readonly lag: () => Promise<Micros>;
}
const maxWaiting = 8;
const maxRemembered = 32;
/** Beyond this production is behind, and a backtest waits: a tenth of what an alert may take. */
const patience: Micros = 500_000;

interface Entry {
  view: Backtest;
  readonly stop: AbortController;
  readonly viewer: Viewer | undefined;
}

/** Whoever sees everything is told of all, others of what they started as they see things now. */
const isTold = (entry: Entry, asks: Viewer | undefined): boolean =>
  asks === undefined || (entry.viewer?.by === asks.by && JSON.stringify(entry.viewer.view) === JSON.stringify(asks.view));

export class BacktestQueue {
  readonly #options: BacktestQueueOptions;
  readonly #entries = new Map<string, Entry>();
  #last: Promise<unknown> = Promise.resolve();
  #number = 0;

  constructor(options: BacktestQueueOptions) {
    this.#options = options;
  }

  /** @throws BadInputError `not_found` for an id that is neither rule nor detector, `rule_invalid` when nothing is left to test */
  async estimate(
    request: BacktestRequest,
    signal?: AbortSignal,
  ): Promise<BacktestEstimate & { readonly rules: number; readonly refused: readonly string[] }> {
    const { subject, fixed } = this.#subject(request);
    const plan = await planBacktest(subject, fixed);
    const { events, tenant } = this.#options;
    const estimate = await estimateBacktest(
      plan,
      { events, tenant, range: request.range, ...(request.viewer && { view: request.viewer.view }) },
      signal,
    );
    return { ...estimate, rules: plan.told, refused: plan.refused };
  }

  /** As `estimate`, and VedetteError `conflict` when too many wait. */
  async start(request: BacktestRequest): Promise<Backtest> {
    const { subject, fixed } = this.#subject(request);
    const plan = await planBacktest(subject, fixed);
    const busy = [...this.#entries.values()].filter(({ view }) => view.state === "waiting" || view.state === "running").length;
    if (busy >= maxWaiting) throw new VedetteError("conflict", false, `${busy} backtests are under way or waiting; cancel one or wait`);
    const id = `b${++this.#number}`;
    const stop = new AbortController();
    const entry: Entry = {
      view: { id, state: "waiting", ...request.range, rules: plan.told, read: 0, stored: 0 },
      stop,
      viewer: request.viewer,
    };
    this.#entries.set(id, entry);
    this.#forget();
    const { events, tenant } = this.#options;
    const view = request.viewer && { view: request.viewer.view };
    this.#last = this.#last.then(async () => {
      try {
        stop.signal.throwIfAborted();
        entry.view = { ...entry.view, state: "running" };
        const onProgress = (read: number, stored: number) => {
          entry.view = { ...entry.view, read, stored };
        };
        const options = {
          events,
          tenant,
          range: request.range,
          ...view,
          judge: threadJudge({ subject: plan.subject, fixed, ...view }),
          onProgress,
          turn: this.#turn,
        };
        const report = await backtest(plan, options, stop.signal);
        entry.view = { ...entry.view, state: "done", read: report.stored, stored: report.stored, report };
      } catch (e) {
        const state = stop.signal.aborted ? "cancelled" : "failed";
        entry.view = { ...entry.view, state, ...(state === "failed" ? { error: (e as Error).message } : {}) };
      }
    });
    return entry.view;
  }

  /** @param asks who sees a part of the events only */
  get(id: string, asks?: Viewer): Backtest | undefined {
    return this.#told(id, asks)?.view;
  }
  list(asks?: Viewer): readonly Backtest[] {
    return [...this.#entries.values()].flatMap((one) => (isTold(one, asks) ? [one.view] : []));
  }
  cancel(id: string, asks?: Viewer): Backtest | undefined {
    const entry = this.#told(id, asks);
    entry?.stop.abort();
    if (entry?.view.state === "waiting") entry.view = { ...entry.view, state: "cancelled" };
    return entry?.view;
  }
  #told(id: string, asks: Viewer | undefined): Entry | undefined {
    const entry = this.#entries.get(id);
    return entry !== undefined && isTold(entry, asks) ? entry : undefined;
  }
  /** Resolves when nothing runs or waits. */
  async settled(): Promise<void> {
    await this.#last;
  }
  /** Cancels everything and waits for it. */
  async close(): Promise<void> {
    for (const { stop } of this.#entries.values()) stop.abort();
    await this.settled();
  }

  readonly #turn = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted && (await this.#options.lag()) > patience) await this.#options.clock.sleep(100, signal);
  };

  #subject({ rules, ids }: BacktestRequest): { readonly subject: BacktestSubject; readonly fixed: BacktestFixed } {
    const program = this.#options.program();
    const fixed = fixedOf(program);
    if (ids.length === 0) return { subject: { rules }, fixed };
    const all = rulesOf(program);
    const known = new Set([...all.rules.map(({ rule }) => rule.id), ...all.correlations.map(({ correlation }) => correlation.id)]);
    const sigma = ids.filter((id) => known.has(id));
    // whether there is a detector of the name, the plan says
    const detectors = Object.fromEntries(ids.filter((id) => !known.has(id)).map((id) => [id, program.detectors[id] || {}]));
    return { subject: { rules: [...rules, ...(sigma.length > 0 ? program.rules : [])], ids: sigma, detectors }, fixed };
  }

  #forget(): void {
    for (const [id, { view }] of this.#entries) {
      if (this.#entries.size <= maxRemembered) return;
      if (view.state !== "waiting" && view.state !== "running") this.#entries.delete(id);
    }
  }
}
