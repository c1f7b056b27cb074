/** Thread entry of an analysis worker. */
import { parentPort, workerData } from "node:worker_threads";
import { collectWhenQuiet, release } from "@vedette/kit";
import { formats } from "@vedette/normalise";
import { Analyser, type Compiled, compileProgram } from "./analyse.ts";
import type { Resources } from "./enrichment/tables.ts";
import { programsPerWorker, type WorkerData, type WorkerMessage, type WorkerReply } from "./pool.ts";
import type { Program } from "./program.ts";
import { readKeptRules } from "./rules/kept.ts";

const port = parentPort!;
collectWhenQuiet();
const { ruleFile } = workerData as WorkerData;
/** Whether this thread reads from it: from the first program on, when the main thread has kept what it read. */
let reading = false;
const programs = new Map<string, Promise<Compiled>>();
const analyser = formats().then((f) => new Analyser(f));
/** Jobs are analysed in the order they came, however long a program takes to compile. */
let queue: Promise<void> = Promise.resolve();

port.on("message", ({ id, job, program, tables, pseudonymKey, hash }: WorkerMessage) => {
  if (program && !programs.has(hash)) {
    if (programs.size >= programsPerWorker) programs.delete(programs.keys().next().value!);
    const compiled = prepare(program, { table: (content) => tables?.get(content), pseudonymKey }, [...programs.values()].at(-1));
    compiled.catch(() => {});
    programs.set(hash, compiled);
  }
  // taken now: by the time of its turn later programs may have come
  const taken = programs.get(hash);
  queue = queue.then(async () => {
    try {
      const compiled = await taken;
      if (!compiled) throw new Error(`program ${hash} is not loaded in this worker`);
      const analysis = (await analyser).analyse(job, compiled);
      for (const { bytes } of job.entries) release(bytes);
      const reply: WorkerReply = { id, analysis };
      port.postMessage(reply, analysis.events ? [analysis.events.bytes.buffer as ArrayBuffer] : []);
    } catch (e) {
      port.postMessage({ id, error: (e as Error).stack ?? String(e) } satisfies WorkerReply);
    }
  });
});

async function prepare(program: Program, resources: Resources, last: Promise<Compiled> | undefined): Promise<Compiled> {
  if (ruleFile !== undefined && !reading) readKeptRules(ruleFile);
  reading = true;
  return await compileProgram(program, resources, await last?.catch(() => undefined));
}
