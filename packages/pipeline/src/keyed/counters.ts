/** What happened to each detector's observations. Knows no key. */
export interface KeyedCounts {
  /** Taken from pass 1 (a tally counts its events) and from detectors it follows. */
  observations: number;
  /** Came later than the lateness. */
  late: number;
  /** Of those, folded in by the catch-up lane. */
  caught_up: number;
  /** Of those, given up: no room in the lane, or more of the past needed than is read. */
  skipped: number;
  repeated: number;
  /** Keys of single events beyond the bound, left out. */
  capped: number;
  /** Settled before their time because one key had too many open. */
  crowded: number;
  /** Keys moved from memory to the checkpoint store. */
  spilled: number;
}
export type SavedCounters = { readonly [detector: string]: Partial<KeyedCounts> };

const zero = (): KeyedCounts => ({
  observations: 0,
  late: 0,
  caught_up: 0,
  skipped: 0,
  repeated: 0,
  capped: 0,
  crowded: 0,
  spilled: 0,
});

export class Counters {
  readonly #all = new Map<string, KeyedCounts>();

  of(detector: string): KeyedCounts {
    let counts = this.#all.get(detector);
    if (!counts) {
      counts = zero();
      this.#all.set(detector, counts);
    }
    return counts;
  }
  entries(): readonly (readonly [detector: string, counts: Readonly<KeyedCounts>])[] {
    return [...this.#all].sort(([a], [b]) => (a < b ? -1 : 1));
  }
  get total(): KeyedCounts {
    const sum = zero();
    for (const counts of this.#all.values()) for (const name in counts) sum[name as keyof KeyedCounts] += counts[name as keyof KeyedCounts];
    return sum;
  }
  saved(): SavedCounters {
    return Object.fromEntries([...this.#all].map(([name, counts]) => [name, { ...counts }]));
  }
  restore(saved: SavedCounters): void {
    for (const [name, counts] of Object.entries(saved)) Object.assign(this.of(name), counts);
  }
}
