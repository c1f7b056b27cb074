/** Gives a thread's garbage back to the system when the thread has become quiet. Knows nothing of what it does. */
import { performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

/** How often a thread looks at itself. */
const look_ms = 5_000;
/** Share of that time it was at work, below which a pause of a tenth of a second is in nobody's way. */
const quiet = 0.05;
/** What the heap must have grown by since the last time, to be worth the pause: 8 MB is what its nursery alone grows to by starting. */
const growth = 4 * 1_048_576;

/** When to collect: once after each busy time, its start included. */
export class Rest {
  #left = 0;

  /** @param busy share of the last interval @param heap bytes the heap takes now */
  due(busy: number, heap: number): boolean {
    return busy < quiet && heap > this.#left + growth;
  }
  /** @param heap bytes it takes after it was collected */
  taken(heap: number): void {
    this.#left = heap;
  }
}

/**
 * The collector keeps what a start or a burst made the heap grow to, some 16 MB a thread for the nursery alone: it gives back only when asked.
 * Does nothing in a process started without `--expose-gc`.
 */
export function collectWhenQuiet(): void {
  const collect = globalThis.gc;
  if (collect === undefined) return;
  const rest = new Rest();
  let before = performance.eventLoopUtilization();
  const look = () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (!rest.due(utilization, getHeapStatistics().total_heap_size)) return;
    collect({ type: "major", execution: "sync", flavor: "last-resort" });
    rest.taken(getHeapStatistics().total_heap_size);
  };
  setInterval(look, look_ms).unref();
}
