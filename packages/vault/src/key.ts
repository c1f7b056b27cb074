/** One key of the installation. Knows neither where it came from nor what it seals. */
import { hkdfSync } from "node:crypto";

export interface RootKey {
  /** Names the key in boxes and to people; the key does not follow from it. */
  readonly id: string;
  readonly secret: Uint8Array;
  /** Where it came from, in words. */
  readonly from: string;
}

const idBytes = 8;

/** @param secret key material as it was given: its bytes, not what they may encode */
export function rootKey(secret: Uint8Array, from: string): RootKey {
  return { id: Buffer.from(hkdfSync("sha256", secret, "", "vedette key id 1", idBytes)).toString("hex"), secret, from };
}
