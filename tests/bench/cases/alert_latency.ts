/** From a line appended to a followed file to its alert on the event stream, while other files grow and a query over the whole store loops. */
import { linkSync, mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { Alerts, patience_ms, sample } from "../alert_samples.ts";
import { corpus } from "../corpus.ts";
import { option, percentile, print, say, spread } from "../harness.ts";
import { Program } from "../program.ts";
import { append, bodies } from "../sender.ts";

/** The goals, ms; the result's value is the p99. */
const goal = { p50: 100, p99: 500 };
const eventsPerChunk = 200;
/** Of what the program takes in per wall second, so much is offered while samples are taken (the issue's). */
const share = 0.7;
/** Far slower than any machine: a program that stores so little has stopped. */
const slowest_per_s = 200;
const config = (files: number) =>
  `sources:\n  auth: { file: { paths: [auth.log] } }\n  load: { file: { paths: ["load/*.ndjson"], max_files: ${files + 1} } }\n`;

/** @param events stored before the measurement starts */
export async function bench(events = 1_000_000): Promise<void> {
  const samples = option("samples") ?? 200;
  const files = option("files") ?? 4;
  const program = new Program("alert-latency", config(files));
  const auth = join(program.directory, "auth.log");
  const load = join(program.directory, "load");
  mkdirSync(load);
  writeFileSync(auth, "");
  const stop = new AbortController();
  try {
    const { zeek } = await corpus(Math.ceil(events / 0.9));
    const chunks = await bodies(100_000, eventsPerChunk);
    await program.start();
    say(`storing ${events} events`);
    const per_wall_s = await fill(program, zeek, join(load, "before.ndjson"));
    const rate = option("rate") ?? share * per_wall_s;
    const alerts = await Alerts.open(program);
    say(`${samples} samples at ${Math.round(rate)} events/s offered, ${per_wall_s.toFixed(0)} a second are what the program takes`);
    const paths = Array.from({ length: files }, (_, n) => join(load, `${n}.ndjson`));
    const before = await program.taken();
    const offering = append(paths, chunks, rate / eventsPerChunk, stop.signal);
    const querying = queryAll(program, stop.signal);
    const cpu_s = program.cpu_s();
    const latencies = await sample(auth, alerts, samples);
    const used_s = program.cpu_s() - cpu_s;
    stop.abort();
    const [{ written, elapsed_s }, queries] = await Promise.all([offering, querying]);
    const { stored } = await program.taken();
    alerts.close();
    const missed = latencies.filter((l) => l >= patience_ms).length;
    print({
      name: "alert-latency",
      value: percentile(latencies, 99),
      unit: "ms, p99 from line written to alert on the stream",
      baseline: goal.p99,
      details: {
        ...spread(latencies, "alert"),
        goal_p50_ms: goal.p50,
        samples,
        missed,
        stored_before: before.stored,
        program_takes_per_s: per_wall_s,
        files,
        offered_per_s: (written * eventsPerChunk) / elapsed_s,
        stored_per_s: (stored - before.stored) / elapsed_s,
        queries: queries.times_ms.length,
        queries_failed: queries.failed,
        ...spread(queries.times_ms, "query"),
        server_cpus: used_s / elapsed_s,
        server_peak_mb: program.memory().peak_mb,
        load_average: loadavg()[0]!,
      },
    });
  } finally {
    stop.abort();
    await program.remove();
  }
}

/** Has the program read a file as fast as it can. @returns events a second of wall time, the first fifth (starting) left out */
async function fill(program: Program, from: string, to: string): Promise<number> {
  const lines = Number(/zeek-(\d+)-/.exec(from)![1]);
  const begun = performance.now();
  linkSync(from, to);
  let since = { stored: 0, at: begun };
  for (;;) {
    await new Promise((r) => setTimeout(r, 200));
    const { stored } = await program.taken();
    const now = performance.now();
    if (stored >= lines) return ((stored - since.stored) * 1_000) / (now - since.at);
    if (since.stored === 0 && stored >= lines / 5) since = { stored, at: now };
    if (now - begun > patience_ms + (lines / slowest_per_s) * 1_000)
      throw new Error(`only ${stored} events were stored:\n${program.output}`);
  }
}

/** Asks about everything stored, again and again. */
async function queryAll(program: Program, signal: AbortSignal): Promise<{ readonly times_ms: number[]; readonly failed: number }> {
  const times_ms: number[] = [];
  let failed = 0;
  const search = new URLSearchParams({ q: "* | stats count() as n by source.ip | sort -n | head 10" });
  while (!signal.aborted) {
    const begun = performance.now();
    const answer = await program.get(`/api/v1/query?${search}`).catch((e: Error) => {
      if (failed++ === 0) say(`query: ${e.message}`);
      return undefined;
    });
    if (answer !== undefined) times_ms.push(performance.now() - begun);
    else await new Promise((r) => setTimeout(r, 100));
  }
  return { times_ms, failed };
}
