/** Passwords as they are kept: argon2id in PHC's notation. Knows nobody's name. */
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

/** OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane. */
const now = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const saltBytes = 16;
const hashBytes = 32;
/** A password is hashed whole; longer ones only keep a processor busy. */
export const maxPassword = 256;

const derive = promisify<"argon2id", Argon2Parameters, Buffer>(argon2);

interface Kept {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64").replace(/=+$/, "");

function parsed(kept: string): Kept {
  const found = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([\w+/]{1,100})\$([\w+/]{1,200})$/.exec(kept);
  if (found === null) throw new Error("a stored password hash is not argon2id in PHC's notation");
  const [memory, passes, parallelism] = found.slice(1, 4).map(Number) as [number, number, number];
  return { memory, passes, parallelism, salt: Buffer.from(found[4]!, "base64"), hash: Buffer.from(found[5]!, "base64") };
}

/** Composed, so that one password typed on two keyboards is one (NIST SP 800-63B, 3.1.1.2). */
const bytesOf = (password: string): Buffer => Buffer.from(password.normalize("NFKC").slice(0, maxPassword));

const hashed = (password: string, salt: Uint8Array, { memory, passes, parallelism }: typeof now | Kept, tagLength: number) =>
  derive("argon2id", { message: bytesOf(password), nonce: salt, memory, passes, parallelism, tagLength });

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await hashed(password, salt, now, hashBytes);
  return `$argon2id$v=19$m=${now.memory},t=${now.passes},p=${now.parallelism}$${text(salt)}$${text(hash)}`;
}

/** Somebody who is not there is looked up as long as somebody who is. */
const nobody = `$argon2id$v=19$m=${now.memory},t=${now.passes},p=${now.parallelism}$${text(Buffer.alloc(saltBytes))}$${text(Buffer.alloc(hashBytes))}`;

/** @param kept undefined: there is nobody of that name, or nobody with a password; takes as long as if there were */
export async function verifyPassword(password: string, kept: string | undefined): Promise<boolean> {
  const { salt, hash, ...parameters } = parsed(kept ?? nobody);
  const found = await hashed(password, salt, { salt, hash, ...parameters }, hash.length);
  return timingSafeEqual(found, hash) && kept !== undefined;
}

/** Whether a hash was made with other parameters than today's: it is made anew when its password is next shown. */
export function isOutdated(kept: string): boolean {
  const { memory, passes, parallelism, hash } = parsed(kept);
  return memory !== now.memory || passes !== now.passes || parallelism !== now.parallelism || hash.length !== hashBytes;
}
