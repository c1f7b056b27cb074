/** How far event time has come, as a shard hears of it: from the ticks of every raw partition. A function of what they said last. */
import type { Micros } from "@vedette/model";
import { type Marks, maxBehind, nameOf, type Origin } from "../watermarks.ts";
import type { Progress } from "./record.ts";

const partitionPrefix = "partition\0";
const originPrefix = "origin\0";

export class PartitionMarks implements Marks {
  readonly #partitions: number;
  readonly #marks = new Map<number, { readonly mark: Micros; readonly wall: Micros }>();
  /** By partition, its origins that are far behind. */
  readonly #far = new Map<number, ReadonlyMap<string, Micros>>();

  /** @param partitions of the raw topic: until each has been heard of, nothing is final */
  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  /** @param wall of the tick that says so */
  report(partition: number, wall: Micros, { mark, far }: Progress): void {
    this.#marks.set(partition, { mark, wall });
    if (far.length > 0) this.#far.set(partition, new Map(far));
    else this.#far.delete(partition);
  }

  /** Each observation brings its own origin's: pass 1 knows it. */
  of(): Micros {
    return Number.NEGATIVE_INFINITY;
  }
  advance(): void {
    throw new Error("a shard hears of watermarks by ticks");
  }
  /**
   * What all partitions have passed. One whose events are far behind its own ticks, compared with the middle one, is of wrong clocks or old files and
   * does not hold the others back; one whose *ticks* are behind is only not analysed yet, and is waited for. Where nothing comes in, its mark
   * is the tick's time: that says nothing of how far behind the others usually are.
   */
  global(): Micros {
    if (this.#marks.size < this.#partitions) return Number.NEGATIVE_INFINITY;
    const all = [...this.#marks.values()];
    const lags = all.flatMap(({ mark, wall }) => (mark === wall ? [] : [wall - mark])).sort((a, b) => b - a);
    const most = (lags[lags.length >> 1] ?? 0) + maxBehind;
    return Math.min(...all.map(({ mark, wall }) => Math.max(mark, wall - most)));
  }
  held([source, stream, host]: Origin): Micros {
    const name = nameOf(source, stream, host);
    for (const far of this.#far.values()) {
      const mark = far.get(name);
      if (mark !== undefined) return mark;
    }
    return Number.POSITIVE_INFINITY;
  }

  entries(): [string, Micros, Micros][] {
    return [
      ...[...this.#marks].map(([partition, { mark, wall }]): [string, Micros, Micros] => [`${partitionPrefix}${partition}`, mark, wall]),
      ...[...this.#far].flatMap(([partition, far]) =>
        [...far].map(([name, mark]): [string, Micros, Micros] => [`${originPrefix}${name}`, mark, partition]),
      ),
    ];
  }
  restore(entries: readonly (readonly [string, Micros, Micros])[]): void {
    const far = new Map<number, Map<string, Micros>>();
    for (const [name, mark, last] of entries) {
      const partition = name.startsWith(partitionPrefix) ? Number(name.slice(partitionPrefix.length)) : last;
      if (name.startsWith(partitionPrefix)) this.#marks.set(partition, { mark, wall: last });
      else far.set(partition, (far.get(partition) ?? new Map()).set(name.slice(originPrefix.length), mark));
    }
    for (const [partition, origins] of far) this.#far.set(partition, origins);
  }
}
