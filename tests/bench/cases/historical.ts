/**
 * Months of old events come by `_bulk` while live files grow and logins fail: how long live alerts take, and whether the ledger balances to zero.
 * `VEDETTE_HISTORICAL_EVENTS` or `--events`: how many old ones; the are ten million.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { loadavg } from "node:os";
import { join } from "node:path";
import { Alerts, patience_ms, sample } from "../alert_samples.ts";
import { option, percentile, print, say, spread } from "../harness.ts";
import { Program } from "../program.ts";
import { append, bodies } from "../sender.ts";

/** Live alerts take no longer than without the past: the bound of `alert-latency`, ms. */
const goal_p99_ms = 500;
const perRequest = 1_000;
const eventsPerChunk = 200;
const senders = 2;
const samplesPerRound = 25;
/** Rounds of live traffic alone, before the past and after it: what the machine gives at that load. */
const roundsAlone = 2;
/** The whole source of the endpoint is of the past. */
const config =
  "sources:\n  auth: { file: { paths: [auth.log] } }\n  load: { file: { paths: [load/0.ndjson] } }\n  elasticsearch: { historical: true }\n";

interface Row {
  readonly name: string;
  readonly in: number;
  readonly stored: number;
  readonly dead: number;
  readonly pending: number;
  readonly balance: number;
}

export async function bench(events = Number(process.env["VEDETTE_HISTORICAL_EVENTS"] ?? 1_000_000)): Promise<void> {
  const program = new Program("historical", config);
  const auth = join(program.directory, "auth.log");
  mkdirSync(join(program.directory, "load"));
  const load = join(program.directory, "load", "0.ndjson");
  for (const file of [auth, load]) writeFileSync(file, "");
  const stop = new AbortController();
  try {
    const live = append([load], await bodies(100_000, eventsPerChunk), (option("rate") ?? 500) / eventsPerChunk, stop.signal);
    await program.start();
    const alerts = await Alerts.open(program);
    let taken = 0;
    const round = async (): Promise<number[]> => {
      taken += samplesPerRound;
      return await sample(auth, alerts, samplesPerRound, taken - samplesPerRound);
    };
    const alone: number[] = [];
    for (let n = 0; n < roundsAlone; n++) alone.push(...(await round()));
    say(
      `live lines alone: p50 ${percentile(alone, 50).toFixed(0)} ms, p99 ${percentile(alone, 99).toFixed(0)} ms at load ${loadavg()[0]!.toFixed(0)}`,
    );
    const begun = performance.now();
    const past = sendPast(program, events);
    const latencies: number[] = [];
    let isOver = false;
    void past.finally(() => {
      isOver = true;
    });
    // a round finds what was primed in it, however long the past takes
    while (!isOver) latencies.push(...(await round()));
    const refused = await past;
    const sent_s = (performance.now() - begun) / 1_000;
    for (let n = 0; n < roundsAlone; n++) alone.push(...(await round()));
    stop.abort();
    const { written } = await live;
    alerts.close();
    say("waiting until everything is analysed");
    const sources = await settled(program);
    const analysed_s = (performance.now() - begun) / 1_000;
    const old = sources.find(({ name }) => name === "elasticsearch")!;
    if (old.stored !== events) throw new Error(`of ${events} old events ${old.stored} are stored`);
    print({
      name: "historical",
      value: percentile(latencies, 99),
      unit: "ms, p99 of live alerts while the past is loaded",
      baseline: goal_p99_ms,
      details: {
        ...spread(latencies, "alert"),
        ...spread(alone, "alone"),
        alone_missed: alone.filter((l) => l >= patience_ms).length,
        alone_samples: alone.length,
        p50_of_alone: percentile(latencies, 50) / percentile(alone, 50),
        samples: latencies.length,
        missed: latencies.filter((l) => l >= patience_ms).length,
        historical_events: events,
        historical_per_s: events / analysed_s,
        sent_s,
        analysed_s,
        refused_requests: refused,
        live_events: written * eventsPerChunk,
        dead: sources.reduce((sum, { dead }) => sum + dead, 0),
        ledger_balance: sources.reduce((sum, { balance }) => sum + Math.abs(balance), 0),
        server_peak_mb: program.memory().peak_mb,
        load_average: loadavg()[0]!,
      },
    });
  } finally {
    stop.abort();
    await program.remove();
  }
}

/** Old events with ids, a request again until it is taken. @returns how many were refused meanwhile */
async function sendPast(program: Program, events: number): Promise<number> {
  const oldest = Date.now() - 60 * 86_400_000;
  let next = 0;
  let refused = 0;
  const sender = async () => {
    while (next < events) {
      const from = next;
      next = Math.min(events, next + perRequest);
      const body = bulk(oldest, from, next);
      while ((await post(program, body)) !== 200) {
        refused++;
        // as the answer's Retry-After says
        await new Promise((r) => setTimeout(r, 1_000));
      }
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
  return refused;
}

function bulk(oldest: number, from: number, to: number): Buffer {
  let text = "";
  for (let n = from; n < to; n++) {
    const at = new Date(oldest + n * 50).toISOString();
    const message = `${at} gate sshd[${n % 30_000}]: ${n % 9 === 0 ? "Accepted" : "Failed"} password for user${n % 40} from 198.51.${n % 100}.${n % 250} port ${1_024 + (n % 60_000)} ssh2`;
    text += `{"create":{"_index":"old","_id":"h${n}"}}\n${JSON.stringify({ "@timestamp": at, message })}\n`;
  }
  return Buffer.from(text);
}

function post(program: Program, body: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const headers = { ...program.headers, "content-type": "application/x-ndjson", "content-length": body.length };
    const sending = request(`${program.url}/_bulk`, { method: "POST", agent: program.agent, headers }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
    });
    sending.once("error", () => resolve(0));
    sending.end(body);
  });
}

async function settled(program: Program): Promise<readonly Row[]> {
  for (;;) {
    const { sources } = await program.get<{ sources: readonly Row[] }>("/api/v1/ledger");
    if (sources.every(({ pending }) => pending === 0)) return sources;
    await new Promise((r) => setTimeout(r, 1_000));
  }
}
