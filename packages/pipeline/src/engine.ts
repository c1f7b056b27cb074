/**
 * The runner of the passes over one partition of the raw topic: reads, hands jobs to workers, puts results back in order, folds them or has them
 * folded, writes outputs, then checkpoints. Knows no source, format, rule or driver.
 */
import { type Clock, release } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { DetectorLine, Event, Finding, Micros } from "@vedette/model";
import type { CheckpointStore, EventStore, EventWriter, SeriesStore } from "@vedette/store";
import type { Analysis, Job } from "./analysis.ts";
import { programOf, rawFormat, versionOf } from "./batch.ts";
import { CanaryGate, type CanaryKey, type CanaryRef, type GateState } from "./canary/mark.ts";
import type { Detection } from "./detection.ts";
import { goneBefore } from "./gap.ts";
import { keysInMemory } from "./keyed.ts";
import { Ledger, type LedgerState } from "./ledger.ts";
import { newer } from "./newer.ts";
import { FoldedHere, type Pass2, type Pass2State } from "./pass2.ts";
import type { Pool } from "./pool.ts";
import { makeProgram, type Program } from "./program.ts";
import { buryRefused } from "./refused_events.ts";
import { FloodGuard, type FloodState } from "./rules/flood.ts";
import type { FindingsBatch } from "./triage_runner.ts";
import { failed, onlyTicks } from "./unanalysed.ts";
import { Writes } from "./writes.ts";

export interface EngineOptions {
  readonly log: Log;
  readonly events: EventStore;
  /** Without it samples are judged, and kept nowhere. */
  readonly series?: SeriesStore;
  readonly checkpoints: CheckpointStore;
  readonly pool: Pool;
  readonly clock: Clock;
  /** A program by its hash, from the control topic. */
  readonly program: (hash: string) => Program | undefined | Promise<Program | undefined>;
  readonly onEvents?: (newest: readonly Event[], count: number, received: number) => void;
  readonly wantSample?: () => boolean;
  /** Told of each analysed job, in log order, with the findings of both passes that came of it. */
  readonly onAnalysis?: (analysis: Analysis, findings: readonly Finding[]) => void;
  readonly onProblem?: (code: string, message: string | undefined) => void;
  /** By which canaries are known; without it there are none. */
  readonly canaryKey?: CanaryKey;
  /** A batch bore a mark that is none of ours; it is analysed like any other. */
  readonly onForged?: (offset: number) => void;
  /** Of the raw topic; 0 where it has one alone. */
  readonly partition?: number;
  /** Who folds what pass 1 observed; the engine itself without it. */
  readonly pass2?: Pass2;
}

interface Meta extends Pass2State {
  readonly program: string;
  readonly ledger: LedgerState;
  /** Where the next findings and dead letters were to be written. */
  readonly ends?: { readonly findings: number; readonly dead: number };
  /** Receive time of the newest event analysed. */
  readonly stored?: number;
  readonly flood?: FloodState;
  readonly canaries?: GateState;
}

interface Pending {
  readonly job: Job;
  readonly analysis: Promise<Analysis>;
  readonly program: Program;
  /** Batches before it that the log no longer has. */
  readonly gone: number;
  /** What the read's bytes lie in, with the read's last job: it is done with when that job is. */
  readonly buffers: readonly ArrayBufferLike[];
}

/** Under which the state of a raw partition's engine is in the checkpoint store. */
export const engineConsumer = (partition: number): string => (partition === 0 ? "engine" : `engine/${partition}`);
const readBytes = 1_048_576;
/** State is written at most so often: what repeats after a crash is at most so much of the log. */
const checkpointEvery_ms = 1_000;
/** Records the raw log keeps after they have been analysed: the window for replay of recent data. */
const keepRawBytes = 1_073_741_824;
/** Writes under way at once: a job's encoded events are some 2.5 MB, and all of them count in the memory budget. */
const maxOutputs = 4;
/** A read's entries go to one worker; while the log is behind, about this much of it is in memory per worker. */
const jobsPerWorker = 2;
type Target = "events" | "series" | "findings" | "dead" | "observations";

