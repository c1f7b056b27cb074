/** Seals and opens the payloads of batch frames: AES-256-GCM under a key of the segment's own. Knows no file and no vault. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { VedetteError } from "@vedette/kit";

export interface LogKey {
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}
export interface LogEncryption {
  /** Newest first: the newest seals, all of them open. */
  readonly keys: readonly LogKey[];
  /** Whether batches are sealed from now on; what is sealed is opened in any case. */
  readonly seal: boolean;
}

/** Of each `topic/partition`, an offset below which everything lies that an older key sealed. */
export type SealedBelow = { readonly [place: string]: number };

export const newLogKey = (): LogKey => ({ id: randomBytes(idBytes).toString("hex"), key: new Uint8Array(randomBytes(keyBytes)) });

/** What a frame's place is bound by: moved elsewhere it does not open. */
export interface Bound {
  readonly salt: Uint8Array;
  readonly offset: number;
  readonly sequence: number;
  readonly rawBytes: number;
  readonly zstd: boolean;
}

const idBytes = 8;
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = idBytes + nonceBytes;
const cipherName = "aes-256-gcm";
/** One a partition that is read or written at a time; making one anew costs some 5 µs. */
const maxDerived = 64;

export class Seals {
  #keys: ReadonlyMap<string, Uint8Array> = new Map();
  #sealing: LogKey | undefined;
  readonly #random: (into: Uint8Array) => void;
  readonly #derived = new Map<string, Uint8Array>();

  constructor(encryption: LogEncryption, random: (into: Uint8Array) => void) {
    this.#random = random;
    this.change(encryption);
  }

  /** Other keys from now on. */
  change({ keys, seal }: LogEncryption): void {
    this.#keys = new Map(keys.map(({ id, key }) => [id, key]));
    this.#sealing = seal ? keys[0] : undefined;
    this.#derived.clear();
  }

  /** undefined where nothing is to be sealed. */
  seal(stored: Uint8Array, bound: Bound): Uint8Array | undefined {
    if (this.#sealing === undefined) return undefined;
    const head = Buffer.alloc(headBytes);
    head.write(this.#sealing.id, 0, "hex");
    const nonce = head.subarray(idBytes);
    // a segment has at most 2^25 frames: of so many random nonces two are the same once in 2^47 segments
    this.#random(nonce);
    const cipher = createCipheriv(cipherName, this.#keyOf(this.#sealing.id, bound.salt), nonce);
    cipher.setAAD(aad(bound));
    return Buffer.concat([head, cipher.update(stored), cipher.final(), cipher.getAuthTag()]);
  }

  /** The payload as stored before it was sealed, or why it does not open. @throws VedetteError `sealed_key_missing`: nothing is lost then */
  open(sealed: Uint8Array, bound: Bound): Uint8Array | string {
    if (sealed.length < headBytes + tagBytes) return "sealed: too short";
    const head = Buffer.from(sealed.buffer, sealed.byteOffset, headBytes);
    const id = head.toString("hex", 0, idBytes);
    if (!this.#keys.has(id)) throw new VedetteError("sealed_key_missing", true, `the log is sealed by key ${id}, which is not there`);
    const end = sealed.length - tagBytes;
    const nonce = head.subarray(idBytes);
    const decipher = createDecipheriv(cipherName, this.#keyOf(id, bound.salt), nonce, { authTagLength: tagBytes });
    decipher.setAAD(aad(bound));
    decipher.setAuthTag(sealed.subarray(end));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(headBytes, end)), decipher.final()]);
    } catch {
      return "sealed: changed, moved, or by another key of the same name";
    }
  }

  #keyOf(id: string, salt: Uint8Array): Uint8Array {
    const name = id + Buffer.from(salt).toString("hex");
    const known = this.#derived.get(name);
    if (known !== undefined) return known;
    const key = new Uint8Array(hkdfSync("sha256", this.#keys.get(id)!, salt, "vedette log segment 1", keyBytes));
    if (this.#derived.size >= maxDerived) this.#derived.clear();
    this.#derived.set(name, key);
    return key;
  }
}

export const noEncryption: LogEncryption = { keys: [], seal: false };

function aad({ salt, offset, sequence, rawBytes, zstd }: Bound): Buffer {
  const bytes = Buffer.alloc(salt.length + 21);
  bytes.set(salt);
  bytes.writeBigUInt64LE(BigInt(offset), salt.length);
  bytes.writeBigUInt64LE(BigInt(sequence), salt.length + 8);
  bytes.writeUInt32LE(rawBytes, salt.length + 16);
  bytes.writeUInt8(zstd ? 1 : 0, salt.length + 20);
  return bytes;
}
