/** Sealed files of a shared folder that a restore has yet to bring, or could not bring. Knows no row and no event. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { foldersOf, unreachable } from "./folder.ts";

/** Files of the folder, each a list of `NNNN/NAME`, one a line. */
const coming = "awaited";
const lost = "lost";

/** A file as the folder has it. */
interface Named {
  readonly partition: number;
  readonly name: string;
}

const lineOf = ({ partition, name }: Named): string => `${String(partition).padStart(4, "0")}/${name}`;

interface List {
  readonly version: string;
  readonly lines: ReadonlySet<string>;
}

export class Awaited {
  readonly #root: string;
  readonly #lists = new Map<string, List>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Those of which there is no file yet. @throws UnavailableError */
  of<F extends Named>(files: readonly F[]): ReadonlySet<F> {
    const named = [this.#read(coming), this.#read(lost)].filter((lines) => lines.size > 0);
    if (named.length === 0) return new Set();
    return new Set(files.filter((one) => named.some((lines) => lines.has(lineOf(one))) && !this.#isThere(one)));
  }

  /** Those that will never come. */
  lostOf<F extends Named>(files: readonly F[]): readonly F[] {
    const lines = this.#read(lost);
    return lines.size === 0 ? [] : files.filter((one) => lines.has(lineOf(one)) && !this.#isThere(one));
  }

  get any(): boolean {
    return this.#read(coming).size > 0 || this.anyLost;
  }
  get anyLost(): boolean {
    return this.#read(lost).size > 0;
  }

  /** No row names any of them any more. */
  async forgetLost(): Promise<void> {
    await rm(join(this.#root, lost), { force: true });
  }

  #isThere({ partition, name }: Named): boolean {
    return existsSync(join(foldersOf(this.#root, partition).sealed, name));
  }

  /** Read anew only when it was replaced: it may name as many files as there are. */
  #read(name: string): ReadonlySet<string> {
    const path = join(this.#root, name);
    try {
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined) return new Set();
      const version = `${found.ino} ${found.mtimeMs} ${found.size}`;
      let list = this.#lists.get(name);
      if (list?.version !== version) {
        list = { version, lines: new Set(readFileSync(path, "utf8").split("\n").filter(Boolean)) };
        this.#lists.set(name, list);
      }
      return list.lines;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Set();
      throw unreachable(this.#root, error);
    }
  }
}
