/** How tokens are made and what is stored of them. Knows no owner. */
import { hash, randomBytes } from "node:crypto";

/** What is stored of any token: base64url SHA-256. Tokens are random and long, so no slow hash is needed. */
export const tokenHash = (token: string): string => hash("sha256", token, "base64url");
/** A new token of 256 random bits. */
export const newToken = (): string => randomBytes(32).toString("base64url");
