/** Contents of tables where several processes share them: in the state, in pieces. Knows no table and no file. */
import type { SettingStore } from "@vedette/store";

export interface TableShelf {
  get(hash: string): Promise<Uint8Array | undefined>;
  /** Durable when it resolves; false for one that is too large to be shared. */
  put(hash: string, bytes: Uint8Array): Promise<boolean>;
  /** Removes all others. */
  keep(hashes: ReadonlySet<string>): Promise<void>;
}

const index = "tables";
const pieceOf = (hash: string, n: number): string => `table.${hash}.${n}`;
const pieceBytes = 768 << 10;
/** A database of cities has 60 MB. It is in every backup of the state: what is larger belongs into files of each host. */
const maxBytes = 64 << 20;

/** Written by the one who leads. */
export function settingShelf(settings: Pick<SettingStore, "get" | "set">): TableShelf {
  const known = async (): Promise<{ readonly [hash: string]: number }> => JSON.parse((await settings.get(index)) ?? "{}");
  return {
    async get(hash) {
      const all = await known();
      if (!Object.hasOwn(all, hash)) return undefined;
      const pieces: Buffer[] = [];
      for (let n = 0; n < all[hash]!; n++) pieces.push(Buffer.from((await settings.get(pieceOf(hash, n))) ?? "", "base64"));
      return Buffer.concat(pieces);
    },
    async put(hash, bytes) {
      const all = await known();
      if (Object.hasOwn(all, hash)) return true;
      if (bytes.length > maxBytes) return false;
      const pieces = Math.ceil(bytes.length / pieceBytes);
      for (let n = 0; n < pieces; n++)
        await settings.set(pieceOf(hash, n), Buffer.from(bytes.subarray(n * pieceBytes, (n + 1) * pieceBytes)).toString("base64"));
      await settings.set(index, JSON.stringify({ ...all, [hash]: pieces }));
      return true;
    },
    async keep(hashes) {
      const all = Object.entries(await known());
      const gone = all.filter(([hash]) => !hashes.has(hash));
      if (gone.length === 0) return;
      await settings.set(index, JSON.stringify(Object.fromEntries(all.filter(([hash]) => hashes.has(hash)))));
      for (const [hash, pieces] of gone) for (let n = 0; n < pieces; n++) await settings.set(pieceOf(hash, n), undefined);
    },
  };
}
