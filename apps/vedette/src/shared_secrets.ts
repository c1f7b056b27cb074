/**
 * The installation's own secrets where several processes share its state: kept there, sealed, and so the same for all of them. Knows none by its
 * content.
 */
import { type SealedBox, type SealedPlace, type Secrets, VedetteError } from "@vedette/kit";
import type { SettingStore } from "@vedette/store";
import type { Vault } from "@vedette/vault";
import type { Config } from "./config/schema.ts";

const purpose = "shared secret";
const settingOf = (name: string): string => `secret.${name}`;
const textOf = (box: Uint8Array): string => Buffer.from(box).toString("base64");

export class SharedSecrets implements Secrets {
  readonly #vault: Vault;
  readonly #settings: SettingStore;
  readonly #names = new Set<string>();

  constructor(vault: Vault, settings: SettingStore) {
    this.#vault = vault;
    this.#settings = settings;
  }

  /** What this process kept alone before becomes everybody's, where nobody was faster. */
  async keep(name: string, make: () => Uint8Array): Promise<Uint8Array> {
    this.#names.add(name);
    const sealer = this.#vault.sealer(purpose);
    let kept = await this.#settings.get(settingOf(name));
    if (kept === undefined) {
      const own = await this.#vault.keep(name, make);
      kept = await this.#settings.add(settingOf(name), textOf(sealer.seal(own, name)));
    }
    return await this.#alsoHere(name, sealer.open(Buffer.from(kept, "base64"), name));
  }

  async change(name: string, next: (now: Uint8Array) => Uint8Array): Promise<Uint8Array> {
    const sealer = this.#vault.sealer(purpose);
    for (;;) {
      const kept = await this.#settings.get(settingOf(name));
      if (kept === undefined) throw new VedetteError("not_found", true, `${name}: no such secret`);
      const now = sealer.open(Buffer.from(kept, "base64"), name);
      const secret = next(now);
      const changed = secret === now || (await this.#settings.replace(settingOf(name), kept, textOf(sealer.seal(secret, name))));
      if (changed) return await this.#alsoHere(name, secret);
    }
  }

  /** Commands that find no server read it in the data directory. */
  async #alsoHere(name: string, secret: Uint8Array): Promise<Uint8Array> {
    await this.#vault.keep(name, () => secret);
    await this.#vault.change(name, (own) => (Buffer.compare(own, secret) === 0 ? own : secret));
    return secret;
  }

  /** For the rotation of keys. */
  sealed(): SealedPlace {
    const boxOf = async (name: string): Promise<readonly SealedBox[]> => {
      const kept = await this.#settings.get(settingOf(name));
      if (kept === undefined) return [];
      const replace = (bytes: Uint8Array) => this.#settings.replace(settingOf(name), kept, textOf(bytes));
      return [{ purpose, place: name, bytes: Buffer.from(kept, "base64"), replace }];
    };
    return { name: "shared keys", boxes: async () => (await Promise.all([...this.#names].map(boxOf))).flat() };
  }
}

/** Whose secrets they are: the data directory's, or those of all that share the state. */
export const secretsOfInstallation = (vault: Vault, { state }: Pick<Config, "state">, settings: SettingStore): Vault | SharedSecrets =>
  state.driver === "sqlite" ? vault : new SharedSecrets(vault, settings);
