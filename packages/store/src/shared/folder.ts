/** The shared folder: whose it is, and where in it the events of a raw partition lie. Knows no state database and no event. */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, UnavailableError } from "@vedette/kit";
import type { Folders } from "../events/sealed.ts";

/** Holds the id of the installation whose events these are. */
const mark = "vedette-events";
/** Where the folder's files are in a backup, and in a data directory that nothing else is said of. */
export const sharedFolder = "events/shared";
export const markPath = (root: string): string => join(root, mark);

export const unreachable = (root: string, cause: unknown): UnavailableError =>
  new UnavailableError(
    "store_unavailable",
    `events.shared: ${root} cannot be read or written (${cause instanceof Error ? cause.message : String(cause)}): is it mounted, and may this user write there?`,
    { cause },
  );

/** The id that the folder bears; undefined for one that nobody has begun to use. @throws UnavailableError */
export function markOf(root: string): string | undefined {
  try {
    return readFileSync(markPath(root), "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && existsSync(root)) return undefined;
    throw unreachable(root, error);
  }
}

/**
 * Refuses a folder that is another installation's, and one that should hold events and bears no mark: nothing is mounted there.
 * @param id of this installation
 * @param used whether it has written there before
 * @throws ConfigError `config_invalid`; UnavailableError `store_unavailable`
 */
export function claimFolder(root: string, id: string, used: boolean): void {
  const found = markOf(root);
  if (found === id) return;
  if (found !== undefined)
    throw new ConfigError(
      "config_invalid",
      `events.shared: ${root} holds the events of another installation (${mark} there says ${found}, the state store says ${id}); give each its own folder`,
    );
  if (used)
    throw new ConfigError(
      "config_invalid",
      `events.shared: ${root} lacks the file ${mark} that marks it as this installation's, so it is not the folder that the events are in: is it mounted?`,
    );
  try {
    const file = openSync(markPath(root), "wx", 0o600);
    writeSync(file, `${id}\n`);
    fsyncSync(file);
    closeSync(file);
  } catch (error) {
    // another process of the same installation was faster; what it wrote is looked at
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw unreachable(root, error);
    if (markOf(root) !== id) throw unreachable(root, new Error(`${mark} is being written by another installation`));
  }
}

export const foldersOf = (root: string, partition: number): Folders => {
  const own = join(root, String(partition).padStart(4, "0"));
  return { open: join(own, "open"), sealed: join(own, "sealed"), temporary: join(own, "tmp"), awaited: join(own, "awaited") };
};

/** Raw partitions of which there is a folder. */
export const partitionsIn = (root: string): readonly number[] =>
  readdirSync(root).flatMap((name) => (/^\d{4,}$/.test(name) ? [Number(name)] : []));

/** @throws UnavailableError */
export function makeFolders(root: string, partition: number): Folders {
  const folders = foldersOf(root, partition);
  try {
    for (const folder of [folders.open, folders.sealed, folders.temporary]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unreachable(root, error);
  }
  return folders;
}
