/** Finds gaps in an exporter's sequence numbers. Knows neither what is counted nor how it comes. */

/** A later gap than this many datagrams cannot be one that only came out of order. */
const settledAfter = 32;
/** Numbers further off than this are a new count (an exporter that started again), not a gap. */
const maxGap = 100_000;
/** So many in a row from before what is expected: the count went back. */
const maxLate = 8;

export class Sequence {
  #expected: number | undefined;
  #gap = 0;
  #since = 0;
  #late = 0;
  #lost = 0;

  /** @param counted what the datagram counts for; undefined where that cannot be told */
  next(number: number, counted: number | undefined): void {
    const ahead = this.#expected === undefined ? 0 : (number - this.#expected) >>> 0;
    if (++this.#since > settledAfter) this.#settle();
    if (ahead > 2 ** 32 - maxGap && ++this.#late <= maxLate) {
      this.#gap = Math.max(0, this.#gap - (counted ?? 0));
      return;
    }
    this.#late = 0;
    if (ahead > 0 && ahead <= maxGap) {
      this.#gap += ahead;
      this.#since = 0;
    }
    this.#expected = counted === undefined ? undefined : (number + counted) >>> 0;
  }

  /** What was lost since this was asked last. */
  take(): number {
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  /** What is missing now will not come any more. */
  end(): void {
    this.#settle();
  }

  /** The exporter started again. */
  restart(): void {
    this.#settle();
    this.#expected = undefined;
  }

  #settle(): void {
    this.#lost += this.#gap;
    this.#gap = 0;
    this.#since = 0;
  }
}
