/** Proves what a backup holds, and puts its files back, each proved before it gets its name. Knows no file's meaning. */
import { access, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BadInputError, syncDirectory, VedetteError } from "@vedette/kit";
import type { BackupFile, Manifest } from "./manifest.ts";
import type { Objects } from "./objects.ts";

export interface Damage {
  readonly path: string;
  /** What becomes of it. */
  readonly consequence: "left_out" | "zeros";
  readonly message: string;
}
export interface ReadOptions {
  readonly onProgress?: (bytes: number, file: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Files that are put together here have no name yet: a killed restore leaves nothing that looks whole. */
export const unfinishedFolder = "restore.tmp";

/** Opens and proves every chunk of a backup once. `seen` spares those of backups before. */
export async function verifyBackup(
  objects: Objects,
  { files }: Manifest,
  seen: Set<string>,
  options: ReadOptions = {},
): Promise<readonly Damage[]> {
  const damage: Damage[] = [];
  let done = 0;
  for (const { path, part, chunk, chunks } of files)
    for (const name of chunks) {
      options.signal?.throwIfAborted();
      done += chunk;
      options.onProgress?.(done, path);
      if (seen.has(name)) continue;
      try {
        await objects.get(name);
        seen.add(name);
      } catch (e) {
        await setAside(objects, name, e);
        damage.push({ path, consequence: mended.has(part) ? "zeros" : "left_out", message: (e as Error).message });
      }
    }
  return damage;
}

const mended = new Set(["log", "trail"]);

/** A missing key or a full disk is no damage. */
async function setAside(objects: Objects, name: string, e: unknown): Promise<void> {
  if (!(e instanceof VedetteError) || e.code !== "sealed_damaged") throw e;
  await objects.setAside(name);
}

/**
 * Puts files below a directory; what has its name there was put whole and is left as it is.
 * @throws VedetteError `sealed_damaged` for damage in a file of state, which must be whole
 */
export async function restoreFiles(
  objects: Objects,
  files: readonly BackupFile[],
  directory: string,
  options: ReadOptions = {},
): Promise<readonly Damage[]> {
  const damage: Damage[] = [];
  const folders = new Set<string>();
  let done = 0;
  for (const file of files) {
    const path = join(directory, file.path);
    if (!(await exists(path))) {
      const found = await restoreFile(objects, file, directory, (bytes) => options.onProgress?.(done + bytes, file.path), options.signal);
      damage.push(...found);
      folders.add(dirname(path));
    }
    done += file.bytes;
  }
  for (const folder of folders) if (await exists(folder)) await syncDirectory(folder);
  await rm(join(directory, unfinishedFolder), { recursive: true, force: true });
  return damage;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function restoreFile(
  objects: Objects,
  { path, part, bytes, chunk, chunks }: BackupFile,
  directory: string,
  onProgress: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Damage[]> {
  const temporary = join(directory, unfinishedFolder, "file");
  await mkdir(dirname(temporary), { recursive: true, mode: 0o700 });
  await mkdir(dirname(join(directory, path)), { recursive: true, mode: 0o700 });
  const out = await open(temporary, "w", 0o600);
  const damage: Damage[] = [];
  try {
    for (const [at, name] of chunks.entries()) {
      signal?.throwIfAborted();
      const length = Math.min(chunk, bytes - at * chunk);
      try {
        const content = await objects.get(name);
        if (content.length !== length) throw new VedetteError("sealed_damaged", true, `object ${name} has another length`);
        await out.write(content, 0, length, at * chunk);
      } catch (e) {
        if (!(e instanceof VedetteError) || e.code !== "sealed_damaged") throw e;
        if (part === "state")
          throw new BadInputError("backup_invalid", `${path} cannot be restored: ${e.message}; name an earlier backup with --at`);
        if (!mended.has(part)) return [{ path, consequence: "left_out", message: e.message }];
        damage.push({ path, consequence: "zeros", message: `bytes ${at * chunk} to ${at * chunk + length}: ${e.message}` });
      }
      onProgress(at * chunk + length);
    }
    await out.truncate(bytes);
    await out.datasync();
  } finally {
    await out.close();
  }
  await rename(temporary, join(directory, path));
  return damage;
}
