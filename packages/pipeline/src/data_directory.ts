/** The data directory: one process at a time, one format. Knows what lies where, not what is in it. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { demandRestored } from "@vedette/backup";
import { ConfigError, type LockHolder, lockHolder, makeFolder, takeLock, thisProcess } from "@vedette/kit";

/** Layout version of `log/ events/ state.db`; a directory of a newer one is refused. */
const formatVersion = 1;

export interface Lock extends LockHolder {
  /** Where its HTTP API listens, once it does: the CLI speaks to it there. */
  url?: string;
}

export interface DataDirectory {
  readonly path: string;
  /** True when this start made it. */
  readonly fresh: boolean;
  announce(url: string): void;
  release(): void;
}

/** @throws ConfigError `data_dir_locked`, `data_dir_format` */
export function openDataDirectory(path: string): DataDirectory {
  makeFolder(path);
  const lockFile = join(path, "LOCK");
  const lock: Lock = thisProcess();
  const holder = takeLock<Lock>(lockFile, lock);
  if (holder)
    throw new ConfigError(
      "data_dir_locked",
      `${lockFile} is held by process ${holder.pid}${holder.url ? ` (${holder.url})` : ""}; stop it, or choose another --data-dir`,
    );
  try {
    demandRestored(path);
  } catch (e) {
    rmSync(lockFile, { force: true });
    throw e;
  }
  const formatFile = join(path, "format");
  const found = read(formatFile);
  if (found === undefined) writeFileSync(formatFile, `${formatVersion}\n`);
  else if (Number(found) !== formatVersion) {
    rmSync(lockFile, { force: true });
    throw new ConfigError(
      "data_dir_format",
      `${formatFile} says version ${found.trim().slice(0, 20)}; this program reads version ${formatVersion}`,
    );
  }
  return {
    path,
    fresh: found === undefined,
    announce: (url) => writeFileSync(lockFile, JSON.stringify({ ...lock, url })),
    release: () => rmSync(lockFile, { force: true }),
  };
}

/** Who holds the directory now, if anybody alive does. */
export const holderOf = (path: string): Lock | undefined => lockHolder<Lock>(join(path, "LOCK"));

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
