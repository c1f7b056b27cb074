/** The vault of one installation: its keys, its own secrets in sealed files, and the rotation of all that is sealed. Knows no secret's meaning. */
import { join } from "node:path";
import {
  BadInputError,
  diskFiles,
  type Files,
  inTurn,
  type SealedBox,
  type SealedPlace,
  type Sealer,
  type Secrets,
  VedetteError,
} from "@vedette/kit";
import { boxKeyId } from "./box.ts";
import type { RootKey } from "./key.ts";
import { KeyRing } from "./ring.ts";
import { generatedFile, type KeySources, newSecret, readKeys } from "./sources.ts";

export interface KeyLine {
  readonly id: string;
  readonly from: string;
  /** Boxes that this key sealed; a key that is not there has them too: they cannot be opened. */
  readonly boxes: number;
  readonly use: "seals" | "opens" | "missing";
}
export interface VaultStatus {
  /** Newest first. */
  readonly keys: readonly KeyLine[];
  readonly places: readonly { readonly name: string; readonly boxes: number; readonly old: number; readonly damaged: number }[];
}
export interface Rotated {
  readonly key: string;
  readonly resealed: number;
  /** Keys that nothing is sealed by any more and that were thrown away. */
  readonly dropped: readonly string[];
}

const secretPurpose = "secret";
const suffix = ".sealed";
const secretName = /^[a-z][a-z0-9_]{0,63}$/;

export class Vault implements Secrets {
  readonly #ring: KeyRing;
  readonly #sources: KeySources;
  readonly #files: Files;
  readonly #folder: string;
  readonly #oneByOne = inTurn();

  private constructor(ring: KeyRing, sources: KeySources, files: Files) {
    this.#ring = ring;
    this.#sources = sources;
    this.#files = files;
    this.#folder = join(sources.directory, "keys");
  }

  /** @throws ConfigError, UnavailableError `key_unavailable` */
  static async open(sources: KeySources, files: Files = diskFiles): Promise<Vault> {
    return new Vault(new KeyRing(await readKeys(sources, files)), sources, files);
  }

  /** Its boxes must be among the places of a rotation. */
  sealer(purpose: string): Sealer {
    return this.#ring.sealer(purpose);
  }

  /**
   * Keys of `bytes` bytes for one purpose, newest first, one from each key: they change when the keys are rotated, so only for what is short-lived.
   * What the older ones made is good until they are gone.
   */
  derive(purpose: string, bytes: number): readonly Uint8Array[] {
    return this.#ring.derive(purpose, bytes);
  }

  /** @throws VedetteError `sealed_key_missing`, `sealed_damaged` */
  keep(name: string, make: () => Uint8Array): Promise<Uint8Array> {
    return this.#write(name, (now) => now ?? make());
  }

