/** Thread entry of a backtest: judges pages at the lowest priority, so that production goes first. */
import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import type { View } from "@vedette/condition";
import type { ScanPage } from "@vedette/store";
import { type BacktestSubject, planBacktest } from "./plan.ts";
import { inlineJudge } from "./run.ts";

/** What the thread is made with. */
export interface WorkerSubject {
  readonly subject: BacktestSubject;
  readonly fixed: Parameters<typeof planBacktest>[1];
  readonly view?: View;
}
export type WorkerCall = { readonly page: ScanPage } | { readonly finish: number };

/** On Linux a thread has a priority of its own, by its kernel id; elsewhere the turn it waits for must do. */
function yieldToOthers(): void {
  try {
    setPriority(Number(/\/task\/(\d+)$/.exec(readlinkSync("/proc/thread-self"))?.[1] ?? Number.NaN), 19);
  } catch {
    // no such file or not allowed: it runs as others do
  }
}

const port = parentPort!;
const { subject, fixed, view } = workerData as WorkerSubject;
yieldToOthers();
const judge = planBacktest(subject, fixed).then((plan) => inlineJudge(plan, view));
judge.catch(() => {});
/** Calls are answered in the order they came. */
let queue: Promise<void> = Promise.resolve();
port.on("message", (call: WorkerCall) => {
  queue = queue.then(async () => {
    try {
      const one = await judge;
      port.postMessage({ value: "page" in call ? await one.take(call.page) : await one.finish(call.finish) });
    } catch (e) {
      const { code, message } = e as { code?: string; message: string };
      port.postMessage({ error: { code, message } });
    }
  });
});
