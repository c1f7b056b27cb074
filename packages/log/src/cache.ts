/** The newest batches in memory, so that readers at the tail cost no disk. First in, first out; knows no partition by name. */
import { release } from "@vedette/kit";

const cost = (batch: Uint8Array) => batch.length + 64;

interface Cached {
  readonly owner: Map<number, Uint8Array>;
  readonly offset: number;
  readonly batch: Uint8Array;
}

export class TailCache {
  readonly #budget: number;
  #queue: Cached[] = [];
  #head = 0;
  #held = 0;

  constructor(budget: number) {
    this.#budget = budget;
  }

  /** Takes `batch` over: it must not be changed or kept by the caller. */
  put(owner: Map<number, Uint8Array>, offset: number, batch: Uint8Array): void {
    if (cost(batch) > this.#budget) return;
    owner.set(offset, batch);
    this.#queue.push({ owner, offset, batch });
    this.#held += cost(batch);
    while (this.#held > this.#budget) {
      const oldest = this.#queue[this.#head++]!;
      oldest.owner.delete(oldest.offset);
      this.#held -= cost(oldest.batch);
      release(oldest.batch);
    }
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}
