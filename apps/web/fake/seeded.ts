/** Seeded randomness for the fake data, so that two runs show the same pages. */

export interface Seeded {
  /** Between 0 and 1. */
  readonly next: () => number;
  readonly pick: <T>(items: readonly T[]) => T;
  /** Whole number from `low` to `high`, both included. */
  readonly between: (low: number, high: number) => number;
}

/** mulberry32: 32 bits of state are plenty for test data. */
export function seeded(seed: number): Seeded {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    pick: (items) => items[Math.floor(next() * items.length)]!,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
  };
}
