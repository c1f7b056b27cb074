/** How far those who can wait may run ahead of analysis: sources that keep their place in what they read, and whoever brings the past. Knows no source and no log. */
import { UnavailableError } from "@vedette/kit";
import type { Micros } from "@vedette/model";

/**
 * Bytes of raw batches: as many as the log keeps in memory for readers at its tail (`cacheBytes`), so that analysis reads none from the disk,
 * and enough for every worker's next jobs of 1 MiB.
 */
const aheadBytes = 8 << 20;

/**
 * The same for what is of the past, at most: what happens now lies behind it in the log, and waits as long as its analysis takes. At 200 bytes a record
 * and 25,000 records a CPU second (`npm run bench -- ingest`) this is a fifth of a second of one core.
 */
const pastBytes = 1 << 20;
/** Where analysis is slower, as on a machine that others load, less of the past is let in: what it does in so long, a fifth of the live alerts' half a second. */
const pastAhead: Micros = 100_000;
/** One job's speed says little: so much of the estimate is the newest one's. */
const newest = 0.3;
/** Smaller jobs tell nothing of speed. */
const minLearnt = 16_384;
/** As many bytes of the past may wait for room in memory; beyond it senders are told to come again. */
const maxPastWaiting = 32 << 20;

export class Headroom {
  readonly #limit: number;
  readonly #pastLimit: number;
  /** Batches not yet analysed, in order. */
  #ahead: { readonly offset: number; readonly bytes: number }[] = [];
  #bytes = 0;
  #analysed = -1;
  #waiting: (() => void)[] = [];
  #closed = false;
  /** Bytes of the past that were let in and are not yet in the log, and of what waits to be. */
  #entering = 0;
  #pastWaiting = 0;
  readonly #now: () => Micros;
  /** Since when analysis has been at what is ahead of it. */
  #begun: Micros = 0;
  /** Bytes that it does in a microsecond. */
  #speed = Number.POSITIVE_INFINITY;

  /** @param now tells how long analysis takes */
  constructor(now: () => Micros, limit = aheadBytes, pastLimit = pastBytes) {
    this.#now = now;
    this.#limit = limit;
    this.#pastLimit = pastLimit;
  }

  /** Resolves when a batch more may be appended. */
  async room(): Promise<void> {
    while (this.#bytes >= this.#limit && !this.#closed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /**
   * Resolves when a batch of the past may be appended: almost nothing may be ahead of analysis then, whoever brought it.
   * @returns to be called when the batch is in the log, or will never be
   */
  async past(bytes: number): Promise<() => void> {
    if (this.#pastWaiting > 0 && this.#pastWaiting + bytes > maxPastWaiting)
      throw new UnavailableError("backpressure", "what happens now is analysed before what is of the past; try again");
    this.#pastWaiting += bytes;
    while (!this.#hasRoomForPast && !this.#closed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#pastWaiting -= bytes;
    this.#entering += bytes;
    return () => {
      this.#entering -= bytes;
      this.#wake();
    };
  }

  /** A batch goes in by itself however slow analysis is. */
  get #hasRoomForPast(): boolean {
    const ahead = this.#bytes + this.#entering;
    return ahead === 0 || ahead < Math.min(this.#pastLimit, this.#speed * pastAhead);
  }

  appended(offset: number, bytes: number): void {
    if (offset <= this.#analysed) return;
    if (this.#ahead.length === 0) this.#begun = this.#now();
    this.#ahead.push({ offset, bytes });
    this.#bytes += bytes;
  }

  /** All up to this offset has been. */
  analysed(last: number): void {
    this.#analysed = Math.max(this.#analysed, last);
    const left = this.#ahead.filter(({ offset }) => offset > last);
    let done = 0;
    for (const { offset, bytes } of this.#ahead) if (offset <= last) done += bytes;
    this.#bytes -= done;
    this.#ahead = left;
    this.#learn(done);
    this.#wake();
  }

  #learn(bytes: number): void {
    const now = this.#now();
    const took = now - this.#begun;
    this.#begun = now;
    // a few lines take as long as waking up does
    if (bytes < minLearnt || took <= 0) return;
    const speed = bytes / took;
    this.#speed = Number.isFinite(this.#speed) ? this.#speed + newest * (speed - this.#speed) : speed;
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
