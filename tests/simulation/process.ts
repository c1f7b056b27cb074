/** One simulated process of an installation: the program's own runtime over a simulated log, stores and clock. Knows no fault. */
import { defineSource, z } from "@vedette/kit";
import type { Log } from "@vedette/log";
import { formats } from "@vedette/normalise";
import {
  CanaryKey,
  type ClusterPart,
  compileProgram,
  inlinePool,
  makeProgram,
  type Pool,
  Releases,
  Runtime,
  type RuntimeOptions,
} from "@vedette/pipeline";
import type { EventStore, SeriesStore, Store } from "@vedette/store";
import { type Input, judges } from "./input.ts";
import type { Life } from "./life.ts";
import type { State } from "./state.ts";

/** Analysis knows nothing of a process: all share it, and its compiled rules. */
let analysis: Promise<Pool> | undefined;

/** Loads what the program loads when it first needs it: there is no real disk in a simulated world. */
export async function prepare(): Promise<void> {
  analysis ??= inlinePool();
  await Promise.all([analysis, formats(), compileProgram(makeProgram(judges, 0))]);
}

/** Without what evaluating a rule took: that is measured, and a slow rule is quarantined. */
async function sharedPool(): Promise<Pool> {
  const pool = await analysis!;
  return { size: 1, run: async (job, program) => ({ ...(await pool.run(job, program)), costs: {} }), close: async () => {} };
}

/** What the outside world has heard. */
export interface Heard {
  /** Numbers of lines that were accepted. */
  readonly accepted: Set<number>;
}

export interface Surroundings {
  readonly life: Life;
  readonly log: Log;
  readonly events: EventStore;
  readonly state: State;
  readonly input: Input;
  readonly heard: Heard;
  readonly cluster?: ClusterPart;
}

const noSeries = {
  put: async () => {},
  applied: async () => -1,
  sources: async () => [],
  seal: async () => {},
  retain: async () => ({ dropped: 0 }),
} as unknown as SeriesStore;

/** Of no secret: there are no canaries. */
const canaries = { key: new CanaryKey(Buffer.alloc(32)), every: 86_400_000_000, enabled: false };
/** How often a file is looked at. */
const lookEvery_ms = 250;
const atOnce = 5;

export async function start({ life, log, events, state, input, heard, cluster }: Surroundings): Promise<Runtime> {
  const { alerts, checkpoints, settings } = state;
  const store = { events, series: noSeries, alerts, checkpoints, settings } as Partial<Store> as Store;
  const options: RuntimeOptions = {
    log,
    store,
    clock: life.clock,
    pool: await sharedPool(),
    tenant: "main",
    ...judges,
    rules: () => judges.rules,
    rule_budget_per_day: 1_000,
    releases: new Releases("/nowhere"),
    sources: [...input.files.keys()].map((file) => ({ name: file, type: "file", config: { file }, format: "syslog" })),
    sourceSpecs: new Map([["file", fileSource(input, heard, life)]]),
    retention: {},
    canaries,
    logBytes: async () => 0,
    demo: async () => {},
    ...(cluster && { cluster }),
  };
  const runtime = await Runtime.open(options);
  runtime.start();
  return runtime;
}

/** A file that grows: its reader goes on where the log says that it is. */
const fileSource = ({ files }: Input, { accepted }: Heard, { world }: Life) =>
  defineSource({
    name: "file",
    summary: "A file of the simulated world",
    stability: "experimental",
    asks: true,
    config: z.strictObject({ file: z.string() }),
    examples: [],
    async run({ config, intake, positions, clock, signal }) {
      const lines = files.get(config.file)!;
      let next = Number(positions.get(config.file) ?? 0);
      // the log says that it has them, though nobody may have heard of it before a crash
      for (const { number } of lines.slice(0, next)) accepted.add(number);
      while (!signal.aborted) {
        const ready = lines.slice(next, next + atOnce).filter(({ at }) => at <= world.now);
        if (ready.length === 0) {
          await clock.sleep(lookEvery_ms, signal);
          continue;
        }
        const records = ready.map(({ number, body }) => ({ position: String(number), body }));
        await intake.accept(records, { stream: config.file, position: String(next + ready.length) });
        next += ready.length;
        for (const { number } of ready) accepted.add(number);
      }
    },
  });
