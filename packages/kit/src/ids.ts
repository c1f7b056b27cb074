/** Ids from causes: the same cause always gives the same id. */
import { hash } from "node:crypto";

/** 128 bits of SHA-256 over the canonical JSON array of the parts, base64url, 22 characters. */
export function idOf(...parts: readonly (string | number)[]): string {
  return hash("sha256", JSON.stringify(parts), "base64url").slice(0, 22);
}

/** Full SHA-256 of some content, base64url; for rule sets and files. */
export function contentHash(content: string | Uint8Array): string {
  return hash("sha256", content, "base64url");
}

/** Canary events are kept under a tenant of their own, whose name no configuration can have: nothing that people see looks there. */
export const canaryTenant = (tenant: string): string => `${tenant}~canary`;

const auditSuffix = "~audit";
/** Vedette's own audit events are kept under a tenant of their own too: who searches events looks for what others did. */
export const auditTenant = (tenant: string): string => `${tenant}${auditSuffix}`;
/** Whose alerts findings among a tenant's events are: what the audit trail gives rise to is told to the people of the tenant. */
export const ownerOf = (tenant: string): string => (tenant.endsWith(auditSuffix) ? tenant.slice(0, -auditSuffix.length) : tenant);

/** Keyed work is spread over this many virtual shards, always. */
export const shardCount = 64;

/** First 4 bytes of SHA-256(detector NUL key) mod 64. */
export function shardOf(detector: string, key: string): number {
  return hash("sha256", `${detector}\0${key}`, "buffer").readUInt32BE(0) % shardCount;
}
