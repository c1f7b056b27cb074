/** From a line appended to a followed file to its alert on the event stream, while other files grow and a query over the whole store loops. */
import { appendFileSync, linkSync, mkdirSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { loadavg } from "node:os";
import { join } from "node:path";
import { corpus } from "../corpus.ts";
import { option, percentile, print, say, spread } from "../harness.ts";
import { Program } from "../program.ts";
import { append, bodies } from "../sender.ts";

/** The goals, ms; the result's value is the p99. */
const goal = { p50: 100, p99: 500 };
const eventsPerChunk = 200;
/** brute_force's default threshold: the sixth failure raises the alert. */
const threshold = 6;
/** Addresses whose first failures are written at once: few enough that none leaves the detector's window of 300 s. */
const primed = 25;
/** A sample that takes longer counts as this long, and as missed. */
const patience_ms = 10_000;

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

const addressOf = (n: number): string => `198.18.${Math.floor(n / 250)}.${(n % 250) + 1}`;

function failedLogin(address: string): string {
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const now = new Date();
  const stamp = `${months[now.getUTCMonth()]} ${String(now.getUTCDate()).padStart(2)} ${now.toISOString().slice(11, 19)}`;
  return `${stamp} bench sshd[4242]: Failed password for root from ${address} port 40022 ssh2\n`;
}

async function sample(auth: string, alerts: Alerts, samples: number): Promise<number[]> {
  const latencies: number[] = [];
  for (let n = 0; n < samples; n++) {
    if (n % primed === 0) {
      let lines = "";
      for (let p = n; p < Math.min(samples, n + primed); p++) lines += failedLogin(addressOf(p)).repeat(threshold - 1);
      appendFileSync(auth, lines);
      await new Promise((r) => setTimeout(r, 2_000));
    }
    const seen = alerts.seen(addressOf(n));
    const written = performance.now();
    appendFileSync(auth, failedLogin(addressOf(n)));
    latencies.push(Math.min(patience_ms, (await seen) - written));
    // spread over the ticks and polls of the program, so that no phase of theirs is favoured
    await new Promise((r) => setTimeout(r, 50 + ((n * 37) % 200)));
  }
  return latencies;
}

/** The alerts of /api/v1/stream as they arrive. */
class Alerts {
  #text = "";
  readonly #waiting = new Map<string, (at: number) => void>();
  readonly #response: IncomingMessage;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    response.on("error", () => {});
    response.setEncoding("utf8").on("data", (chunk: string) => this.#take(chunk));
  }

  static open(program: Program): Promise<Alerts> {
    return new Promise((resolve, reject) => {
      const asking = request(
        `${program.url}/api/v1/stream`,
        { headers: { ...program.headers, accept: "text/event-stream" } },
        (response) => (response.statusCode === 200 ? resolve(new Alerts(response)) : reject(new Error(`stream: ${response.statusCode}`))),
      );
      asking.once("error", reject);
      asking.end();
    });
  }

  /** @returns when the first alert that names the address arrived, on performance.now()'s clock; Infinity after a time */
  seen(address: string): Promise<number> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(Number.POSITIVE_INFINITY), patience_ms);
      this.#waiting.set(address, (at) => {
        clearTimeout(late);
        resolve(at);
      });
    });
  }

  close(): void {
    this.#response.destroy();
  }

  #take(chunk: string): void {
    const at = performance.now();
    this.#text += chunk;
    for (let end = this.#text.indexOf("\n\n"); end >= 0; end = this.#text.indexOf("\n\n")) {
      const frame = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      if (!frame.includes("event: alert")) continue;
      const address = /198\.18\.\d+\.\d+/.exec(frame)?.[0];
      if (address === undefined) continue;
      this.#waiting.get(address)?.(at);
      this.#waiting.delete(address);
    }
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
