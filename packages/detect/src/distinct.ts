/** How many different values there were, in bounded memory: the k smallest of their hashes. Union is commutative and associative. Knows no meaning. */

/** Smallest hashes, ascending; exact below `size`. */
export type Distinct = readonly number[];

/** Exact up to here; beyond it the standard error is 1/√(size − 2), 6 % (Bar-Yossef et al., "Counting distinct elements in a data stream", 2002). */
const size = 256;

/** FNV-1a with the finaliser of MurmurHash3: 32 evenly spread bits, the same everywhere. */
export function hash32(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export const distinctOf = (text: string): number[] => [hash32(text)];

/** Adds to `into`, which it changes, and returns it. */
export function addDistinct(into: number[], more: Distinct): number[] {
  for (const hash of more) {
    if (into.length >= size && hash >= into[into.length - 1]!) break;
    let low = 0;
    let high = into.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (into[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    if (into[low] === hash) continue;
    into.splice(low, 0, hash);
    if (into.length > size) into.pop();
  }
  return into;
}

export const unionOf = (all: readonly Distinct[]): Distinct => all.reduce<number[]>((into, one) => addDistinct(into, one), []);

export function countDistinct(all: Distinct): number {
  return all.length < size ? all.length : Math.round((size - 1) / ((all[size - 1]! + 1) / 2 ** 32));
}
