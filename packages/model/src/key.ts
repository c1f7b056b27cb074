/** API keys as the state store keeps them; what a body says is for `@vedette/access` to know. Types only. */
import type { Micros } from "./event.ts";

export interface KeyRow {
  /** Of the key, base64url SHA-256. */
  readonly hash: string;
  /** Whose: a person's id, or empty for the shared admin token's. */
  readonly owner: string;
  readonly expires: Micros;
  /** JSON. */
  readonly body: string;
}

export interface KeyStore {
  /** The keys that expire after `now`; the others are deleted. */
  load(now: Micros): Promise<readonly KeyRow[]>;
  /** A row takes the place of the one with its hash. Resolves when durable. */
  save(change: { readonly keys?: readonly KeyRow[]; readonly removed?: readonly string[] }): Promise<void>;
}
