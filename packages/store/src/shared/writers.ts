/**
 * Writes the events of the raw partitions that this process has taken over: open segments and sealed files in a folder of each partition, which
 * others read. Knows no query.
 */
import { rmSync } from "node:fs";
import { VedetteError } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { Duck } from "../events/duck.ts";
import { hourOf, Partitions, type SealLimits, segmentFiles } from "../events/partitions.ts";
import { Segment } from "../events/segment.ts";
import type { State } from "../state/tables.ts";
import type { EncodedEvents, EventWriter } from "../store.ts";
import type { Awaited } from "./awaited.ts";
import { makeFolders } from "./folder.ts";
import { countedBytes, firstNumber, isSpent, takeOver, WriterFiles, type WriterRow } from "./manifest.ts";

export interface SharedParts {
  readonly duck: Duck;
  readonly state: State;
  /** The shared folder. */
  readonly root: string;
  readonly limits: SealLimits;
  readonly now: () => Micros;
  readonly awaited: Awaited;
}
interface Own {
  readonly epoch: number;
  readonly partitions: Partitions;
}

/** Hours for which files of an hour are joined when something of it is sealed late. */
const joinedHours = 48;

const isConflict = (error: unknown): boolean => error instanceof VedetteError && error.code === "conflict";

export class Writers {
  readonly #parts: SharedParts;
  readonly #own = new Map<number, Own>();

  constructor(parts: SharedParts) {
    this.#parts = parts;
  }

  /**
   * Takes a partition over: from now on what its earlier owner adds counts for nothing.
   * @returns the highest raw offset whose events are stored
   * @throws VedetteError `conflict` where somebody with a newer epoch has
   */
  async take(writer: EventWriter): Promise<number> {
    const { partition } = writer;
    await this.#letGo(partition);
    const { duck, state, root, limits, now, awaited } = this.#parts;
    const folders = makeFolders(root, partition);
    let segments: readonly Segment[] = [];
    const look = (row: WriterRow | undefined) => {
      for (const one of segments) one.close();
      segments = segmentFiles(folders.open).flatMap(({ path, number, hour }) => {
        // without a row the log was begun anew: the files are of the old one, and so are their offsets
        const until = row === undefined ? Number.POSITIVE_INFINITY : countedBytes(row, number);
        return until === undefined ? [] : [new Segment(duck, path, number, hour, -1, until)];
      });
      const open = segments.map(({ number, bytes }) => ({ number, bytes }));
      const applied = row === undefined ? -1 : segments.reduce((most, one) => Math.max(most, one.applied), row.applied);
      return { open, applied };
    };
    try {
      const row = await takeOver(state, writer, look);
      const manifest = await WriterFiles.open(state, row, hourOf(now()) - joinedHours, awaited);
      const marked = { ...folders, mark: `.${row.takeover}` };
      const partitions = Partitions.continued({ duck, manifest, folders: marked, limits, now }, { segments, nextNumber: firstNumber(row) });
      this.#own.set(partition, { epoch: writer.epoch, partitions });
      this.#tidy(folders.open, row);
      return row.applied;
    } catch (error) {
      for (const one of segments) one.close();
      throw error;
    }
  }

  /** What earlier owners left that nobody counts. */
  #tidy(folder: string, row: WriterRow): void {
    for (const { path, number } of segmentFiles(folder)) if (isSpent(row, number)) rmSync(path, { force: true });
  }

  /** @throws VedetteError `conflict` where the partition is another's by now */
  put(offset: number, received: Micros, events: EncodedEvents, writer: EventWriter | undefined): Promise<void> {
    const own = writer && this.#own.get(writer.partition);
    if (own === undefined || own.epoch !== writer?.epoch)
      return Promise.reject(
        new VedetteError("conflict", true, `the events of raw partition ${writer?.partition ?? "?"} are not this process's to write`),
      );
    return own.partitions.put(offset, received, events);
  }

  /** Seals what is due of each, and lets go of those that others have taken over. */
  async seal(all: boolean): Promise<void> {
    for (const [partition, { partitions }] of [...this.#own]) {
      try {
        await partitions.seal(all);
      } catch (error) {
        if (!isConflict(error)) throw error;
        await this.#letGo(partition);
      }
    }
  }

  async #letGo(partition: number): Promise<void> {
    const own = this.#own.get(partition);
    this.#own.delete(partition);
    await own?.partitions.close();
  }

  async close(): Promise<void> {
    for (const partition of [...this.#own.keys()]) await this.#letGo(partition);
  }
}
