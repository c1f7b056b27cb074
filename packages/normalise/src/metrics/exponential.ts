/** Exponential histograms reduced to bounds at powers of two, so that a series of them has the same few bounds for ever. Knows no protocol. */

/** Counts of the buckets (base^offset, base^(offset+1)], … with base = 2^(2^-scale). */
export interface Exponential {
  readonly scale: number;
  readonly offset: number;
  readonly counts: readonly number[];
}

/** 2^-30 (a nanosecond in seconds) to 2^40 (a terabyte); what lies beyond is counted at the ends. */
const [lowest, highest] = [-30, 40];

/** Cumulative counts by upper bound, from the first power of two that anything lies below to the first that all lies below. */
export function powersOfTwo(below: number, { scale, offset, counts }: Exponential): readonly (readonly [bound: number, count: number])[] {
  const perPower = new Map<number, number>();
  for (const [i, count] of counts.entries()) {
    if (!(count > 0)) continue;
    // the upper bound's power, rounded up
    const power = Math.ceil((offset + i + 1) * 2 ** -scale);
    const kept = Math.min(Math.max(power, lowest), highest);
    perPower.set(kept, (perPower.get(kept) ?? 0) + count);
  }
  const powers = [...perPower.keys()].sort((a, b) => a - b);
  const found: (readonly [number, number])[] = [];
  let sum = below;
  for (let power = powers[0] ?? 0; powers.length > 0 && power <= powers.at(-1)!; power++) {
    sum += perPower.get(power) ?? 0;
    found.push([2 ** power, sum]);
  }
  return found;
}
