/** Chunks of content, each kept once under a name made of its content, sealed. Knows no file and no backup. */
import { createHmac } from "node:crypto";
import { access, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import { type Sealer, syncDirectory, VedetteError } from "@vedette/kit";

/** What a chunk may come to when it is unpacked: no chunk is cut larger. */
export const maxChunkBytes = 4 << 20;
const plain = 0;
const zstd = 1;
const compress = promisify(zstdCompress) as (bytes: Uint8Array) => Promise<Buffer>;
const decompress = promisify(zstdDecompress) as (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>;
/** Packing that saves less is left out: sealed Parquet and log segments are packed already. */
const worthPacking = 0.95;

export const objectName = /^[0-9a-f]{64}$/;

export class Objects {
  readonly #folder: string;
  readonly #naming: Uint8Array;
  readonly #sealer: Sealer;
  /** Folders with names that are not durable yet. */
  readonly #fresh = new Set<string>();

  /** @param naming key of the names: without it nobody can tell whether a known file is among the chunks */
  constructor(folder: string, naming: Uint8Array, sealer: Sealer) {
    this.#folder = folder;
    this.#naming = naming;
    this.#sealer = sealer;
  }

  nameOf(bytes: Uint8Array): string {
    return createHmac("sha256", this.#naming).update(bytes).digest("hex");
  }
  #path(name: string): string {
    return join(this.#folder, name.slice(0, 2), name);
  }

  async has(name: string): Promise<boolean> {
    return access(this.#path(name)).then(
      () => true,
      () => false,
    );
  }

  /** Keeps a chunk; durable after `settle`. @returns its name and the bytes it took, 0 for one that is there */
  async put(bytes: Uint8Array): Promise<{ readonly name: string; readonly stored: number }> {
    const name = this.nameOf(bytes);
    if (await this.has(name)) return { name, stored: 0 };
    const packed = await compress(bytes);
    const small = packed.length < bytes.length * worthPacking;
    const box = this.#sealer.seal(Buffer.concat([Buffer.from([small ? zstd : plain]), small ? packed : bytes]), name);
    const path = this.#path(name);
    const folder = join(this.#folder, name.slice(0, 2));
    if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) this.#fresh.add(this.#folder);
    const temporary = `${path}.new`;
    const file = await open(temporary, "w", 0o600);
    try {
      await file.writeFile(box);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    this.#fresh.add(folder);
    return { name, stored: box.length };
  }

  /** Everything that was put is durable when it resolves. */
  async settle(): Promise<void> {
    for (const folder of this.#fresh) await syncDirectory(folder);
    this.#fresh.clear();
  }

  /** A chunk, proved to be what its name says. @throws VedetteError `sealed_damaged`, also where it is missing */
  async get(name: string): Promise<Uint8Array> {
    let box: Uint8Array;
    try {
      const { size } = await stat(this.#path(name));
      // what a box adds is some sixty bytes
      if (size > maxChunkBytes + 4_096) throw new Error(`${size} bytes are more than any chunk has`);
      box = await readFile(this.#path(name));
    } catch (cause) {
      const why = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "is missing" : `cannot be read: ${(cause as Error).message}`;
      throw new VedetteError("sealed_damaged", true, `object ${name} ${why}`, { cause });
    }
    const opened = this.#sealer.open(box, name);
    const bytes = await unpacked(name, opened);
    if (this.nameOf(bytes) !== name) throw new VedetteError("sealed_damaged", true, `object ${name} holds something else`);
    return bytes;
  }

  /** Puts a damaged chunk out of the way, so that the next backup keeps it anew. */
  async setAside(name: string): Promise<void> {
    await rename(this.#path(name), `${this.#path(name)}.damaged`).catch(() => {});
  }

  /** Removes what `needed` does not name, and what killed runs left. @returns what was removed */
  async sweep(needed: ReadonlySet<string>): Promise<{ readonly objects: number; readonly bytes: number }> {
    let [objects, bytes] = [0, 0];
    for (const folder of await readdir(this.#folder).catch(() => [])) {
      for (const name of await readdir(join(this.#folder, folder))) {
        if (needed.has(name) || name.endsWith(".damaged")) continue;
        const path = join(this.#folder, folder, name);
        bytes += (await stat(path)).size;
        objects++;
        await rm(path, { force: true });
      }
    }
    return { objects, bytes };
  }
}

async function unpacked(name: string, opened: Uint8Array): Promise<Uint8Array> {
  const rest = opened.subarray(1);
  if (opened[0] === plain) return rest;
  try {
    if (opened[0] !== zstd) throw new Error(`kind ${opened[0]} is unknown`);
    return await decompress(rest, { maxOutputLength: maxChunkBytes });
  } catch (cause) {
    throw new VedetteError("sealed_damaged", true, `object ${name}: ${(cause as Error).message}`, { cause });
  }
}
