/** A folder of backups: its key, its objects, its manifests, and its lock. Knows neither where files come from nor where they go. */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import {
  BadInputError,
  diskFiles,
  type LockHolder,
  makeFolder,
  type Sealer,
  takeLock,
  thisProcess,
  touchLock,
  UnavailableError,
  VedetteError,
} from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { type Manifest, openManifest, sealManifest } from "./manifest.ts";
import { Objects } from "./objects.ts";

/** How a repository is opened. The vault stands behind both: this package has no cipher of its own. */
export interface RepositoryKeys {
  /** By name, who may seal the repository's key: the vault's newest key, and a key file's. Any that opens it will do. */
  readonly wraps: Readonly<Record<string, Sealer>>;
  /** The sealer of a secret. */
  readonly sealerOf: (secret: Uint8Array) => Sealer;
}

export interface Listed {
  readonly id: string;
  readonly bytes: number;
}

const keyBytes = 64;
const suffix = ".manifest";
const idForm = /^\d{8}T\d{6}Z-[0-9a-f]{8}$/;
const keyPlace = "backup key";
const marker = "repository.json";

export const isBackupId = (text: string): boolean => idForm.test(text);

/** `20261121T083000Z-1f0c9a2b`: sorted by name is sorted by time. */
export function newId(taken: Micros): string {
  const time = new Date(Math.floor(taken / 1_000)).toISOString().replace(/[-:]|\.\d+/g, "");
  return `${time}-${randomBytes(4).toString("hex")}`;
}

export class Repository {
  readonly directory: string;
  readonly objects: Objects;
  readonly #sealer: Sealer;

  private constructor(directory: string, secret: Uint8Array, keys: RepositoryKeys) {
    this.directory = directory;
    this.#sealer = keys.sealerOf(secret.subarray(0, keyBytes / 2));
    this.objects = new Objects(join(directory, "objects"), secret.subarray(keyBytes / 2), this.#sealer);
  }

  /**
   * To read what is there.
   * @throws VedetteError `sealed_key_missing`: none of the keys opens it; BadInputError `backup_invalid`: it is none
   */
  static async open(directory: string, keys: RepositoryKeys): Promise<Repository> {
    if (!existsSync(join(directory, marker)))
      throw new BadInputError("backup_invalid", `${directory} holds no backups: expected a folder that vedette backup --to has written`);
    return new Repository(directory, (await keyOf(directory, keys)).secret, keys);
  }

  /** To add to it; makes it where the folder is empty. @param own the installation's own key of backups, as it has kept it */
  static async openToWrite(directory: string, keys: RepositoryKeys, own: Uint8Array): Promise<Repository> {
    makeFolder(directory);
    if (!existsSync(join(directory, marker))) {
      const found = readdirSync(directory).filter((name) => name !== "keys" && name !== "lost+found");
      if (found.length > 0)
        throw new BadInputError("backup_invalid", `${directory} holds ${found[0]} and is no folder of backups; name an empty one`);
      await wrap(directory, keys, own);
      await diskFiles.replace(join(directory, marker), Buffer.from(`${JSON.stringify({ format: 1 })}\n`));
    } else {
      const { secret } = await keyOf(directory, keys);
      if (!Buffer.from(secret).equals(own))
        throw new BadInputError("backup_invalid", `${directory} holds backups of another installation; name another folder`);
      // the keys may have been rotated since: an old one is thrown away some day
      await wrap(directory, keys, own);
    }
    return new Repository(directory, own, keys);
  }

  /** A new key for an installation's backups. */
  static newKey = (): Uint8Array => new Uint8Array(randomBytes(keyBytes));

  /** Oldest first. */
  async list(): Promise<readonly Listed[]> {
    const names = await diskFiles.list(join(this.directory, "backups"));
    const ids = names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
    const listed = ids.filter((id) => idForm.test(id)).map(async (id) => ({ id, bytes: (await stat(this.#path(id))).size }));
    return await Promise.all(listed);
  }

  #path(id: string): string {
    return join(this.directory, "backups", `${id}${suffix}`);
  }

  /** @throws BadInputError `not_found`, `backup_invalid`; VedetteError `sealed_damaged` */
  async manifest(id: string): Promise<Manifest> {
    const box = idForm.test(id) ? await diskFiles.read(this.#path(id)) : undefined;
    if (box === undefined) throw new BadInputError("not_found", `${this.directory} has no backup ${id}; vedette backup list shows them`);
    return openManifest(id, box, this.#sealer);
  }

  /** The newest that can be read, at or before a time. Newer ones that cannot are told of. */
  async newest(before: Micros | undefined, onDamaged: (id: string, why: string) => void): Promise<Manifest | undefined> {
    for (const { id } of (await this.list()).toReversed()) {
      try {
        const manifest = await this.manifest(id);
        if (before === undefined || manifest.taken <= before) return manifest;
      } catch (e) {
        onDamaged(id, (e as Error).message);
      }
    }
    return undefined;
  }

  /** Makes a backup one: before this nobody takes what was written for it. */
  async add(manifest: Manifest): Promise<void> {
    await this.objects.settle();
    await diskFiles.replace(this.#path(manifest.id), sealManifest(manifest, this.#sealer));
  }

  async remove(id: string): Promise<void> {
    await diskFiles.remove(this.#path(id));
  }

  /** One writer at a time. @throws UnavailableError `conflict` */
  lock(): { touch(): void; release(): void } {
    const file = join(this.directory, "lock");
    const holder: LockHolder | undefined = takeLock(file, thisProcess());
    if (holder !== undefined)
      throw new UnavailableError(
        "conflict",
        `process ${holder.pid} of ${holder.host} is writing to ${this.directory}; try again when it is done`,
      );
    return { touch: () => touchLock(file), release: () => rmSync(file, { force: true }) };
  }
}

async function wrap(directory: string, { wraps }: RepositoryKeys, secret: Uint8Array): Promise<void> {
  for (const [name, sealer] of Object.entries(wraps))
    await diskFiles.replace(join(directory, "keys", `${name}.sealed`), sealer.seal(secret, keyPlace));
}

async function keyOf(directory: string, { wraps }: RepositoryKeys): Promise<{ readonly secret: Uint8Array }> {
  const folder = join(directory, "keys");
  let problem: unknown;
  for (const file of await diskFiles.list(folder)) {
    const box = await diskFiles.read(join(folder, file));
    for (const sealer of Object.values(wraps)) {
      try {
        return { secret: sealer.open(box ?? new Uint8Array(), keyPlace) };
      } catch (e) {
        problem = e;
      }
    }
  }
  throw new VedetteError(
    "sealed_key_missing",
    true,
    `${directory}: none of the keys given opens these backups. They are sealed by the key that the installation had (SECRET_KEY, its key file, or secret.key of its data directory): name it with --key-file. If that key is lost, so are they`,
    { cause: problem },
  );
}
