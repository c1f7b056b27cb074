/**
 * Time of a simulated world: whatever happens in it happens one after the other, in an order that the seed decides, as fast as the machine
 * can. Knows no process and no disk.
 */
import { Chance } from "@vedette/kit";
import type { Micros } from "@vedette/model";

interface Happening {
  readonly at: Micros;
  /** Which of several at the same moment comes first. */
  readonly turn: number;
  readonly run: () => void;
}

export const ms: Micros = 1_000;
export const second: Micros = 1_000_000;

/** Steps told of a run that failed. */
const toldSteps = 60;

/** The simulated world went wrong: a promise of the program did not hold. */
export class Broken extends Error {}

export class World {
  readonly chance: Chance;
  /** By no clock of a process: they go wrong. */
  now: Micros;
  /** Of everything that happened, in order: the same for the same seed. */
  print = 0;
  steps = 0;
  readonly #queue: Happening[] = [];
  #alarms: { left: number; readonly run: () => void }[] = [];
  readonly #story: string[] = [];

  constructor(seed: number, begin: Micros) {
    this.chance = new Chance(seed);
    this.now = begin;
  }

  /** Has something happen after so long. */
  after(delay: Micros, run: () => void): void {
    const turn = this.chance.next();
    push(this.#queue, { at: this.now + Math.max(0, Math.round(delay)), turn, run });
  }
  /** Has something happen between two things, so many from now: most time passes while nothing happens. */
  between(steps: number, run: () => void): void {
    this.#alarms.push({ left: steps, run });
  }
  sleep(delay: Micros): Promise<void> {
    return new Promise((resolve) => this.after(delay, resolve));
  }

  #ring(): void {
    const due = this.#alarms.filter((alarm) => --alarm.left <= 0);
    if (due.length === 0) return;
    this.#alarms = this.#alarms.filter(({ left }) => left > 0);
    for (const { run } of due) run();
  }

  /** Says what happens, for whoever reads of a seed that failed. */
  tell(what: string): void {
    for (let i = 0; i < what.length; i += 3) this.print = (Math.imul(this.print, 31) + what.charCodeAt(i)) | 0;
    this.print = (Math.imul(this.print, 31) + this.now) | 0;
    this.#story.push(`${(this.now / second).toFixed(6).slice(-10)} ${what}`);
    if (this.#story.length > 2 * toldSteps) this.#story.splice(0, toldSteps);
  }
  get story(): readonly string[] {
    return this.#story.slice(-toldSteps);
  }

  /** Runs until the play is over. Everything that follows from one happening (microtasks) is through before the next. */
  run<T>(play: Promise<T>, maxSteps = 50_000): Promise<T> {
    const last = this.steps + maxSteps;
    return new Promise((resolve, reject) => {
      let over = false;
      const end = (what: () => void) => {
        if (!over) what();
        over = true;
      };
      play.then(
        (outcome) => end(() => resolve(outcome)),
        (e: unknown) => end(() => reject(e)),
      );
      const step = () => {
        if (over) return;
        const next = pop(this.#queue);
        if (next === undefined) return end(() => reject(new Broken("everybody waits, and nothing happens any more")));
        if (++this.steps > last) return end(() => reject(new Broken(`no end after ${maxSteps} steps`)));
        this.now = next.at;
        try {
          next.run();
          this.#ring();
        } catch (e) {
          return end(() => reject(e));
        }
        settled(step);
      };
      settled(step);
    });
  }
}

/** Node empties the queue of microtasks between two ticks: far cheaper than a turn of the event loop, in which nothing would happen here. */
function settled(then: () => void): void {
  queueMicrotask(() => process.nextTick(then));
}

const earlier = (a: Happening, b: Happening): boolean => a.at < b.at || (a.at === b.at && a.turn < b.turn);

/** A binary heap, the earliest first. */
function push(heap: Happening[], one: Happening): void {
  let at = heap.push(one) - 1;
  while (at > 0) {
    const above = (at - 1) >> 1;
    if (!earlier(one, heap[above]!)) break;
    heap[at] = heap[above]!;
    at = above;
  }
  heap[at] = one;
}
function pop(heap: Happening[]): Happening | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    if (below >= heap.length) break;
    if (below + 1 < heap.length && earlier(heap[below + 1]!, heap[below]!)) below++;
    if (!earlier(heap[below]!, last)) break;
    heap[at] = heap[below]!;
    at = below;
  }
  heap[at] = last;
  return first;
}
