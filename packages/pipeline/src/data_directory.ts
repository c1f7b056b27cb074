/** The data directory: one process at a time, one format. Knows what lies where, not what is in it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "@vedette/kit";

/** Layout version of `log/ events/ state.db`; a directory of a newer one is refused. */
const formatVersion = 1;

export interface Lock {
  readonly pid: number;
  /** Kernel start time of that process, so that a recycled pid is not mistaken for it. */
  readonly started: string;
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
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const lockFile = join(path, "LOCK");
  const lock: Lock = { pid: process.pid, started: startOf(process.pid) ?? "" };
  takeLock(lockFile, lock);
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
export function holderOf(path: string): Lock | undefined {
  const text = read(join(path, "LOCK"));
  if (text === undefined) return undefined;
  try {
    const lock = JSON.parse(text) as Lock;
    return startOf(lock.pid) === lock.started ? lock : undefined;
  } catch {
    return undefined;
  }
}

function takeLock(file: string, lock: Lock): void {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(file, JSON.stringify(lock), { flag: "wx", mode: 0o600 });
      return;
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== "EEXIST") throw e;
      const holder = holderOf(join(file, ".."));
      if (holder)
        throw new ConfigError(
          "data_dir_locked",
          `${file} is held by process ${holder.pid}${holder.url ? ` (${holder.url})` : ""}; stop it, or choose another --data-dir`,
        );
      rmSync(file, { force: true });
    }
  }
  throw new ConfigError("data_dir_locked", `${file} could not be taken`);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** Field 22 of /proc/PID/stat; where there is no /proc, whether the process answers signal 0. */
function startOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat !== undefined) return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  try {
    process.kill(pid, 0);
    return "alive";
  } catch {
    return undefined;
  }
}
