/** A self-signed certificate for tests, made when it is needed, so that no key lies about. */
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One value of ASN.1's DER. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length < 0x80 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
const bytes = (hex: string) => Buffer.from(hex, "hex");
const time = (text: string) => der(0x17, Buffer.from(text));

/** Files of a certificate for `localhost` and its key (RFC 5280, ECDSA with P-256 and SHA-256). */
export function certificateFiles(): { readonly cert_file: string; readonly key_file: string; readonly pem: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(bytes("06082a8648ce3d040302"));
  const name = sequence(der(0x31, sequence(bytes("0603550403"), der(0x0c, Buffer.from("localhost")))));
  const version = der(0xa0, bytes("020102"));
  const validity = sequence(time("240101000000Z"), time("491231235959Z"));
  const body = sequence(version, bytes("020101"), algorithm, name, validity, name, publicKey.export({ type: "spki", format: "der" }));
  const certificate = sequence(body, algorithm, der(0x03, Buffer.from([0]), sign("sha256", body, privateKey)));
  const pem = `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
  const folder = mkdtempSync(join(tmpdir(), "vedette-tls-"));
  const files = { cert_file: join(folder, "cert.pem"), key_file: join(folder, "key.pem") };
  writeFileSync(files.cert_file, pem);
  writeFileSync(files.key_file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  return { ...files, pem };
}
