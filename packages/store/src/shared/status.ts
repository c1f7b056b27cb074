/** How the shared folder is that events are in, for whoever looks after an installation. Leaves nothing behind. */

import { randomBytes } from "node:crypto";
import { closeSync, fdatasyncSync, openSync, readFileSync, renameSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { segmentFiles } from "../events/partitions.ts";
import { foldersOf, markOf, partitionsIn, unreachable } from "./folder.ts";

export interface SharedStatus {
  /** Whether an installation has begun to use it. */
  readonly marked: boolean;
  /** Raw partitions with events in it. */
  readonly partitions: number;
  /** Segments that are not sealed yet. */
  readonly open: number;
  readonly freeBytes: number;
}

/** @throws UnavailableError where it is not there, or cannot do what open segments need: append, sync, rename, and be read while it is written */
export function sharedStatus(root: string): SharedStatus {
  const marked = markOf(root) !== undefined;
  const probe = join(root, `.probe-${randomBytes(6).toString("hex")}`);
  try {
    tryOut(probe);
    const partitions = partitionsIn(root);
    const open = partitions.reduce((all, partition) => all + segmentFiles(foldersOf(root, partition).open).length, 0);
    const { bavail, bsize } = statfsSync(root);
    return { marked, partitions: partitions.length, open, freeBytes: bavail * bsize };
  } catch (error) {
    throw unreachable(root, error);
  } finally {
    for (const path of [probe, `${probe}.named`]) rmSync(path, { force: true });
  }
}

/** As events are written: a mount over an object store often takes a file whole only, or shows it when it is closed. */
function tryOut(probe: string): void {
  const file = openSync(probe, "a", 0o600);
  try {
    for (const part of ["one", "two"]) {
      writeSync(file, part);
      fdatasyncSync(file);
    }
    const seen = readFileSync(probe, "utf8");
    if (seen !== "onetwo") throw new Error(`what is appended to a file is not there to be read: found ${JSON.stringify(seen)}`);
    renameSync(probe, `${probe}.named`);
  } finally {
    closeSync(file);
  }
}
