/**
 * The runner of both passes over the raw topic: reads, hands jobs to workers, puts results back in order, writes outputs, then checkpoints.
 * Knows no source, format, rule or driver.
 */
import { type Clock, release } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Event, Finding, Micros } from "@vedette/model";
import type { CheckpointRow, CheckpointStore, EventStore, SeriesStore } from "@vedette/store";
import { keyedDetectors } from "./analyse.ts";
import type { Analysis, Job } from "./analysis.ts";
import { programOf } from "./batch.ts";
import { CanaryGate, type CanaryKey, type CanaryRef, type GateState } from "./canary/mark.ts";
import { type DetectorLine, type KeyedState, type KeyedStep, keysInMemory } from "./keyed.ts";
import { catchUpLate } from "./late.ts";
import { Ledger, type LedgerState } from "./ledger.ts";
import type { Pool } from "./pool.ts";
import { makeProgram, type Program } from "./program.ts";
import { FloodGuard, type FloodState } from "./rules/flood.ts";
import { type PastState, type Timeline, Timelines } from "./timelines.ts";
import type { FindingsBatch } from "./triage_runner.ts";
import { failed, onlyTicks } from "./unanalysed.ts";
import { Watermarks } from "./watermarks.ts";

export interface EngineOptions {
  readonly log: Log;
  readonly events: EventStore;
  /** Without it samples are judged, and kept nowhere. */
  readonly series?: SeriesStore;
  readonly checkpoints: CheckpointStore;
  readonly pool: Pool;
  readonly clock: Clock;
  /** A program by its hash, from the control topic. */
  readonly program: (hash: string) => Program | undefined;
  readonly onEvents?: (newest: readonly Event[], count: number, received: number) => void;
  readonly wantSample?: () => boolean;
  /** Told of each analysed job, in log order, with the findings of both passes that came of it. */
  readonly onAnalysis?: (analysis: Analysis, findings: readonly Finding[]) => void;
  readonly onProblem?: (code: string, message: string | undefined) => void;
  /** By which canaries are known; without it there are none. */
  readonly canaryKey?: CanaryKey;
  /** A batch bore a mark that is none of ours; it is analysed like any other. */
  readonly onForged?: (offset: number) => void;
}

interface Meta {
  readonly program: string;
  readonly ledger: LedgerState;
  readonly watermarks: readonly (readonly [string, number, number])[];
  readonly keyed?: KeyedState;
  readonly past?: PastState;
  /** Receive time of the newest event analysed. */
  readonly stored?: number;
  readonly flood?: FloodState;
  readonly canaries?: GateState;
}

interface Pending {
  readonly job: Job;
  readonly analysis: Promise<Analysis>;
  readonly program: Program;
  /** What the read's bytes lie in, with the read's last job: it is done with when that job is. */
  readonly buffers: readonly ArrayBufferLike[];
}

const consumer = "engine";
const readBytes = 1_048_576;
/** State is written at most so often: what repeats after a crash is at most so much of the log. */
const checkpointEvery_ms = 1_000;
/** Records the raw log keeps after they have been analysed: the window for replay of recent data. */
const keepRawBytes = 1_073_741_824;
/** Writes under way at once: a job's encoded events are some 2.5 MB, and all of them count in the memory budget. */
const maxOutputs = 4;
/** A read's entries go to one worker; while the log is behind, about this much of it is in memory per worker. */
const jobsPerWorker = 2;
/** Keys fetched from the checkpoint for one tick: what a crowd of keys that end together costs is spread over several. */
const dueAtOnce = 5_000;
/** Keys caught up with one question to the store, and for how long after one tick: detection waits meanwhile. */
const lateAtOnce = 200;
const lateBudget: Micros = 50_000;

type KeyedTick = Extract<KeyedStep, { readonly tick: number }>;

interface Tails {
  events: Promise<unknown>;
  series: Promise<unknown>;
  findings: Promise<unknown>;
  dead: Promise<unknown>;
}

