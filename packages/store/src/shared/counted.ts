/** What an open segment of another process says of its batches, without reading them: for sums over everything. Knows no table. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { layoutOf } from "../events/batch.ts";
import { BatchSums } from "../events/batch_sums.ts";
import { batchesAt } from "../events/frames.ts";

export class Counted extends BatchSums {
  readonly #path: string;
  bytes = 0;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  /** Adds what is new. @throws the system's error, ENOENT once it is sealed */
  count(until: number): void {
    const file = openSync(this.#path, "r");
    try {
      for (const { at, next } of batchesAt(file, this.bytes, Math.min(until, fstatSync(file).size))) {
        const { header } = layoutOf((from, into) => void readSync(file, into, 0, into.length, at + from));
        this.bytes = next;
        this.add(header);
      }
    } catch (error) {
      // a header that is still being written is read the next time
      if (!(error instanceof SyntaxError)) throw error;
    } finally {
      closeSync(file);
    }
  }
}
