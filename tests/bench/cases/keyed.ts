/** What the detectors cost an event: pass 1 with them against pass 1 without, pass 2, and the checkpoint's serialising, over the same records. */
import { readFileSync } from "node:fs";
import { formats } from "@vedette/normalise";
import { Analyser, compileProgram, encodeRecords, type Job, KeyedEngine, type KeyedStep, makeProgram } from "@vedette/pipeline";
import { bundledPipelines, bundledPlaceholders, bundledRules } from "../../../apps/vedette/src/content.ts";
import { corpus } from "../corpus.ts";
import { type Cost, costOf, print, say } from "../harness.ts";

/** Of the 25 µs that 40,000 events per CPU second leave for everything. */
const goal_us = 4;
const linesPerBatch = 4_000;
const received = Date.UTC(2026, 5, 1) * 1_000;

export async function bench(events = 200_000): Promise<void> {
  const data = await corpus(events);
  const jobs = [...jobsOf(data.zeek, "zeek"), ...jobsOf(data.sshd, "syslog")];
  const known = await formats();
  const detectors = (await compiled({})).stage.detectors;
  const off = Object.fromEntries([...detectors.keys()].map((name) => [name, false]));
  const passes: { readonly [name: string]: Awaited<ReturnType<typeof compiled>> } = {
    without: await compiled(off),
    with: await compiled({}),
  };
  const cost: { [name: string]: Cost } = {};
  let steps: KeyedStep[][] = [];
  // the first round warms up
  for (let round = 0; round < 3; round++)
    for (const [name, program] of Object.entries(passes)) {
      const analyser = new Analyser(known);
      steps = [];
      cost[name] = await costOf(() => {
        for (const job of jobs) steps.push([...analyser.analyse(job, program).keyed]);
      });
      say(`round ${round}, pass 1 ${name} detectors: ${((cost[name].cpu_s / events) * 1e6).toFixed(2)} µs an event`);
    }
  // what threads hand over is copied
  const copied = structuredClone(steps);
  const handing = await costOf(() => void structuredClone(steps));
  const keyed = new KeyedEngine(detectors);
  let [bytes, findings] = [0, 0];
  const serialising = { cpu_s: 0 };
  const folding = await costOf(async () => {
    for (const batch of copied) {
      findings += keyed.take([...batch, { tick: received }]).length;
      const { cpu_s } = await costOf(() => {
        for (const { value } of keyed.drain()) bytes += value?.length ?? 0;
      });
      serialising.cpu_s += cpu_s;
    }
  });
  const us = (cpu_s: number) => (cpu_s / events) * 1e6;
  const pass1 = us(cost["with"]!.cpu_s - cost["without"]!.cpu_s);
  const pass2 = us(folding.cpu_s - serialising.cpu_s);
  print({
    name: "keyed",
    value: pass1 + pass2 + us(handing.cpu_s) + us(serialising.cpu_s),
    unit: "µs an event for all detectors",
    baseline: goal_us,
    details: {
      events,
      detectors: detectors.size,
      observations: copied.reduce((n, batch) => n + batch.filter((s) => "observe" in s).length, 0),
      pass_1_us: pass1,
      handing_over_us: us(handing.cpu_s),
      pass_2_us: pass2,
      checkpoint_us: us(serialising.cpu_s),
      pass_1_all_us: us(cost["with"]!.cpu_s),
      keys: keyed.keys,
      checkpoint_bytes: bytes,
      findings,
      late: keyed.counts.late,
    },
  });
}

const compiled = (detectors: { readonly [name: string]: unknown }) =>
  compileProgram(
    makeProgram(
      { rules: bundledRules(), pipelines: bundledPipelines(), placeholders: bundledPlaceholders(), detectors, lateness_s: 30 },
      0,
    ),
  );

function jobsOf(file: string, format: string): Job[] {
  const lines = readFileSync(file)
    .toString()
    .split("\n")
    .filter((line) => line !== "");
  const jobs: Job[] = [];
  for (let at = 0; at < lines.length; at += linesPerBatch) {
    const some = lines.slice(at, at + linesPerBatch);
    const header = {
      kind: "records" as const,
      version: 1 as const,
      program: "",
      tenant: "main",
      source: format,
      received,
      demo: false,
      seq: at,
      runs: [{ stream: file, format, count: some.length }],
      positions: some.map((_, i) => String(at + i)),
    };
    jobs.push({
      entries: [
        {
          offset: 0,
          bytes: encodeRecords(
            header,
            some.map((line) => Buffer.from(line)),
          ),
        },
      ],
      sample: false,
      store: false,
    });
  }
  return jobs;
}
