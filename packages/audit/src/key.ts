/** The key that signs heads and tombstones, and the keys that may have. Knows nothing of what is signed. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface AuditKey {
  readonly secret: KeyObject;
  readonly id: string;
}

const keyId = (key: KeyObject): string =>
  createHash("sha256")
    .update((key.type === "public" ? key : createPublicKey(key)).export({ type: "spki", format: "der" }))
    .digest("base64url")
    .slice(0, 16);

/** The installation's signing key, made on first use. The public half lies beside it for whoever verifies. */
export async function auditKey(directory: string): Promise<AuditKey> {
  const path = join(directory, "audit.pem");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== "ENOENT") throw e;
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    text = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    await writeFile(path, text, { mode: 0o600, flag: "wx" });
    await writeFile(join(directory, "audit.pub.pem"), publicKey.export({ type: "spki", format: "pem" }) as string, { mode: 0o644 });
  }
  const secret = createPrivateKey(text);
  return { secret, id: keyId(secret) };
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
