/** How far hosts have come by their streams within one job; pass 2 carries it on. Knows no lateness. */
import type { Event, Micros } from "@vedette/model";
import type { Origin } from "./watermarks.ts";

/** The newest event time, clamped, and the newest receipt. */
export type Mark = [from: Origin, time: Micros, received: Micros];

export class Marks {
  readonly #all = new Map<string, Mark>();
  #last: Mark | undefined;

  of({ source, host, received }: Event, stream: string): Mark {
    const last = this.#last;
    if (last && last[0][0] === source && last[0][1] === stream && last[0][2] === host) return last;
    const name = `${source}\0${stream}\0${host}`;
    let mark = this.#all.get(name);
    if (!mark) {
      mark = [[source, stream, host], Number.NEGATIVE_INFINITY, received];
      this.#all.set(name, mark);
    }
    this.#last = mark;
    return mark;
  }

  drain(): readonly Mark[] {
    const all = [...this.#all.values()];
    this.#all.clear();
    this.#last = undefined;
    return all;
  }
}
