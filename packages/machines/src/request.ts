/** Certificate requests (PKCS #10, RFC 2986): written by a machine, read by the authority. Decides nothing. */
import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { BadInputError } from "@vedette/kit";
import { pem } from "./certificate.ts";
import { bits, context, integer, membersOf, octets, oid, sequence, set, tags, utf8, type Value, valuesOf } from "./der.ts";
import { readSpiffeId } from "./name.ts";

/** What is asked for. */
export interface CertificateRequest {
  readonly publicKey: KeyObject;
  /** Every name in it: common names of the subject, and alternative names as `URI:…`, `DNS:…`, or `other`. */
  readonly names: readonly string[];
}

/** A P-256 request with one name takes 500 bytes, an RSA one of openssl 1,800. */
const maxBytes = 8_192;
const extensionRequest = oid("1.2.840.113549.1.9.14");
const subjectNames = oid("2.5.29.17");
const commonName = oid("2.5.4.3");
const ecdsaSha256 = oid("1.2.840.10045.4.3.2");
const ed25519 = oid("1.3.101.112");

const refused = (why: string, cause?: unknown) =>
  new BadInputError("bad_request", `request: ${why}`, cause === undefined ? undefined : { cause });

/** @param keys ECDSA P-256 @param uri the SPIFFE id; who enrols need not know it: the token does */
export function makeRequest(keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }, uri?: string): string {
  const { privateKey, publicKey } = keys;
  const names = uri === undefined ? [] : [set(sequence(commonName, utf8(readSpiffeId(uri)?.name ?? uri)))];
  const alternatives = uri === undefined ? [] : [octets(sequence(context(6, false, Buffer.from(uri, "latin1"))))];
  const extensions = alternatives.map((one) => sequence(extensionRequest, set(sequence(sequence(subjectNames, one)))));
  const spki = publicKey.export({ type: "spki", format: "der" });
  const body = sequence(integer(Buffer.from([0])), sequence(...names), spki, context(0, true, ...extensions));
  return pem("CERTIFICATE REQUEST", sequence(body, sequence(ecdsaSha256), bits(sign("sha256", body, privateKey))));
}

/**
 * The request in a PEM text, once its signature has shown that who sends it holds the key.
 * @throws BadInputError `bad_request`
 */
export function readRequest(text: string): CertificateRequest {
  if (text.length > 2 * maxBytes) throw refused(`longer than ${2 * maxBytes} characters`);
  const start = text.indexOf("-----BEGIN CERTIFICATE REQUEST-----");
  const end = text.indexOf("-----END CERTIFICATE REQUEST-----");
  if (start < 0 || end < start) throw refused("expected a PEM block CERTIFICATE REQUEST, as openssl req -new writes it");
  const der = Buffer.from(text.slice(start + 35, end), "base64");
  if (der.length > maxBytes) throw refused(`longer than ${maxBytes} bytes`);
  const whole = valuesOf(der);
  const [body, algorithm, signature] = membersOf(whole[0], tags.sequence);
  const [, subject, spki, attributes] = membersOf(body, tags.sequence);
  const publicKey = keyOf(spki);
  if (!isSigned(body!, algorithm, signature, publicKey)) throw refused("its signature is not of its key");
  return { publicKey, names: [...subjectNamesOf(subject), ...alternativeNames(attributes)] };
}

/** Kinds that are short and that every TLS library takes. */
function keyOf(spki: Value | undefined): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: spki?.whole ?? Buffer.alloc(0), format: "der", type: "spki" });
  } catch (cause) {
    throw refused("holds no key that can be read", cause);
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "ed25519" || (type === "ec" && details?.namedCurve === "prime256v1")) return key;
  throw refused(`expected a key of ECDSA P-256 or Ed25519, found ${type}${details?.namedCurve ? ` ${details.namedCurve}` : ""}`);
}

function isSigned(body: Value, algorithm: Value | undefined, signature: Value | undefined, key: KeyObject): boolean {
  const [id] = membersOf(algorithm, tags.sequence);
  if (signature?.tag !== tags.bits || signature.content[0] !== 0) throw refused("has no signature");
  const bytes = signature.content.subarray(1);
  try {
    if (key.asymmetricKeyType === "ed25519") return id!.whole.equals(ed25519) && verify(null, body.whole, key, bytes);
    return id!.whole.equals(ecdsaSha256) && verify("sha256", body.whole, key, bytes);
  } catch {
    return false;
  }
}

function subjectNamesOf(subject: Value | undefined): readonly string[] {
  return membersOf(subject, tags.sequence).flatMap((part) =>
    membersOf(part, tags.set).flatMap((pair) => {
      const [id, text] = membersOf(pair, tags.sequence);
      return id?.whole.equals(commonName) === true && text !== undefined ? [text.content.toString("utf8")] : [];
    }),
  );
}

function alternativeNames(attributes: Value | undefined): readonly string[] {
  if (attributes === undefined) return [];
  const wanted = membersOf(attributes, 0xa0)
    .map((attribute) => membersOf(attribute, tags.sequence))
    .filter(([id]) => id?.whole.equals(extensionRequest) === true);
  return wanted.flatMap(([, values]) =>
    membersOf(values, tags.set)
      .flatMap((list) => membersOf(list, tags.sequence))
      .map((one) => membersOf(one, tags.sequence))
      .filter(([id]) => id?.whole.equals(subjectNames) === true)
      .flatMap((parts) => {
        const content = parts.at(-1);
        if (content?.tag !== tags.octets) throw refused("an extension without content");
        return valuesOf(content.content).flatMap((names) => membersOf(names, tags.sequence).map(nameOf));
      }),
  );
}

function nameOf({ tag, content }: Value): string {
  if (tag === 0x86) return `URI:${content.toString("latin1")}`;
  if (tag === 0x82) return `DNS:${content.toString("latin1")}`;
  return "other";
}
