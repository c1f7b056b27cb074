/** A judge in a thread of its own, some pages ahead of it at most. Knows how to hand pages over, nothing of what they mean. */
import { Worker } from "node:worker_threads";
import { type ErrorCode, VedetteError } from "@vedette/kit";
import type { JudgePort } from "./run.ts";
import type { WorkerCall, WorkerSubject } from "./worker.ts";

/** Pages under way: one judged, one waiting. */
const maxAhead = 2;
/** A backtest's share of memory: it ends rather than take production's. */
const maxHeapMb = 768;

type Answer = { readonly value: unknown } | { readonly error: { readonly code?: ErrorCode; readonly message: string } };

export function threadJudge(subject: WorkerSubject): JudgePort {
  const file = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);
  const worker = new Worker(file, {
    workerData: subject,
    name: "vedette-backtest",
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb, maxYoungGenerationSizeMb: 32 },
  });
  const waiting: { readonly resolve: (value: unknown) => void; readonly reject: (e: Error) => void }[] = [];
  let failed: Error | undefined;
  const fail = (e: Error) => {
    failed ??= e;
    for (const one of waiting.splice(0)) one.reject(failed);
  };
  worker.on("message", (answer: Answer) => {
    if ("value" in answer) waiting.shift()?.resolve(answer.value);
    else fail(new VedetteError(answer.error.code ?? "bad_request", true, answer.error.message));
  });
  worker.on("error", (e) => fail(new VedetteError("too_large", true, `the backtest's thread ended: ${(e as Error).message}`)));
  const call = (message: WorkerCall): Promise<unknown> => {
    if (failed) return Promise.reject(failed);
    const answered = new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    worker.postMessage(message);
    return answered;
  };
  const ahead: Promise<unknown>[] = [];
  return {
    async take(page) {
      const taken = call({ page });
      // looked at when its turn comes
      taken.catch(() => {});
      ahead.push(taken);
      if (ahead.length >= maxAhead) await ahead.shift();
    },
    async finish(span_days) {
      await Promise.all(ahead);
      return (await call({ finish: span_days })) as Awaited<ReturnType<JudgePort["finish"]>>;
    },
    close: async () => void (await worker.terminate()),
  };
}
