/**
 * Makes packages/detect/src/dga_model.ts: how surprising one character after another is in names that people chose.
 * Learns from the words of this repository's own documentation and rules, and from names.txt, a hand-written list of well-known sites.
 * Run from the repository's root: node packages/detect/scripts/dga_model.ts
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";

const alphabet = "abcdefghijklmnopqrstuvwxyz0-";
/** 28 characters and the edge of a name. */
const size = alphabet.length + 1;
const edge = alphabet.length;
const codeOf = (c: string): number => alphabet.indexOf(c >= "0" && c <= "9" ? "0" : c);
const codes = (name: string): number[] => [edge, ...[...name].map(codeOf), edge];

const texts = globSync(["*.md", "docs/**/*.md", "content/rules/**/*.yml", "packages/*/README.md"]).sort();
const prose = texts.flatMap(
  (file) =>
    readFileSync(file, "utf8")
      .toLowerCase()
      .match(/(?<![\w.\-/])[a-z]{3,20}(?![\w-])/g) ?? [],
);
const words = [...new Set(prose)].sort();
const names = readFileSync(new URL("./names.txt", import.meta.url), "utf8")
  .split(/\s+/)
  .filter(Boolean);
// people join words: an edge between two words of a name is no rarer than the start of a word after the end of another
const joined = words.map((word, n) => word + words[(n * 7919 + 13) % words.length]);

function train(all: readonly string[]): Float64Array {
  // half a count for what was never seen (Krichevsky and Trofimov)
  const counts = new Float64Array(size * size).fill(0.5);
  for (const name of all) {
    const at = codes(name);
    for (let i = 1; i < at.length; i++) counts[at[i - 1]! * size + at[i]!]! += 1;
  }
  const bits = new Float64Array(size * size);
  for (let a = 0; a < size; a++) {
    const row = counts.subarray(a * size, (a + 1) * size);
    const sum = row.reduce((x, y) => x + y, 0);
    for (let b = 0; b < size; b++) bits[a * size + b] = -Math.log2(row[b]! / sum);
  }
  return bits;
}
function score(bits: Float64Array, name: string): number {
  const all = codes(name);
  let sum = 0;
  for (let i = 1; i < all.length; i++) sum += bits[all[i - 1]! * size + all[i]!]!;
  return sum / (all.length - 1);
}
const quantile = (values: number[], share: number): number => values.sort((a, b) => a - b)[Math.floor(share * values.length)]!;

// the threshold: what one in a hundred of names that were not learned from exceeds (every fifth is held out)
const held = [...joined, ...names].filter((name, n) => n % 5 === 0 && name.length >= 7);
const apart = train([...words, ...joined, ...names].filter((name) => !held.includes(name)));
const threshold = quantile(
  held.map((name) => score(apart, name)),
  0.99,
);
let seed = 1;
/** Park and Miller's generator: the same names on every run. */
const random = (n: number) => {
  seed = Number((BigInt(seed) * 48_271n) % 2_147_483_647n);
  return seed % n;
};
const generated = (letters: string, length: number) => Array.from({ length }, () => letters[random(letters.length)]).join("");
for (const [kind, letters] of [
  ["letters", alphabet.slice(0, 26)],
  ["letters and digits", `${alphabet.slice(0, 26)}0123456789`],
  ["hexadecimal", "0123456789abcdef"],
] as const)
  for (const length of [8, 12, 16, 24]) {
    const found = Array.from({ length: 2_000 }, () => score(apart, generated(letters, length))).filter((s) => s > threshold).length;
    console.error(`${kind}, ${length} characters: ${(found / 20).toFixed(1)} % above`);
  }
console.error(`${words.length} words, ${names.length} names; threshold ${threshold.toFixed(2)} bits a character`);

// a printable character per pair: eighths of a bit up to 11.5 bits
const bits = train([...words, ...joined, ...names]);
const text = Array.from(bits, (b) => String.fromCharCode(35 + Math.min(91, Math.round(b * 8))))
  .join("")
  .replaceAll("\\", "]");
const rows = Array.from({ length: size }, (_, a) => text.slice(a * size, (a + 1) * size));
writeFileSync(
  new URL("../src/dga_model.ts", import.meta.url),
  `/** How surprising each character is after another in names that people chose. Made by packages/detect/scripts/dga_model.ts; not edited by hand. */

/** A row per character of \`alphabet\` and one for the edge of a name; in each a character per successor: (code − 35) / 8 bits. */
export const rows = [
${rows.map((row) => `  ${JSON.stringify(row)},`).join("\n")}
];
export const alphabet = "${alphabet}";

/** What one in a hundred names exceeds that the model was not made from. */
export const oddFrom = ${threshold.toFixed(2)};
`,
);
