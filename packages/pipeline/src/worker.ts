/** Thread entry of an analysis worker. */
import { parentPort } from "node:worker_threads";
import { collectWhenQuiet, release } from "@vedette/kit";
import { formats } from "@vedette/normalise";
import { Analyser, type Compiled, compileProgram } from "./analyse.ts";
import type { WorkerMessage, WorkerReply } from "./pool.ts";

const port = parentPort!;
collectWhenQuiet();
/** Programs change rarely; two are live while a reload passes through. */
const maxPrograms = 3;
const programs = new Map<string, Promise<Compiled>>();
const analyser = formats().then((f) => new Analyser(f));
/** Jobs are analysed in the order they came, however long a program takes to compile. */
let queue: Promise<void> = Promise.resolve();

port.on("message", ({ id, job, program, tables, pseudonymKey, hash }: WorkerMessage) => {
  if (program && !programs.has(hash)) {
    if (programs.size >= maxPrograms) programs.delete(programs.keys().next().value!);
    const compiled = compileProgram(program, undefined, { table: (content) => tables?.get(content), pseudonymKey });
    compiled.catch(() => {});
    programs.set(hash, compiled);
  }
  queue = queue.then(async () => {
    try {
      const compiled = await programs.get(hash);
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