  /** @throws VedetteError `not_found` where none was made, `sealed_key_missing`, `sealed_damaged` */
  change(name: string, next: (now: Uint8Array) => Uint8Array): Promise<Uint8Array> {
    return this.#write(name, (now) => {
      if (now === undefined) throw new VedetteError("not_found", true, `${name}: no such secret`);
      return next(now);
    });
  }

  async #write(name: string, next: (now: Uint8Array | undefined) => Uint8Array): Promise<Uint8Array> {
    if (!secretName.test(name)) throw new BadInputError("bad_request", `${name}: expected a name of lower case letters, digits and _`);
    const sealer = this.sealer(secretPurpose);
    const path = join(this.#folder, `${name}${suffix}`);
    return await this.#oneByOne(async () => {
      const box = await this.#files.read(path);
      const now = box && sealer.open(box, name);
      const secret = next(now);
      if (secret !== now) await this.#files.replace(path, sealer.seal(secret, name));
      return secret;
    });
  }

  /** Keys that another process of the installation has begun to seal by. */
  async reread(): Promise<void> {
    await this.#oneByOne(async () => this.#ring.change(await readKeys(this.#sources, this.#files)));
  }

  /** The vault's own place: a file a secret. */
  get #secrets(): SealedPlace {
    return {
      name: "keys",
      boxes: async () => {
        const names = (await this.#files.list(this.#folder)).filter((name) => name.endsWith(suffix));
        const found: SealedBox[] = [];
        for (const name of names) {
          const path = join(this.#folder, name);
          const bytes = await this.#files.read(path);
          const replace = async (next: Uint8Array) => {
            await this.#files.replace(path, next);
            return true;
          };
          if (bytes !== undefined) found.push({ purpose: secretPurpose, place: name.slice(0, -suffix.length), bytes, replace });
        }
        return found;
      },
    };
  }

  async status(places: readonly SealedPlace[]): Promise<VaultStatus> {
    const all = [this.#secrets, ...places];
    const known = new Set(this.#ring.keys.map(({ id }) => id));
    const counts = new Map<string, number>();
    const lines: VaultStatus["places"][number][] = [];
    for (const place of all) {
      const boxes = await place.boxes();
      const ids = boxes.map(({ bytes }) => idOf(bytes));
      for (const id of ids) if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
      const old = ids.filter((id) => id !== undefined && id !== this.#ring.newest.id).length;
      lines.push({ name: place.name, boxes: boxes.length, old, damaged: boxes.filter((box) => !this.#opens(box)).length });
    }
    const keys = this.#ring.keys.map(({ id, from }, at): KeyLine => {
      return { id, from, boxes: counts.get(id) ?? 0, use: at === 0 ? "seals" : "opens" };
    });
    const missing = [...counts].filter(([id]) => !known.has(id)).map(([id, boxes]): KeyLine => ({ id, from: "", boxes, use: "missing" }));
    return { keys: [...keys, ...missing], places: lines };
  }

  /**
   * Reads the keys again, makes a new one where they are the installation's own, and seals everything by the newest. Whatever is interrupted can
   * be opened and is finished by the next rotation. A key goes when nothing is sealed by it and it was not the newest when this rotation began:
   * what was sealed a moment ago may not be written yet.
   */
  rotate(places: readonly SealedPlace[]): Promise<Rotated> {
    return this.#oneByOne(() => this.#rotate(places));
  }

  async #rotate(places: readonly SealedPlace[]): Promise<Rotated> {
    const sealing = this.#ring.newest.id;
    this.#ring.change(await readKeys(this.#sources, this.#files));
    const generated = generatedFile(this.#sources.directory);
    const own = this.#ring.newest.from === generated;
    if (own) await this.#addKey(generated);
    const resealed = await this.reseal(places);
    const dropped = await this.#dropUnused(generated, sealing, places);
    return { key: this.#ring.newest.id, resealed, dropped };
  }

  /** Seals by the newest key what an older one sealed. @throws VedetteError for what cannot be opened, after all else is done */
  async reseal(places: readonly SealedPlace[]): Promise<number> {
    let resealed = 0;
    let problem: unknown;
    for (const place of [this.#secrets, ...places])
      for (const box of await place.boxes()) {
        if (idOf(box.bytes) === this.#ring.newest.id) continue;
        const sealer = this.sealer(box.purpose);
        try {
          if (await box.replace(sealer.seal(sealer.open(box.bytes, box.place), box.place))) resealed++;
        } catch (e) {
          problem ??= e;
        }
      }
    if (problem !== undefined) throw problem;
    return resealed;
  }

  async #addKey(generated: string): Promise<void> {
    const before = await this.#files.read(generated);
    await this.#files.replace(generated, Buffer.concat([Buffer.from(`${newSecret()}\n`), before ?? Buffer.alloc(0)]));
    this.#ring.change(await readKeys(this.#sources, this.#files));
  }

  /** Of the installation's own keys only: others are somebody else's to take away. */
  async #dropUnused(generated: string, sealing: string, places: readonly SealedPlace[]): Promise<readonly string[]> {
    const { keys } = await this.status(places);
    const unused = new Set(
      keys.filter(({ id, from, boxes, use }) => from === generated && boxes === 0 && use === "opens" && id !== sealing).map(({ id }) => id),
    );
    if (unused.size === 0) return [];
    const left = this.#ring.keys.filter(({ id }) => !unused.has(id));
    const own = left.filter(({ from }) => from === generated);
    if (own.length === 0) await this.#files.remove(generated);
    else await this.#files.replace(generated, Buffer.from(own.map(lineOf).join("")));
    this.#ring.change(left);
    return [...unused];
  }

  #opens({ purpose, place, bytes }: SealedBox): boolean {
    try {
      this.sealer(purpose).open(bytes, place);
      return true;
    } catch (e) {
      if (e instanceof VedetteError) return false;
      throw e;
    }
  }
}

const lineOf = ({ secret }: RootKey): string => `${Buffer.from(secret).toString("utf8")}\n`;

function idOf(box: Uint8Array): string | undefined {
  try {
    return boxKeyId(box);
  } catch {
    return undefined;
  }
}
