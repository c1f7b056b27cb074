/** One open segment: its frames on disk and, once a query wants them, the same rows in an in-memory DuckDB table. Knows nothing of sealed files. */
import { release } from "@vedette/kit";
import { bigintColumns, columns } from "./columns.ts";
import type { Duck } from "./duck.ts";
import { type BatchHeader, columnAt, layoutOf, openBatch } from "./encode.ts";
import { type Frame, FrameFile } from "./frames.ts";
import type { StoredBatch } from "./gather.ts";

export const definition = columns.map((name) => `"${name}" ${bigintColumns.has(name) ? "BIGINT" : "VARCHAR"}`).join(", ");

export class Segment {
  readonly number: number;
  readonly hour: number;
  readonly table: string;
  readonly path: string;
  /** Hot fields of which some cell is marked. */
  readonly odd = new Set<string>();
  rows = 0;
  demo = 0;
  originalBytes = 0;
  minTime = Number.POSITIVE_INFINITY;
  maxTime = Number.NEGATIVE_INFINITY;
  applied = -1;
  private readonly frames: FrameFile;
  private readonly duck: Duck;
  /** Bytes of frames that are durable, and how many of them the table holds. */
  private committed = 0;
  private loaded = 0;
  private hasTable = false;
  private loading: Promise<void> = Promise.resolve();

  /** Opens a new or left-over segment; what its file holds counts but for repeats of what is applied. */
  constructor(duck: Duck, path: string, number: number, hour: number, applied: number) {
    this.duck = duck;
    this.number = number;
    this.hour = hour;
    this.path = path;
    this.table = `open_${number}`;
    this.frames = new FrameFile(path);
    this.frames.recover();
    this.applied = applied;
    for (const frame of this.frames.read(0)) {
      this.count(frame.offset, openBatch(frame.batch).header);
      this.committed = frame.next;
    }
  }

  get bytes(): number {
    return this.committed;
  }

  private count(offset: number, header: BatchHeader): void {
    for (const field of header.odd) this.odd.add(field);
    this.rows += header.count;
    this.demo += header.demo;
    this.originalBytes += header.originalBytes;
    // An empty batch has no times (JSON has no infinity).
    if (header.count > 0) {
      this.minTime = Math.min(this.minTime, header.minTime);
      this.maxTime = Math.max(this.maxTime, header.maxTime);
    }
    this.applied = Math.max(this.applied, offset);
  }

  /** Adds a batch: durable and visible when it resolves, neither when it throws. */
  async put(frame: Frame): Promise<void> {
    const { header } = openBatch(frame.batch);
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

  /** Every batch, in order, once its frame has been verified; columns are read one by one, so that a segment is never in memory whole. */
  *batches(): Generator<StoredBatch> {
    for (const { batch, next } of this.frames.read(0, this.committed)) {
      const { header, places } = layoutOf(batch);
      const start = next - batch.length;
      release(batch);
      const column = (name: string) => {
        const place = places.get(name);
        return place && columnAt(place, (at, length) => this.frames.part(start + at, length));
      };
      yield { header, column };
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
