/** Small files that are replaced whole: after a crash there is the old content or the new. Injected, so that tests crash. Knows no content. */
import { mkdirSync, statSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ConfigError } from "./errors.ts";

export interface Files {
  /** undefined where there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Names in a directory, sorted; none where there is none. */
  list(directory: string): Promise<readonly string[]>;
  /** Durable when it resolves; readable by this user only. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
}

const absent = (e: unknown): boolean => (e as NodeJS.ErrnoException).code === "ENOENT";

/** Creations, renames and removals in it are durable when it resolves. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What the disk says, in words; everything else by its code. */
const refusals = new Map([
  ["EACCES", "this user may not write there"],
  ["EPERM", "this user may not write there"],
  ["EROFS", "it is mounted read-only"],
  ["ENOSPC", "the disk is full"],
  ["EEXIST", "a file has that name"],
  ["ENOTDIR", "what it lies in is a file"],
  ["ENOENT", "the file system takes none there"],
]);

/**
 * Makes a folder that somebody named, and those above it that are missing. Not by Node's `recursive`: below /proc, where no folder can be made,
 * that tries for ever.
 * @throws ConfigError `folder_unusable`
 */
export function makeFolder(path: string, mode = 0o700): void {
  const isFolder = (at: string) => statSync(at, { throwIfNoEntry: false })?.isDirectory() === true;
  try {
    const missing: string[] = [];
    for (let at = resolve(path); !isFolder(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
    for (const folder of missing) {
      try {
        mkdirSync(folder, { mode });
      } catch (e) {
        // another process was quicker
        if (!isFolder(folder)) throw e;
      }
    }
  } catch (e) {
    const { code = "" } = e as NodeJS.ErrnoException;
    throw new ConfigError("folder_unusable", `${path}: no folder can be made: ${refusals.get(code) ?? code}; name another`, { cause: e });
  }
}

export const diskFiles: Files = {
  async read(path) {
    try {
      return new Uint8Array(await readFile(path));
    } catch (e) {
      if (absent(e)) return undefined;
      throw e;
    }
  },
  async list(directory) {
    try {
      return (await readdir(directory)).sort();
    } catch (e) {
      if (absent(e)) return [];
      throw e;
    }
  },
  async replace(path, bytes) {
    const directory = dirname(path);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const temporary = `${path}.new`;
    await rm(temporary, { force: true });
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncDirectory(directory);
  },
  async remove(path) {
    await rm(path, { force: true });
    await syncDirectory(dirname(path));
  },
};
