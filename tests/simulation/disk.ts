/** A disk that takes time and fails now and then, as one process sees it. What survives a crash is log/testing/crash_disk.ts's. Knows no format. */

import type { Disk, DiskFile } from "../../packages/log/src/disk.ts";
import type { CrashDisk, Fault } from "../../packages/log/src/testing/crash_disk.ts";
import type { Life } from "./life.ts";
import { ms } from "./world.ts";

/** How long an operation takes, in microseconds: fdatasync as measured on ext4 (design, C2), now and then a hundred times that. */
const usual = { read: 30, write: 60, sync: 3 * ms, name: 100 } as const;
const slowOnce = 200;

export interface DiskHealth {
  /** Of operations that fail by themselves, one in so many; 0 for none. */
  failing: number;
}

export function simulatedDisk(life: Life, disk: CrashDisk, health: DiskHealth): Disk {
  const { world } = life;
  const { chance } = world;
  const fault = (on: Fault["on"]) => {
    if (health.failing > 0 && chance.happens(1 / health.failing)) {
      disk.faults.push({ on, code: "EIO", times: 1 });
      world.tell(`${life.name} ${on} fails`);
    }
  };
  const later = <T>(kind: keyof typeof usual, what: string, work: () => Promise<T>, on?: Fault["on"]): Promise<T> =>
    new Promise((resolve, reject) => {
      const slow = chance.happens(1 / slowOnce) ? 100 : 1;
      life.after(usual[kind] * slow * (0.2 + 1.6 * chance.next()), () => {
        if (on) fault(on);
        if (kind !== "read") world.tell(`${life.name} ${what}`);
        work().then(resolve, reject);
      });
    });
  const file = (path: string, open: DiskFile): DiskFile => ({
    // the caller may reuse its buffer when the write is done, not before
    write: (bytes, position) => later("write", `write ${path} ${position} +${bytes.length}`, () => open.write(bytes, position), "write"),
    read: (into, position) => later("read", "", () => open.read(into, position)),
    datasync: () => later("sync", `datasync ${path}`, () => open.datasync(), "datasync"),
    truncate: (size) => later("write", `truncate ${path} ${size}`, () => open.truncate(size), "truncate"),
    close: () => open.close(),
  });
  return {
    open: (path, mode) =>
      later("name", `open ${path} ${mode}`, async () => file(path, await disk.open(path, mode)), mode === "create" ? "create" : undefined),
    list: (path) => later("read", "", () => disk.list(path)),
    stat: (path) => later("read", "", () => disk.stat(path)),
    mkdir: (path) => later("name", `mkdir ${path}`, () => disk.mkdir(path)),
    rename: (from, to) => later("name", `rename ${from} ${to}`, () => disk.rename(from, to)),
    unlink: (path) => later("name", `unlink ${path}`, () => disk.unlink(path)),
    syncDirectory: (path) => later("sync", `sync ${path}`, () => disk.syncDirectory(path), "syncDirectory"),
  };
}
