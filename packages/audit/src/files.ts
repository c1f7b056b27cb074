/** The files of a chain: `NNNNNNNNNNNNNNNN.audit` by the number of their first record. Knows their names and lines, not their meaning. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface ChainFile {
  readonly path: string;
  /** Number of its first record. */
  readonly first: number;
}

export const fileOf = (directory: string, first: number): string => join(directory, `${String(first).padStart(16, "0")}.audit`);

/** In the order of their records; none where there is no such directory. */
export async function chainFiles(directory: string): Promise<readonly ChainFile[]> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw e;
  }
  return names
    .filter((name) => /^\d{16}\.audit$/.test(name))
    .sort()
    .map((name) => ({ path: join(directory, name), first: Number(name.slice(0, 16)) }));
}

const newline = 10;

/** A line of a file without its newline, and where it starts. The last is marked when no newline ends it. */
export interface FileLine {
  readonly bytes: Buffer;
  readonly start: number;
  readonly ended: boolean;
}

/** The lines of a file. Files are bounded (`segmentBytes`), so one is read whole. */
export async function linesOf(path: string): Promise<Iterable<FileLine>> {
  return linesIn(await readFile(path));
}

function* linesIn(all: Buffer): Generator<FileLine> {
  for (let start = 0; start < all.length; ) {
    const at = all.indexOf(newline, start);
    const end = at < 0 ? all.length : at;
    yield { bytes: all.subarray(start, end), start, ended: at >= 0 };
    start = end + 1;
  }
}
