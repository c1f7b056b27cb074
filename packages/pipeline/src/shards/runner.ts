/**
 * Pass 2 of one shard in a cluster: folds what every raw partition has for it, writes findings, then checkpoints. Which worker runs it is
 * decided elsewhere; two that run it at once cannot both checkpoint. Knows no format and no rule.
 */
import type { Clock } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { DetectorLine, Finding, Micros } from "@vedette/model";
import type { CheckpointStore, EventStore } from "@vedette/store";
import { Fold, type FoldState } from "../fold.ts";
import { goneBefore } from "../gap.ts";
import { type KeyedBounds, keysInMemory } from "../keyed.ts";
import type { Program } from "../program.ts";
import type { SpareTime } from "../spare_time.ts";
import type { FindingsBatch } from "../triage_runner.ts";
import { Writes } from "../writes.ts";
import { PartitionMarks } from "./marks.ts";
import { decodeShardRecord, type ShardStep, type StepsRecord } from "./record.ts";

interface Known {
  readonly program: Program;
  readonly number: number;
}

export interface ShardOptions {
  readonly log: Log;
  readonly shard: number;
  /** Of the raw topic. */
  readonly partitions: number;
  readonly checkpoints: CheckpointStore;
  readonly events: EventStore;
  readonly clock: Clock;
  /** A program by its hash, and which of two came into force later. */
  readonly program: (hash: string) => Known | undefined | Promise<Known | undefined>;
  /** Its share of the worker's memory. */
  readonly bounds?: KeyedBounds;
  /** Of the worker, for all its shards. */
  readonly spare?: SpareTime;
  readonly onProblem?: (code: string, message: string | undefined) => void;
}

/** What one raw partition told the shard last. */
interface From {
  epoch: number;
  last: number;
  stored: Micros;
}
interface Meta extends FoldState {
  readonly program: string;
  readonly from: readonly (readonly [partition: number, From])[];
  readonly marks: ReturnType<PartitionMarks["entries"]>;
  readonly past_marks: ReturnType<PartitionMarks["entries"]>;
  /** Of every detector; for those who run no shard. */
  readonly lines: readonly DetectorLine[];
}

const topic = "observations";
const readBytes = 1_048_576;
/** There are 64 of them, each a transaction. */
const checkpointEvery: Micros = 2_000_000;
/** Where nothing but ticks came. */
const checkpointQuietEvery: Micros = 15_000_000;
/** Of what is folded: enough to look at when something seems wrong. */
const keepBytes = 4_194_304;

/** Under which a shard's state is in the checkpoint store. */
export const shardConsumer = (shard: number): string => `shard/${shard}`;

export class ShardRunner {
  /** Next record of its partition. */
  offset = 0;
  /** Everything below it is in a checkpoint. */
  durable = 0;
  readonly #options: ShardOptions;
  readonly #consumer: string;
  readonly #marks: PartitionMarks;
  readonly #pastMarks: PartitionMarks;
  readonly #fold: Fold;
  readonly #writes: Writes<"findings">;
  readonly #from = new Map<number, From>();
  #program: { readonly program: Program; readonly number: number } | undefined;
  #epoch = 0;
  #lastCheckpoint = 0;
  /** Something else than ticks since the last checkpoint. */
  #changed = false;

