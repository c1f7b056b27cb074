/**
 * An installation of several processes over real servers on this machine: events per CPU second of ours with 1, 2 and 4 workers, beside one process
 * that needs no server, and what the servers took. Run `scripts/services up` first. `--shared 1` keeps events in a shared folder instead of OpenSearch,
 * `--workers N` runs one number of workers alone.
 */
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { service } from "../../e2e/services.ts";
import { corpus, temporary } from "../corpus.ts";
import { option, print, say } from "../harness.ts";
import { Program } from "../program.ts";
import { takeIn } from "./ingest.ts";

/** The goals: of embedded, and from one worker to four. */
const goalOfEmbedded = 0.6;
const goalEfficiency = 0.8;
const streams = 8;
/** Threads that load the program and compile its rules are no part of what an event costs: so many events come before those that are counted. */
const warmUp = 20_000;
/** What processes cost that have nothing to do, each second: looked at for so long, once what came before is done with. */
const idleFor_ms = 10_000;
/** A run of one number of workers says nothing of how they scale. */
const wanted = option("workers");
const counts: readonly number[] = wanted === undefined ? [1, 2, 4] : [wanted];
const inFolder = option("shared") === 1;
/** The kernel's ticks of a process's CPU time: USER_HZ is 100 on every Linux that Node runs on. */
const ticks = 100;
const sources = 'sources:\n  zeek: { file: { paths: ["in/*.ndjson"] } }\n';

interface Files {
  readonly warm: { readonly [name: string]: string };
  readonly counted: { readonly [name: string]: string };
}
interface Servers {
  readonly [name: string]: { readonly host: string; readonly port: number; readonly pid: number };
}

export async function bench(events = 100_000): Promise<void> {
  const [kafka, postgres, redis] = [service("kafka"), service("postgres"), service("redis")];
  const opensearch = inFolder ? undefined : service("opensearch");
  if (!kafka || !postgres || !redis || !(opensearch || inFolder)) throw new Error("it needs all servers: scripts/services up");
  const { warm, counted } = await split(events);
  const embedded = new Program("cluster-embedded", sources);
  let one: number;
  try {
    mkdirSync(join(embedded.directory, "in"));
    await embedded.start();
    await takeIn(embedded, warm, warmUp);
    one = events / (await takeIn(embedded, counted, warmUp + events)).cpu_s;
  } finally {
    await embedded.remove();
  }
  const details: { [name: string]: number | string } = {
    events,
    streams,
    events_in: inFolder ? "shared folder" : "opensearch",
    embedded_events_per_cpu_s: one,
  };
  const per = new Map<number, number>();
  for (const workers of counts) {
    const folder = mkdtempSync(join(temporary, "cluster-events-"));
    const name = `b${process.pid}w${workers}`;
    const config = [
      sources,
      `log: { driver: kafka }`,
      `kafka: { server: "${kafka.host}:${kafka.port}", topic: ${name}, partitions: ${streams}, replicas: 1 }`,
      "state: { driver: postgres }",
      `postgres: { host: ${postgres.host}, port: ${postgres.port}, db: ${postgres.database}, user: ${postgres.user}, password: ${postgres.password}, schema: ${name}, connections: 4 }`,
      opensearch
        ? `events: { driver: opensearch }\nopensearch: { url: "http://${opensearch.host}:${opensearch.port}", prefix: ${name} }`
        : `events: { shared: ${folder} }`,
      `redis: { host: ${redis.host}, port: ${redis.port}, prefix: ${name} }`,
      `auth: { secret_key: ${name}-a-secret-of-the-installation }`,
      "engine: { workers: 1 }\n",
    ].join("\n");
    const measured = await cluster(config, workers, { warm, counted }, events, {
      kafka,
      postgres,
      redis,
      ...(opensearch && { opensearch }),
    });
    rmSync(folder, { recursive: true, force: true });
    per.set(workers, events / measured.ours_s);
    details[`workers_${workers}_events_per_cpu_s`] = events / measured.ours_s;
    details[`workers_${workers}_idle_cpu_s_per_s`] = measured.idle_s;
    details[`workers_${workers}_wall_s`] = measured.wall_s;
    details[`workers_${workers}_front_cpu_s`] = measured.front_s;
    details[`workers_${workers}_worker_cpu_s`] = measured.workers_s.map((s) => s.toFixed(1)).join(" ");
    for (const [server, s] of Object.entries(measured.servers_s)) details[`workers_${workers}_${server}_cpu_s`] = s;
    say(`${workers} workers: ${(events / measured.ours_s).toFixed(0)} events per CPU second of ours`);
  }
  const value = per.get(2) ?? [...per.values()][0]!;
  details["of_embedded"] = value / one;
  details["goal_of_embedded"] = goalOfEmbedded;
  if (per.size > 1) details["efficiency_1_to_4"] = per.get(4)! / per.get(1)!;
  details["goal_efficiency"] = goalEfficiency;
  details["load_average"] = loadavg()[0]!;
  print({ name: "cluster", value, unit: `events per CPU second of ours, ${wanted ?? 2} workers`, baseline: one * goalOfEmbedded, details });
}

