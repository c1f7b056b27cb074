/** Seeded choices for tests: the same seed, the same run. */
import type { Choose } from "./crash_disk.ts";

/** xorshift32 (Marsaglia 2003). */
export function seeded(seed: number): Choose {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return (choices) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % choices;
  };
}

/** Salts for a log under test. */
export function seededBytes(choose: Choose): (into: Uint8Array) => void {
  return (into) => {
    for (let at = 0; at < into.length; at++) into[at] = choose(256);
  };
}
