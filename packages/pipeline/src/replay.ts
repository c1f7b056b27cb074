/** Runs both passes again over the retained raw log and sums up what they find: the same log and programs always give the same digest. */
import { contentHash } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Finding, Micros } from "@vedette/model";
import { groupOf } from "@vedette/triage";
import { keyedDetectors } from "./analyse.ts";
import type { Job } from "./analysis.ts";
import { programOf } from "./batch.ts";
import { CanaryGate, type CanaryKey } from "./canary/mark.ts";
import type { Control } from "./control.ts";
import type { KeyedStep } from "./keyed.ts";
import type { Pool } from "./pool.ts";
import type { Program } from "./program.ts";
import { Timelines } from "./timelines.ts";
import { Watermarks } from "./watermarks.ts";

export interface Replayed {
  /** SHA-256 over canonical findings and their grouping, as sorted sets without ids; docs/format/raw.md. */
  readonly digest: string;
  readonly batches: number;
  readonly events: number;
  readonly findings: number;
  readonly groups: number;
  /** Raw batches that no longer read. */
  readonly damaged: number;
}

export interface ReplayOptions {
  readonly log: Log;
  readonly control: Control;
  readonly pool: Pool;
  /** Of the raw topic; one without it. */
  readonly partitions?: number;
  /** Bytes of raw batches a job holds: changes nothing in the answer. */
  readonly jobBytes?: number;
  readonly onProgress?: (done: number, total: number) => void;
  /** By which canaries are known, and left out. */
  readonly canaryKey?: CanaryKey;
}

/**
 * Several partitions are gone through side by side, from tick to tick: those of one wall time are one, and come when every partition has been
 * read up to them.
 */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { control, onProgress, partitions = 1 } = options;
  const run = new Run(control, partitions);
  const readers = await Promise.all(Array.from({ length: partitions }, (_, n) => PartitionReader.open(options, n, run)));
  const total = readers.reduce((sum, { start, end }) => sum + end - start, 0);
  const done = () => readers.reduce((sum, { at, start }) => sum + at - start, 0);
  for (;;) {
    const heads: (readonly [PartitionReader, Stretch])[] = [];
    for (const reader of readers) {
      const head = await reader.head();
      if (head) heads.push([reader, head]);
    }
    if (heads.length === 0) break;
    const wall = Math.min(...heads.map(([, head]) => head.wall));
    let tick: KeyedStep | undefined;
    for (const [reader, head] of heads.filter(([, one]) => one.wall === wall)) {
      for (const { program, steps } of head.parts) await run.fold(program, steps);
      tick ??= head.tick;
      reader.pass();
    }
    if (tick) run.take([tick]);
    onProgress?.(done(), total);
  }
  run.finish();
  return { ...digestOf([...run.found.values()]), batches: total, events: run.events, damaged: run.damaged };
}

/** What is folded and found, of whichever partition. */
class Run {
  readonly found = new Map<string, Finding>();
  events = 0;
  damaged = 0;
  readonly #control: Control;
  readonly #several: boolean;
  readonly #watermarks = new Watermarks();
  #keyed: Timelines | undefined;
  #current: Program | undefined;

  constructor(control: Control, partitions: number) {
    this.#control = control;
    this.#several = partitions > 1;
  }

  keep(findings: readonly Finding[]): void {
    for (const f of findings) {
      if (f.supersedes !== undefined) this.found.delete(f.supersedes);
      if (f.withdrawn) this.found.delete(f.id);
      else this.found.set(f.id, f);
    }
  }

