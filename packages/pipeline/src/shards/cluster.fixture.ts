/** A cluster in one process for tests: engines by raw partition and shard runners over a log in memory, that crash, move and come back. Knows no assertion. */
import { shardCount, VedetteError } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Finding } from "@vedette/model";
import type { CheckpointStore, EventStore } from "@vedette/store";
import { Engine } from "../engine.ts";
import { inlinePool } from "../pool.ts";
import type { Program } from "../program.ts";
import type { FindingsBatch } from "../triage_runner.ts";
import { Publisher } from "./publisher.ts";
import { ShardRunner } from "./runner.ts";

/** Checkpoints of any number of consumers, as the state store keeps them. */
export function memoryCheckpoints(): CheckpointStore {
  interface Saved {
    epoch: number;
    offset: number;
    meta: string | undefined;
    keys: Map<string, { readonly shard: number; readonly key: string; readonly value: string }>;
  }
  const all = new Map<string, Saved>();
  const of = (consumer: string): Saved => {
    const known = all.get(consumer) ?? { epoch: 0, offset: 0, meta: undefined, keys: new Map() };
    all.set(consumer, known);
    return known;
  };
  return {
    acquire: async (consumer) => ++of(consumer).epoch,
    load: async (consumer) => {
      const { epoch, offset, meta, keys } = of(consumer);
      return { epoch, offset, meta, keys: [...keys.values()], count: keys.size };
    },
    standing: async (consumers) => consumers.flatMap((consumer) => (all.has(consumer) ? [{ consumer, ...of(consumer) }] : [])),
    rows: async () => [],
    commit: async (consumer, epoch, offset, meta, changed) => {
      const saved = of(consumer);
      if (epoch !== saved.epoch) throw new VedetteError("conflict", true, "an old epoch");
      Object.assign(saved, { offset, meta });
      for (const { shard, key, value } of changed)
        if (value === undefined) saved.keys.delete(key);
        else saved.keys.set(key, { shard, key, value });
    },
  };
}

/** Time moves when somebody asks for it; who sleeps lets the others go on. */
export function movingClock(start: number) {
  let now = start;
  return {
    now: () => now++,
    sleep: async () => {
      now += 1_000;
      for (let turn = 0; turn < 5; turn++) await new Promise((r) => setImmediate(r));
    },
  };
}

/** A log that ends, for one worker, after so many appends: what it does later fails, as if its process had been killed. */
function dyingLog(log: Log, appends: number, jobBytes = 1_048_576): Log {
  let left = appends;
  return {
    append: (...how) => {
      if (left-- <= 0) return Promise.reject(new VedetteError("log_closed", false, "killed"));
      return log.append(...how);
    },
    // few batches a job, so that there are many
    read: (topic, partition, from, maxBytes) => log.read(topic, partition, from, topic === "raw" ? jobBytes : maxBytes),
    wait: (...how) => log.wait(...how),
    bounds: (...how) => log.bounds(...how),
    positions: () => log.positions(),
    counts: () => log.counts(),
    retain: (...how) => log.retain(...how),
    damage: () => log.damage(),
    close: () => log.close(),
  };
}
/** Each life reads the log in pieces of its own. */
const jobBytes = [4_000, 1_500, 9_000, 2_500];

const noEvents = {
  put: async () => [],
  applied: async () => -1,
  // nothing comes too late in these tests
  scan: async function* () {},
} as unknown as EventStore;

export interface ClusterRun {
  readonly log: Log;
  readonly partitions: number;
  readonly program: Program;
  /** By how many workers the shards are folded, one after the other. */
  readonly workers: number;
  /** Lives of engines and runners that end after so many appends each. */
  readonly crashes: readonly number[];
}

/** Runs it until everything is folded; gives every finding in the order of the findings topic, and what is found at the end. */
export async function runCluster({ log, partitions, program, workers, crashes }: ClusterRun): Promise<readonly Finding[]> {
  const checkpoints = memoryCheckpoints();
  const clock = movingClock(Date.UTC(2026, 5, 1, 1) * 1_000);
  const programs = (hash: string) => (hash === program.hash ? program : undefined);
  const lives = [...crashes, Number.POSITIVE_INFINITY];
  const pool = await inlinePool();
  for (let partition = 0; partition < partitions; partition++) {
    const { end } = await log.bounds("raw", partition);
    for (const [n, life] of lives.entries()) {
      const own = dyingLog(log, life, jobBytes[n % jobBytes.length]);
      const engine = new Engine({
        log: own,
        events: noEvents,
        checkpoints,
        pool,
        clock,
        program: programs,
        partition,
        pass2: new Publisher(own, partition),
      });
      if (
        await lived(
          () => engine.load(),
          () => engine.run(until(() => engine.offset >= end)),
        )
      )
        break;
    }
  }
  const findings: Finding[] = [];
  const shards = Array.from({ length: shardCount }, (_, shard) => shard);
  for (const shard of shards) {
    const { end } = await log.bounds("observations", shard);
    const mine = shard % workers === 0 ? lives : [Number.POSITIVE_INFINITY];
    for (const life of mine) {
      const runner = new ShardRunner({
        log: dyingLog(log, life),
        shard,
        partitions,
        checkpoints,
        events: noEvents,
        clock,
        program: (hash) => (hash === program.hash ? { program, number: 1 } : undefined),
      });
      if (
        !(await lived(
          () => runner.load(),
          () => runner.run(until(() => runner.offset >= end)),
        ))
      )
        continue;
      findings.push(...runner.finish());
      break;
    }
  }
  return [...(await told(log)), ...findings];
}

async function lived(load: () => Promise<void>, run: () => Promise<void>): Promise<boolean> {
  try {
    await load();
    await run();
    return true;
  } catch (e) {
    if ((e as { code?: string }).code === "log_closed") return false;
    throw e;
  }
}

/** Aborts once it holds. */
function until(holds: () => boolean): AbortSignal {
  const stop = new AbortController();
  const look = () => {
    if (holds()) stop.abort();
    else setImmediate(look);
  };
  look();
  return stop.signal;
}

async function told(log: Log): Promise<readonly Finding[]> {
  const { start, end } = await log.bounds("findings", 0);
  const entries = start === end ? [] : await log.read("findings", 0, start, Number.MAX_SAFE_INTEGER);
  return entries.flatMap((entry) => {
    if (!("bytes" in entry)) return [];
    const batch = JSON.parse(Buffer.from(entry.bytes).toString()) as FindingsBatch;
    return "findings" in batch ? batch.findings : [];
  });
}
