/** How far each (source, stream, host) has come in event time. A function of the log: fed by batches and ticks in log order. */
import type { Micros } from "@vedette/model";

/** An event's time counts at most so far ahead of its receipt: one bad clock poisons nobody (architecture, "Time and order"). */
export const maxAhead: Micros = 30_000_000;
/** What has sent nothing for this long, by the ticks' wall time, no longer holds the others back. */
const idleAfter: Micros = 10_000_000;
/**
 * What is so far behind most others no longer holds them back: its clock is wrong, or it delivers what lay about. Longer than a collector's usual
 * delay (Filebeat retries within a minute), shorter than any wrong time zone.
 */
export const maxBehind: Micros = 600_000_000;
/** Hosts name themselves, files come and go: beyond this many per process the rest of a source share one watermark. */
const maxMarks = 50_000;

/** Whose events come in their own order: one host's, by one file or connection of a source. */
export type Origin = readonly [source: string, stream: string, host: string];

interface Mark {
  time: Micros;
  received: Micros;
}

/** How far event time has come, as pass 2 asks for it. */
export interface Marks {
  /** Of one origin's own events; −∞ where it is not known here. */
  of(source: string, stream: string, host: string): Micros;
  advance(from: Origin, time: Micros, received: Micros): void;
  /** Everything earlier has come, but for what is late. */
  global(wall: Micros): Micros;
  /** How far one has come, if it is active; Infinity if it holds nobody back. */
  held(from: Origin, wall: Micros): Micros;
  entries(): [string, Micros, Micros][];
  restore(entries: readonly (readonly [string, Micros, Micros])[]): void;
}

/** The slowest that is not far behind the middle one. @param times not empty */
function slowest(times: readonly Micros[]): Micros {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const time of times) {
    if (time < low) low = time;
    if (time > high) high = time;
  }
  if (high - low <= maxBehind) return low;
  const sorted = Float64Array.from(times).sort();
  const floor = sorted[sorted.length >> 1]! - maxBehind;
  return sorted.find((time) => time >= floor)!;
}

export class Watermarks implements Marks {
  readonly #marks = new Map<string, Mark>();

  of(source: string, stream: string, host: string): Micros {
    return this.#marks.get(nameOf(source, stream, host))?.time ?? Number.NEGATIVE_INFINITY;
  }

  advance([source, stream, host]: Origin, time: Micros, received: Micros): void {
    const own = nameOf(source, stream, host);
    const name = this.#marks.size < maxMarks || this.#marks.has(own) ? own : `${source}\0*`;
    const mark = this.#marks.get(name);
    if (!mark) this.#marks.set(name, { time, received });
    else {
      if (time > mark.time) mark.time = time;
      if (received > mark.received) mark.received = received;
    }
  }

  /**
   * The watermark of the slowest that is active and not far behind the middle one; `wall` when none is active. What is silent for an hour is
   * forgotten.
   */
  global(wall: Micros): Micros {
    const active: Micros[] = [];
    for (const [name, mark] of this.#marks) {
      if (mark.received < wall - 360 * idleAfter) this.#marks.delete(name);
      else if (mark.received >= wall - idleAfter) active.push(mark.time);
    }
    return active.length === 0 ? wall : slowest(active);
  }

  /** Those that are active and far behind the wall's time, the furthest first: they hold back what they feed, and maybe nothing else. */
  far(wall: Micros, most: number): [name: string, time: Micros][] {
    const far: [string, Micros][] = [];
    for (const [name, { time, received }] of this.#marks)
      if (received >= wall - idleAfter && time < wall - maxBehind) far.push([name, time]);
    return far.sort((a, b) => a[1] - b[1]).slice(0, most);
  }

  held([source, stream, host]: Origin, wall: Micros): Micros {
    const mark = this.#marks.get(nameOf(source, stream, host));
    return mark && mark.received >= wall - idleAfter ? mark.time : Number.POSITIVE_INFINITY;
  }

  entries(): [string, Micros, Micros][] {
    return [...this.#marks].map(([name, m]) => [name, m.time, m.received]);
  }
  restore(entries: readonly (readonly [string, Micros, Micros])[]): void {
    for (const [name, time, received] of entries) this.#marks.set(name, { time, received });
  }
}

/** By which an origin's mark is known. */
export const nameOf = (source: string, stream: string, host: string): string =>
  stream === "" ? `${source}\0${host}` : `${source}\0${stream}\0${host}`;
