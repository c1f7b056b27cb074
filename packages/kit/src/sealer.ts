/** Keeping bytes secret at rest, as those who have secrets see it. Knows no key and no cipher. */

/** Seals for one purpose; made by the vault, handed to whoever has secrets to keep. */
export interface Sealer {
  /** @param place where the box will lie, such as `totp alice`: moved elsewhere it does not open. */
  seal(plain: Uint8Array, place: string): Uint8Array;
  /** @throws VedetteError `sealed_key_missing` (no key of this id: nothing is lost), `sealed_damaged` (changed, or of another purpose or place) */
  open(box: Uint8Array, place: string): Uint8Array;
}

/** Secrets of the installation itself, each under its name. */
export interface Secrets {
  /** The secret of this name; made and kept on first use. @param name lower case letters, digits and `_` */
  keep(name: string, make: () => Uint8Array): Promise<Uint8Array>;
  /**
   * Puts another in the place of one that was made, in one step whoever else does the same; nothing is written for one that `next` gives back as
   * it got it. @param next may be asked more than once
   * @returns what is kept now
   */
  change(name: string, next: (now: Uint8Array) => Uint8Array): Promise<Uint8Array>;
}

/** One box, and how another is put in its stead. */
export interface SealedBox {
  readonly purpose: string;
  readonly place: string;
  readonly bytes: Uint8Array;
  /** Durable when it resolves; false when something else lies there by now. */
  replace(bytes: Uint8Array): Promise<boolean>;
}

/** Somewhere boxes lie: a rotation goes through all of them. */
export interface SealedPlace {
  readonly name: string;
  boxes(): Promise<readonly SealedBox[]>;
}

/** Secrets in memory, for tests and for what leaves nothing behind. */
export function memorySecrets(): Secrets & { readonly kept: ReadonlyMap<string, Uint8Array> } {
  const kept = new Map<string, Uint8Array>();
  return {
    kept,
    keep: async (name, make) => {
      const found = kept.get(name) ?? make();
      kept.set(name, found);
      return found;
    },
    change: async (name, next) => {
      const changed = next(kept.get(name) ?? new Uint8Array());
      kept.set(name, changed);
      return changed;
    },
  };
}