export class Engine implements Detection {
  /** As of the last checkpoint: what it calls stored or dead is durable. */
  ledger = new Ledger();
  /** Next raw offset whose results are not yet all out. */
  offset = 0;
  /** Everything below it is analysed and its outputs are durable. */
  durable = 0;
  /** Receive time of the newest analysed batch, 0 before the first. */
  reached = 0;
  readonly #options: EngineOptions;
  readonly #partition: number;
  readonly #pass2: Pass2;
  /** As `reached`, runs before this one included. */
  #stored = 0;
  /** Events up to this receive time are in the store; ticks move it on while nothing waits to be written. */
  #kept = 0;
  /** More of the log has been read than is analysed. */
  #busy = false;
  #program: Program | undefined;
  /** Program of the newest batch read ahead. */
  #reading: Program | undefined;
  /** Why nothing is read beyond what is being read: what comes next is of a newer version. */
  #newer: Error | undefined;
  /** What the results up to `offset` come to, durable or not yet. */
  readonly #working = new Ledger();
  readonly #flood = new FloodGuard();
  readonly #gate: CanaryGate;
  #epoch = 0;
  #applied = -1;
  /** The same of the series store. */
  #rolledUp = -1;
  #done = { findings: -1, dead: -1 };
  readonly #writes: Writes<Target>;
  #ends = { findings: 0, dead: 0 };
  #lastCheckpoint = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#partition = options.partition ?? 0;
    this.#gate = new CanaryGate(options.canaryKey);
    const { checkpoints, events, clock, onProblem } = options;
    this.#writes = new Writes(clock, onProblem);
    const consumer = engineConsumer(this.#partition);
    const settled = () => this.#writes.settled();
    this.#pass2 = options.pass2 ?? new FoldedHere({ checkpoints, consumer, events, clock, settled, onProblem });
  }

