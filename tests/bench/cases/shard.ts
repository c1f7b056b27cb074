/**
 * How long a shard with so many keys stands still when another worker takes it over: from the lease until it has folded what waited, with state on a
 * PostgreSQL of this machine where there is one, else on SQLite. Knows no Kafka: the log is in memory.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { systemClock } from "@vedette/kit";
import { memoryLog } from "@vedette/log";
import { formats } from "@vedette/normalise";
import { Analyser, compileProgram, encodeRecords, makeProgram } from "@vedette/pipeline";
import { openStore } from "@vedette/store";
import { encodeShardRecord, type ShardStep } from "../../../packages/pipeline/src/shards/record.ts";
import { ShardRunner } from "../../../packages/pipeline/src/shards/runner.ts";
import { PostgresServer, postgresMissing } from "../../../packages/store/src/testing/postgres.ts";
import { temporary } from "../corpus.ts";
import { costOf, percentile, print, say } from "../harness.ts";

/** The goal; of it, ten seconds are the lease of a worker that died. */
const goal_s = 30;
const lease_s = 10;
const shard = 0;
const perRecord = 2_000;
/** What waits when the shard is taken over. */
const waiting = 10_000;
const rounds = 5;
/** As a worker gives each of its shards. */
const bounds = { keys: 6_250, bytes: 4 * 1_048_576 };
const received = Date.UTC(2026, 5, 1) * 1_000;

export async function bench(keys = 1_000_000): Promise<void> {
  mkdirSync(temporary, { recursive: true });
  const directory = mkdtempSync(join(temporary, "shard-"));
  const server = postgresMissing() === undefined ? new PostgresServer() : undefined;
  if (server) {
    await server.create();
    await server.start({ fsync: true });
  }
  const store = await openStore({ directory, ...(server && { postgres: server.settings() }) });
  try {
    const program = makeProgram({ rules: [], pipelines: [], detectors: {}, lateness_s: 30 }, 0);
    const one = await observation(program);
    const log = memoryLog();
    let told = 0;
    const tell = async (from: number, count: number) => {
      for (let at = from; at < from + count; at += perRecord) {
        const steps: ShardStep[] = Array.from({ length: Math.min(perRecord, from + count - at) }, (_, n) => {
          const seq = at + n;
          return { observe: { ...one, key: `main\0user ${seq % keys}`, event: `e${seq}`, seq, time: received + seq } };
        });
        const mark = { mark: received - 60e6, far: [] };
        steps.push({ tick: received, live: mark, past: mark });
        const head = { version: 1, from: 0, epoch: 1, last: told++, program: program.hash, stored: received } as const;
        await log.append("observations", shard, encodeShardRecord({ kind: "steps", ...head, steps }));
      }
      return (await log.bounds("observations", shard)).end;
    };
    const open = () =>
      new ShardRunner({
        log,
        shard,
        partitions: 1,
        checkpoints: store.checkpoints,
        events: store.events,
        clock: systemClock,
        program: () => ({ program, number: 1 }),
        bounds,
      });
    const filled = open();
    await filled.load();
    const filling = await costOf(async () => {
      for (let at = 0; at < keys; at += 50_000) {
        await upTo(filled, await tell(at, Math.min(50_000, keys - at)));
        say(`${at} of ${keys} keys`);
      }
    });
    const { count } = await store.checkpoints.load(`shard/${shard}`, 0);
    const loads: number[] = [];
    const folds: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const end = await tell(keys + round * waiting, waiting);
      const next = open();
      const begun = performance.now();
      await next.load();
      loads.push((performance.now() - begun) / 1_000);
      await upTo(next, end);
      folds.push((performance.now() - begun) / 1_000);
    }
    print({
      name: "shard",
      value: lease_s + percentile(folds, 50),
      unit: "s until a shard goes on, its lease included",
      baseline: goal_s,
      details: {
        keys,
        keys_in_checkpoint: count,
        state: server ? "postgres" : "sqlite",
        lease_s,
        load_s: percentile(loads, 50),
        load_max_s: Math.max(...loads),
        load_and_10k_observations_s: percentile(folds, 50),
        load_and_10k_observations_max_s: Math.max(...folds),
        goal_s,
        filling_cpu_s: filling.cpu_s,
        load_average: loadavg()[0]!,
      },
    });
  } finally {
    await store.close();
    await server?.remove();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Runs until it has folded everything below `end`, and has checkpointed it. */
async function upTo(runner: ShardRunner, end: number): Promise<void> {
  const stop = new AbortController();
  const look = setInterval(() => runner.offset >= end && stop.abort(), 5);
  await runner.run(stop.signal);
  clearInterval(look);
}

/** What pass 1 shows the guessing of passwords. */
async function observation(program: ReturnType<typeof makeProgram>) {
  const line = "2026-06-01T00:00:00Z h sshd[7]: Failed password for root from 192.0.2.1 port 5 ssh2";
  const bytes = encodeRecords(
    {
      kind: "records",
      version: 1,
      program: program.hash,
      tenant: "main",
      source: "auth",
      received,
      demo: false,
      seq: 0,
      runs: [{ stream: "", format: "syslog", count: 1 }],
      positions: ["0"],
    },
    [Buffer.from(line)],
  );
  const analyser = new Analyser(await formats());
  const { keyed } = analyser.analyse({ entries: [{ offset: 0, bytes }], sample: false, store: false }, await compileProgram(program));
  const found = keyed.flatMap((step) => ("observe" in step && step.observe.detector === "brute_force" ? [step.observe] : []));
  if (found[0] === undefined) throw new Error("pass 1 observed nothing");
  return found[0];
}
