/** What the demo's parts are built on: a scene that collects lines by their place in the story. Knows no part. */
import { Chance } from "@vedette/kit";
import type { Micros } from "@vedette/model";

/** One line of the demo. */
export interface DemoRecord {
  /** Path-like name; each stream speaks one format. */
  readonly stream: string;
  readonly line: string;
  readonly time: Micros;
  /** The attack it belongs to, as in content/demo/labels.yml; absent for benign lines. */
  readonly label?: string;
}

/** Makes a line, given its final time and its place among all lines. */
export type Write = (time: Micros, index: number) => string;

interface Planned {
  readonly stream: string;
  readonly at: number;
  readonly order: number;
  readonly write: Write;
  readonly label: string | undefined;
}

/** Lines keep the order of their places; their times then follow evenly, so that a replay at that pace is always just now. */
export class Scene {
  readonly chance: Chance;
  readonly #planned: Planned[] = [];

  constructor(seed: number) {
    this.chance = new Chance(seed);
  }

  /**
   * @param at place in the story, 0 the beginning, 1 the end
   * @param label the attack the line belongs to
   */
  add(stream: string, at: number, write: Write, label?: string): void {
    this.#planned.push({ stream, at, order: this.#planned.length, write, label });
  }

  /** @param interval microseconds from line to line */
  *play(start: Micros, interval: number): Generator<DemoRecord> {
    const ordered = this.#planned.toSorted((a, b) => a.at - b.at || a.order - b.order);
    for (const [i, { stream, write, label }] of ordered.entries()) {
      const time = start + i * interval;
      const line = write(time, i);
      yield label === undefined ? { stream, line, time } : { stream, line, time, label };
    }
  }
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n: number) => String(n).padStart(2, "0");
const clock = (d: Date) => `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
const date = (time: Micros) => new Date(Math.floor(time / 1000));

/** RFC 3164, UTC: `Mar  5 14:07:59`. */
export const syslogStamp = (time: Micros): string => {
  const d = date(time);
  return `${months[d.getUTCMonth()]} ${String(d.getUTCDate()).padStart(2, " ")} ${clock(d)}`;
};
/** As web servers write it: `05/Mar/2024:14:07:59 +0000`. */
export const webStamp = (time: Micros): string => {
  const d = date(time);
  return `${two(d.getUTCDate())}/${months[d.getUTCMonth()]}/${d.getUTCFullYear()}:${clock(d)} +0000`;
};
/** RFC 3339 with milliseconds. */
export const isoStamp = (time: Micros): string => date(time).toISOString();
