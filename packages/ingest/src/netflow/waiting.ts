/** Sets of records whose template has not come yet, in bounded memory. Knows no template. */
import type { Micros } from "@vedette/model";

export interface WaitingSet {
  readonly bytes: Buffer;
  readonly position: string;
  readonly peer: string;
  /** When the exporter sent it, by its own clock, and its uptime then (ms). */
  readonly exported: Micros;
  readonly uptime: number | undefined;
  readonly since: Micros;
}

/** What a waiting set costs beside its bytes, roughly. */
const overhead = 300;

export class WaitingSets {
  readonly #maxBytes: number;
  readonly #maxAge: Micros;
  /** By exporter, domain and template; the oldest first. */
  readonly #sets = new Map<string, WaitingSet[]>();
  #bytes = 0;

  constructor(maxBytes: number, maxAge: Micros) {
    this.#maxBytes = maxBytes;
    this.#maxAge = maxAge;
  }

  /** @returns whether it is the first of its template */
  push(key: string, set: WaitingSet): boolean {
    const others = this.#sets.get(key);
    if (others === undefined) this.#sets.set(key, [set]);
    else others.push(set);
    this.#bytes += set.bytes.length + overhead;
    return others === undefined;
  }
  /** Those whose template has come. */
  take(key: string): readonly WaitingSet[] {
    const sets = this.#sets.get(key) ?? [];
    this.#sets.delete(key);
    for (const { bytes } of sets) this.#bytes -= bytes.length + overhead;
    return sets;
  }
  /** Those there is no more room or time for. */
  *overdue(now: Micros): Generator<WaitingSet> {
    for (const [key, sets] of this.#sets) {
      if (this.#bytes <= this.#maxBytes && now - sets[0]!.since <= this.#maxAge) return;
      yield* this.take(key);
    }
  }
  *all(): Generator<WaitingSet> {
    for (const key of this.#sets.keys()) yield* this.take(key);
  }
}
