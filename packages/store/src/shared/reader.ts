/** What all writers of a shared folder have stored by now, as a view that the local driver's questions are asked of. Changes nothing there. */
import { join } from "node:path";
import { VedetteError } from "@vedette/kit";
import type { Duck } from "../events/duck.ts";
import { type SegmentFile, type Source, segmentFiles, type View } from "../events/partitions.ts";
import { literal } from "../events/sealed.ts";
import type { Readable } from "../events/search.ts";
import type { State } from "../state/tables.ts";
import type { EventStore, TimeRange } from "../store.ts";
import type { Awaited } from "./awaited.ts";
import { Counted } from "./counted.ts";
import { foldersOf, partitionsIn, unreachable } from "./folder.ts";
import { Followed } from "./followed.ts";
import { countedBytes, picture, type SharedFile, sumOf, type WriterRow, writerRows } from "./manifest.ts";
import type { SharedParts } from "./writers.ts";

/** A segment that was listed may be sealed before it is read: then the list is older than the file, and is asked for again. */
const tries = 8;

interface OpenFile {
  readonly path: string;
  /** How many of its bytes count. */
  readonly bytes: number;
}

export class SharedReader implements Readable {
  readonly #duck: Duck;
  readonly #state: State;
  readonly #root: string;
  readonly #awaited: Awaited;
  /** Open segments by path: those that were read, and those that were only counted. */
  readonly #followed = new Map<string, Followed>();
  readonly #counted = new Map<string, Counted>();

  constructor({ duck, state, root, awaited }: Pick<SharedParts, "duck" | "state" | "root" | "awaited">) {
    this.#duck = duck;
    this.#state = state;
    this.#root = root;
    this.#awaited = awaited;
  }

  async view(range: TimeRange | undefined): Promise<View> {
    const uses: (() => void)[] = [];
    const release = () => {
      for (const end of uses.splice(0)) end();
    };
    const ask = () => picture(this.#state, range);
    try {
      const { files, open } = await this.#consistent(ask, (files) => this.#follow(files, uses), release);
      const within = ({ minTime, maxTime, rows }: Source) =>
        rows > 0 && (range === undefined || (maxTime >= range.from && minTime < range.to));
      const missing = this.#awaited.of(files);
      const there = files.filter((one) => !missing.has(one));
      const sources = [...open.map((one) => one.source()).filter(within), ...there.map((one) => this.#sourceOf(one))];
      return { sources, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #sourceOf({ partition, name, rows, min_time, max_time, odd }: SharedFile): Source {
    const relation = literal(join(foldersOf(this.#root, partition).sealed, name));
    return { relation, rows, minTime: min_time, maxTime: max_time, odd };
  }

  /**
   * What the state says, and what is open by the very same account of it. Files are listed before: one that is sealed meanwhile is among the
   * state's, and one that is begun meanwhile holds nothing that was stored before whoever asks asked.
   * @param again before everything is asked anew
   */
  async #consistent<T extends { readonly writers: readonly WriterRow[] }, Open>(
    ask: () => Promise<T>,
    look: (files: readonly OpenFile[]) => Open | Promise<Open>,
    again: () => void = () => {},
  ): Promise<T & { readonly open: Open }> {
    let last: unknown;
    for (let n = 0; n < tries; n++) {
      try {
        const listed = this.#list();
        const told = await ask();
        return { ...told, open: await look(this.#counting(told.writers, listed)) };
      } catch (error) {
        if (error instanceof VedetteError) throw error;
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw unreachable(this.#root, error);
        again();
        last = error;
      }
    }
    throw unreachable(this.#root, last);
  }

  #list(): ReadonlyMap<number, readonly SegmentFile[]> {
    return new Map(partitionsIn(this.#root).map((partition) => [partition, segmentFiles(foldersOf(this.#root, partition).open)]));
  }

  /** Of the files listed, those of which something counts. */
  #counting(writers: readonly WriterRow[], listed: ReadonlyMap<number, readonly SegmentFile[]>): readonly OpenFile[] {
    return writers.flatMap((row) => {
      // one that is not there although it was written to is an error, unless it was made this moment
      const files = listed.get(row.partition) ?? segmentFiles(foldersOf(this.#root, row.partition).open);
      return files.flatMap(({ path, number }) => {
        const bytes = countedBytes(row, number);
        return bytes === undefined ? [] : [{ path, bytes }];
      });
    });
  }

  /** @param uses gets what is to be called for each once it is done with */
  async #follow(files: readonly OpenFile[], uses: (() => void)[]): Promise<readonly Followed[]> {
    const open = new Map<string, Followed>();
    for (const { path, bytes } of files) {
      const one = this.#known(path, bytes);
      open.set(path, one);
      uses.push(one.use());
      await one.follow(bytes);
    }
    for (const [path, one] of [...this.#followed]) {
      if (open.has(path)) continue;
      this.#followed.delete(path);
      one.end();
    }
    return [...open.values()];
  }

  #known(path: string, bytes: number): Followed {
    let one = this.#followed.get(path);
    // read beyond what counts since its writer was replaced
    if (one !== undefined && one.bytes > bytes) {
      one.end();
      one = undefined;
    }
    one ??= new Followed(this.#duck, path);
    this.#followed.set(path, one);
    return one;
  }

  #count(files: readonly OpenFile[]): readonly Counted[] {
    const before = new Map(this.#counted);
    this.#counted.clear();
    return files.flatMap(({ path, bytes }) => {
      const known = before.get(path);
      const one = known === undefined || known.bytes > bytes ? new Counted(path) : known;
      this.#counted.set(path, one);
      one.count(bytes);
      return one.rows > 0 ? [one] : [];
    });
  }

  async usage(): ReturnType<EventStore["usage"]> {
    const ask = () =>
      this.#state
        .transaction()
        .setIsolationLevel("repeatable read")
        .execute(async (tx) => ({ writers: await writerRows(tx), sum: await sumOf(tx) }));
    const { sum, open } = await this.#consistent(ask, (files) => this.#count(files));
    const oldest = [...(sum.files > 0 ? [sum.oldest] : []), ...open.map((one) => one.minTime)];
    const newest = [...(sum.files > 0 ? [sum.newest] : []), ...open.map((one) => one.maxTime)];
    return {
      events: open.reduce((all, one) => all + one.rows, sum.rows),
      openBytes: open.reduce((all, one) => all + one.bytes, 0),
      sealedBytes: sum.bytes,
      originalBytes: open.reduce((all, one) => all + one.originalBytes, sum.original),
      partitions: sum.files + open.length,
      ...(await this.#restoring()),
      ...(oldest.length > 0 && { oldest: Math.min(...oldest), newest: Math.max(...newest) }),
    };
  }

  /** What of sealed files a restore has yet to bring. */
  async #restoring() {
    if (!this.#awaited.any) return {};
    const { files } = await picture(this.#state, undefined);
    const missing = [...this.#awaited.of(files)];
    if (missing.length === 0) return {};
    const events = missing.reduce((sum, { rows }) => sum + rows, 0);
    const oldest = Math.min(...missing.map((one) => one.min_time));
    const newest = Math.max(...missing.map((one) => one.max_time));
    return { restoring: { partitions: missing.length, events, oldest, newest } };
  }

  async close(): Promise<void> {
    for (const one of this.#followed.values()) {
      one.end();
      await one.settled();
    }
    this.#followed.clear();
  }
}
