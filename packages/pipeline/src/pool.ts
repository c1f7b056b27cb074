/** Analysis workers: threads that run pass 1. Knows how to hand jobs over, nothing of what they mean. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { defineCounter, defineGauge, defineHistogram } from "@vedette/kit";
import { formats } from "@vedette/normalise";
import { Analyser, type Compiled, compileProgram } from "./analyse.ts";
import type { Analysis, Job } from "./analysis.ts";
import type { Resources } from "./enrichment/tables.ts";
import type { Program } from "./program.ts";

export interface Pool {
  readonly size: number;
  /** Jobs may finish out of order; the caller keeps the order. */
  run(job: Job, program: Program): Promise<Analysis>;
  close(): Promise<void>;
}

export interface WorkerMessage {
  readonly id: number;
  readonly job: Job;
  /** Sent with the first job that needs it. */
  readonly program?: Program;
  /** Content of the program's tables by hash, in memory that threads share. */
  readonly tables?: ReadonlyMap<string, Uint8Array>;
  readonly pseudonymKey?: Uint8Array | undefined;
  readonly hash: string;
}
/** What a worker is started with. */
export interface WorkerData {
  /** Where rules are kept as they were read last. */
  readonly ruleFile: string | undefined;
}
export type WorkerReply = { readonly id: number; readonly analysis: Analysis } | { readonly id: number; readonly error: string };

interface Slot {
  worker: Worker;
  readonly programs: Set<string>;
  readonly running: Map<
    number,
    {
      readonly job: Job;
      readonly program: Program;
      readonly resolve: (a: Analysis) => void;
      readonly reject: (e: Error) => void;
      tries: number;
    }
  >;
}

const turnaround = defineHistogram(
  "analysis_duration_seconds",
  "Time from handing a job of pass 1 to a worker until its result, waiting included.",
);
const waiting = defineGauge("analysis_jobs_waiting", "Jobs of pass 1 that are with workers.");
const restarts = defineCounter("analysis_restarts_total", "Analysis workers that ended and were started again.");

/** A job that takes its worker down is tried again once elsewhere before the engine reports it. */
const maxTries = 2;

/** Programs change rarely; two are live while a change passes through. The one that came first goes first. */
export const programsPerWorker = 3;

/**
 * @param threads how many; by default one per core but one, which the other threads share, at most 8 (beyond it the storage thread is the limit)
 * @param ruleFile where rules may be kept as they were read, for the next start and the other threads
 */
export function threadPool(threads = Math.max(1, Math.min(8, availableParallelism() - 1)), resources?: Resources, ruleFile?: string): Pool {
  let next = 0;
  let closed = false;
  const slots: Slot[] = [];
  const file = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

  const start = (slot: Slot) => {
    // halves of 8 MB, in which most of a batch dies: twice as much takes 17 MB more a worker, and the program has 512 MB
    const workerData: WorkerData = { ruleFile };
    slot.worker = new Worker(file, { workerData, resourceLimits: { maxYoungGenerationSizeMb: 24, maxOldGenerationSizeMb: 512 } });
    slot.programs.clear();
    slot.worker.on("message", (reply: WorkerReply) => {
      const asked = slot.running.get(reply.id);
      slot.running.delete(reply.id);
      if ("analysis" in reply) asked?.resolve(reply.analysis);
      else asked?.reject(new Error(reply.error));
    });
    slot.worker.on("error", (e) => restart(slot, e as Error));
    slot.worker.on("exit", (code) => {
      if (!closed && code !== 0) restart(slot, new Error(`analysis worker ended with code ${code}`));
    });
  };
  const restart = (slot: Slot, e: Error) => {
    if (closed) return;
    restarts.add(1);
    const lost = [...slot.running];
    slot.running.clear();
    slot.worker.removeAllListeners();
    start(slot);
    for (const [id, w] of lost) {
      if (++w.tries >= maxTries) w.reject(e);
      else send(slot, id, w);
    }
  };
  const send = (slot: Slot, id: number, w: Slot["running"] extends Map<number, infer V> ? V : never) => {
    slot.running.set(id, w);
    const known = slot.programs.has(w.program.hash);
    // as the worker does: a program that comes back after several others has to be sent again
    if (!known && slot.programs.size >= programsPerWorker) slot.programs.delete(slot.programs.keys().next().value!);
    slot.programs.add(w.program.hash);
    slot.worker.postMessage({
      id,
      job: w.job,
      hash: w.program.hash,
      ...(known ? {} : { program: w.program, tables: tablesOf(w.program, resources), pseudonymKey: resources?.pseudonymKey }),
    } satisfies WorkerMessage);
  };
  // a worker's isolate costs some 30 MB: the next one starts only when all that run are busy
  const freest = (): Slot => {
    const slot = slots.reduce((a, b) => (b.running.size < a.running.size ? b : a), slots[0]!);
    if (slot && (slot.running.size === 0 || slots.length === threads)) return slot;
    const added = { programs: new Set<string>(), running: new Map() } as unknown as Slot;
    slots.push(added);
    start(added);
    return added;
  };
  freest();
  waiting.readBy((set) => set(slots.reduce((sum, { running }) => sum + running.size, 0)));
  return {
    size: threads,
    run: (job, program) =>
      turnaround.time(
        () =>
          new Promise((resolve, reject) => {
            send(freest(), next++, { job, program, resolve, reject, tries: 0 });
          }),
      ),
    async close() {
      closed = true;
      await Promise.all(slots.map((s) => s.worker.terminate()));
    },
  };
}

function tablesOf({ tables = {} }: Program, resources: Resources | undefined): ReadonlyMap<string, Uint8Array> {
  const contents = Object.values(tables).map(({ hash }) => [hash, resources?.table(hash)] as const);
  return new Map(contents.filter((one): one is readonly [string, Uint8Array] => one[1] !== undefined));
}

/** The same in this thread: for replay of small inputs, tests and the simulator. */
export async function inlinePool(resources?: Resources): Promise<Pool> {
  const analyser = new Analyser(await formats());
  const programs = new Map<string, Promise<Compiled>>();
  return {
    size: 1,
    async run(job, program) {
      let compiled = programs.get(program.hash);
      if (!compiled) {
        compiled = compileProgram(program, resources);
        programs.set(program.hash, compiled);
      }
      return analyser.analyse(job, await compiled);
    },
    close: async () => {},
  };
}
