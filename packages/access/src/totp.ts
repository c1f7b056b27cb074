/** One-time codes by time, RFC 6238 over RFC 4226, as authenticator apps make them: SHA-1, six digits, thirty seconds. Knows nobody. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Micros } from "@vedette/model";

const step: Micros = 30_000_000;
const digits = 6;
/** Steps before and after the present one that count too: clocks of telephones (RFC 6238, 5.2). */
const skew = 1;
/** 160 bits, as RFC 4226 recommends. */
const secretBytes = 20;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export const newTotpSecret = (): Uint8Array => new Uint8Array(randomBytes(secretBytes));

/** RFC 4648, without padding. */
export function base32(bytes: Uint8Array): string {
  let text = "";
  let [value, bits] = [0, 0];
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(value >> (bits - 5)) & 31];
  }
  return bits > 0 ? text + alphabet[(value << (5 - bits)) & 31] : text;
}

/** What a QR code shows to an authenticator app. */
export function totpUri(secret: Uint8Array, issuer: string, account: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}&algorithm=SHA1&digits=${digits}&period=${step / 1e6}`;
}

export function totpAt(secret: Uint8Array, counter: number): string {
  const moving = Buffer.alloc(8);
  moving.writeBigUInt64BE(BigInt(counter));
  const mac = createHmac("sha1", secret).update(moving).digest();
  const value = mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fff_ffff;
  return String(value % 10 ** digits).padStart(digits, "0");
}

export const totpStep = (now: Micros): number => Math.floor(now / step);

/**
 * The step whose code this is, or undefined.
 * @param after the last step that was used: codes up to it are refused, so that each is good once (RFC 6238, 5.2)
 */
export function matchTotp(secret: Uint8Array, code: string, now: Micros, after: number): number | undefined {
  const given = Buffer.from(code.replace(/\s/g, ""));
  for (let at = totpStep(now) - skew; at <= totpStep(now) + skew; at++) {
    const wanted = Buffer.from(totpAt(secret, at));
    if (at > after && given.length === wanted.length && timingSafeEqual(given, wanted)) return at;
  }
  return undefined;
}

const recoveryCodes = 10;
/** 80 bits: with lock-out and a plain hash still not guessable. */
const recoveryBytes = 10;

/** Codes for the day the telephone is gone: sixteen letters and digits in groups of four. */
export const newRecoveryCodes = (): readonly string[] =>
  Array.from({ length: recoveryCodes }, () =>
    base32(randomBytes(recoveryBytes))
      .toLowerCase()
      .replace(/(.{4})(?=.)/g, "$1-"),
  );

/** As it is hashed: however it was typed. */
export const recoveryCode = (typed: string): string => typed.toLowerCase().replace(/[^a-z2-7]/g, "");
