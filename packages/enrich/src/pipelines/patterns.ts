/** What redaction finds in a text: patterns by name, and the user's own, both in time linear in the text. Knows no event. */
import { compilePattern } from "@vedette/sigma";
import { RE2JS } from "re2js";

/** Gives the text with every match replaced; the same text where nothing matches. */
export type Redact = (text: string) => string;

interface Known {
  readonly what: string;
  /** No two loops of it can share a character at the same place, so that backtracking is linear. */
  readonly pattern: RegExp;
  readonly with: string;
  /** Without it in the text there is no match. */
  readonly needs?: string;
  readonly holds?: (match: string) => boolean;
}

/** By name, in the order in which they are told. */
export const knownPatterns: { readonly [name: string]: Known } = {
  email: { what: "e-mail addresses", pattern: /\b[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}/gi, with: "[email]", needs: "@" },
  payment_card: {
    what: "payment card numbers with a right check digit",
    pattern: /\b\d(?:[ -]?\d){12,18}\b/g,
    with: "[payment card]",
    holds: (match) => luhn(match.replace(/\D/g, "")),
  },
  iban: { what: "IBANs", pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b/g, with: "[iban]", holds: ibanHolds },
  password: {
    what: "values behind password=, passwd:, pwd=, secret= and token=",
    pattern: /\b(password|passwd|pwd|secret|token|api_?key)(["']?\s{0,4}[=:]\s{0,4}["']?)[^\s"'&;,]{1,512}/gi,
    with: "$1$2[redacted]",
  },
  bearer_token: { what: "Bearer and Basic credentials", pattern: /\b(Bearer|Basic) [A-Za-z0-9+/._~=-]{8,4096}/g, with: "$1 [redacted]" },
  url_credentials: {
    what: "user:password@ in URLs",
    pattern: /:\/\/[^\s/:@]{1,128}:[^\s/@]{1,256}@/g,
    with: "://[redacted]@",
    needs: "://",
  },
  aws_access_key: { what: "AWS access key ids", pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, with: "[aws key]" },
  private_key: {
    what: "PEM private keys",
    pattern: /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[^-]{0,65536}(?:-----END [A-Z ]{0,32}PRIVATE KEY-----)?/g,
    with: "[private key]",
    needs: "PRIVATE KEY",
  },
  jwt: { what: "JSON Web Tokens", pattern: /(?<![\w-])eyJ[\w-]{5,4096}\.[\w-]{2,8192}\.[\w-]{0,1024}/g, with: "[jwt]", needs: "eyJ" },
  ipv4: { what: "IPv4 addresses", pattern: /\b\d{1,3}(?:\.\d{1,3}){3}\b/g, with: "[ip]" },
};

export function knownPattern(name: string): Redact {
  const { pattern, with: replacement, needs, holds } = knownPatterns[name]!;
  return (text) => {
    if (needs !== undefined && !text.includes(needs)) return text;
    return holds === undefined
      ? text.replace(pattern, replacement)
      : text.replace(pattern, (match) => (holds(match) ? replacement : match));
  };
}

/** A pattern of the user's, in the dialect of RE2; `$1` in the replacement is a group. @throws Error that says what is wrong with it */
export function ownPattern(pattern: string, replacement: string, flags: string): Redact {
  const quick = compilePattern(pattern, flags);
  if ("problem" in quick) throw new Error(quick.problem);
  const linear = RE2JS.compile(pattern, flags.includes("i") ? RE2JS.CASE_INSENSITIVE : 0);
  if (linear.matches("") || linear.matcher("").find()) throw new Error("it matches the empty text, and so everywhere");
  for (const [whole, group] of replacement.matchAll(/\$(\d)/g))
    if (Number(group) > linear.groupCount()) throw new Error(`it has ${linear.groupCount()} groups; there is no ${whole}`);
  const written = replacement
    .split(/(\$\d)/)
    .map((part, i) => (i % 2 === 1 ? part : RE2JS.quoteReplacement(part)))
    .join("");
  return (text) => (quick.test(text) ? linear.matcher(text).replaceAll(written) : text);
}

/** ISO/IEC 7812-1 annex B. */
function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    let digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    if (i % 2 === 1) {
      digit *= 2;
      if (digit > 9) digit -= 9;
    }
    sum += digit;
  }
  return sum % 10 === 0 && !/^(\d)\1+$/.test(digits);
}

/** ISO 13616: the remainder by 97 of the digits, letters counted from 10, is 1. */
function ibanHolds(text: string): boolean {
  const bare = text.replaceAll(" ", "");
  if (bare.length < 15 || bare.length > 34) return false;
  let rest = 0;
  for (const c of bare.slice(4) + bare.slice(0, 4)) {
    const value = c >= "A" ? c.charCodeAt(0) - 55 : c.charCodeAt(0) - 48;
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}
