/** What stands in a record's place when its content had to go: who took it away, when and why, signed. The chain, made of digests, holds. */
import { sign } from "node:crypto";
import type { Micros } from "@vedette/model";
import { type AuditKey, isSigned, type KeyRing } from "./key.ts";
import type { Line } from "./line.ts";

interface Tombstone {
  readonly n: number;
  /** Of the content that was erased. */
  readonly hash: string;
  readonly reason: string;
  readonly by: string;
  readonly time: Micros;
  readonly key: string;
}

/** The body that takes a record's place. */
export function tombstoneOf(line: Line, why: Pick<Tombstone, "reason" | "by" | "time">, key: AuditKey): string {
  const tombstone: Tombstone = { n: line.n, hash: line.hash, ...why, key: key.id };
  return JSON.stringify({ tombstone, signature: sign(null, Buffer.from(JSON.stringify(tombstone)), key.secret).toString("base64url") });
}

/** Whether the record's body is a tombstone made for it. */
export function isTombstoneOf(line: Line, keys: KeyRing): boolean {
  try {
    const { tombstone, signature } = JSON.parse(line.body.toString()) as { tombstone: Tombstone; signature: string };
    if (tombstone.n !== line.n || tombstone.hash !== line.hash) return false;
    return isSigned(Buffer.from(JSON.stringify(tombstone)), tombstone.key, signature, keys);
  } catch {
    return false;
  }
}
