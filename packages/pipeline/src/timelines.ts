/**
 * What happens now and what historical loads bring, each folded in a keyed engine of its own: neither moves the other's time nor touches its
 * keys, and both are in one checkpoint. Knows no detector's meaning and no store.
 */
import { idOf } from "@vedette/kit";
import type { DetectorLine, Finding, Micros, Observation } from "@vedette/model";
import type { CheckpointRow, CheckpointRows } from "@vedette/store";
import {
  bytesInMemory,
  type KeyedBounds,
  type KeyedDetector,
  KeyedEngine,
  type KeyedState,
  type KeyedStep,
  type KeyRow,
  keysInMemory,
  summed,
} from "./keyed.ts";
import type { Marks } from "./watermarks.ts";

/** No detector's name begins with a control character. */
const pastPrefix = "\u0001past\0";
/** Taken from what is due in the past's time, which then lies below all that is due in the present's: the table knows one order. */
const pastShift = 8e15;
/** While old events are loaded, what happens now keeps most of the memory. */
const pastShare = 0.4;

interface Wanted {
  readonly detector: string;
  readonly key: string;
}

export class Timeline {
  readonly keyed: KeyedEngine;
  readonly historical: boolean;
  readonly #prefix: string;

  constructor(keyed: KeyedEngine, historical: boolean) {
    this.keyed = keyed;
    this.historical = historical;
    this.#prefix = historical ? pastPrefix : "";
  }

  get residents(): readonly string[] {
    return this.keyed.residents.map((prefix) => `${this.#prefix}${prefix}`);
  }
  /** Rows of the checkpoint that memory lacks. */
  missing(wanted: Iterable<Wanted>): CheckpointRows & { readonly keys: readonly Omit<CheckpointRow, "value">[] } {
    return { keys: this.keyed.missing(wanted).map(({ shard, key }) => ({ shard, key: `${this.#prefix}${key}` })) };
  }
  due(wall: Micros, limit: number): CheckpointRows {
    const due = this.keyed.passed(wall);
    return this.historical ? { due: due - pastShift, limit } : { from: 0, due, limit };
  }
  /** Takes those of the rows that are its own. */
  restore(rows: readonly CheckpointRow[], spilled = false): void {
    const own = rows.filter(({ key }) => key.startsWith(pastPrefix) === this.historical);
    this.keyed.restore(
      own.map((row) => ({ ...row, key: row.key.slice(this.#prefix.length) })),
      spilled,
    );
  }
  drain(): readonly KeyRow[] {
    const rows = this.keyed.drain();
    if (!this.historical) return rows;
    return rows.map((row) => ({
      ...row,
      key: `${pastPrefix}${row.key}`,
      ...(row.due === undefined ? {} : { due: row.due - pastShift }),
    }));
  }

  /** Findings of the past have ids of their own: the same attack may be found among what happens now too. */
  told(findings: readonly Finding[]): readonly Finding[] {
    if (!this.historical) return findings;
    return findings.map((f) => ({
      ...f,
      id: historicalId(f.id),
      ...(f.supersedes === undefined ? {} : { supersedes: historicalId(f.supersedes) }),
      historical: true,
    }));
  }
}

const historicalId = (id: string): string => idOf(id, "historical");

/** What of the past is not a key's, in a checkpoint. */
export interface PastState {
  readonly keyed: KeyedState;
  readonly watermarks: ReturnType<Marks["entries"]>;
  readonly keys: number;
}

export class Timelines {
  readonly live: Timeline;
  #past: Timeline | undefined;
  #detectors: ReadonlyMap<string, KeyedDetector>;

  readonly #pastMarks: Marks;
  readonly #pastBounds: Partial<KeyedBounds>;
  readonly #run: number;

  /**
   * @param bounds of what happens now; the past's are in proportion
   * @param run see `KeyedEngine`
   */
  constructor(detectors: ReadonlyMap<string, KeyedDetector>, marks: Marks, pastMarks: Marks, bounds: Partial<KeyedBounds> = {}, run = 0) {
    this.#run = run;
    this.#detectors = detectors;
    this.#pastMarks = pastMarks;
    this.#pastBounds = { keys: (bounds.keys ?? keysInMemory) * pastShare, bytes: (bounds.bytes ?? bytesInMemory) * pastShare };
    this.live = new Timeline(new KeyedEngine(detectors, marks, bounds, run), false);
  }

  /** The past among them once there was a historical load. */
  get all(): readonly Timeline[] {
    return this.#past ? [this.live, this.#past] : [this.live];
  }
  get spilled(): number {
    return this.all.reduce((n, { keyed }) => n + keyed.spilled, 0);
  }
  get crowded(): boolean {
    return this.all.some(({ keyed }) => keyed.crowded);
  }

  adopt(detectors: ReadonlyMap<string, KeyedDetector>): void {
    this.#detectors = detectors;
    for (const { keyed } of this.all) keyed.adopt(detectors);
  }

  /** Each time's own steps, in log order. */
  share(steps: readonly KeyedStep[]): readonly (readonly [Timeline, readonly KeyedStep[]])[] {
    if (!this.#past && !steps.some(isPast)) return [[this.live, steps]];
    const past = this.#begin();
    return [
      [this.live, steps.filter((step) => !isPast(step))],
      [past, steps.filter((step) => isPast(step) || "tick" in step)],
    ];
  }
  take(steps: readonly KeyedStep[]): readonly Finding[] {
    return this.share(steps).flatMap(([timeline, own]) => timeline.told(timeline.keyed.take(own)));
  }
  finalise(wall: Micros): readonly Finding[] {
    return this.all.flatMap((timeline) => timeline.told(timeline.keyed.finalise(wall)));
  }

  /** Per detector, both times together. */
  lines(): readonly DetectorLine[] {
    return summed(this.all.flatMap(({ keyed }) => keyed.lines()));
  }

  drain(): readonly KeyRow[] {
    return this.all.flatMap((timeline) => timeline.drain());
  }
  spill(): void {
    for (const { keyed } of this.all) keyed.spill();
  }
  past(): PastState | undefined {
    const keyed = this.#past?.keyed;
    return keyed && { keyed: keyed.state(), watermarks: keyed.watermarks.entries(), keys: keyed.keys };
  }
  /**
   * @param rows what of the checkpoint is in memory from the start
   * @param count rows that it holds
   */
  resume(live: KeyedState | undefined, past: PastState | undefined, rows: readonly CheckpointRow[], count: number): void {
    if (past) {
      const { keyed } = this.#begin();
      keyed.watermarks.restore(past.watermarks);
      keyed.resume(past.keyed, 0);
    }
    for (const timeline of this.all) timeline.restore(rows);
    const left = past ? Math.max(0, past.keys - this.#past!.keyed.keysInMemory) : 0;
    const elsewhere = count - rows.length;
    if (past) this.#past!.keyed.resume(past.keyed, Math.min(left, elsewhere));
    this.live.keyed.resume(live, Math.max(0, elsewhere - left));
  }

  #begin(): Timeline {
    this.#past ??= new Timeline(new KeyedEngine(this.#detectors, this.#pastMarks, this.#pastBounds, this.#run), true);
    return this.#past;
  }
}

function isPast(step: KeyedStep): boolean {
  return "observe" in step ? (step.observe satisfies Observation).historical === true : "advance" in step && step.historical === true;
}
