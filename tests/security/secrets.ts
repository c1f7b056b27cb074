/** What a secret looks like, and which lookalikes are known to open nothing. */

const patterns: { readonly [kind: string]: RegExp } = {
  "private key": /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/]{8}/g,
  "AWS access key": /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  "GitHub token": /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40,})/g,
  "GitLab token": /\bglpat-[A-Za-z0-9_-]{20}/g,
  "Slack token": /\bxox[abprs]-[A-Za-z0-9-]{20,}/g,
  "npm token": /\bnpm_[A-Za-z0-9]{36}\b/g,
  "key of a service": /\b(?:sk|rk)_live_[A-Za-z0-9]{20,}|\bAIza[A-Za-z0-9_-]{35}\b|\bsk-[A-Za-z0-9]{40,}/g,
  "token of Vedette": /\bvd[a-z]_[A-Za-z0-9_-]{43}\b/g,
  "signed token": /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}/g,
};
const assigned =
  /\b[\w-]{0,30}(?:secret|password|passwd|api_?key|token)[\w-]{0,20}["']?\s{0,3}[:=]\s{0,3}["'`]([A-Za-z0-9+/_=-]{24,200})["'`]/gi;

/** Bits of a character, by Shannon; words come to about 3.5, random base64 of this length to more than 4. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / text.length) * Math.log2(n / text.length), 0);
}

/** Kind and beginning of everything in the text that looks like a secret. */
export function secretsIn(text: string): string[] {
  const found = Object.entries(patterns).flatMap(([kind, pattern]) =>
    [...text.matchAll(pattern)].map(([all]) => `${kind} ${all.slice(0, 40).replaceAll("\n", " ")}`),
  );
  const values = [...text.matchAll(assigned)].filter(([, value]) => entropy(value!) > 4.2 && /\d/.test(value!));
  return [...found, ...values.map(([, value]) => `assigned ${value!.slice(0, 40)}`)];
}

interface Allowed {
  readonly file: RegExp;
  readonly secret: RegExp;
  /** Why it opens nothing. */
  readonly because: string;
}
export const allowed: readonly Allowed[] = [
  {
    file: /^packages\/api\/src\/openapi\/examples\.ts$/,
    secret: /k3qzm-7hd2p/,
    because: "A recovery code of nobody, in the documentation.",
  },
  { file: /^packages\/enrich\/src\/pipelines\/pipelines\.test\.ts$/, secret: /AKIAIOSFODNN7(?=EXAMPLE)/, because: "AWS's own example." },
  {
    file: /^tests\/fuzz\/corpus\.json$/,
    secret: /AWS access key/,
    because: "Ids of accounts in CloudTrail's records, changed by the fuzzer; an id is no secret.",
  },
];