  async fold(program: Program, steps: readonly KeyedStep[]): Promise<void> {
    if (this.#goesOnWith(program)) {
      const detectors = await keyedDetectors(program);
      if (this.#keyed) this.#keyed.adopt(detectors);
      else this.#keyed = new Timelines(detectors, this.#watermarks, new Watermarks());
      this.#current = program;
    }
    this.take(steps);
  }
  take(steps: readonly KeyedStep[]): void {
    this.keep(this.#keyed?.take(steps) ?? []);
  }
  finish(): void {
    this.keep(this.#keyed?.finalise(Number.POSITIVE_INFINITY) ?? []);
  }

  /** A change reaches partitions at different moments: as shards do, it goes forward only. */
  #goesOnWith(program: Program): boolean {
    const current = this.#current;
    if (current === undefined || !this.#several) return program !== current;
    const numberOf = ({ hash }: Program) => this.#control.latest(hash)?.number ?? 0;
    return numberOf(program) > numberOf(current);
  }
}

/** Steps up to a tick, or to the end of a partition. */
interface Stretch {
  readonly parts: { readonly program: Program; readonly steps: readonly KeyedStep[] }[];
  readonly tick?: KeyedStep;
  /** Of the tick; infinite at the end. */
  readonly wall: Micros;
}

class PartitionReader {
  readonly start: number;
  readonly end: number;
  at: number;
  readonly #options: ReplayOptions;
  readonly #partition: number;
  readonly #run: Run;
  readonly #gate: CanaryGate;
  #program: Program | undefined;
  #stretches: Stretch[] = [];
  #open: Stretch["parts"] = [];

  private constructor(
    options: ReplayOptions,
    partition: number,
    run: Run,
    { start, end }: { readonly start: number; readonly end: number },
  ) {
    this.#options = options;
    this.#partition = partition;
    this.#run = run;
    this.#gate = new CanaryGate(options.canaryKey);
    this.start = start;
    this.at = start;
    this.end = end;
  }

  static async open(options: ReplayOptions, partition: number, run: Run): Promise<PartitionReader> {
    return new PartitionReader(options, partition, run, await options.log.bounds("raw", partition));
  }

  /** What comes next; undefined at the end. */
  async head(): Promise<Stretch | undefined> {
    while (this.#stretches.length === 0 && this.at < this.end) await this.#read();
    if (this.#stretches.length === 0 && this.#open.length > 0) {
      this.#stretches.push({ parts: this.#open, wall: Number.POSITIVE_INFINITY });
      this.#open = [];
    }
    return this.#stretches[0];
  }
  pass(): void {
    this.#stretches.shift();
  }

  async #read(): Promise<void> {
    const { control, jobBytes = 1_048_576, log } = this.#options;
    const entries = await log.read("raw", this.#partition, this.at, jobBytes);
    if (entries.length === 0) this.at = this.end;
    let group: { offset: number; bytes: Uint8Array }[] = [];
    for (const entry of entries) {
      this.at = entry.offset + 1;
      if (!("bytes" in entry)) {
        this.#run.damaged++;
        continue;
      }
      if (typeof this.#gate.admit(entry.offset, entry.bytes) === "object") continue;
      const hash = programOf(entry.bytes);
      const wanted = hash === undefined ? this.#program : (control.program(hash) ?? this.#program);
      if (wanted !== this.#program) {
        await this.#analyse(group);
        group = [];
      }
      this.#program = wanted;
      group.push({ offset: entry.offset, bytes: entry.bytes });
    }
    await this.#analyse(group);
  }

  async #analyse(entries: Job["entries"]): Promise<void> {
    const program = this.#program;
    if (entries.length === 0 || program === undefined) return;
    const result = await this.#options.pool.run({ entries, sample: false, store: false }, program);
    this.#run.damaged += result.damaged.length;
    this.#run.events += Object.values(result.sources).reduce((n, s) => n + s.stored, 0);
    this.#run.keep(result.findings);
    let steps: KeyedStep[] = [];
    for (const step of result.keyed) {
      if (!("tick" in step)) {
        steps.push(step);
        continue;
      }
      this.#stretches.push({ parts: [...this.#open, { program, steps }], tick: step, wall: step.tick });
      [this.#open, steps] = [[], []];
    }
    if (steps.length > 0) this.#open.push({ program, steps });
  }
}

/** What a run found comes to, whoever ran it. */
export function digestOf(findings: readonly Finding[]): Pick<Replayed, "digest" | "findings" | "groups"> {
  const canonical = findings.filter((f) => f.canonical);
  const groups = new Map<string, Set<string>>();
  for (const f of canonical) {
    const members = groups.get(groupOf(f)) ?? new Set();
    members.add(shape(f));
    groups.set(groupOf(f), members);
  }
  const digest = contentHash(JSON.stringify([canonical.map(shape).sort(), [...groups.values()].map((m) => [...m].sort()).sort()]));
  return { digest, findings: canonical.length, groups: groups.size };
}

const shape = (f: Finding): string =>
  JSON.stringify([f.rule.id, f.rule.hash, f.key, f.window.start, f.window.end, f.severity, [...f.events].sort()]);
