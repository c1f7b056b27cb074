/** Parts of domain names. Knows no list of registries: a rule of thumb stands in for the Public Suffix List. */

/** Second labels under which countries register: co.uk, com.au, ac.jp, gov.br. */
const registries = new Set(["ac", "co", "com", "edu", "gob", "gov", "gouv", "mil", "ne", "net", "nom", "or", "org"]);
/** Reverse look-ups, and what never leaves a site (RFC 6762, RFC 8375 and custom). */
const localOnly = new Set(["arpa", "internal", "lan", "local", "localdomain"]);

export interface Domain {
  readonly registered: string;
  /** The registered domain's own label. */
  readonly label: string;
  /** What stands before it, possibly nothing. */
  readonly sub: string;
}

/** The last answer: several detectors ask about one event after another. */
let last: { readonly name: string; readonly domain: Domain | undefined } = { name: "", domain: undefined };

/**
 * Splits a name into what somebody registered and what stands before it: `a.b.example.co.uk` → `example.co.uk`, `a.b`.
 * Undefined for names without a registered part, for reverse lookups and for names of the local network only.
 */
export function splitDomain(name: string | undefined): Domain | undefined {
  if (name === undefined) return undefined;
  if (last.name !== name) last = { name, domain: split(name) };
  return last.domain;
}

function split(name: string): Domain | undefined {
  const text = (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase();
  if (text.length > 253) return undefined;
  const labels = text.split(".");
  const n = labels.length;
  if (n < 2 || labels.includes("")) return undefined;
  const top = labels[n - 1]!;
  if (localOnly.has(top) || /^\d+$/.test(top)) return undefined;
  const at = top.length === 2 && registries.has(labels[n - 2]!) ? n - 3 : n - 2;
  if (at < 0) return undefined;
  return { registered: labels.slice(at).join("."), label: labels[at]!, sub: labels.slice(0, at).join(".") };
}

/** Shannon's entropy of a text's characters, bits per character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const c of text) counts.set(c, (counts.get(c) ?? 0) + 1);
  let bits = 0;
  for (const n of counts.values()) bits -= (n / text.length) * Math.log2(n / text.length);
  return text.length === 0 ? 0 : bits;
}

/** Whether a name is one of the domains or below one. */
export function isBelow(name: string, domains: readonly string[]): boolean {
  return domains.some((domain) => name === domain || (name.endsWith(domain) && name[name.length - domain.length - 1] === "."));
}
