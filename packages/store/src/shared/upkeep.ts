/**
 * What one process does for all of a shared folder: drops what is due, removes files that no row names any more, seals what its writer left for
 * good. Knows no query.
 */
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Micros } from "@vedette/model";
import { HeldPartitions } from "../events/held.ts";
import { hourWidth, type Policy, segmentFiles } from "../events/partitions.ts";
import { Removal } from "../events/removal.ts";
import { isDemo, literal, writeWithout } from "../events/sealed.ts";
import type { EventHold, TimeRange } from "../store.ts";
import { foldersOf, makeFolders } from "./folder.ts";
import {
  countedBytes,
  filesOfClass,
  filesWithDemo,
  filesWithin,
  keptUntil,
  namesOf,
  picture,
  replaceFiles,
  type SharedFile,
  sumOf,
  writerRows,
} from "./manifest.ts";
import { type SharedParts, Writers } from "./writers.ts";

/** Rows of the manifest read at once. */
const page = 500;
/** A question reads a file long after it was listed; one that takes longer than this asks for a list of files several times. */
const keepReplaced: Micros = 3_600_000_000;
/** Folders are gone through so often: a large one is some hundred thousand names. */
const sweepEvery: Micros = 600_000_000;
/** Who writes seals what he has once its hour is over; one who has not by then is gone. */
const abandonedAfter: Micros = 2 * hourWidth;

export class SharedUpkeep {
  readonly #parts: SharedParts;
  readonly #held: HeldPartitions;
  /** Files that no row names, and since when. */
  readonly #unnamed = new Map<string, Micros>();
  #swept = Number.NEGATIVE_INFINITY;

  constructor(parts: SharedParts) {
    this.#parts = parts;
    this.#held = new HeldPartitions(parts.duck);
  }

  /** As `Partitions.retain`, over the files of all writers. */
  async retain(policy: Policy, holds: readonly EventHold[]): Promise<number> {
    let dropped = await this.#forgetLost();
    for (const [name, limits] of Object.entries(policy)) {
      const due = limits.maxAge === undefined ? Number.NEGATIVE_INFINITY : this.#parts.now() - limits.maxAge;
      let over = limits.maxBytes === undefined ? 0 : (await sumOf(this.#parts.state, name)).bytes - limits.maxBytes;
      for await (const file of this.#filesOf(name)) {
        const aged = (file.hour + 1) * hourWidth <= due;
        if (!aged && over <= 0) break;
        // what is held counts for no quota: else newer events would have to make room for it
        over -= file.bytes;
        if (await this.#isHeld(file, holds)) continue;
        if (await replaceFiles(this.#parts.state, file, [])) dropped++;
      }
    }
    await this.#adopt();
    if (this.#parts.now() - this.#swept >= sweepEvery) {
      this.#swept = this.#parts.now();
      await this.#sweep();
    }
    return dropped;
  }

  async *#filesOf(name: string): AsyncGenerator<SharedFile> {
    for (let last: SharedFile | undefined; ; ) {
      const files = await filesOfClass(this.#parts.state, name, last, page);
      yield* files;
      last = files.at(-1);
      if (files.length < page) return;
    }
  }

  /** What a restore could not bring is named by no row from now on. */
  async #forgetLost(): Promise<number> {
    const { state, awaited } = this.#parts;
    if (!awaited.anyLost) return 0;
    let forgotten = 0;
    const { files } = await picture(state, undefined);
    for (const file of awaited.lostOf(files)) if (await replaceFiles(state, file, [])) forgotten++;
    await awaited.forgetLost();
    return forgotten;
  }

  #isHeld(file: SharedFile, holds: readonly EventHold[]): Promise<boolean> {
    // what is not there yet may hold anything
    if (this.#parts.awaited.of([file]).size > 0) return Promise.resolve(holds.length > 0);
    const path = join(foldersOf(this.#parts.root, file.partition).sealed, file.name);
    return this.#held.has({ ...file, name: path }, literal(path), holds);
  }

  /** Takes over what lies open where nobody has written or sealed for long, and seals it. */
  async #adopt(): Promise<void> {
    const { state, root, now } = this.#parts;
    for (const row of await writerRows(state)) {
      const open = segmentFiles(foldersOf(root, row.partition).open).filter(({ number }) => countedBytes(row, number) !== undefined);
      const newest = Math.max(...open.map(({ path }) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) * 1_000));
      if (open.length === 0 || newest > now() - abandonedAfter) continue;
      const writers = new Writers(this.#parts);
      await writers.take({ partition: row.partition, epoch: row.epoch });
      await writers.seal(true);
      await writers.close();
    }
  }

  /** Removes what no row has named for long: what was replaced or dropped, and what a crash or somebody replaced left behind. */
  async #sweep(): Promise<void> {
    const { state, root, now } = this.#parts;
    const unnamed = new Set<string>();
    for (const { partition } of await writerRows(state)) {
      // where a restore put the folder nobody may have written yet
      const { sealed, temporary } = makeFolders(root, partition);
      // listed first: what is sealed meanwhile is named when rows are read
      const files = readdirSync(sealed);
      const left = readdirSync(temporary);
      const named = await namesOf(state, partition);
      for (const file of files) if (!named.has(file)) unnamed.add(join(sealed, file));
      for (const file of left) unnamed.add(join(temporary, file));
    }
    for (const path of this.#unnamed.keys()) if (!unnamed.has(path)) this.#unnamed.delete(path);
    const kept = now() < (await keptUntil(state));
    for (const path of unnamed) {
      const since = this.#unnamed.get(path);
      if (since === undefined) this.#unnamed.set(path, now());
      else if (!kept && now() - since >= keepReplaced) {
        rmSync(path, { force: true });
        this.#unnamed.delete(path);
      }
    }
  }

  #there(files: readonly SharedFile[]): readonly SharedFile[] {
    const missing = this.#parts.awaited.of(files);
    return files.filter((one) => !missing.has(one));
  }

  /** In sealed files, whoever sealed them. */
  async clearDemo(): Promise<number> {
    const { duck, state, root } = this.#parts;
    let cleared = 0;
    for (const file of this.#there(await filesWithDemo(state))) {
      const { partition, ...rest } = file;
      const kept = await writeWithout(duck, rest, foldersOf(root, partition), isDemo);
      if (await replaceFiles(state, file, kept === undefined ? [] : [kept])) cleared += file.demo;
    }
    return cleared;
  }

  /** As `clearDemo`. What others still write is not looked at: whoever asks looks again until nothing is left. */
  async remove(tenant: string, ids: readonly string[], range: TimeRange): Promise<number> {
    const { duck, state, root } = this.#parts;
    return await Removal.of(duck, tenant, ids, async (removal) => {
      let removed = 0;
      for (const file of this.#there(await filesWithin(state, range))) {
        const { partition, ...rest } = file;
        const folders = foldersOf(root, partition);
        const count = await removal.countIn(join(folders.sealed, file.name));
        if (count === 0) continue;
        const kept = await writeWithout(duck, rest, folders, removal.test);
        if (await replaceFiles(state, file, kept === undefined ? [] : [kept])) removed += count;
      }
      return removed;
    });
  }
}
