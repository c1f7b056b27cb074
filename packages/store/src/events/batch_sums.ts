/** What batches come to together, by their headers alone. Reads no row. */
import type { BatchHeader } from "./batch.ts";

export class BatchSums {
  rows = 0;
  demo = 0;
  originalBytes = 0;
  minTime = Number.POSITIVE_INFINITY;
  maxTime = Number.NEGATIVE_INFINITY;
  /** Hot fields of which some cell is marked. */
  readonly odd = new Set<string>();

  add(header: BatchHeader): void {
    for (const field of header.odd) this.odd.add(field);
    this.rows += header.count;
    this.demo += header.demo;
    this.originalBytes += header.originalBytes;
    // an empty batch has no times: JSON has no infinity
    if (header.count === 0) return;
    this.minTime = Math.min(this.minTime, header.minTime);
    this.maxTime = Math.max(this.maxTime, header.maxTime);
  }
}
