/**
 * What a backup takes of a shared folder while others write there: open segments under further names, so that sealing takes nothing away, and sealed
 * files, which nobody removes meanwhile. Knows no backup.
 */
import { copyFileSync, linkSync, mkdirSync, rmSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { UnavailableError } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { type SegmentFile, segmentFiles } from "../events/partitions.ts";
import { readSqlite } from "../state/sqlite.ts";
import type { State } from "../state/tables.ts";
import type { SnapshotFile } from "../store.ts";
import { foldersOf, markPath, partitionsIn, sharedFolder, unreachable } from "./folder.ts";
import { countedBytes, firstNumber, keptUntilSetting, type WriterRow, writerRows } from "./manifest.ts";

/** A first backup of a large folder takes hours; one that died keeps files for a day at most. */
const keepFor: Micros = 86_400_000_000;
/** A segment that was listed may be sealed before it has a second name. */
const tries = 5;

interface Open extends SegmentFile {
  readonly partition: number;
}
interface Row extends Omit<WriterRow, "left_open"> {
  readonly left_open: string;
}

export class SharedSnapshot {
  readonly #state: State;
  readonly #root: string;
  readonly #now: () => Micros;
  #links: readonly string[] = [];

  constructor(state: State, root: string, now: () => Micros) {
    this.#state = state;
    this.#root = root;
    this.#now = now;
  }

  /**
   * @param copyState gives a copy of the state as of one moment, each time anew
   * @returns the copy, and the files that it rests on
   */
  async take(copyState: () => Promise<string>): Promise<{ readonly copy: string; readonly files: readonly SnapshotFile[] }> {
    await this.#keep(this.#now() + keepFor);
    for (let n = 0; n < tries; n++) {
      const before = this.#open();
      const copy = await copyState();
      const found = await this.#counted(copy, [...before, ...this.#open()]).catch((error) => {
        throw unreachable(this.#root, error);
      });
      if (found) return { copy, files: [...found, ...this.#sealed(copy)] };
      this.#unlink();
    }
    throw new UnavailableError("conflict", `${this.#root}: segments were sealed faster than they could be listed; try again`);
  }

  async release(): Promise<void> {
    this.#unlink();
    await this.#keep(0);
  }

  /** Until then nobody removes what no row names any more. */
  async #keep(until: Micros): Promise<void> {
    const value = String(until);
    await this.#state
      .insertInto("setting")
      .values({ name: keptUntilSetting, value })
      .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
      .execute();
  }

  #open(): readonly Open[] {
    try {
      return partitionsIn(this.#root).flatMap((partition) =>
        segmentFiles(foldersOf(this.#root, partition).open).map((one) => ({ partition, ...one })),
      );
    } catch (error) {
      throw unreachable(this.#root, error);
    }
  }

  /** The open segments that the copy counts; undefined where one of them was sealed and is gone. */
  async #counted(copy: string, listed: readonly Open[]): Promise<readonly SnapshotFile[] | undefined> {
    const rows = readSqlite<Row>(copy, "select * from event_writer").map(({ left_open, ...row }): WriterRow => {
      return { ...row, left_open: JSON.parse(left_open) as WriterRow["left_open"] };
    });
    const found = new Map<string, SnapshotFile>();
    for (const row of rows)
      for (const { partition, path, number } of listed) {
        const most = partition === row.partition ? countedBytes(row, number) : undefined;
        if (most === undefined || found.has(path)) continue;
        const file = this.#linked(path, foldersOf(this.#root, partition).temporary, most);
        if (file === undefined) return undefined;
        found.set(path, file);
      }
    return (await this.#missed(rows, listed)) ? undefined : [...found.values()];
  }

  /** Whether a segment was begun and sealed between the two times that they were listed. */
  async #missed(rows: readonly WriterRow[], listed: readonly Open[]): Promise<boolean> {
    const seen = new Set(listed.map(({ partition, number }) => `${partition}/${number}`));
    const now = new Map((await writerRows(this.#state)).map((row) => [row.partition, row]));
    return rows.some((row) => {
      const { takeover, sealed_segment } = now.get(row.partition) ?? row;
      if (takeover !== row.takeover) return true;
      for (let number = Math.max(firstNumber(row), row.sealed_segment + 1); number <= sealed_segment; number++)
        if (!seen.has(`${row.partition}/${number}`)) return true;
      return false;
    });
  }

  #sealed(copy: string): readonly SnapshotFile[] {
    const rows = readSqlite<{ partition: number; name: string }>(copy, "select partition, name from event_file order by hour, name");
    const mark = markPath(this.#root);
    const sealed = rows.map(({ partition, name }) => join(foldersOf(this.#root, partition).sealed, name));
    // retention may have been faster than this copy of the state
    const there = sealed.filter((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);
    return [
      this.#file(mark, mark, { fixed: true, sealed: false }),
      ...there.map((path) => this.#file(path, path, { fixed: true, sealed: true })),
    ];
  }

  #file(path: string, from: string, how: Pick<SnapshotFile, "fixed" | "sealed">, most = Number.POSITIVE_INFINITY): SnapshotFile {
    const bytes = Math.min(most, statSync(from).size);
    return { path: `${sharedFolder}/${relative(this.#root, path)}`, from, bytes, ...how };
  }

  /** Undefined for one that is gone. */
  #linked(path: string, folder: string, most: number): SnapshotFile | undefined {
    const link = join(folder, `backup-${process.pid}-${basename(path)}`);
    try {
      // where a restore put the folder nobody has written yet
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      rmSync(link, { force: true });
      second(path, link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    this.#links = [...this.#links, link];
    return this.#file(path, link, { fixed: false, sealed: false }, most);
  }

  #unlink(): void {
    for (const link of this.#links) rmSync(link, { force: true });
    this.#links = [];
  }
}

/** A second name for a file, or where the file system has none a copy. */
function second(path: string, name: string): void {
  try {
    linkSync(path, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw error;
    copyFileSync(path, name);
  }
}
