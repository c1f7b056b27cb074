/** An open segment that another process writes: its whole frames so far, in an in-memory table. Changes nothing of the file. */
import { closeSync, fstatSync, openSync } from "node:fs";
import { openBatch } from "../events/batch.ts";
import { BatchSums } from "../events/batch_sums.ts";
import { bigintColumns, columns } from "../events/columns.ts";
import type { Duck } from "../events/duck.ts";
import { framesOf } from "../events/frames.ts";
import type { Source } from "../events/partitions.ts";
import { definition } from "../events/segment.ts";

let last = 0;

export class Followed {
  readonly #duck: Duck;
  readonly #path: string;
  readonly #table = `followed_${++last}`;
  readonly #sums = new BatchSums();
  /** Bytes of frames that the table holds. */
  #bytes = 0;
  #made = false;
  #work: Promise<void> = Promise.resolve();
  #users = 0;
  #over = false;

  constructor(duck: Duck, path: string) {
    this.#duck = duck;
    this.#path = path;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Reads what is there by now; a frame that is being written is read the next time. @throws the system's error, ENOENT once it is sealed */
  follow(until: number): Promise<void> {
    const work = this.#work.then(() => this.#read(until));
    this.#work = work.catch(() => {});
    return work;
  }

  async #read(until: number): Promise<void> {
    // opened anew each time: that is what makes a network file system look for what was written elsewhere
    const file = openSync(this.#path, "r");
    try {
      const end = Math.min(until, fstatSync(file).size);
      for (const frame of framesOf(file, this.#bytes, end)) {
        const { header, columns: cells } = openBatch(frame.batch);
        if (header.count > 0) {
          await this.#make();
          await this.#duck.append(this.#table, columns, bigintColumns, header.count, cells);
          this.#sums.add(header);
        }
        this.#bytes = frame.next;
      }
    } finally {
      closeSync(file);
    }
  }

  async #make(): Promise<void> {
    if (this.#made) return;
    await this.#duck.execute(`CREATE TABLE ${this.#table} (${definition})`);
    this.#made = true;
  }

  source(): Source {
    const { rows, minTime, maxTime, odd } = this.#sums;
    return { relation: this.#table, rows, minTime, maxTime, odd };
  }

  /** The table stays until every user has called what this returns. */
  use(): () => void {
    this.#users++;
    return () => {
      this.#users--;
      this.#dropUnused();
    };
  }

  /** Nobody will ask for it any more. */
  end(): void {
    this.#over = true;
    this.#dropUnused();
  }

  #dropUnused(): void {
    if (!this.#over || this.#users > 0 || !this.#made) return;
    this.#made = false;
    this.#work = this.#work.then(() => this.#duck.execute(`DROP TABLE ${this.#table}`)).catch(() => {});
  }

  /** Resolves when nothing is under way. */
  settled(): Promise<void> {
    return this.#work;
  }
}