  constructor(options: ShardOptions) {
    this.#options = options;
    this.#consumer = shardConsumer(options.shard);
    this.#marks = new PartitionMarks(options.partitions);
    this.#pastMarks = new PartitionMarks(options.partitions);
    this.#writes = new Writes(options.clock, options.onProblem);
    this.#fold = new Fold({
      checkpoints: options.checkpoints,
      consumer: this.#consumer,
      events: options.events,
      clock: options.clock,
      marks: this.#marks,
      pastMarks: this.#pastMarks,
      ...(options.bounds && { bounds: options.bounds }),
      spare: options.spare,
      settled: async () => {},
      onProblem: options.onProblem,
    });
  }

  /** Takes ownership and loads what the last checkpoint holds. */
  async load(): Promise<void> {
    const { checkpoints, bounds, program } = this.#options;
    this.#epoch = await checkpoints.acquire(this.#consumer);
    this.#fold.begin(this.#epoch);
    const saved = await checkpoints.load(this.#consumer, bounds?.keys ?? keysInMemory);
    this.offset = Math.max(saved.offset, 0);
    this.durable = this.offset;
    if (saved.meta === undefined) return;
    const meta = JSON.parse(saved.meta) as Meta;
    for (const [partition, from] of meta.from) this.#from.set(partition, from);
    this.#marks.restore(meta.marks);
    this.#pastMarks.restore(meta.past_marks);
    this.#fold.restore(meta, saved.keys, saved.count);
    const known = await program(meta.program);
    if (known) await this.#adopt(known);
  }

  lines(): readonly DetectorLine[] {
    return this.#fold.lines();
  }

  /** Runs until `signal` aborts, then checkpoints. Rejects when another worker has taken the shard over. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, shard } = this.#options;
    while (!signal.aborted) {
      const entries = await log.read(topic, shard, this.offset, readBytes);
      if (entries.length === 0) {
        await this.#checkpointIfDue();
        await log.wait(topic, shard, this.offset, signal);
        continue;
      }
      const gone = goneBefore(`${topic}/${shard}`, this.offset, entries);
      if (gone) this.#options.onProblem?.("log_gap", gone.message);
      for (const [n, entry] of entries.entries()) {
        if (!("bytes" in entry)) this.#options.onProblem?.("log_damaged", `observations ${shard}/${entry.offset}: ${entry.damaged}`);
        else await this.#take(entry.bytes, n < entries.length - 1);
        this.offset = entry.offset + 1;
        if (signal.aborted) break;
      }
      await this.#checkpointIfDue();
    }
    await this.#checkpoint();
  }

  /** What is found when nothing more comes. */
  finish(): readonly Finding[] {
    return this.#program ? this.#fold.finish() : [];
  }

  async #take(bytes: Uint8Array, busy: boolean): Promise<void> {
    const record = decodeShardRecord(bytes);
    const known = this.#from.get(record.from) ?? { epoch: 0, last: -1, stored: 0 };
    if (record.epoch < known.epoch) return;
    known.epoch = record.epoch;
    this.#from.set(record.from, known);
    if (record.kind === "fence" || record.last <= known.last) return;
    known.last = record.last;
    known.stored = Math.max(known.stored, record.stored);
    const program = await this.#options.program(record.program);
    if (program && (this.#program === undefined || program.number > this.#program.number)) await this.#adopt(program);
    if (this.#program) await this.#foldIn(record, busy, program ?? this.#program);
  }

  async #foldIn({ steps, from }: StepsRecord, busy: boolean, { program }: { readonly program: Program }): Promise<void> {
    const { partitions } = this.#options;
    const stored = this.#from.size < partitions ? 0 : Math.min(...[...this.#from.values()].map((one) => one.stored));
    const findings: Finding[] = [];
    for (const part of byTicks(steps)) {
      const last = part.at(-1)!;
      this.#changed ||= part.length > 1 || !("tick" in last);
      if ("tick" in last) {
        this.#marks.report(from, last.tick, last.live);
        this.#pastMarks.report(from, last.tick, last.past);
      }
      const { found, late } = await this.#fold.take(part, { stored, busy });
      findings.push(...found, ...late);
    }
    if (findings.length === 0) return;
    this.#changed = true;
    const batch = { program: program.hash, findings } satisfies FindingsBatch;
    this.#writes.add("findings", () => this.#options.log.append("findings", 0, Buffer.from(JSON.stringify(batch))));
  }

  async #adopt(known: Known): Promise<void> {
    await this.#fold.adopt(known.program);
    this.#program = known;
  }

  async #checkpointIfDue(): Promise<void> {
    if (this.offset === this.durable) return;
    const every = this.#changed ? checkpointEvery : checkpointQuietEvery;
    if (!this.#fold.crowded && this.#options.clock.now() - this.#lastCheckpoint < every) return;
    await this.#checkpoint();
  }

  async #checkpoint(): Promise<void> {
    const { checkpoints, clock, log, shard } = this.#options;
    this.#lastCheckpoint = clock.now();
    this.#changed = false;
    await this.#writes.settled();
    const meta: Meta = {
      program: this.#program?.program.hash ?? "",
      from: [...this.#from],
      marks: this.#marks.entries(),
      past_marks: this.#pastMarks.entries(),
      lines: this.lines(),
      ...this.#fold.state(),
    };
    await checkpoints.commit(this.#consumer, this.#epoch, this.offset, JSON.stringify(meta), this.#fold.drain());
    this.#fold.written();
    this.durable = this.offset;
    await log.retain(topic, shard, this.offset, keepBytes);
  }
}

/** Each tick with what came before it: the marks that it brings are in force from it on, and not earlier. */
function byTicks(steps: readonly ShardStep[]): readonly (readonly ShardStep[])[] {
  const parts: ShardStep[][] = [];
  let part: ShardStep[] = [];
  for (const step of steps) {
    part.push(step);
    if (!("tick" in step)) continue;
    parts.push(part);
    part = [];
  }
  return part.length > 0 ? [...parts, part] : parts;
}
