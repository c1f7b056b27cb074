/** Makes a backup of what was captured: reads what the backup before does not hold, and writes the manifest last. Knows no file's meaning. */
import { hostname } from "node:os";
import { type Clock, systemClock } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { About, BackupFile, Growth, Manifest, Part } from "./manifest.ts";
import { newId, type Repository } from "./repository.ts";

/** A file as it is when a backup is taken. */
export interface CapturedFile {
  /** Below the data directory, with slashes. */
  readonly path: string;
  readonly part: Part;
  readonly growth: Growth;
  /** How much of it counts; all that is there when it is read where it is not given. */
  readonly bytes?: number;
  /** Called at most once; undefined for a file that is gone. What it gives stays as it was captured until it is closed. */
  open(): Promise<CapturedContent | undefined>;
}
export interface CapturedContent {
  /** Fills `into` from a position on; returns fewer bytes only at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}
export interface Captured {
  readonly taken: Micros;
  readonly about: About;
  readonly files: readonly CapturedFile[];
  /** Lets go of what is held for the backup. */
  release(): Promise<void>;
}

export interface WriteOptions {
  readonly version: string;
  /** The backup that this installation made last or was restored from: what it holds of files that do not change is not read again. */
  readonly base?: Manifest | undefined;
  readonly bytesPerSecond?: number | undefined;
  readonly clock?: Clock;
  readonly onProgress?: (done: number, file: string) => void;
  readonly signal?: AbortSignal | undefined;
}
export interface Written {
  readonly manifest: Manifest;
  /** Bytes read from files, and bytes that the folder grew by. */
  readonly read: number;
  readonly stored: number;
}

/** Pages that change are scattered over the state database: small pieces of it are kept again. */
const chunkOf = (part: Part): number => (part === "state" ? 256 << 10 : 4 << 20);

/** The caller holds the repository's lock and releases what was captured. */
export async function writeBackup(repository: Repository, captured: Captured, options: WriteOptions): Promise<Written> {
  const { version, base, clock = systemClock } = options;
  const before = new Map(base?.files.map((file) => [file.path, file]));
  const work = new Writer(repository, options, clock);
  const files: BackupFile[] = [];
  for (const file of captured.files) {
    const known = before.get(file.path);
    const kept = await work.file(file, known);
    if (kept !== undefined) files.push(kept);
  }
  const { taken, about } = captured;
  const manifest = { id: newId(taken), taken, finished: clock.now(), version, host: hostname(), about, files };
  await repository.add(manifest);
  return { manifest, read: work.read, stored: work.stored };
}

class Writer {
  read = 0;
  stored = 0;
  readonly #repository: Repository;
  readonly #options: WriteOptions;
  readonly #clock: Clock;
  readonly #begun: Micros;

  constructor(repository: Repository, options: WriteOptions, clock: Clock) {
    this.#repository = repository;
    this.#options = options;
    this.#clock = clock;
    this.#begun = clock.now();
  }

  async file(file: CapturedFile, known: BackupFile | undefined): Promise<BackupFile | undefined> {
    const { path, part, growth } = file;
    const chunk = chunkOf(part);
    const stands = known?.chunk === chunk && known.growth === growth && known.part === part ? known : undefined;
    if (growth === "fixed" && stands !== undefined && stands.bytes === file.bytes && (await this.#holds(stands.chunks))) return stands;
    const content = await file.open();
    if (content === undefined) return undefined;
    try {
      const whole = growth === "grows" ? this.#unchanged(stands, file.bytes) : [];
      const chunks = (await this.#holds(whole)) ? [...whole] : [];
      let bytes = chunks.length * chunk;
      const limit = file.bytes ?? Number.POSITIVE_INFINITY;
      while (bytes < limit) {
        const into = new Uint8Array(Math.min(chunk, limit - bytes));
        const got = await content.read(into, bytes);
        if (got === 0) break;
        chunks.push(await this.#chunk(path, into.subarray(0, got)));
        bytes += got;
        if (got < into.length) break;
      }
      return { path, part, growth, bytes, chunk, chunks };
    } finally {
      await content.close();
    }
  }

  /** Chunks of a growing file that were full then. */
  #unchanged(known: BackupFile | undefined, bytes: number | undefined): readonly string[] {
    if (known === undefined || bytes === undefined || known.bytes > bytes) return [];
    return known.chunks.slice(0, Math.floor(known.bytes / known.chunk));
  }

  async #holds(chunks: readonly string[]): Promise<boolean> {
    for (const name of chunks) if (!(await this.#repository.objects.has(name))) return false;
    return true;
  }

  async #chunk(path: string, bytes: Uint8Array): Promise<string> {
    const { signal, onProgress, bytesPerSecond } = this.#options;
    signal?.throwIfAborted();
    const { name, stored } = await this.#repository.objects.put(bytes);
    this.read += bytes.length;
    this.stored += stored;
    onProgress?.(this.read, path);
    if (bytesPerSecond !== undefined) {
      const ahead_ms = (this.read / bytesPerSecond) * 1_000 - (this.#clock.now() - this.#begun) / 1_000;
      if (ahead_ms > 1) await this.#clock.sleep(ahead_ms, signal);
    }
    return name;
  }
}
