/** The bytes of a sealed box (docs/format/sealed.md). Knows no ring: who opens has found the key. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { VedetteError } from "@vedette/kit";
import type { RootKey } from "./key.ts";

const magic = Buffer.from("VSB1", "latin1");
const idEnd = 12;
const saltBytes = 24;
const headerBytes = idEnd + saltBytes;
const tagBytes = 16;
const keyBytes = 32;
const ivBytes = 12;
const cipherName = "aes-256-gcm";

/**
 * A key and IV for this one box, from the root key and 192 random bits: with one AES key for all boxes, random 96-bit IVs would be safe for
 * 2^32 boxes only (NIST SP 800-38D, 8.3); so it is 2^80, as XAES-256-GCM does it.
 */
function derived(key: RootKey, purpose: string, salt: Uint8Array): { readonly key: Uint8Array; readonly iv: Uint8Array } {
  const bytes = new Uint8Array(hkdfSync("sha256", key.secret, salt, `vedette box 1 ${purpose}`, keyBytes + ivBytes));
  return { key: bytes.subarray(0, keyBytes), iv: bytes.subarray(keyBytes) };
}

const bound = (header: Uint8Array, purpose: string, place: string): Buffer => Buffer.concat([header, Buffer.from(`${purpose}\0${place}`)]);

export function sealBox(root: RootKey, purpose: string, place: string, plain: Uint8Array): Uint8Array {
  const salt = randomBytes(saltBytes);
  const header = Buffer.concat([magic, Buffer.from(root.id, "hex"), salt]);
  const { key, iv } = derived(root, purpose, salt);
  const cipher = createCipheriv(cipherName, key, iv);
  cipher.setAAD(bound(header, purpose, place));
  return new Uint8Array(Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
}

/** @throws VedetteError `sealed_damaged` for what is no box */
export function boxKeyId(box: Uint8Array): string {
  const bytes = Buffer.from(box.buffer, box.byteOffset, box.length);
  if (bytes.length < headerBytes + tagBytes || !bytes.subarray(0, magic.length).equals(magic))
    throw new VedetteError("sealed_damaged", true, `these ${box.length} bytes are no sealed box`);
  return bytes.toString("hex", magic.length, idEnd);
}

/** @throws VedetteError `sealed_damaged` */
export function openBox(root: RootKey, purpose: string, place: string, box: Uint8Array): Uint8Array {
  const header = box.subarray(0, headerBytes);
  const { key, iv } = derived(root, purpose, header.subarray(idEnd));
  const decipher = createDecipheriv(cipherName, key, iv, { authTagLength: tagBytes });
  decipher.setAAD(bound(header, purpose, place));
  decipher.setAuthTag(box.subarray(box.length - tagBytes));
  try {
    return new Uint8Array(Buffer.concat([decipher.update(box.subarray(headerBytes, box.length - tagBytes)), decipher.final()]));
  } catch (cause) {
    throw new VedetteError("sealed_damaged", true, `${place}: what is sealed was changed, or lies where it was not sealed for`, { cause });
  }
}
