/** A file that says which process has something to itself, taken over when that process is gone. Knows not what it locks. */
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";

export interface LockHolder {
  readonly pid: number;
  /** Kernel start time of that process, so that a recycled pid is not mistaken for it. */
  readonly started: string;
  readonly host: string;
}

/** A holder on another host cannot be asked: it counts as gone when it has not touched its file for so long. */
const quiet_ms = 600_000;

export const thisProcess = (): LockHolder => ({ pid: process.pid, started: startOf(process.pid) ?? "", host: hostname() });

/** Takes the lock for this process. @returns who holds it, where somebody does; then it is not ours */
export function takeLock<H extends LockHolder>(file: string, own: H): H | undefined {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(file, JSON.stringify(own), { flag: "wx", mode: 0o600 });
      return undefined;
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== "EEXIST") throw e;
      const holder = lockHolder<H>(file);
      if (holder !== undefined) return holder;
      rmSync(file, { force: true });
    }
  }
  throw new Error(`${file} could not be taken`);
}

/** Whoever alive holds it. */
export function lockHolder<H extends LockHolder>(file: string): H | undefined {
  let holder: H;
  try {
    holder = JSON.parse(readFileSync(file, "utf8")) as H;
    // earlier versions named no host: their files lie on local disks
    if (holder.host !== undefined && holder.host !== hostname()) return Date.now() - statSync(file).mtimeMs < quiet_ms ? holder : undefined;
  } catch {
    return undefined;
  }
  return startOf(holder.pid) === holder.started ? holder : undefined;
}

/** Tells other hosts that the holder is alive. */
export function touchLock(file: string): void {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // whoever took it away is told of when the lock is given back
  }
}

/** Field 22 of /proc/PID/stat; where there is no /proc, whether the process answers signal 0. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    try {
      process.kill(pid, 0);
      return "alive";
    } catch {
      return undefined;
    }
  }
}
