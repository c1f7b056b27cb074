/** Which of the 64 shards an observation belongs to. Knows no worker: shards move between them as they are. */
import type { PreparedDetector } from "@vedette/detect";
import { shardOf } from "@vedette/kit";

/**
 * By detector and key; detectors that follow one another lie on one shard with all their keys, because a claim of any key may be one of any
 * other's observations.
 */
export class Placement {
  readonly #together = new Map<string, number>();

  constructor(detectors: ReadonlyMap<string, PreparedDetector>) {
    const groups = new Map<string, Set<string>>();
    for (const { spec } of detectors.values())
      for (const followed of spec.follows ?? []) {
        if (!detectors.has(followed)) continue;
        const group = new Set([spec.name, followed, ...(groups.get(spec.name) ?? []), ...(groups.get(followed) ?? [])]);
        for (const name of group) groups.set(name, group);
      }
    for (const [name, group] of groups) this.#together.set(name, shardOf([...group].sort()[0]!, ""));
  }

  of(detector: string, key: string): number {
    return this.#together.get(detector) ?? shardOf(detector, key);
  }
}