  /** Takes ownership and loads what the last checkpoint holds. */
  async load(): Promise<void> {
    const { checkpoints, events, log } = this.#options;
    const consumer = engineConsumer(this.#partition);
    this.#epoch = await checkpoints.acquire(consumer);
    const saved = await checkpoints.load(consumer, keysInMemory);
    this.offset = Math.max(saved.offset, 0);
    this.durable = this.offset;
    this.#applied = await events.applied(this.#writer());
    this.#rolledUp = (await this.#options.series?.applied()) ?? -1;
    const meta = saved.meta === undefined ? undefined : (JSON.parse(saved.meta) as Meta);
    this.#ends = meta?.ends ?? { findings: 0, dead: 0 };
    this.#done = {
      findings: await lastRaw(log, "findings", this.#partition, this.#ends.findings),
      dead: await lastRaw(log, "dead", this.#partition, this.#ends.dead),
    };
    await this.#pass2.load(meta, saved.keys, saved.count, this.#epoch);
    if (meta === undefined) return;
    this.#working.restore(meta.ledger);
    this.ledger = this.#working.copy();
    if (meta.flood) this.#flood.restore(meta.flood);
    if (meta.canaries) this.#gate.restore(meta.canaries, this.offset);
    this.#stored = meta.stored ?? 0;
    this.#kept = this.#stored;
    const program = await this.#options.program(meta.program);
    if (program) await this.#adopt(program);
  }

  #writer(): EventWriter {
    return { partition: this.#partition, epoch: this.#epoch };
  }

  /** What happened to each detector's observations, as of now. */
  detectors(): readonly DetectorLine[] {
    return this.#pass2.lines();
  }

  durableOf(): number {
    return this.durable;
  }
  async waitsFor(): Promise<() => Promise<boolean>> {
    const { end } = await this.#options.log.bounds("raw", this.#partition);
    return async () => this.durable >= end;
  }
  async behind(): Promise<number> {
    return Math.max(0, (await this.#options.log.bounds("raw", this.#partition)).end - this.durable);
  }

  /** Runs until `signal` aborts, then checkpoints. Rejects when ownership was taken over, and before what a newer version wrote. */
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
        if (this.#newer) {
          await this.#checkpoint();
          throw this.#newer;
        }
        await this.#checkpointIfDue(true);
        await this.#options.log.wait("raw", this.#partition, next, signal);
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
    const entries = await this.#options.log.read("raw", this.#partition, next, readBytes);
    const gone = goneBefore(`raw/${this.#partition}`, next, entries);
    if (gone) this.#options.onProblem?.("log_gap", gone.message);
    const jobs: Pending[] = [];
    let group: { offset: number; bytes: Uint8Array }[] = [];
    let program = this.#reading ?? this.#program;
    const flush = (canary?: CanaryRef) => {
      if (group.length === 0) return;
      const sample = !canary && (this.#options.wantSample?.() ?? false);
      const job: Job = { entries: group, sample, store: group[0]!.offset > this.#applied, ...(canary && { canary }) };
      const used = program ?? this.#emptyProgram();
      jobs.push({ job, program: used, analysis: this.#analyse(job, used), gone: (jobs.length === 0 && gone?.batches) || 0, buffers: [] });
      group = [];
    };
    for (const entry of entries) {
      if ("damaged" in entry) {
        this.#options.onProblem?.("log_damaged", `raw batch ${entry.offset}: ${entry.damaged}`);
        group.push({ offset: entry.offset, bytes: new Uint8Array(0) });
        continue;
      }
      this.#newer = newer(`Raw batch ${this.#partition}/${entry.offset}`, versionOf(entry.bytes), rawFormat);
      if (this.#newer) break;
      const hash = programOf(entry.bytes);
      const wanted = hash === undefined || hash === program?.hash ? program : await this.#options.program(hash);
      if (hash !== undefined && wanted === undefined)
        this.#options.onProblem?.(
          "program_missing",
          `raw batch ${entry.offset} was taken under program ${hash}, which the control topic lacks; analysed with the present one`,
        );
      const canary = this.#gate.admit(entry.offset, entry.bytes);
      if (canary === "forged") this.#options.onForged?.(entry.offset);
      const genuine = canary === "forged" ? undefined : canary;
      const last = group.at(-1)?.offset;
      const ends = last !== undefined && (last === this.#applied || last === this.#rolledUp || this.#pass2.endsAt(last));
      if ((wanted && wanted !== program) || ends || genuine) flush();
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

  async #finish({ job, analysis, program, gone, buffers }: Pending): Promise<void> {
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
    if (program.hash !== this.#program?.hash) await this.#adopt(program);
    // a canary's finding is nobody's flood, and it has no observations
    const { passed, capped } = result.canary
      ? { passed: result.findings, capped: new Map<string, number>() }
      : this.#flood.take(result.findings);
    for (const [rule, n] of capped) this.#working.addCapped(rule, n);
    const { found, late, publish } = await this.#pass2.take(result, { stored: storedBefore(result, this.#stored), busy: this.#busy });
    const findings = [...passed, ...found];
    this.#emit(result, findings);
    // after what it may take the place of; of no raw batch: a run after a crash may come to it at another one, and must not take it for written
    if (late.length > 0) this.#writes.add("findings", () => this.#append({ findings: late }));
    if (publish) this.#writes.add("observations", () => publish(this.#kept));
    this.#working.add(result);
    this.#working.damaged += gone;
    this.offset = result.last + 1;
    this.#options.onAnalysis?.(result, findings);
    this.reached = Math.max(this.reached, result.received);
    this.#stored = Math.max(this.#stored, result.received);
    const stored = Object.values(result.sources).reduce((n, s) => n + s.stored, 0);
    if (stored > 0) this.#options.onEvents?.(result.sample, stored, result.received);
  }

  async #adopt(program: Program): Promise<void> {
    await this.#pass2.adopt(program);
    this.#program = program;
  }

  /** Starts the writes; the next checkpoint waits for them. What an earlier run wrote already is left out. */
  #emit(result: Analysis, findings: readonly Finding[]): void {
    const { log, events, series } = this.#options;
    const encoded = result.events;
    const raw = result.last;
    const tick = result.keyed.findLast((step) => "tick" in step);
    const received = Math.max(result.received, tick?.tick ?? 0);
    this.#writes.add("events", async () => {
      const refused = encoded && raw > this.#applied ? await events.put(raw, result.received, encoded, this.#writer()) : [];
      if (refused.length > 0) await buryRefused(log, refused);
      if (!result.canary) this.#working.refuse(refused);
      if (encoded) release(encoded.bytes);
      this.#kept = Math.max(this.#kept, received);
    });
    const { samples } = result;
    if (samples && series && raw > this.#rolledUp) this.#writes.add("series", () => series.put(raw, result.received, samples));
    if (findings.length > 0 && raw > this.#done.findings)
      this.#writes.add("findings", () => this.#append({ ...this.#origin(raw), program: result.program, findings }));
    if (result.dead.length > 0 && raw > this.#done.dead)
      this.#writes.add("dead", async () => {
        const bytes = Buffer.from(JSON.stringify({ ...this.#origin(raw), letters: result.dead }));
        this.#ends.dead = (await log.append("dead", 0, bytes, { counts: { dead: result.dead.length } })) + 1;
      });
  }

  /** The first partition's batches name none: a log of one partition reads as it always did. */
  #origin(raw: number): { readonly raw: number; readonly partition?: number } {
    return this.#partition === 0 ? { raw } : { raw, partition: this.#partition };
  }

  async #append(batch: FindingsBatch): Promise<void> {
    this.#ends.findings = (await this.#options.log.append("findings", 0, Buffer.from(JSON.stringify(batch)))) + 1;
  }

  async #checkpointIfDue(idle: boolean): Promise<void> {
    if (this.#writes.waiting >= maxOutputs) await this.#writes.settled();
    const now = this.#options.clock.now();
    if (!this.#pass2.crowded && now - this.#lastCheckpoint < checkpointEvery_ms * 1_000 * (idle ? 0.5 : 1)) return;
    await this.#checkpoint();
  }

  async #checkpoint(): Promise<void> {
    this.#lastCheckpoint = this.#options.clock.now();
    await this.#writes.settled();
    const meta: Meta = {
      program: this.#program?.hash ?? "",
      ledger: this.#working.state(),
      ...this.#pass2.state(),
      stored: this.#stored,
      flood: this.#flood.state(),
      canaries: this.#gate.state(),
      ends: this.#ends,
    };
    const { checkpoints, log } = this.#options;
    await checkpoints.commit(engineConsumer(this.#partition), this.#epoch, this.offset, JSON.stringify(meta), this.#pass2.drain());
    this.#pass2.written();
    this.durable = this.offset;
    this.ledger = this.#working.copy();
    await log.retain("raw", this.#partition, this.offset, keepRawBytes);
  }
}

/**
 * The raw offset whose outputs the topic's last batch of the partition holds, -1 where none does.
 * @param since where the last checkpoint left the topic: what lies before is of batches before it
 */
async function lastRaw(log: Log, topic: "findings" | "dead", partition: number, since: number): Promise<number> {
  const { start, end } = await log.bounds(topic, 0);
  for (let at = end - 1; at >= Math.max(start, since); at--) {
    const [entry] = await log.read(topic, 0, at, 1);
    if (entry && "bytes" in entry) {
      const batch = JSON.parse(Buffer.from(entry.bytes).toString()) as { readonly raw?: number; readonly partition?: number };
      // retractions and what the program itself has to say are of no raw batch
      if (batch.raw !== undefined && (batch.partition ?? 0) === partition) return batch.raw;
    }
  }
  return -1;
}

/**
 * What is taken in after a clock was set back bears a time before that of what is stored already: until a job is stored itself, nothing from its
 * observations on counts as stored.
 */
function storedBefore({ keyed }: Analysis, stored: Micros): Micros {
  let until = stored;
  for (const step of keyed) if ("observe" in step) until = Math.min(until, step.observe.received - 1);
  return until;
}
