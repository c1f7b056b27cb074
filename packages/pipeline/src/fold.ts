/**
 * Pass 2 and what it needs of the world: keys that memory lacks from the checkpoint, and the catch-up lane's questions to the event store. The
 * same for an engine that runs both passes and for a shard of a cluster. Knows no log and no detector's meaning.
 */
import type { Clock } from "@vedette/kit";
import type { DetectorLine, Finding, Micros } from "@vedette/model";
import type { CheckpointRow, CheckpointStore, EventStore } from "@vedette/store";
import { keyedDetectors } from "./analyse.ts";
import type { KeyedBounds, KeyedState, KeyedStep, KeyRow } from "./keyed.ts";
import { catchUpLate } from "./late.ts";
import type { Program } from "./program.ts";
import { SpareTime } from "./spare_time.ts";
import { type PastState, type Timeline, Timelines } from "./timelines.ts";
import type { Marks } from "./watermarks.ts";

export interface FoldOptions {
  readonly checkpoints: CheckpointStore;
  /** Whose keys they are in the checkpoint store. */
  readonly consumer: string;
  readonly events: EventStore;
  readonly clock: Clock;
  readonly marks: Marks;
  readonly pastMarks: Marks;
  readonly bounds?: Partial<KeyedBounds>;
  /** Of the process, where it has more than one fold. */
  readonly spare?: SpareTime | undefined;
  /** Resolves when the event store holds all that was handed to it so far. */
  readonly settled: () => Promise<unknown>;
  readonly onProblem?: ((code: string, message: string | undefined) => void) | undefined;
}

/** What of a fold is not a key's, in a checkpoint. */
export interface FoldState {
  readonly keyed?: KeyedState;
  readonly past?: PastState;
}

/** How far things are, as of the steps that are taken. */
export interface Reached {
  /** Receive time of the newest event that the store has, or will have once `settled` resolves. */
  readonly stored: Micros;
  /** More work waits. */
  readonly busy: boolean;
}

/** Keys fetched from the checkpoint for one tick: what a crowd of keys that end together costs is spread over several. */
const dueAtOnce = 5_000;
/** Keys caught up with one question to the store. */
const lateAtOnce = 200;

type KeyedTick = Extract<KeyedStep, { readonly tick: number }>;

export class Fold {
  readonly #options: FoldOptions;
  #keyed: Timelines | undefined;
  #restored: { readonly state: FoldState; readonly keys: readonly CheckpointRow[]; readonly count: number } | undefined;
  readonly #spare: SpareTime;
  #run = 0;

  constructor(options: FoldOptions) {
    this.#options = options;
    this.#spare = options.spare ?? new SpareTime(options.clock);
  }

  /** @param run number of the run that folds from now on, higher than any before it */
  begin(run: number): void {
    this.#run = run;
  }

  /** What the last checkpoint holds; taken in with the first program. @param count keys that it holds in all */
  restore(state: FoldState, keys: readonly CheckpointRow[], count: number): void {
    this.#restored = { state, keys, count };
  }

  /** Goes over to a program. */
  async adopt(program: Program): Promise<void> {
    const detectors = await keyedDetectors(program);
    if (this.#keyed) {
      this.#keyed.adopt(detectors);
      return;
    }
    const { marks, pastMarks, bounds } = this.#options;
    this.#keyed = new Timelines(detectors, marks, pastMarks, bounds, this.#run);
    if (this.#restored) await this.#resume(this.#keyed, this.#restored);
    this.#restored = undefined;
  }

  /** What happened to each detector's observations, as of now. */
  lines(): readonly DetectorLine[] {
    return this.#keyed?.lines() ?? [];
  }
  /** Memory holds more than it should until the next checkpoint. */
  get crowded(): boolean {
    return this.#keyed?.crowded ?? false;
  }

  /**
   * Steps in log order; after a tick also what came too late for its keys and has waited long enough.
   * @returns `late` is of no raw batch: a run after a crash may come to it at another one
   */
  async take(
    steps: readonly KeyedStep[],
    reached: Reached,
  ): Promise<{ readonly found: readonly Finding[]; readonly late: readonly Finding[] }> {
    const [found, late]: [Finding[], Finding[]] = [[], []];
    const tick = steps.findLast((step) => "tick" in step);
    for (const [timeline, own] of this.#keyed!.share(steps)) {
      const wanted = timeline.keyed.spilled === 0 ? [] : own.flatMap((step) => ("observe" in step ? [step.observe] : []));
      await this.#fetch(timeline, wanted, tick);
      found.push(...timeline.told(timeline.keyed.take(own)));
      if (tick) late.push(...timeline.told(await this.#catchUp(timeline, tick.tick, reached)));
    }
    return { found, late };
  }

  /** What is to be written with the next checkpoint, and once it is durable let go of by `written`. */
  state(): FoldState {
    if (!this.#keyed) return {};
    const past = this.#keyed.past();
    return { keyed: this.#keyed.live.keyed.state(), ...(past && { past }) };
  }
  drain(): readonly KeyRow[] {
    return this.#keyed?.drain() ?? [];
  }
  written(): void {
    this.#keyed?.spill();
  }

  /** Everything is final: the end of a replay. Nothing may be in the checkpoint alone. */
  finish(): readonly Finding[] {
    return this.#keyed?.finalise(Number.POSITIVE_INFINITY) ?? [];
  }

  /** Where the checkpoint holds more keys than memory should, most stay there until they are needed. */
  async #resume(
    keyed: Timelines,
    { state, keys, count }: { readonly state: FoldState; readonly keys: readonly CheckpointRow[]; readonly count: number },
  ): Promise<void> {
    const { checkpoints, consumer } = this.#options;
    const rows = [...keys];
    if (keys.length < count)
      for (const prefix of keyed.all.flatMap((timeline) => timeline.residents))
        rows.push(...(await checkpoints.rows(consumer, { prefix })));
    keyed.resume(state.keyed, state.past, rows, count);
  }

  /**
   * Folds in what came too late. While there is other work, in a twentieth of the time: what one question takes longer, later ticks pay for.
   * When so much waits that there would soon be no room for more, in a third: what happens now goes first all the same.
   */
  async #catchUp(timeline: Timeline, wall: Micros, { stored, busy }: Reached): Promise<readonly Finding[]> {
    const { clock, consumer, events, settled, onProblem } = this.#options;
    const { keyed, historical } = timeline;
    const findings: Finding[] = [];
    if (keyed.lane.size === 0) return findings;
    await this.#spare.spend(`${consumer} ${historical}`, { busy, rest: keyed.lane.urgent ? 2 : 19 }, async (until) => {
      do {
        const late = keyed.lane.take(wall, stored, lateAtOnce);
        if (late.length === 0) break;
        // the store must hold all that was analysed so far: what comes of it is a function of the log
        await settled();
        await this.#fetch(timeline, late);
        findings.push(...(await catchUpLate(keyed, late, { events, reached: stored, historical, onProblem })));
      } while (clock.now() < until);
    });
    return findings;
  }

  /** Has in memory what is wanted of keys, and keys to be looked at when a tick comes. */
  async #fetch(
    timeline: Timeline,
    wanted: readonly { readonly detector: string; readonly key: string }[],
    tick?: KeyedTick,
  ): Promise<void> {
    if (timeline.keyed.spilled === 0) return;
    const { checkpoints, consumer } = this.#options;
    const missing = timeline.missing(wanted);
    if (missing.keys.length > 0) timeline.restore(await checkpoints.rows(consumer, missing), true);
    if (tick) timeline.restore(await checkpoints.rows(consumer, timeline.due(tick.tick, dueAtOnce)), true);
  }
}
