/**
 * Keyed pseudonyms: the same text is always the same token, and who has the key can read it back. A synthetic IV (HMAC-SHA-256 over the text)
 * with AES-256-CTR, as RFC 5297 builds it: equal texts are seen to be equal and lengths stay visible, nothing else is.
 */
import { createCipheriv, createDecipheriv, createHmac, hash, hkdfSync, timingSafeEqual } from "node:crypto";
import { remembered } from "../bounded_cache.ts";

const prefix = "pn_";
const ivBytes = 16;
/** Longer command lines are cut: what stands behind tells nobody apart, and tokens stay shorter than a field may be. */
const maxBytes = 16_384;
const token = /^pn_([A-Za-z0-9_-]{22,22000})$/;

/** What a pseudonym looks like where there is no key. */
export const masked = `${prefix}without_a_key`;

/** The key for pseudonyms from an installation's secret; the secret does not follow from it. */
export const pseudonymKey = (secret: string): Uint8Array => new Uint8Array(hkdfSync("sha256", secret, "", "vedette pseudonyms 1", 64));

export class Pseudonyms {
  readonly #mac: Uint8Array;
  readonly #cipher: Uint8Array;
  /** Tells keys apart without telling them. */
  readonly keyId: string;
  /** The token of a text; of a token, itself. */
  readonly of: (text: string) => string;

  /** @param key from `pseudonymKey` */
  constructor(key: Uint8Array) {
    this.#mac = key.subarray(0, 32);
    this.#cipher = key.subarray(32, 64);
    this.keyId = hash("sha256", Buffer.concat([Buffer.from("vedette pseudonym key id"), key]), "base64url").slice(0, 16);
    // user names repeat, and a token costs some 5 µs
    this.of = remembered((text) => (token.test(text) && this.reveal(text) !== undefined ? text : this.#make(text)));
  }

  #make(text: string): string {
    const plain = cut(Buffer.from(text, "utf8"));
    const iv = this.#iv(plain);
    const cipher = createCipheriv("aes-256-ctr", this.#cipher, iv);
    return prefix + Buffer.concat([iv, cipher.update(plain), cipher.final()]).toString("base64url");
  }

  /** The text behind a token; undefined for what this key did not make. */
  reveal(text: string): string | undefined {
    const body = token.exec(text)?.[1];
    if (body === undefined) return undefined;
    const bytes = Buffer.from(body, "base64url");
    if (bytes.length < ivBytes) return undefined;
    const iv = bytes.subarray(0, ivBytes);
    const decipher = createDecipheriv("aes-256-ctr", this.#cipher, iv);
    const plain = Buffer.concat([decipher.update(bytes.subarray(ivBytes)), decipher.final()]);
    return timingSafeEqual(this.#iv(plain), iv) ? plain.toString("utf8") : undefined;
  }

  #iv(plain: Buffer): Buffer {
    return createHmac("sha256", this.#mac).update(plain).digest().subarray(0, ivBytes);
  }
}

/** At a border of characters. */
function cut(bytes: Buffer): Buffer {
  if (bytes.length <= maxBytes) return bytes;
  let end = maxBytes;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
