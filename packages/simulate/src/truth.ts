/** The truth about a simulation: what was staged, whom it concerns, which records tell of it. Knows no detector. */
import type { Micros } from "@vedette/model";

/** What a good detection would say. */
export interface Expected {
  /** False: something that looks bad and is not. */
  readonly alert: boolean;
  /** What an alert should be about. */
  readonly entity: "slurm.job" | "user" | "source.ip" | "host";
  readonly attack: readonly string[];
  readonly about: string;
}

/** Lines of one file, or records of one stream where nothing was written to files. */
export interface Place {
  readonly file: string;
  readonly count: number;
  /** Ranges of lines from 1, both ends included; at most `maxRanges`, the rest is counted alone. */
  readonly lines: readonly (readonly [from: number, to: number])[];
}

/** Attacks have hundreds of records; what makes more has them in runs. */
const maxRanges = 2_000;

/** An attack while it is played: scenes add who and what it touches. */
export class Incident {
  readonly id: string;
  readonly scenario: string;
  readonly expected: Expected;
  user: string | undefined;
  uid: number | undefined;
  readonly jobs: number[] = [];
  /** Machines that are the incident's own for its time; log-in nodes, which many share, are not among them. */
  readonly nodes = new Set<string>();
  readonly logins = new Set<string>();
  readonly addresses = new Set<string>();
  #start: Micros | undefined;
  #end: Micros = 0;
  readonly #places = new Map<string, { count: number; lines: [number, number][] }>();

  constructor(id: string, scenario: string, expected: Expected) {
    this.id = id;
    this.scenario = scenario;
    this.expected = expected;
  }

  /** A record of it came to be. */
  at(time: Micros): void {
    this.#start ??= time;
    this.#end = Math.max(this.#end, time);
  }

  /** Where a record of it was written. */
  wrote(file: string, line: number): void {
    let place = this.#places.get(file);
    if (place === undefined) {
      place = { count: 0, lines: [] };
      this.#places.set(file, place);
    }
    place.count++;
    const last = place.lines.at(-1);
    if (last !== undefined && last[1] === line - 1) last[1] = line;
    else if (place.lines.length < maxRanges) place.lines.push([line, line]);
  }

  get begun(): boolean {
    return this.#start !== undefined;
  }

  /** What stands in truth.ndjson. */
  told(): IncidentTruth {
    return {
      kind: "incident",
      simulated: true,
      id: this.id,
      scenario: this.scenario,
      start: new Date((this.#start ?? 0) / 1_000).toISOString(),
      end: new Date(this.#end / 1_000).toISOString(),
      ...(this.user === undefined ? {} : { user: this.user, uid: this.uid! }),
      jobs: this.jobs,
      nodes: [...this.nodes],
      logins: [...this.logins],
      addresses: [...this.addresses],
      expected: this.expected,
      records: [...this.#places].map(([file, { count, lines }]): Place => ({ file, count, lines })),
    };
  }
}

export interface IncidentTruth {
  readonly kind: "incident";
  readonly simulated: true;
  readonly id: string;
  readonly scenario: string;
  readonly start: string;
  readonly end: string;
  readonly user?: string;
  readonly uid?: number;
  readonly jobs: readonly number[];
  readonly nodes: readonly string[];
  readonly logins: readonly string[];
  readonly addresses: readonly string[];
  readonly expected: Expected;
  readonly records: readonly Place[];
}

/** The first line of truth.ndjson. */
export interface SimulationTruth {
  readonly kind: "simulation";
  readonly simulated: true;
  readonly seed: number;
  readonly nodes: number;
  readonly start: string;
  readonly end: string;
  readonly activity: number;
  readonly records: { readonly [stream: string]: number };
  /** Jobs that ended or were still running at the end. */
  readonly jobs: number;
}

/** A line of truth_jobs.ndjson: every job, the benign with their profile. */
export interface JobTruth {
  readonly kind: "job";
  readonly simulated: true;
  readonly job: number;
  readonly user: string;
  readonly account: string;
  readonly profile: string;
  /** Work that a miner could be taken for, or the other way round. */
  readonly lookalike: boolean;
  readonly incident?: string;
  readonly start: string;
  readonly end: string;
  readonly nodes: readonly string[];
  /** It still ran when the simulation ended. */
  readonly unfinished?: true;
}
