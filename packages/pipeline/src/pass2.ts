/** What becomes of pass 1's keyed steps: folded where they arise, or handed to the shards of a cluster (shards/publisher.ts). */
import type { DetectorLine, Finding, Micros } from "@vedette/model";
import type { CheckpointRow } from "@vedette/store";
import type { Analysis } from "./analysis.ts";
import { Fold, type FoldOptions, type FoldState, type Reached } from "./fold.ts";
import type { KeyRow } from "./keyed.ts";
import type { Program } from "./program.ts";
import { Watermarks } from "./watermarks.ts";

/** What of it is no key's, in the engine's checkpoint. */
export interface Pass2State extends FoldState {
  readonly watermarks: ReturnType<Watermarks["entries"]>;
  /** Of a publisher: the past's marks, and where its own last record lies in each shard's partition. */
  readonly past_watermarks?: ReturnType<Watermarks["entries"]>;
  readonly published?: readonly number[];
}

export interface Told {
  readonly found: readonly Finding[];
  /** Of no raw batch, see `Fold.take`. */
  readonly late: readonly Finding[];
  /** To be written before the next checkpoint, in order. @param stored receive time up to which the event store has everything */
  readonly publish?: (stored: Micros) => Promise<void>;
}

export interface Pass2 {
  /** Takes over after another run, or another process. @param epoch of the engine that writes from now on */
  load(saved: Pass2State | undefined, keys: readonly CheckpointRow[], count: number, epoch: number): Promise<void>;
  adopt(program: Program): Promise<void>;
  take(analysis: Analysis, reached: Reached): Promise<Told>;
  /** A job must not go on beyond this raw offset: what an earlier run told of it ends there. */
  endsAt(offset: number): boolean;
  state(): Pass2State;
  drain(): readonly KeyRow[];
  /** What was drained is durable. */
  written(): void;
  readonly crowded: boolean;
  lines(): readonly DetectorLine[];
}

/** Both passes in one process under one checkpoint. */
export class FoldedHere implements Pass2 {
  readonly #marks = new Watermarks();
  readonly #fold: Fold;

  constructor(options: Omit<FoldOptions, "marks" | "pastMarks">) {
    this.#fold = new Fold({ ...options, marks: this.#marks, pastMarks: new Watermarks() });
  }

  async load(saved: Pass2State | undefined, keys: readonly CheckpointRow[], count: number, epoch: number): Promise<void> {
    this.#fold.begin(epoch);
    if (saved === undefined) return;
    this.#marks.restore(saved.watermarks);
    this.#fold.restore(saved, keys, count);
  }
  adopt(program: Program): Promise<void> {
    return this.#fold.adopt(program);
  }
  take({ keyed }: Analysis, reached: Reached): Promise<Told> {
    return this.#fold.take(keyed, reached);
  }
  endsAt(): boolean {
    return false;
  }
  state(): Pass2State {
    return { watermarks: this.#marks.entries(), ...this.#fold.state() };
  }
  drain(): readonly KeyRow[] {
    return this.#fold.drain();
  }
  written(): void {
    this.#fold.written();
  }
  get crowded(): boolean {
    return this.#fold.crowded;
  }
  lines(): readonly DetectorLine[] {
    return this.#fold.lines();
  }
}
