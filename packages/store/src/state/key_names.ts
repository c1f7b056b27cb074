/** Under which name a key of a checkpoint is stored: an index of PostgreSQL takes some 2,700 bytes, and keys are made of what events say. */
import { createHash } from "node:crypto";

/** Characters of three bytes at most, with as much again for the hash and what stands beside it in the index. */
const whole = 500;
/** Between the beginning of a long key and its hash; a key that has it itself is stored as if it were long. */
const mark = "\u0002#";

/** The key itself, or its beginning with a hash: then the whole key stands before its value. */
export function nameOfKey(key: string): string {
  if (key.length <= whole && !key.includes(mark)) return key;
  return `${key.slice(0, whole)}${mark}${createHash("sha256").update(key).digest("base64url")}`;
}

/** What is stored under the name. */
export const storedValue = (key: string, name: string, value: string): string => (name === key ? value : `${key.length}:${key}${value}`);

/** The key and its value again. */
export function keyOfRow(name: string, stored: string): { readonly key: string; readonly value: string } {
  if (!name.includes(mark)) return { key: name, value: stored };
  const colon = stored.indexOf(":");
  const end = colon + 1 + Number(stored.slice(0, colon));
  return { key: stored.slice(colon + 1, end), value: stored.slice(end) };
}
