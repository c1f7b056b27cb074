/** The installation's keys, newest first: the newest seals, all of them open. Knows neither where keys come from nor what is sealed. */
import { hkdfSync } from "node:crypto";
import { type Sealer, VedetteError } from "@vedette/kit";
import { boxKeyId, openBox, sealBox } from "./box.ts";
import { type RootKey, rootKey } from "./key.ts";

export class KeyRing {
  #keys: readonly RootKey[];

  /** @param keys newest first; at least one */
  constructor(keys: readonly RootKey[]) {
    this.#keys = unique(keys);
  }

  get keys(): readonly RootKey[] {
    return this.#keys;
  }
  /** The one that seals. */
  get newest(): RootKey {
    return this.#keys[0]!;
  }

  /** Other keys from now on; sealers that were made before go by them too. */
  change(keys: readonly RootKey[]): void {
    this.#keys = unique(keys);
  }

  sealer(purpose: string): Sealer {
    return {
      seal: (plain, place) => sealBox(this.newest, purpose, place, plain),
      open: (box, place) => {
        const id = boxKeyId(box);
        const key = this.#keys.find((one) => one.id === id);
        if (key === undefined)
          throw new VedetteError(
            "sealed_key_missing",
            true,
            `${place} is sealed by key ${id}, which is not among this installation's keys`,
          );
        return openBox(key, purpose, place, box);
      },
    };
  }

  /** Keys of `bytes` bytes for one purpose, one from each key, newest first: they change with them. Nothing else follows from them. */
  derive(purpose: string, bytes: number): readonly Uint8Array[] {
    return this.#keys.map(({ secret }) => new Uint8Array(hkdfSync("sha256", secret, "", `vedette ${purpose}`, bytes)));
  }
}

/** A sealer by one secret of its own, which the vault keeps or not. */
export const sealerOf = (secret: Uint8Array, purpose: string): Sealer => new KeyRing([rootKey(secret, purpose)]).sealer(purpose);

const unique = (keys: readonly RootKey[]): readonly RootKey[] =>
  [...new Map([...keys].reverse().map((key) => [key.id, key])).values()].reverse();
