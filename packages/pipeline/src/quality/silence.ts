/** Who has not been heard of for longer than is usual for him. Knows no clock but the log's ticks. */
import type { Micros } from "@vedette/model";

export interface Heard {
  readonly first: Micros;
  last: Micros;
  count: number;
  /** Longest pause in this half day and in the one before. */
  longest: [now: Micros, before: Micros];
  since: Micros;
}

/** A steady sender is missed after this; with a tick a second and the way to an alert that leaves a quarter of a minute of the sixty seconds promised. */
const leastSilence: Micros = 45_000_000;
/** What pauses are usual takes so long to learn, and so many arrivals. */
const learning = { for: 600_000_000, arrivals: 20 } as const;
/** Three times the longest pause of a day: half of all Poisson arrivals never have one twice as long as their longest. */
const patience = 3;
const halfDay: Micros = 43_200_000_000;
/** Hosts name themselves: beyond this many the newest are not watched. */
const maxHeard = 20_000;

export class Silence {
  readonly heard = new Map<string, Heard>();
  /** From when on silence counts: while we were not listening nobody was silent. */
  resumed: Micros = 0;
  /** Not watched for want of room. */
  beyond = 0;

  hear(name: string, at: Micros): void {
    const of = this.heard.get(name);
    if (!of) {
      if (this.heard.size >= maxHeard) this.beyond++;
      else this.heard.set(name, { first: at, last: at, count: 1, longest: [0, 0], since: at });
      return;
    }
    if (at <= of.last) return;
    if (at - of.since >= halfDay) {
      of.longest = [0, of.longest[0]];
      of.since = at;
    }
    // a pause that we slept through tells nothing of the sender
    const pause = at - Math.max(of.last, this.resumed);
    if (pause > of.longest[0]) of.longest[0] = pause;
    of.last = at;
    of.count++;
  }

  /** How long this one may be silent; undefined while it is being learnt. */
  allowed(of: Heard): Micros | undefined {
    if (of.count < learning.arrivals || of.last - of.first < learning.for) return undefined;
    return Math.max(leastSilence, patience * Math.max(...of.longest));
  }

  /** Silent for too long at `wall`. */
  *silent(wall: Micros): Generator<readonly [name: string, of: Heard]> {
    for (const [name, of] of this.heard) {
      const allowed = this.allowed(of);
      if (allowed !== undefined && wall - Math.max(of.last, this.resumed) > allowed) yield [name, of];
    }
  }
}
