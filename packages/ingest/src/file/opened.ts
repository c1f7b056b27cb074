/** An open file as numbered bytes, plain or compressed. Knows nothing of lines or names that change. */
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";

/** What a look at a file says: it has news if any member differs from the look before. */
export interface Look {
  readonly size: number;
  readonly modified_ms: number;
  /** No name leads to the file any more. */
  readonly unlinked: boolean;
}

export interface Opened {
  /** Device and inode: the same for every name of the file, as long as it lives. */
  readonly key: string;
  readonly inode: string;
  /** A compressed file is written once: its end is an end. */
  readonly compressed: boolean;
  look(): Promise<Look>;
  /** Fills the buffer from byte `at` of the (decompressed) content; fewer bytes only at the end. */
  read(buffer: Buffer, at: number): Promise<number>;
  /** Why the decompressed content stopped early, once it did. */
  readonly damage: string | undefined;
  close(): Promise<void>;
}

export const fileKey = (stat: { readonly dev: bigint; readonly ino: bigint }) => `${stat.dev}:${stat.ino}`;

/** Undefined if there is no such regular file. */
export async function openFile(path: string): Promise<Opened | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const stat = await handle.stat({ bigint: true });
  if (!stat.isFile()) {
    await handle.close();
    return undefined;
  }
  const key = fileKey(stat);
  const inode = String(stat.ino);
  return /\.(gz|zst)$/.test(path) ? new Compressed(handle, key, inode, path.endsWith(".gz")) : new Plain(handle, key, inode);
}

export const isMissing = (error: unknown) => ["ENOENT", "ENOTDIR", "ESTALE"].includes((error as NodeJS.ErrnoException).code ?? "");

class Plain implements Opened {
  readonly key: string;
  readonly inode: string;
  readonly compressed = false;
  readonly damage = undefined;
  readonly #handle: FileHandle;

  constructor(handle: FileHandle, key: string, inode: string) {
    this.#handle = handle;
    this.key = key;
    this.inode = inode;
  }
  look(): Promise<Look> {
    return look(this.#handle);
  }
  async read(buffer: Buffer, at: number): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, buffer.length - filled, at + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }
  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function look(handle: FileHandle): Promise<Look> {
  const stat = await handle.stat();
  return { size: stat.size, modified_ms: stat.mtimeMs, unlinked: stat.nlink === 0 };
}

/** More than any log compresses; gzip cannot reach it for long, zstd bombs pass it at once. */
const maxRatio = 1_000;
/** Small files may expand to this without being asked for their ratio. */
const ratioFree = 16 * 1024 * 1024;

const pieceBytes = 65_536;

/** Reads forward; a step back over what it still holds is free, any other starts anew. */
class Compressed implements Opened {
  readonly key: string;
  readonly inode: string;
  readonly compressed = true;
  damage: string | undefined;
  readonly #handle: FileHandle;
  readonly #gzip: boolean;
  #pieces: AsyncIterator<Buffer> | undefined;
  #stop: () => void = () => {};
  #held: Buffer = Buffer.alloc(0);
  #start = 0;
  #ended = false;

  constructor(handle: FileHandle, key: string, inode: string, gzip: boolean) {
    this.#handle = handle;
    this.key = key;
    this.inode = inode;
    this.#gzip = gzip;
  }
  look(): Promise<Look> {
    return look(this.#handle);
  }

  async read(buffer: Buffer, at: number): Promise<number> {
    // After an end the file may have grown (it was still being compressed): only a new pass can tell.
    if (this.#pieces === undefined || at < this.#start || (this.#ended && at + buffer.length > this.#start + this.#held.length))
      this.#restart();
    while (!this.#ended && this.#start + this.#held.length < at + buffer.length) await this.#more(at);
    const from = Math.min(Math.max(0, at - this.#start), this.#held.length);
    const count = this.#held.copy(buffer, 0, from, from + buffer.length);
    this.#held = this.#held.subarray(from);
    this.#start += from;
    return count;
  }

  async #more(keepFrom: number): Promise<void> {
    try {
      const next = await this.#pieces!.next();
      if (next.done) {
        this.#ended = true;
        return;
      }
      const drop = Math.min(Math.max(0, keepFrom - this.#start), this.#held.length);
      this.#start += drop;
      const rest = this.#held.subarray(drop);
      this.#held = rest.length === 0 ? next.value : Buffer.concat([rest, next.value]);
    } catch (error) {
      this.#ended = true;
      this.damage = (error as Error).message;
    }
  }

  #restart(): void {
    this.#stop();
    this.damage = undefined;
    this.#ended = false;
    this.#held = Buffer.alloc(0);
    this.#start = 0;
    const wire = { bytes: 0 };
    const input = Readable.from(wirePieces(this.#handle, wire), { objectMode: false });
    const inflate = this.#gzip ? createGunzip({ chunkSize: pieceBytes }) : createZstdDecompress({ chunkSize: pieceBytes });
    input.on("error", (error) => inflate.destroy(error));
    input.pipe(inflate);
    this.#stop = () => {
      input.destroy();
      inflate.destroy();
    };
    this.#pieces = bounded(inflate, wire);
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#handle.close();
  }
}

async function* wirePieces(handle: FileHandle, wire: { bytes: number }): AsyncGenerator<Buffer> {
  for (;;) {
    const piece = Buffer.allocUnsafeSlow(pieceBytes);
    const { bytesRead } = await handle.read(piece, 0, pieceBytes, wire.bytes);
    if (bytesRead === 0) return;
    wire.bytes += bytesRead;
    yield piece.subarray(0, bytesRead);
  }
}

async function* bounded(pieces: AsyncIterable<Buffer>, wire: { readonly bytes: number }): AsyncGenerator<Buffer> {
  let produced = 0;
  for await (const piece of pieces) {
    produced += piece.length;
    if (produced > ratioFree && produced > wire.bytes * maxRatio) throw new Error(`expands more than ${maxRatio}-fold`);
    yield piece;
  }
}
