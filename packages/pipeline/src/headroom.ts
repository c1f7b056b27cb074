/** How far those who can wait may run ahead of analysis: sources that keep their place in what they read. Knows no source and no log. */

/**
 * Bytes of raw batches: as many as the log keeps in memory for readers at its tail (`cacheBytes`), so that analysis reads none from the disk,
 * and enough for every worker's next jobs of 1 MiB.
 */
const aheadBytes = 8 << 20;

export class Headroom {
  readonly #limit: number;
  /** Batches not yet analysed, in order. */
  #ahead: { readonly offset: number; readonly bytes: number }[] = [];
  #bytes = 0;
  #analysed = -1;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(limit = aheadBytes) {
    this.#limit = limit;
  }

  /** Resolves when a batch more may be appended. */
  async room(): Promise<void> {
    while (this.#bytes >= this.#limit && !this.#closed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  appended(offset: number, bytes: number): void {
    if (offset <= this.#analysed) return;
    this.#ahead.push({ offset, bytes });
    this.#bytes += bytes;
  }

  /** All up to this offset has been. */
  analysed(last: number): void {
    this.#analysed = Math.max(this.#analysed, last);
    const left = this.#ahead.filter(({ offset }) => offset > last);
    for (const { offset, bytes } of this.#ahead) if (offset <= last) this.#bytes -= bytes;
    this.#ahead = left;
    this.#wake();
  }

  /** Nobody waits any more: analysis is ending. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
