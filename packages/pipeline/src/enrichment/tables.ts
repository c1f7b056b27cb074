/** Contents of enrichers' tables by their hash: `D/tables`. Knows neither tables nor events. Stored format, docs/format/tables.md. */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync, rmSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { contentHash } from "@vedette/kit";
import type { TableShelf } from "./table_shelf.ts";

/** What a program names by hash and does not carry. */
export interface Resources {
  /** Undefined where it is lost. Not to be written to: threads share it. */
  table(hash: string): Uint8Array | undefined;
  /** What pseudonyms are made with. */
  readonly pseudonymKey?: Uint8Array | undefined;
}

const objectName = /^[A-Za-z0-9_-]{43}$/;
/** Kept in memory: those of the program in force and of the one before it. */
const mostInMemory = 16;

export class Tables implements Resources {
  readonly #directory: string;
  readonly #shelf: TableShelf | undefined;
  readonly #known = new Map<string, Uint8Array>();

  /** @param directory made when first needed @param shelf where other processes find what is put here */
  constructor(directory: string, shelf?: TableShelf) {
    this.#directory = directory;
    this.#shelf = shelf;
  }

  /** Keeps a content, durably, for all who share it; the same again changes nothing. Gives its hash. */
  async put(bytes: Uint8Array): Promise<string> {
    const hash = await this.#keepHere(bytes);
    await this.#shelf?.put(hash, bytes);
    return hash;
  }

  /** Brings here what another process put. What nobody shares stays unknown. */
  async fetch(hashes: Iterable<string>): Promise<void> {
    for (const hash of this.#shelf === undefined ? [] : hashes) {
      if (this.table(hash) !== undefined) continue;
      const bytes = await this.#shelf!.get(hash);
      if (bytes !== undefined && contentHash(bytes) === hash) await this.#keepHere(bytes);
    }
  }

  async #keepHere(bytes: Uint8Array): Promise<string> {
    const hash = contentHash(bytes);
    const path = join(this.#directory, hash);
    if (existsSync(path)) return hash;
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const temporary = `${path}.${process.pid}.tmp`;
    const file = await open(temporary, "w", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    return hash;
  }

  table(hash: string): Uint8Array | undefined {
    const before = this.#known.get(hash);
    if (before !== undefined) return before;
    const bytes = objectName.test(hash) ? readShared(join(this.#directory, hash)) : undefined;
    // a content that is not what its name says would give other answers than the log asks for
    if (bytes === undefined || contentHash(bytes) !== hash) return undefined;
    if (this.#known.size >= mostInMemory) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(hash, bytes);
    return bytes;
  }

  /** Removes what nobody needs any more. @param shared of those who share it, too */
  async keep(hashes: ReadonlySet<string>, shared = true): Promise<void> {
    if (shared) await this.#shelf?.keep(hashes);
    if (!existsSync(this.#directory)) return;
    for (const name of readdirSync(this.#directory)) if (!hashes.has(name)) rmSync(join(this.#directory, name), { force: true });
    for (const hash of this.#known.keys()) if (!hashes.has(hash)) this.#known.delete(hash);
  }
}

/** In memory that threads share: a database of 60 MB is there once, not once for each. */
function readShared(path: string): Uint8Array | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const size = fstatSync(file).size;
    const bytes = new Uint8Array(new SharedArrayBuffer(size));
    let at = 0;
    while (at < size) {
      const read = readSync(file, bytes, at, size - at, at);
      if (read === 0) return undefined;
      at += read;
    }
    return bytes;
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}