export class Engine {
  /** As of the last checkpoint: what it calls stored or dead is durable. */
  ledger = new Ledger();
  /** Next raw offset whose results are not yet all out. */
  offset = 0;
  /** Everything below it is analysed and its outputs are durable. */
  durable = 0;
  /** Receive time of the newest analysed batch, 0 before the first. */
  reached = 0;
  readonly #options: EngineOptions;
  /** As `reached`, runs before this one included. */
  #stored = 0;
  /** More of the log has been read than is analysed. */
  #busy = false;
  /** When the catch-up lane may have time again. */
  #catchUpFrom = 0;
  readonly #watermarks = new Watermarks();
  #keyed: Timelines | undefined;
  #program: Program | undefined;
  /** Program of the newest batch read ahead. */
  #reading: Program | undefined;
  /** What the results up to `offset` come to, durable or not yet. */
  readonly #working = new Ledger();
  readonly #flood = new FloodGuard();
  readonly #gate: CanaryGate;
  #epoch = 0;
  #applied = -1;
  /** The same of the series store. */
  #rolledUp = -1;
  #done = { findings: -1, dead: -1 };
  #outputs: Promise<unknown>[] = [];
  /** The newest write of each target. */
  readonly #tails: Tails = { events: Promise.resolve(), series: Promise.resolve(), findings: Promise.resolve(), dead: Promise.resolve() };
  #lastCheckpoint = 0;
  #restored: { readonly meta: Meta; readonly keys: readonly CheckpointRow[]; readonly count: number } | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#gate = new CanaryGate(options.canaryKey);
  }

  /** Takes ownership and loads what the last checkpoint holds. */
  async load(): Promise<void> {
    const { checkpoints, events, log } = this.#options;
    this.#epoch = await checkpoints.acquire(consumer);
    const saved = await checkpoints.load(consumer, keysInMemory);
    this.offset = Math.max(saved.offset, 0);
    this.#applied = await events.applied();
    this.#rolledUp = (await this.#options.series?.applied()) ?? -1;
    this.#done = { findings: await lastRaw(log, "findings"), dead: await lastRaw(log, "dead") };
    if (saved.meta === undefined) return;
    const meta = JSON.parse(saved.meta) as Meta;
    this.#working.restore(meta.ledger);
    this.ledger = this.#working.copy();
    this.#watermarks.restore(meta.watermarks);
    if (meta.flood) this.#flood.restore(meta.flood);
    if (meta.canaries) this.#gate.restore(meta.canaries, this.offset);
    this.#stored = meta.stored ?? 0;
    this.#restored = { meta, keys: saved.keys, count: saved.count };
    const program = this.#options.program(meta.program);
    if (program) await this.#adopt(program);
  }

  /** What happened to each detector's observations, as of now. */
  detectors(): readonly DetectorLine[] {
    return this.#keyed?.lines() ?? [];
  }

  /** Runs until `signal` aborts, then checkpoints. Rejects only when ownership was taken over. */
  async run(signal: AbortSignal): Promise<void> {
    const { pool } = this.#options;
    const ahead: Pending[] = [];
    let next = this.offset;
    while (!signal.aborted) {
      while (ahead.length < pool.size * jobsPerWorker) {
        const jobs = await this.#read(next);
        if (jobs.length === 0) break;
        for (const p of jobs) ahead.push(p);
        next = ahead.at(-1)!.job.entries.at(-1)!.offset + 1;
      }
      const first = ahead.shift();
      if (!first) {
        await this.#checkpointIfDue(true);
        await this.#options.log.wait("raw", 0, next, signal);
        continue;
      }
      this.#busy = ahead.length > 0;
      await this.#finish(first);
      await this.#checkpointIfDue(false);
    }
    for (const p of ahead) p.analysis.catch(() => {});
    await this.#checkpoint();
  }

  /** Entries from `next` as jobs: one program each, none across what the store has already. */
  async #read(next: number): Promise<readonly Pending[]> {
    const entries = await this.#options.log.read("raw", 0, next, readBytes);
    const jobs: Pending[] = [];
    let group: { offset: number; bytes: Uint8Array }[] = [];
    let program = this.#reading ?? this.#program;
    const flush = (canary?: CanaryRef) => {
      if (group.length === 0) return;
      const sample = !canary && (this.#options.wantSample?.() ?? false);
      const job: Job = { entries: group, sample, store: group[0]!.offset > this.#applied, ...(canary && { canary }) };
      const used = program ?? this.#emptyProgram();
      jobs.push({ job, program: used, analysis: this.#analyse(job, used), buffers: [] });
      group = [];
    };
    for (const entry of entries) {
      if ("damaged" in entry) {
        this.#options.onProblem?.("log_damaged", `raw batch ${entry.offset}: ${entry.damaged}`);
        group.push({ offset: entry.offset, bytes: new Uint8Array(0) });
        continue;
      }
      const hash = programOf(entry.bytes);
      const wanted = hash === undefined ? program : this.#options.program(hash);
      if (hash !== undefined && wanted === undefined)
        this.#options.onProblem?.(
          "program_missing",
          `raw batch ${entry.offset} was taken under program ${hash}, which the control topic lacks; analysed with the present one`,
        );
      const canary = this.#gate.admit(entry.offset, entry.bytes);
      if (canary === "forged") this.#options.onForged?.(entry.offset);
      const genuine = canary === "forged" ? undefined : canary;
      const last = group.at(-1)?.offset;
      if ((wanted && wanted !== program) || last === this.#applied || last === this.#rolledUp || genuine) flush();
      program = wanted ?? program;
      group.push({ offset: entry.offset, bytes: entry.bytes });
      if (genuine) flush(genuine);
    }
    flush();
    this.#reading = program;
    const buffers = new Set(entries.flatMap((one) => ("bytes" in one ? [one.bytes.buffer] : [])));
    return jobs.map((job, n) => (n < jobs.length - 1 ? job : { ...job, buffers: [...buffers] }));
  }

  #emptyProgram(): Program {
    return { ...makeProgram({ rules: [], pipelines: [], detectors: {}, lateness_s: 30 }, 0), hash: "" };
  }

  /** Ticks alone are not worth a worker: while nothing comes in, none need hold a compiled program. */
  async #analyse(job: Job, program: Program): Promise<Analysis> {
    return onlyTicks(job, program.hash) ?? this.#options.pool.run(job, program);
  }

  async #finish({ job, analysis, program, buffers }: Pending): Promise<void> {
    let result: Analysis;
    try {
      result = await analysis;
    } catch (e) {
      // a batch that brings its worker down twice must not stop everything behind it: it stays in the log, is counted and named
      this.#options.onProblem?.(
        "analysis_failed",
        `raw batches ${job.entries[0]!.offset}–${job.entries.at(-1)!.offset}: ${(e as Error).message}`,
      );
      result = failed(job, program.hash, e as Error);
    }
    for (const buffer of buffers) release(new Uint8Array(buffer));
    if (program.hash !== this.#program?.hash || !this.#keyed) await this.#adopt(program);
    // a canary's finding is nobody's flood, and it has no observations
    const { passed, capped } = result.canary
      ? { passed: result.findings, capped: new Map<string, number>() }
      : this.#flood.take(result.findings);
    for (const [rule, n] of capped) this.#working.addCapped(rule, n);
    const findings = [...passed, ...(await this.#keyedPass(this.#keyed!, result.keyed))];
    this.#emit(result, findings);
    this.#working.add(result);
    this.offset = result.last + 1;
    this.#options.onAnalysis?.(result, findings);
    this.reached = Math.max(this.reached, result.received);
    this.#stored = Math.max(this.#stored, result.received);
    const stored = Object.values(result.sources).reduce((n, s) => n + s.stored, 0);
    if (stored > 0) this.#options.onEvents?.(result.sample, stored, result.received);
  }

  async #adopt(program: Program): Promise<void> {
    const detectors = await keyedDetectors(program);
    if (this.#keyed) this.#keyed.adopt(detectors);
    else {
      this.#keyed = new Timelines(detectors, this.#watermarks);
      if (this.#restored) {
        await this.#resume(this.#keyed, this.#restored);
        this.#restored = undefined;
      }
    }
    this.#program = program;
  }

  /** Where the checkpoint holds more keys than memory should, most stay there until they are needed. */
  async #resume(keyed: Timelines, { meta, keys, count }: { meta: Meta; keys: readonly CheckpointRow[]; count: number }): Promise<void> {
    const rows = [...keys];
    if (keys.length < count)
      for (const prefix of keyed.all.flatMap((timeline) => timeline.residents))
        rows.push(...(await this.#options.checkpoints.rows(consumer, { prefix })));
    keyed.resume(meta.keyed, meta.past, rows, count);
  }

  /** Pass 2 of a job; after a tick also what came too late for its keys and has waited long enough. */
  async #keyedPass(keyed: Timelines, steps: readonly KeyedStep[]): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    const found: Finding[] = [];
    const tick = steps.findLast((step) => "tick" in step);
    for (const [timeline, own] of keyed.share(steps)) {
      const wanted = timeline.keyed.spilled === 0 ? [] : own.flatMap((step) => ("observe" in step ? [step.observe] : []));
      await this.#fetch(timeline, wanted, tick);
      findings.push(...timeline.told(timeline.keyed.take(own)));
      if (tick) found.push(...timeline.told(await this.#catchUp(timeline, tick.tick)));
    }
    // of no raw batch: a run after a crash may come to it at another one, and must not take it for written
    if (found.length > 0)
      this.#output("findings", () =>
        this.#options.log.append("findings", 0, Buffer.from(JSON.stringify({ findings: found } satisfies FindingsBatch))),
      );
    return findings;
  }

  /**
   * Folds in what came too late. While there is other work, in a twentieth of the time: what one question takes longer, later ticks pay for.
   * When so much waits that there would soon be no room for more, in a third: what happens now goes first all the same.
   */
  async #catchUp(timeline: Timeline, wall: Micros): Promise<readonly Finding[]> {
    const { clock, events, onProblem } = this.#options;
    const { keyed, historical } = timeline;
    const findings: Finding[] = [];
    if (keyed.lane.size === 0) return findings;
    const begun = clock.now();
    const free = !this.#busy;
    const rest = keyed.lane.urgent ? 2 : 19;
    if (!free && begun < this.#catchUpFrom) return findings;
    while (clock.now() - begun < lateBudget * (free ? 10 : 1)) {
      const late = keyed.lane.take(wall, this.#stored, lateAtOnce);
      if (late.length === 0) break;
      // the store must hold all that was analysed so far: what comes of it is a function of the log
      await Promise.all(this.#outputs.splice(0));
      await this.#fetch(timeline, late);
      findings.push(...(await catchUpLate(keyed, late, { events, reached: this.#stored, historical, onProblem })));
    }
    const spent = clock.now() - begun;
    this.#catchUpFrom = begun + spent + rest * spent;
    return findings;
  }

  /** Has in memory what is wanted of keys, and keys to be looked at when a tick comes. */
  async #fetch(
    timeline: Timeline,
    wanted: readonly { readonly detector: string; readonly key: string }[],
    tick?: KeyedTick,
  ): Promise<void> {
    if (timeline.keyed.spilled === 0) return;
    const { checkpoints } = this.#options;
    const missing = timeline.missing(wanted);
    if (missing.keys.length > 0) timeline.restore(await checkpoints.rows(consumer, missing), true);
    if (tick) timeline.restore(await checkpoints.rows(consumer, timeline.due(tick.tick, dueAtOnce)), true);
  }

  /** Starts the writes; the next checkpoint waits for them. What an earlier run wrote already is left out. */
  #emit(result: Analysis, findings: readonly Finding[]): void {
    const { log, events, series } = this.#options;
    const encoded = result.events;
    if (encoded && result.last > this.#applied)
      this.#output("events", async () => {
        await events.put(result.last, result.received, encoded);
        release(encoded.bytes);
      });
    const { samples } = result;
    if (samples && series && result.last > this.#rolledUp) this.#output("series", () => series.put(result.last, result.received, samples));
    if (findings.length > 0 && result.last > this.#done.findings)
      this.#output("findings", () =>
        log.append(
          "findings",
          0,
          Buffer.from(JSON.stringify({ raw: result.last, program: result.program, findings } satisfies FindingsBatch)),
        ),
      );
    if (result.dead.length > 0 && result.last > this.#done.dead)
      this.#output("dead", () =>
        log.append("dead", 0, Buffer.from(JSON.stringify({ raw: result.last, letters: result.dead })), {
          counts: { dead: result.dead.length },
        }),
      );
  }

  /**
   * Each target takes its writes strictly one after the other: a later batch that got through while an earlier one is tried again would
   * make the earlier one look applied, and lose it.
   */
  #output(target: keyof Tails, write: () => Promise<unknown>): void {
    const output = this.#tails[target].then(() => this.#insist(write));
    this.#tails[target] = output;
    // looked at when the checkpoint waits for it; until then a failure is not unheard of
    output.catch(() => {});
    this.#outputs.push(output);
  }

  /** A full disk or a busy store is waited out: outputs are never given up, the log holds what is behind. */
  async #insist(write: () => Promise<unknown>): Promise<void> {
    for (let delay_ms = 50; ; delay_ms = Math.min(delay_ms * 2, 5_000)) {
      try {
        await write();
        if (delay_ms > 50) this.#options.onProblem?.("output_blocked", undefined);
        return;
      } catch (e) {
        if ((e as { code?: string }).code === "log_closed") throw e;
        this.#options.onProblem?.("output_blocked", (e as Error).message);
        await this.#options.clock.sleep(delay_ms);
      }
    }
  }

  async #checkpointIfDue(idle: boolean): Promise<void> {
    if (this.#outputs.length >= maxOutputs) await Promise.all(this.#outputs.splice(0));
    const now = this.#options.clock.now();
    if (!this.#keyed?.crowded && now - this.#lastCheckpoint < checkpointEvery_ms * 1_000 * (idle ? 0.5 : 1)) return;
    await this.#checkpoint();
  }

  async #checkpoint(): Promise<void> {
    this.#lastCheckpoint = this.#options.clock.now();
    await Promise.all(this.#outputs.splice(0));
    const past = this.#keyed?.past();
    const meta: Meta = {
      program: this.#program?.hash ?? "",
      ledger: this.#working.state(),
      watermarks: this.#watermarks.entries(),
      ...(this.#keyed && { keyed: this.#keyed.live.keyed.state() }),
      ...(past && { past }),
      stored: this.#stored,
      flood: this.#flood.state(),
      canaries: this.#gate.state(),
    };
    await this.#options.checkpoints.commit(consumer, this.#epoch, this.offset, JSON.stringify(meta), this.#keyed?.drain() ?? []);
    this.#keyed?.spill();
    this.durable = this.offset;
    this.ledger = this.#working.copy();
    await this.#options.log.retain("raw", 0, this.offset, keepRawBytes);
  }
}

/** The raw offset whose outputs the topic's last batch holds, -1 for an empty topic. */
async function lastRaw(log: Log, topic: "findings" | "dead"): Promise<number> {
  const { start, end } = await log.bounds(topic, 0);
  for (let at = end - 1; at >= start; at--) {
    const [entry] = await log.read(topic, 0, at, 1);
    if (entry && "bytes" in entry) {
      const { raw } = JSON.parse(Buffer.from(entry.bytes).toString()) as { raw?: number };
      // retractions and what the program itself has to say are of no raw batch
      if (raw !== undefined) return raw;
    }
  }
  return -1;
}
