/** The simulation's clock: actors act in the order of their moments, and what they emit comes out in that order. Knows no actor. */
import { Chance } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { JobAccount } from "./records/slurm.ts";
import { type ZeekForm, type ZeekLog, zeekLine, zeekLogs } from "./records/zeek.ts";
import { makeSite, type Site } from "./site.ts";
import type { Incident, JobTruth } from "./truth.ts";

export type Stream = `zeek/${ZeekLog}` | "tetragon" | "auth" | "slurm/jobcomp" | "slurm/sacct" | "slurm/squeue" | "metrics";

export interface Emitted {
  readonly time: Micros;
  readonly stream: Stream;
  readonly line: string;
  readonly incident: Incident | undefined;
}

/** A stream's name is looked up for every record: made once, it is found by where it stands. */
const zeekStreams = Object.fromEntries(zeekLogs.map((log) => [log, `zeek/${log}`])) as { readonly [log in ZeekLog]: `zeek/${log}` };

/** Somebody who acts: yields the next moment at which it wants to, and does what it does when it is called again. */
export type Actor = Generator<Micros, void, void>;

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly start: Micros;
  readonly end: Micros;
  /** Share of what a real site would do: of ranks, system programs, connections; 1 is the model of docs/guide/simulator.md. Log-ins, jobs and attacks are not scaled. */
  readonly activity: number;
  readonly zeek: ZeekForm;
  readonly accounting: "jobcomp" | "sacct";
  /** From sample to sample of a series. */
  readonly interval: Micros;
}

interface Turn {
  readonly at: Micros;
  readonly order: number;
  readonly actor: Actor;
}
const before = (a: Turn, b: Turn): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export class World {
  readonly options: WorldOptions;
  readonly site: Site;
  now: Micros;
  /** Jobs that began since squeue was last asked. */
  readonly begun: JobAccount[] = [];
  /** Jobs that ended since somebody took them. */
  readonly jobTruths: JobTruth[] = [];
  /** What would be said of a job that has not ended. */
  readonly running = new Map<number, () => JobTruth>();
  #jobs = 0;
  readonly #seed: Chance;
  readonly #turns: Turn[] = [];
  #order = 0;
  #out: Emitted[] = [];
  #jobId: number;

  constructor(options: WorldOptions) {
    this.options = options;
    this.now = options.start;
    this.#seed = new Chance(options.seed);
    this.site = makeSite(options.seed, options.nodes, options.start);
    this.#jobId = 4_000_000 + this.#seed.fork("job ids").whole(0, 900_000);
  }

  /** Chance for somebody with a name, apart from everybody else's. */
  chanceOf(name: string): Chance {
    return this.#seed.fork(name);
  }

  jobId(): number {
    this.#jobs++;
    return ++this.#jobId;
  }
  get jobs(): number {
    return this.#jobs;
  }

  /** Starts somebody; its first moment may not lie before now. */
  begin(actor: Actor): void {
    const { value, done } = actor.next();
    if (done !== true) this.#push({ at: Math.max(value, this.now), order: this.#order++, actor });
  }

  emit(stream: Stream, line: string, incident?: Incident): void {
    this.#out.push({ time: this.now, stream, line, incident });
    incident?.at(this.now);
  }

  /** A row of Zeek's, in the form of this site. */
  zeek(log: ZeekLog, time: Micros, values: Parameters<typeof zeekLine>[3], incident?: Incident): void {
    this.emit(zeekStreams[log], zeekLine(this.options.zeek, log, time, values), incident);
  }

  /** All records, some `size` at a time; memory is that of whoever is acting, whatever the duration. */
  *run(size: number): Generator<readonly Emitted[]> {
    const { end } = this.options;
    while (this.#turns.length > 0 && this.#turns[0]!.at < end) {
      const { at, order, actor } = this.#turns[0]!;
      this.now = at;
      const { value, done } = actor.next();
      // who goes on keeps its place: of two at one moment the one that began first acts first
      if (done === true) this.#pop();
      else this.#replaceFirst({ at: Math.max(value, at), order, actor });
      if (this.#out.length >= size) yield this.#take();
    }
    this.now = end;
    if (this.#out.length > 0) yield this.#take();
  }

  #take(): readonly Emitted[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  #push(turn: Turn): void {
    const heap = this.#turns;
    let i = heap.push(turn) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(turn, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = turn;
  }

  #pop(): void {
    // begun in the meantime: the first may be another by now only if it begins at the same moment later in order, so the first is still ours
    const last = this.#turns.pop()!;
    if (this.#turns.length > 0) this.#replaceFirst(last);
  }

  #replaceFirst(turn: Turn): void {
    const heap = this.#turns;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, turn)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = turn;
  }
}
