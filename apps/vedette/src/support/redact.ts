/**
 * Takes out of text what nobody else may learn. Two defences, so that one that fails is not the end: values of the configuration are shown only
 * where their kind is harmless, and whatever is known to be a secret, or looks like one, is struck out of every text. Knows no archive.
 */
import { z } from "zod";
import { configSchema, secretKeys } from "../config/schema.ts";

const struck = "(struck out)";

/** Strings of the configuration that are shown: where it listens and what it is called. Everything else that is text is said to be set, and no more. */
const shown: ReadonlySet<string> = new Set([
  "listen",
  "machines.listen",
  "machines.trust_domain",
  "api.prefix",
  "kafka.topic",
  "postgres.db",
  "tenant",
]);

interface Schema {
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: { readonly [name: string]: Schema };
}

/** The configuration as others may see it: numbers, switches and words of our own vocabulary; of other texts only how long they are. */
export function redactConfig(config: unknown): unknown {
  const walk = (value: unknown, key: string, schema: Schema | undefined): unknown => {
    if (secretKeys.has(key)) return value === undefined ? undefined : struck;
    if (Array.isArray(value)) return value.map((one) => walk(one, key, undefined));
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(
        Object.entries(value).map(([name, one]) => [name, walk(one, key === "" ? name : `${key}.${name}`, schema?.properties?.[name])]),
      );
    if (typeof value !== "string") return value;
    const ours = schema?.enum?.includes(value) || schema?.const === value || shown.has(key);
    return ours ? value : `(text of ${value.length})`;
  };
  return walk(config, "", z.toJSONSchema(configSchema, { io: "output", unrepresentable: "any" }) as Schema);
}

/** Names in the environment whose values are secrets. */
const secretName = /SECRET|TOKEN|PASSW|PASSPHRASE|CREDENTIAL|COOKIE|_KEY$|^KEY_/i;
/** Shorter ones would strike out what means nothing: the pieces of a key that is no text among them. */
const shortest = 6;

/** Every text below a key of the configuration that may hold a secret, and every secret of the environment. */
export function secretsOf(
  config: unknown,
  environment: { readonly [name: string]: string | undefined },
  more: readonly string[] = [],
): readonly string[] {
  const found = new Set<string>(more);
  for (const [name, value] of Object.entries(environment)) if (value !== undefined && secretName.test(name)) found.add(value);
  const walk = (value: unknown, key: string, within: boolean): void => {
    if (typeof value === "string" && (within || secretKeys.has(key))) found.add(value);
    if (typeof value !== "object" || value === null) return;
    for (const [name, one] of Object.entries(value)) {
      const path = key === "" ? name : `${key}.${name}`;
      walk(one, path, within || secretName.test(name) || /^(headers|api_key|authorization)$/i.test(name));
    }
  };
  walk(config, "", false);
  return [...found];
}

/** What looks like a secret whatever it is called. */
const looksSecret: readonly (readonly [RegExp, string])[] = [
  // credentials of an address
  [/(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@:]{1,200}:[^\s/@]{1,200}@/gi, `$1${struck}@`],
  [/\b(token|code|key|password|secret|state|nonce)=[^\s&"']{1,2000}/gi, `$1=${struck}`],
  [/\b(bearer|basic|apikey|splunk)\s{1,9}[\w.~+/=-]{8,2000}/gi, `$1 ${struck}`],
  [/\b(set-cookie|cookie|authorization)\b["']?\s{0,9}[:=]\s{0,9}[^\r\n"']{1,4000}/gi, `$1: ${struck}`],
  // our own tokens and keys: prefix and 256 bits
  [/\bvd[a-z]{1,3}_[\w-]{16,200}/g, struck],
  // a signed token; begun where a word begins, so that a long run of letters is gone through once
  [/(?<![\w-])eyJ[\w-]{8,2000}\.[\w-]{8,4000}\.[\w-]{0,2000}/g, struck],
  [/-----BEGIN [A-Z ]{1,40}-----[^-]{0,20000}(?:-----END [A-Z ]{1,40}-----)?/g, struck],
];

/** @returns a function that strikes these, and what looks like them, out of a text */
export function striker(secrets: readonly string[]): (text: string) => string {
  // as they stand, as JSON writes them and as addresses do; the longest first, so that none leaves its end behind
  const long = secrets.map((one) => one.trim()).filter((one) => one.length >= shortest);
  const forms = new Set(long.flatMap((one) => [one, JSON.stringify(one).slice(1, -1), encodeURIComponent(one)]));
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => {
    const without = ordered.reduce((left, one) => left.replaceAll(one, struck), text);
    return looksSecret.reduce((left, [pattern, by]) => left.replace(pattern, by), without);
  };
}
