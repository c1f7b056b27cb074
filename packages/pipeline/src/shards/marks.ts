/** How far event time has come, as a shard hears of it: from the ticks of every raw partition. A function of what they said last. */
import type { Micros } from "@vedette/model";
import { type Marks, nameOf, type Origin, slowest } from "../watermarks.ts";
import type { Progress } from "./record.ts";

const partitionPrefix = "partition\0";
const originPrefix = "origin\0";

export class PartitionMarks implements Marks {
  readonly #partitions: number;
  readonly #marks = new Map<number, Micros>();
  /** By partition, its origins that are far behind. */
  readonly #far = new Map<number, ReadonlyMap<string, Micros>>();

  /** @param partitions of the raw topic: until each has been heard of, nothing is final */
  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  report(partition: number, { mark, far }: Progress): void {
    this.#marks.set(partition, mark);
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
  global(): Micros {
    return this.#marks.size < this.#partitions ? Number.NEGATIVE_INFINITY : slowest([...this.#marks.values()]);
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
      ...[...this.#marks].map(([partition, mark]): [string, Micros, Micros] => [`${partitionPrefix}${partition}`, mark, partition]),
      ...[...this.#far].flatMap(([partition, far]) =>
        [...far].map(([name, mark]): [string, Micros, Micros] => [`${originPrefix}${name}`, mark, partition]),
      ),
    ];
  }
  restore(entries: readonly (readonly [string, Micros, Micros])[]): void {
    const far = new Map<number, Map<string, Micros>>();
    for (const [name, mark, partition] of entries) {
      if (name.startsWith(partitionPrefix)) this.#marks.set(partition, mark);
      else far.set(partition, (far.get(partition) ?? new Map()).set(name.slice(originPrefix.length), mark));
    }
    for (const [partition, origins] of far) this.#far.set(partition, origins);
  }
}
