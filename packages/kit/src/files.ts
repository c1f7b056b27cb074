/** Small files that are replaced whole: after a crash there is the old content or the new. Injected, so that tests crash. Knows no content. */
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

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
