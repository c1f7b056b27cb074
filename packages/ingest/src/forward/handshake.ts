/** The forward protocol's handshake by a shared key: HELO, PING, PONG. Knows no connection. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { Binary, pack, ValueReader } from "./msgpack.ts";

/** A client refuses a server of its own name, so it is not the machine's. */
const self = "vedette";
/** A PING is some 250 bytes; with long user names and hosts a few hundred. */
export const maxPingBytes = 4_096;

const digest = (...parts: readonly (string | Buffer)[]): string => {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

export class Handshake {
  readonly #key: string;
  readonly #nonce = randomBytes(16);

  constructor(key: string) {
    this.#key = key;
  }
  /** What the server says first. */
  helo(): Buffer {
    return pack(["HELO", { nonce: this.#nonce, auth: Buffer.alloc(0), keepalive: true }]);
  }
  /**
   * The answer to the client's PING, and whether it knows the key.
   * @throws NotMsgpack
   */
  pong(ping: Buffer): { readonly known: boolean; readonly answer: Buffer } {
    const value = new ValueReader(ping, true).read();
    const parts = (Array.isArray(value) ? value : []).map((one) => (one instanceof Binary ? one.bytes : Buffer.alloc(0)));
    const [type = "", host = "", salt = Buffer.alloc(0), given = Buffer.alloc(0)] = parts;
    const wanted = Buffer.from(digest(salt, host, this.#nonce, this.#key));
    const known = type.toString() === "PING" && given.length === wanted.length && timingSafeEqual(given, wanted);
    if (!known) return { known, answer: pack(["PONG", false, "shared_key mismatch", "", ""]) };
    return { known, answer: pack(["PONG", true, "", self, digest(salt, self, this.#nonce, this.#key)]) };
  }
}
