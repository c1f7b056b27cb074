/** One open segment: its frames on disk and, once a query wants them, the same rows in an in-memory DuckDB table. Knows nothing of sealed files. */

import { type BatchHeader, headerOf, layoutOf, openBatch, textAt } from "./batch.ts";
import { BatchSums } from "./batch_sums.ts";
import { bigintColumns, columns } from "./columns.ts";
import type { Duck } from "./duck.ts";
import { type Frame, FrameFile } from "./frames.ts";
import type { StoredBatch } from "./gather.ts";

export const definition = columns.map((name) => `"${name}" ${bigintColumns.has(name) ? "BIGINT" : "VARCHAR"}`).join(", ");

export class Segment extends BatchSums {
  readonly number: number;
  readonly hour: number;
  readonly table: string;
  readonly path: string;
  applied = -1;
  private readonly frames: FrameFile;
  private readonly duck: Duck;
  /** Bytes of frames that are durable, and how many of them the table holds. */
  private committed = 0;
  private loaded = 0;
  private hasTable = false;
  private loading: Promise<void> = Promise.resolve();

  /**
   * Opens a new or left-over segment; what its file holds counts but for repeats of what is applied.
   * @param until bytes of the file that count; what lies beyond was written by somebody who had been replaced
   */
  constructor(duck: Duck, path: string, number: number, hour: number, applied: number, until = Number.POSITIVE_INFINITY) {
    super();
    this.duck = duck;
    this.number = number;
    this.hour = hour;
    this.path = path;
    this.table = `open_${number}`;
    this.frames = new FrameFile(path);
    this.frames.recover();
    this.applied = applied;
    for (const { offset, at, next } of this.frames.heads(Math.min(until, this.frames.bytes))) {
      this.count(offset, this.layoutAt(at).header);
      this.committed = next;
    }
  }

  get bytes(): number {
    return this.committed;
  }

  private layoutAt(at: number): ReturnType<typeof layoutOf> {
    return layoutOf((from, into) => this.frames.fill(at + from, into));
  }

  private count(offset: number, header: BatchHeader): void {
    this.add(header);
    this.applied = Math.max(this.applied, offset);
  }

  /** Adds a batch: durable and visible when it resolves, neither when it throws. */
  async put(frame: Frame): Promise<void> {
    const header = headerOf(frame.batch);
    this.frames.append(frame);
    try {
      await this.frames.sync();
    } catch (error) {
      this.frames.cut(this.committed);
      throw error;
    }
    this.committed = this.frames.bytes;
    this.count(frame.offset, header);
  }

  /** Every batch, in order, once its frame has been verified; read in parts, so that a segment is never in memory whole. */
  *batches(): Generator<StoredBatch> {
    for (const { at } of this.frames.verified(this.committed)) {
      const { header, places } = this.layoutAt(at);
      const placeOf = (name: string, kind: "text" | "numbers") => {
        const place = places.get(name);
        return place?.kind === kind ? place : undefined;
      };
      yield {
        header,
        lengths: (name) => {
          const place = placeOf(name, "text");
          if (place === undefined) return undefined;
          const lengths = new Uint32Array(place.rows);
          this.frames.fill(at + place.at, new Uint8Array(lengths.buffer));
          return lengths;
        },
        read: (name, from, into) => {
          const place = placeOf(name, "text");
          if (place === undefined || from + into.length > place.size) throw new RangeError(`a batch lacks text of ${name}`);
          this.frames.fill(at + textAt(place) + from, into);
        },
        numbers: (name) => {
          const place = placeOf(name, "numbers");
          if (place === undefined) throw new RangeError(`a batch lacks ${name}`);
          const numbers = new BigInt64Array(place.rows);
          this.frames.fill(at + place.at, new Uint8Array(numbers.buffer));
          return numbers;
        },
      };
    }
  }

  /** Brings the table up to what was durable when called. */
  load(): Promise<void> {
    const work = this.loading.then(() => this.loadNow());
    this.loading = work.catch(() => {});
    return work;
  }

  private async loadNow(): Promise<void> {
    if (!this.hasTable) {
      await this.duck.execute(`CREATE TABLE ${this.table} (${definition})`);
      this.hasTable = true;
    }
    const until = this.committed;
    for (const frame of this.frames.read(this.loaded, until)) {
      const { header, columns: cells } = openBatch(frame.batch);
      if (header.count > 0) await this.duck.append(this.table, columns, bigintColumns, header.count, cells);
      this.loaded = frame.next;
    }
  }

  close(): void {
    this.frames.close();
  }

  async dropTable(): Promise<void> {
    await this.loading;
    if (this.hasTable) await this.duck.execute(`DROP TABLE ${this.table}`);
  }
}
