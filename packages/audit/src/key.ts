/** The key that signs heads and tombstones, and the keys that may have. Knows nothing of what is signed. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Secrets } from "@vedette/kit";

export interface AuditKey {
  readonly secret: KeyObject;
  readonly id: string;
}

const keyId = (key: KeyObject): string =>
  createHash("sha256")
    .update((key.type === "public" ? key : createPublicKey(key)).export({ type: "spki", format: "der" }))
    .digest("base64url")
    .slice(0, 16);

/**
 * The installation's signing key, made on first use. The public half lies in `directory` for whoever verifies. One that lies there unsealed, as
 * earlier versions left it, is taken over.
 */
export async function auditKey(directory: string, secrets: Secrets): Promise<AuditKey> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const unsealed = join(directory, "audit.pem");
  const before = await textOf(unsealed);
  const kept = await secrets.keep("audit", () => Buffer.from(before ?? newKey()));
  const secret = createPrivateKey(Buffer.from(kept));
  const shown = createPublicKey(secret).export({ type: "spki", format: "pem" }) as string;
  const path = join(directory, "audit.pub.pem");
  if ((await textOf(path)) !== shown) await writeFile(path, shown, { mode: 0o644 });
  if (before !== undefined && Buffer.from(kept).equals(Buffer.from(before))) await rm(unsealed);
  return { secret, id: keyId(secret) };
}

const newKey = (): string => generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }) as string;

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw e;
  }
}

/** Public keys by their ids. */
export type KeyRing = ReadonlyMap<string, KeyObject>;
/** @param pems public keys (or secret ones, of which the public half is taken). @throws Error when one is no key */
export const keyRing = (pems: readonly string[]): KeyRing =>
  new Map(pems.map((pem) => createPublicKey(pem)).map((key) => [keyId(key), key]));

/** Whether the key with this id signed these bytes. */
export function isSigned(bytes: Uint8Array, id: string, signature: string, keys: KeyRing): boolean {
  const key = keys.get(id);
  return key !== undefined && verify(null, bytes, key, Buffer.from(signature, "base64url"));
}
