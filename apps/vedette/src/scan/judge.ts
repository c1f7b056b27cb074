/** Runs both passes over pieces of files: the hot loop of a scan. Knows neither files nor how findings are shown. */
import { type FormatSpec, systemClock } from "@vedette/kit";
import type { DeadLetter, Finding } from "@vedette/model";
import { Analyser, type Compiled, encodeRecords, KeyedEngine, type KeyedStep } from "@vedette/pipeline";
import type { Piece } from "./records.ts";

/** What one piece came to at once; episodes over time come at the end. */
export interface Judged {
  readonly findings: readonly Finding[];
  readonly dead: readonly DeadLetter[];
  /** Records left out on purpose, by reason: comments, blank lines. */
  readonly dropped: { readonly [reason: string]: number };
  readonly events: number;
}

/** Observations held so as to be folded in the order of time; a hunt over more folds them in parts. */
const maxHeld = 2_000_000;

type Observe = Extract<KeyedStep, { observe: unknown }>;

export class Judge {
  readonly #compiled: Compiled;
  readonly #analyser: Analyser;
  readonly #keyed: KeyedEngine;
  readonly #episodes = new Map<string, Finding>();
  #held: Observe[] = [];
  /** Times that observations were folded before the end of the input: between parts an episode may be counted twice or missed. */
  parts = 0;

  constructor(compiled: Compiled, formats: ReadonlyMap<string, FormatSpec>) {
    this.#compiled = compiled;
    this.#analyser = new Analyser(formats);
    this.#keyed = new KeyedEngine(compiled.stage.detectors);
  }

  take({ file, first, format, preamble, records }: Piece): Judged {
    const header = {
      kind: "records" as const,
      version: 1 as const,
      program: this.#compiled.program.hash,
      tenant: "main",
      source: file,
      received: systemClock.now(),
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
    const job = { entries: [{ offset: 0, bytes }], sample: false, store: false, findingsPerRule: Number.POSITIVE_INFINITY };
    const { findings, keyed, dead, sources } = this.#analyser.analyse(job, this.#compiled);
    for (const step of keyed) if ("observe" in step) this.#held.push(step);
    if (this.#held.length > maxHeld) {
      this.parts++;
      this.#fold();
    }
    const { dropped, stored } = sources[file]!;
    return { findings, dead, dropped, events: stored };
  }

  /** Findings about several events, once everything was read. */
  end(): readonly Finding[] {
    this.#fold();
    return [...this.#episodes.values()].sort((a, b) => a.time - b.time);
  }

  /** Files come one after another, but what they tell happened side by side: keyed detectors see it in the order of time. */
  #fold(): void {
    const steps = this.#held.sort(
      ({ observe: a }, { observe: b }) => a.time - b.time || (a.source < b.source ? -1 : a.source > b.source ? 1 : a.seq - b.seq),
    );
    this.#held = [];
    for (const finding of [...this.#keyed.take(steps.map(inOrder)), ...this.#keyed.finalise(Number.POSITIVE_INFINITY)]) {
      if (finding.supersedes !== undefined) this.#episodes.delete(finding.supersedes);
      this.#episodes.set(finding.id, finding);
    }
  }
}

/** What a file had told before in its own order does not make anything late here. */
const inOrder = ({ observe }: Observe): Observe => ({ observe: { ...observe, seen: Number.NEGATIVE_INFINITY } });
