/** The disk as the log may see it: injected, so that tests crash, fill and damage it. Knows no format. */
import * as fs from "node:fs";
import { promisify } from "node:util";

/** An open file. Positions and sizes are bytes. Every method rejects with the system's error (`code` ENOSPC, EIO …). */
export interface DiskFile {
  /** Writes all of `bytes` at `position`, or rejects; after a rejection any part may have been written. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Fills `into` from `position`; returns fewer bytes only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Returns when content and size are on the medium. After a rejection the content since the last return is unknown. */
  datasync(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

/** Creations, renames and unlinks are durable only after `syncDirectory` of their directory. */
export interface Disk {
  /** `create` fails if the file exists. */
  open(path: string, mode: "create" | "write" | "read"): Promise<DiskFile>;
  /** Names in a directory, unsorted; none if there is no such directory. */
  list(path: string): Promise<readonly string[]>;
  /** undefined if there is no such file or directory. */
  stat(path: string): Promise<{ readonly bytes: number; readonly directory: boolean } | undefined>;
  /** One level; an existing directory is fine. */
  mkdir(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
}

const call = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  datasync: promisify(fs.fdatasync),
  sync: promisify(fs.fsync),
  truncate: promisify(fs.ftruncate),
  readdir: promisify(fs.readdir) as (path: string) => Promise<string[]>,
  stat: promisify(fs.stat) as (path: string) => Promise<fs.Stats>,
  mkdir: promisify(fs.mkdir) as (path: string) => Promise<void>,
  rename: promisify(fs.rename),
  unlink: promisify(fs.unlink),
};
const flags = { create: "wx+", write: "r+", read: "r" } as const;

export function errorCode(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
}

type Step = (
  handle: number,
  bytes: Uint8Array,
  start: number,
  length: number,
  position: number,
  done: (error: Error | null, count: number) => void,
) => void;

/** fs's own callback functions: half the cost per call of its FileHandle. */
function transfer(step: Step, handle: number, bytes: Uint8Array, start: number, position: number): Promise<number> {
  return new Promise((resolve, reject) =>
    step(handle, bytes, start, bytes.length - start, position, (error, count) => (error ? reject(error) : resolve(count))),
  );
}

function nodeFile(handle: number): DiskFile {
  return {
    async write(bytes, position) {
      for (let done = 0; done < bytes.length; ) done += await transfer(fs.write, handle, bytes, done, position + done);
    },
    async read(into, position) {
      let done = 0;
      while (done < into.length) {
        const count = await transfer(fs.read, handle, into, done, position + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    },
    datasync: () => call.datasync(handle),
    truncate: (size) => call.truncate(handle, size),
    close: () => call.close(handle),
  };
}

/** The real disk. Asynchronous throughout: while one partition waits for its fdatasync the others go on. */
export const nodeDisk: Disk = {
  async open(path, mode) {
    return nodeFile(await call.open(path, flags[mode], 0o640));
  },
  async list(path) {
    try {
      return await call.readdir(path);
    } catch (cause) {
      if (errorCode(cause) === "ENOENT") return [];
      throw cause;
    }
  },
  async stat(path) {
    try {
      const found = await call.stat(path);
      return { bytes: found.size, directory: found.isDirectory() };
    } catch (cause) {
      if (errorCode(cause) === "ENOENT") return undefined;
      throw cause;
    }
  },
  async mkdir(path) {
    try {
      await call.mkdir(path);
    } catch (cause) {
      if (errorCode(cause) !== "EEXIST") throw cause;
    }
  },
  rename: (from, to) => call.rename(from, to),
  unlink: (path) => call.unlink(path),
  async syncDirectory(path) {
    const handle = await call.open(path, "r");
    try {
      await call.sync(handle);
    } finally {
      await call.close(handle);
    }
  },
};
