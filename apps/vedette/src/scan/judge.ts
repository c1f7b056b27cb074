/** Runs both passes over pieces of files: the hot loop of a scan, on every core once there is enough to do. Knows neither files nor how findings are shown. */
import { availableParallelism } from "node:os";
import { type FormatSpec, systemClock } from "@vedette/kit";
import type { DeadLetter, Finding, Micros } from "@vedette/model";
import {
  Analyser,
  type Analysis,
  type Compiled,
  encodeRecords,
  type Job,
  KeyedEngine,
  type KeyedStep,
  type Marks,
  type Pool,
  threadPool,
} from "@vedette/pipeline";
import type { Piece } from "./records.ts";

/** What one piece came to at once; episodes over time come at the end. */
export interface Judged {
  readonly findings: readonly Finding[];
  readonly dead: readonly DeadLetter[];
  /** Records left out on purpose, by reason: comments, blank lines. */
  readonly dropped: { readonly [reason: string]: number };
  readonly events: number;
}

export interface JudgeOptions {
  /** Where the rules are kept, for the threads. */
  readonly ruleFile?: string | undefined;
  readonly threads?: number;
  /** Bytes that this thread judges alone; none of them where twice as many are expected. */
  readonly alone?: number;
  /** Bytes that there are to judge, as far as is known: what is compressed comes to more. */
  readonly expected?: number;
  /** When all of it came in: by default now. */
  readonly received?: Micros;
}

/**
 * A thread takes two to three seconds of a core to start, prepare its rules and become quick, and this one has reading and putting together to do
 * besides. On two cores 758 MB of Windows events took 25.7 CPU s and 23.6 s alone, 35.2 CPU s and 22.1 s with two threads.
 */
const aloneBytes = 300_000_000;
/** Pieces given out per thread: one it works at, one that waits for it. */
const piecesPerThread = 2;
/** Observations held so as to be folded in the order of time; a hunt over more folds them in parts. */
const maxHeld = 2_000_000;
/** What is settled is let go so often, in event time: the histories of keys stay short, and each event costs the same. */
const tickEvery: Micros = 60_000_000;

type Observe = Extract<KeyedStep, { observe: unknown }>;

/** A piece that was given out, and who waits for what it comes to. */
interface Given {
  readonly source: string;
  readonly analysis: Promise<Analysis>;
  readonly done: (judged: Judged) => void;
}

export class Judge {
  readonly #compiled: Compiled;
  readonly #analyser: Analyser;
  readonly #ruleFile: string | undefined;
  readonly #threads: number;
  readonly #received: Micros | undefined;
  #alone: number;
  #pool: Pool | undefined;
  readonly #given: Given[] = [];
  readonly #episodes = new Map<string, Finding>();
  #held: Observe[] = [];
  /** Times that observations were folded before the end of the input: between parts an episode may be counted twice or missed. */
  parts = 0;

  constructor(compiled: Compiled, formats: ReadonlyMap<string, FormatSpec>, options: JudgeOptions = {}) {
    this.#compiled = compiled;
    this.#analyser = new Analyser(formats);
    this.#ruleFile = options.ruleFile;
    this.#threads = options.threads ?? availableParallelism() - 1;
    const alone = options.alone ?? aloneBytes;
    this.#alone = (options.expected ?? 0) > 2 * alone ? 0 : alone;
    this.#received = options.received;
  }

  /** Pieces are done in the order in which they were given, whoever judges them; it waits while many are under way. */
  async take(piece: Piece, done: (judged: Judged) => void): Promise<void> {
    const job = this.#jobOf(piece);
    if (this.#alone > 0 || this.#threads < 2) {
      for (const { bytes } of job.entries) this.#alone -= bytes.length;
      return done(this.#judged(piece.file, this.#analyser.analyse(job, this.#compiled)));
    }
    this.#pool ??= threadPool(this.#threads, undefined, this.#ruleFile);
    const analysis = this.#pool.run(job, this.#compiled.program);
    // it is waited for below, in its turn
    analysis.catch(() => {});
    this.#given.push({ source: piece.file, analysis, done });
    while (this.#given.length > this.#threads * piecesPerThread) await this.#next();
  }

  /** Findings about several events, once everything was read and done. */
  async end(): Promise<readonly Finding[]> {
    while (this.#given.length > 0) await this.#next();
    this.#fold();
    return [...this.#episodes.values()].sort((a, b) => a.time - b.time);
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }

  async #next(): Promise<void> {
    const { source, analysis, done } = this.#given.shift()!;
    done(this.#judged(source, await analysis));
  }

  #jobOf({ file, first, format, preamble, records }: Piece): Job {
    const header = {
      kind: "records" as const,
      version: 1 as const,
      program: this.#compiled.program.hash,
      tenant: "main",
      source: file,
      received: this.#received ?? systemClock.now(),
      demo: false,
      seq: first,
      runs: [{ stream: file, format, count: records.length, ...(preamble === undefined ? {} : { preamble }) }],
      positions: records.map((_, i) => String(first + i + 1)),
      flaws: Object.fromEntries(records.flatMap((r, i) => (r.flaw ? [[i, r.flaw]] : []))),
    };
    const bytes = encodeRecords(
      header,
      records.map((r) => r.body),
    );
    return { entries: [{ offset: 0, bytes }], sample: false, store: false, findingsPerRule: Number.POSITIVE_INFINITY };
  }

  #judged(source: string, { findings, keyed, dead, sources }: Analysis): Judged {
    for (const step of keyed) if ("observe" in step) this.#held.push(step);
    if (this.#held.length > maxHeld) {
      this.parts++;
      this.#fold();
    }
    const { dropped, stored } = sources[source]!;
    return { findings, dead, dropped, events: stored };
  }

  /** Files come one after another, but what they tell happened side by side: keyed detectors see it in the order of time. */
  #fold(): void {
    const held = this.#held.sort(
      ({ observe: a }, { observe: b }) => a.time - b.time || (a.source < b.source ? -1 : a.source > b.source ? 1 : a.seq - b.seq),
    );
    this.#held = [];
    const keyed = new KeyedEngine(this.#compiled.stage.detectors, new InOrder());
    for (const finding of [...keyed.take(withTicks(held)), ...keyed.finalise(Number.POSITIVE_INFINITY)]) {
      if (finding.supersedes !== undefined) this.#episodes.delete(finding.supersedes);
      this.#episodes.set(finding.id, finding);
    }
  }
}

/** @param held in the order of time */
function withTicks(held: readonly Observe[]): KeyedStep[] {
  const steps: KeyedStep[] = [];
  let next = Number.NEGATIVE_INFINITY;
  for (const step of held) {
    const { time } = step.observe;
    if (time >= next) {
      steps.push({ tick: time });
      next = time + tickEvery;
    }
    steps.push(inOrder(step));
  }
  return steps;
}

/** All comes in the order of time, whichever host's it is: a tick tells how far everybody has come. */
class InOrder implements Marks {
  of = () => Number.NEGATIVE_INFINITY;
  advance(): void {}
  global = (tick: Micros) => tick;
  held = () => Number.POSITIVE_INFINITY;
  entries = () => [];
  restore(): void {}
}

/** What a file had told before in its own order does not make anything late here. */
const inOrder = ({ observe }: Observe): Observe => ({ observe: { ...observe, seen: Number.NEGATIVE_INFINITY } });
