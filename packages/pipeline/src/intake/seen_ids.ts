/** Sender ids of the last 24 hours, bounded: a document sent twice is one event. */
import type { Clock } from "@vedette/kit";

/** Two generations of half the window each; a generation that is full turns over early (500,000 ids are about 50 MB). */
const halfWindow = 12 * 3_600 * 1_000_000;
const maxGeneration = 500_000;

export class SeenIds {
  readonly #clock: Clock;
  #young = new Set<string>();
  #old = new Set<string>();
  #turned: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#turned = clock.now();
  }

  /** False when the id was there already. */
  add(id: string): boolean {
    if (this.has(id)) return false;
    if (this.#young.size >= maxGeneration || this.#clock.now() - this.#turned > halfWindow) {
      this.#old = this.#young;
      this.#young = new Set();
      this.#turned = this.#clock.now();
    }
    this.#young.add(id);
    return true;
  }

  has(id: string): boolean {
    return this.#young.has(id) || this.#old.has(id);
  }

  /** What could not be made durable was not accepted: the sender will try again. */
  delete(id: string): void {
    this.#young.delete(id);
  }
}