async function cluster(
  config: string,
  workers: number,
  { warm, counted }: Files,
  events: number,
  servers: Servers,
): Promise<{
  readonly ours_s: number;
  readonly idle_s: number;
  readonly wall_s: number;
  readonly front_s: number;
  readonly workers_s: readonly number[];
  readonly servers_s: { readonly [name: string]: number };
}> {
  const front = new Program("cluster-front", config);
  const others = Array.from({ length: workers }, (_, n) => new Program(`cluster-worker${n}`, config));
  try {
    mkdirSync(join(front.directory, "in"));
    await front.start("--role", "ingest,serve,triage");
    for (const other of others) await other.start("--role", "analyse");
    await shared(others);
    await taken(front, warm, warmUp);
    const idle_s = await idle([front, ...others]);
    const before = { ours: [front, ...others].map((p) => p.cpu_s()), servers: Object.values(servers).map(({ pid }) => cpuOf(pid)) };
    const begun = performance.now();
    await taken(front, counted, warmUp + events);
    const wall_s = (performance.now() - begun) / 1_000;
    const [front_s, ...workers_s] = [front, ...others].map((p, n) => p.cpu_s() - before.ours[n]!);
    const servers_s = Object.fromEntries(Object.entries(servers).map(([name, { pid }], n) => [name, cpuOf(pid) - before.servers[n]!]));
    return { ours_s: front_s! + workers_s.reduce((a, b) => a + b, 0), idle_s, wall_s, front_s: front_s!, workers_s, servers_s };
  } finally {
    for (const p of [...others, front]) await p.remove();
  }
}

/** CPU seconds a second of all of them together. */
async function idle(programs: readonly Program[]): Promise<number> {
  const sum = () => programs.reduce((s, program) => s + program.cpu_s(), 0);
  // what is late is folded, and checkpoints are written, after everything is stored
  await new Promise((r) => setTimeout(r, idleFor_ms));
  const [before, begun] = [sum(), performance.now()];
  await new Promise((r) => setTimeout(r, idleFor_ms));
  return (sum() - before) / ((performance.now() - begun) / 1_000);
}

/** Lets it see the files; resolves when so many events are stored. */
async function taken(front: Program, files: Files["warm"], events: number): Promise<void> {
  for (const [name, file] of Object.entries(files)) linkSync(file, join(front.directory, "in", name));
  for (;;) {
    await new Promise((r) => setTimeout(r, 1_000));
    const now = await front.taken();
    say(`${now.taken} taken in, ${now.stored} stored`);
    if (now.taken >= events && now.pending === 0) return;
  }
}

/** Resolves when every worker has its share. */
async function shared(workers: readonly Program[]): Promise<void> {
  for (const worker of workers)
    while (!(await fetch(`${worker.url}/readyz`, { headers: worker.headers })).ok) await new Promise((r) => setTimeout(r, 200));
  // who is there is looked at every two seconds
  await new Promise((r) => setTimeout(r, 6_000));
}

/** The corpus in as many files as there are streams, those for warming up apart. */
async function split(events: number): Promise<Files> {
  const { zeek } = await corpus(Math.ceil((warmUp + events) / 0.9) + 1);
  const lines = readFileSync(zeek, "utf8")
    .split("\n")
    .slice(0, warmUp + events);
  const written = (part: string, some: readonly string[]) =>
    Object.fromEntries(
      Array.from({ length: streams }, (_, n) => {
        const file = `${zeek}.${part}${n}of${streams}`;
        writeFileSync(file, `${some.filter((_, i) => i % streams === n).join("\n")}\n`);
        return [`${part}${n}.ndjson`, file];
      }),
    );
  return { warm: written("warm", lines.slice(0, warmUp)), counted: written("counted", lines.slice(warmUp)) };
}

/** CPU seconds of a server and its own children. */
function cpuOf(pid: number): number {
  const [, rest] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const fields = rest!.split(" ");
  return (Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])) / ticks;
}
