/** The newest batches in memory, so that readers at the tail cost no disk. First in, first out; knows no partition by name. */

interface Cached {
  readonly owner: Map<number, Uint8Array>;
  readonly offset: number;
  readonly bytes: number;
}

export class TailCache {
  readonly #budget: number;
  #queue: Cached[] = [];
  #head = 0;
  #held = 0;

  constructor(budget: number) {
    this.#budget = budget;
  }

  /** `batch` must not be changed afterwards. */
  put(owner: Map<number, Uint8Array>, offset: number, batch: Uint8Array): void {
    const bytes = batch.length + 64;
    if (bytes > this.#budget) return;
    owner.set(offset, batch);
    this.#queue.push({ owner, offset, bytes });
    this.#held += bytes;
    while (this.#held > this.#budget) {
      const oldest = this.#queue[this.#head++]!;
      oldest.owner.delete(oldest.offset);
      this.#held -= oldest.bytes;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}
