/** The built program with nothing to do: resident memory, time from start to ready, and ready with a large log behind it. */
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { openLog } from "@vedette/log";
import { Control, encodeRecords, Ledger, makeProgram, openDataDirectory } from "@vedette/pipeline";
import { openStore } from "@vedette/store";
import { bundledPipelines, bundledPlaceholders, bundledRules } from "../../../apps/vedette/src/content.ts";
import { option, print, say } from "../harness.ts";
import { Program } from "../program.ts";
import { bodies } from "../sender.ts";

/** The goals: MB of resident memory idle, seconds to ready with 1 GB of log. */
const goal_mb = 256;
const goal_s = 5;
const eventsPerBatch = 2_000;

export async function bench(): Promise<void> {
  const quiet_s = option("seconds") ?? 20;
  const mb = option("mb") ?? 1_000;
  const details: { [name: string]: number | string } = { goal_ready_s: goal_s };
  const rss_mb = await idle(quiet_s, details);
  for (const analysed of [true, false]) {
    const name = analysed ? "analysed" : "unanalysed";
    const program = new Program("idle");
    try {
      const batches = await makeLog(program.data, mb, analysed);
      details[`log_${name}_mb`] = bytesBelow(join(program.data, "log")) / 1e6;
      details[`log_${name}_batches`] = batches;
      await program.start();
      details[`log_${name}_ready_s`] = program.ready_s;
    } finally {
      await program.remove();
    }
  }
  print({ name: "idle", value: rss_mb, unit: "MB resident, idle", baseline: goal_mb, details });
}

async function idle(quiet_s: number, details: { [name: string]: number | string }): Promise<number> {
  const program = new Program("idle");
  try {
    await program.start();
    details["empty_ready_s"] = program.ready_s;
    details["rss_at_ready_mb"] = program.memory().rss_mb;
    const cpu_s = program.cpu_s();
    say(`${quiet_s} s of quiet`);
    await new Promise((r) => setTimeout(r, quiet_s * 1_000));
    const { rss_mb, peak_mb } = program.memory();
    details["peak_mb"] = peak_mb;
    details["idle_cpu_percent"] = ((program.cpu_s() - cpu_s) / quiet_s) * 100;
    return rss_mb;
  } finally {
    await program.remove();
  }
}

/** Appends raw batches until the log holds so many MB on disk; `analysed`: a checkpoint says they all are. */
async function makeLog(directory: string, mb: number, analysed: boolean): Promise<number> {
  mkdirSync(directory, { recursive: true });
  openDataDirectory(directory).release();
  say(`writing ${mb} MB of ${analysed ? "analysed" : "unanalysed"} log`);
  const texts = (await bodies(100_000, eventsPerBatch)).map((b) => b.toString().split("\n").slice(0, -1));
  const lines = texts.map((batch) => batch.map((line) => Buffer.from(line)));
  const log = await openLog({ directory });
  const placeholders = bundledPlaceholders();
  const program = makeProgram(
    { rules: bundledRules(), pipelines: bundledPipelines(), placeholders, detectors: {}, lateness_s: 30 },
    Date.now() * 1_000,
  );
  await (await Control.open(log)).publish(program);
  let offset = 0;
  for (; offset % 16 !== 0 || bytesBelow(join(directory, "log")) < mb * 1e6; offset += 16) {
    const group = Array.from({ length: 16 }, (_, n) =>
      log.append("raw", 0, batchOf(offset + n, program.hash, lines), { counts: { "in/bench": eventsPerBatch } }),
    );
    await Promise.all(group);
  }
  await log.close();
  if (analysed) {
    const store = await openStore({ directory });
    const epoch = await store.checkpoints.acquire("engine");
    const ledger = new Ledger().state();
    const n = offset * eventsPerBatch;
    const sources = { bench: { in: n, split: 0, stored: n, dead: 0, dropped: {} } };
    const meta = { program: program.hash, ledger: { ...ledger, sources }, watermarks: [], late: 0 };
    await store.checkpoints.commit("engine", epoch, offset, JSON.stringify(meta), []);
    await store.close();
  }
  return offset;
}

function batchOf(offset: number, program: string, lines: readonly (readonly Buffer[])[]): Uint8Array {
  const bodies = lines[offset % lines.length]!;
  return encodeRecords(
    {
      kind: "records",
      version: 1,
      program,
      tenant: "main",
      source: "bench",
      received: Date.now() * 1_000,
      demo: false,
      seq: offset * eventsPerBatch,
      runs: [{ stream: "bench", format: "json", count: bodies.length }],
      positions: bodies.map((_, n) => `${offset}.${n}`),
    },
    bodies,
  );
}

function bytesBelow(folder: string): number {
  let sum = 0;
  for (const name of readdirSync(folder, { recursive: true })) {
    const found = statSync(join(folder, String(name)));
    if (found.isFile()) sum += found.size;
  }
  return sum;
}
