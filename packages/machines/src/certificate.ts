/** Writes X.509 certificates and revocation lists (RFC 5280) with ECDSA P-256. Verifies nothing: that is TLS's, which is OpenSSL. */
import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import { bits, context, integer, octets, oid, sequence, set, time, truth, utf8 } from "./der.ts";

const oids = {
  ecdsaSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectKey: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectNames: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  crlNumber: "2.5.29.20",
  authorityKey: "2.5.29.35",
  extendedUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

export interface CertificateContent {
  /** Hexadecimal, at most 20 bytes; from `newSerial`. */
  readonly serial: string;
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly from: Date;
  readonly to: Date;
  /** An authority signs others and nothing else; a machine is told by its URI, a server by host names and addresses too. */
  readonly use:
    | { readonly kind: "authority" }
    | { readonly kind: "machine"; readonly uri: string }
    | { readonly kind: "server"; readonly uri: string; readonly hosts: readonly string[] };
}

/** 127 random bits (RFC 5280, 4.1.2.2: positive, at most 20 bytes). */
export function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString("hex");
}

const algorithm = sequence(oid(oids.ecdsaSha256));
const commonName = (text: string) => sequence(set(sequence(oid(oids.commonName), utf8(text))));
const extension = (id: string, content: Uint8Array, critical = false) => sequence(oid(id), ...(critical ? [truth] : []), octets(content));
const spki = (key: KeyObject) => key.export({ type: "spki", format: "der" });
/** RFC 7093, 2 (1): the leftmost 160 bits of SHA-256 over the key. */
const keyId = (key: KeyObject) => createHash("sha256").update(spki(key)).digest().subarray(0, 20);

/** Bits of keyUsage (RFC 5280, 4.2.1.3): digitalSignature; keyCertSign and cRLSign. */
const signs = bits(Buffer.from([0b1000_0000]), 7);
const certifies = bits(Buffer.from([0b0000_0110]), 1);

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

const uriName = (uri: string) => context(6, false, Buffer.from(uri, "latin1"));
const hostName = (host: string) =>
  isIP(host) > 0 ? context(7, false, addressBytes(host)) : context(2, false, Buffer.from(host, "latin1"));

function extensionsOf({ use, publicKey }: CertificateContent, issuerKey: KeyObject): readonly Uint8Array[] {
  const ids = [
    extension(oids.subjectKey, octets(keyId(publicKey))),
    extension(oids.authorityKey, sequence(context(0, false, keyId(issuerKey)))),
  ];
  if (use.kind === "authority")
    return [
      // pathLenConstraint 0: it certifies machines, never another authority
      extension(oids.basicConstraints, sequence(truth, integer(Buffer.from([0]))), true),
      extension(oids.keyUsage, certifies, true),
      ...ids,
    ];
  const names = [uriName(use.uri), ...(use.kind === "server" ? use.hosts.map(hostName) : [])];
  const usages = [...(use.kind === "server" ? [oid(oids.serverAuth)] : []), oid(oids.clientAuth)];
  return [
    extension(oids.basicConstraints, sequence(), true),
    extension(oids.keyUsage, signs, true),
    extension(oids.extendedUsage, sequence(...usages)),
    extension(oids.subjectNames, sequence(...names)),
    ...ids,
  ];
}

const signed = (body: Buffer, key: KeyObject) => sequence(body, algorithm, bits(sign("sha256", body, key)));
export const pem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString("base64")
    .replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;

/** A certificate as PEM. @param key the issuer's secret key, ECDSA P-256 */
export function makeCertificate(content: CertificateContent, key: KeyObject): string {
  const { serial, subject, issuer, publicKey, from, to } = content;
  const body = sequence(
    context(0, true, integer(Buffer.from([2]))),
    integer(Buffer.from(serial, "hex")),
    algorithm,
    commonName(issuer),
    sequence(time(from), time(to)),
    commonName(subject),
    spki(publicKey),
    context(3, true, sequence(...extensionsOf(content, createPublicKey(key)))),
  );
  return pem("CERTIFICATE", signed(body, key));
}

export interface RevokedCertificate {
  readonly serial: string;
  readonly at: Date;
}

/** A revocation list as PEM, for whoever else checks certificates of this authority. */
export function makeRevocationList(
  list: {
    readonly issuer: string;
    readonly number: number;
    readonly from: Date;
    readonly next: Date;
    readonly revoked: readonly RevokedCertificate[];
  },
  key: KeyObject,
): string {
  const entries = list.revoked.map(({ serial, at }) => sequence(integer(Buffer.from(serial, "hex")), time(at)));
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(list.number));
  const body = sequence(
    integer(Buffer.from([1])),
    algorithm,
    commonName(list.issuer),
    time(list.from),
    time(list.next),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    context(
      0,
      true,
      sequence(
        extension(oids.authorityKey, sequence(context(0, false, keyId(createPublicKey(key))))),
        extension(oids.crlNumber, integer(number)),
      ),
    ),
  );
  return pem("X509 CRL", signed(body, key));
}
