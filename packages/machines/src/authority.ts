/** The internal certificate authority: one key that only this installation can use, and what it signs. Knows no register of machines. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, X509Certificate } from "node:crypto";
import type { Clock, Secrets } from "@vedette/kit";
import { makeCertificate, makeRevocationList, newSerial, type RevokedCertificate } from "./certificate.ts";
import { type MachineName, spiffeId } from "./name.ts";

export interface AuthorityOptions {
  /** Keeps the authority's key. */
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** As in SPIFFE; it is fixed in the certificates. */
  readonly trustDomain: string;
}

export interface Issued {
  readonly serial: string;
  readonly certificate: string;
  readonly from: Date;
  readonly to: Date;
}

/** A machine's certificate lives a day at most: what is stolen is soon worthless, and revocation lists stay short. */
export const maxLifetime_h = 24;
const hour_ms = 3_600_000;
/** Clocks of nodes that are this far behind ours still take a new certificate for valid. */
export const skew_ms = 300_000;
const authorityYears = 10;
const secretName = "machine_authority";

/** What is kept sealed: both halves belong together. */
interface Kept {
  readonly key: string;
  readonly certificate: string;
}

export class Authority {
  readonly trustDomain: string;
  /** The authority's own certificate, PEM: what machines and servers know one another by. */
  readonly certificate: string;
  /** Its SHA-256 in base64url: who knows it can take the certificate from anybody. */
  readonly fingerprint: string;
  readonly #key: KeyObject;
  readonly #subject: string;
  readonly #clock: Clock;

  private constructor({ key, certificate }: Kept, { trustDomain, clock }: AuthorityOptions) {
    this.trustDomain = trustDomain;
    this.certificate = certificate;
    this.fingerprint = fingerprintOf(certificate);
    this.#key = createPrivateKey(key);
    this.#subject = new X509Certificate(certificate).subject.replace(/^CN=/, "");
    this.#clock = clock;
  }

  /** The installation's authority, made on first use. */
  static async open(options: AuthorityOptions): Promise<Authority> {
    const kept = await options.secrets.keep(secretName, () => Buffer.from(JSON.stringify(newAuthority(options))));
    return new Authority(JSON.parse(Buffer.from(kept).toString("utf8")) as Kept, options);
  }

  /** For a machine, and for a server where it has hosts: names and addresses that it is reached by. */
  issue(name: MachineName, publicKey: KeyObject, lifetime_h: number, hosts: readonly string[] = []): Issued {
    const now = Math.floor(this.#clock.now() / 1_000);
    const from = new Date(now - skew_ms);
    const to = new Date(now + Math.min(lifetime_h, maxLifetime_h) * hour_ms);
    const uri = spiffeId(this.trustDomain, name);
    const serial = newSerial();
    const use = hosts.length === 0 ? ({ kind: "machine", uri } as const) : ({ kind: "server", uri, hosts } as const);
    const content = { serial, subject: name.name.slice(0, 64), issuer: this.#subject, publicKey, from, to, use };
    return { serial, certificate: makeCertificate(content, this.#key), from, to };
  }

  /** Valid for an hour: whoever checks certificates elsewhere fetches it more often than that. */
  revocationList(revoked: readonly RevokedCertificate[]): string {
    const now = Math.floor(this.#clock.now() / 1_000);
    const dates = { from: new Date(now - skew_ms), next: new Date(now + hour_ms) };
    return makeRevocationList({ issuer: this.#subject, number: now, ...dates, revoked }, this.#key);
  }
}

export const fingerprintOf = (certificate: string): string => hash("sha256", new X509Certificate(certificate).raw, "base64url");

function newAuthority({ clock, trustDomain }: AuthorityOptions): Kept {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const now = Math.floor(clock.now() / 1_000);
  const to = new Date(now);
  to.setUTCFullYear(to.getUTCFullYear() + authorityYears);
  const serial = newSerial();
  // the serial makes the names of two authorities of one trust domain differ
  const subject = `Vedette ${trustDomain.slice(0, 40)} ${serial.slice(0, 8)}`;
  const content = { serial, subject, issuer: subject, publicKey, from: new Date(now - skew_ms), to, use: { kind: "authority" } } as const;
  const certificate = makeCertificate(content, privateKey);
  return { key: privateKey.export({ type: "pkcs8", format: "pem" }) as string, certificate };
}

/** The public half of a new key pair of a machine, and the secret one as PEM. */
export function newMachineKey(): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}
