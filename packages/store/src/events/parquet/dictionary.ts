/** Finds the distinct cells of a text column. Knows bytes, no meaning. */

/** The distinct cells of a column in order of first appearance, and each row's place among them. */
export interface Dictionary {
  /** Places in the dictionary of the rows that are not empty. */
  readonly places: Uint32Array;
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
  readonly size: number;
  readonly bytes: number;
}

/** Probes per cell beyond which the cells are taken for made to collide, and the dictionary is given up. */
const maxProbes = 8;
/** After this many cells a column that hardly repeats is given up. */
const trial = 2048;

function hashOf(bytes: Uint8Array, start: number, length: number): number {
  let hash = length ^ 0x811c9dc5;
  for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function same(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
}

/** Undefined when a dictionary would not pay: more than half of the cells distinct, or too many bytes of them. */
export function dictionaryOf(bytes: Uint8Array, cells: Uint32Array): Dictionary | undefined {
  let filled = 0;
  for (const length of cells) if (length > 0) filled++;
  const most = Math.min(1 << 16, Math.max(8, filled >>> 1));
  const places = new Uint32Array(filled);
  const starts = new Uint32Array(most);
  const lengths = new Uint32Array(most);
  let mask = 1023;
  let slots = new Int32Array(mask + 1).fill(-1);
  let size = 0;
  let total = 0;
  let at = 0;
  let row = 0;
  let last = -1;
  let probes = 0;
  for (const length of cells) {
    if (length === 0) continue;
    if (last >= 0 && lengths[last] === length && same(bytes, starts[last] as number, at, length)) {
      places[row++] = last;
      at += length;
      continue;
    }
    let slot = hashOf(bytes, at, length) & mask;
    let found = -1;
    // The table is at most half full, so a probe ends.
    for (let entry = slots[slot] as number; entry >= 0; entry = slots[slot] as number) {
      if (lengths[entry] === length && same(bytes, starts[entry] as number, at, length)) {
        found = entry;
        break;
      }
      slot = (slot + 1) & mask;
      probes++;
    }
    if (found < 0) {
      if (size === most || total + length > 1 << 20 || probes > maxProbes * (row + trial)) return undefined;
      if (row === trial && size > trial * 0.6) return undefined;
      found = size++;
      starts[found] = at;
      lengths[found] = length;
      total += length;
      slots[slot] = found;
      if (size * 2 > mask) {
        mask = mask * 2 + 1;
        slots = new Int32Array(mask + 1).fill(-1);
        for (let entry = 0; entry < size; entry++) {
          let free = hashOf(bytes, starts[entry] as number, lengths[entry] as number) & mask;
          while ((slots[free] as number) >= 0) free = (free + 1) & mask;
          slots[free] = entry;
        }
      }
    }
    last = found;
    places[row++] = found;
    at += length;
  }
  return { places, starts, lengths, size, bytes: total };
}
