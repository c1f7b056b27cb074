/** What `compute` can make of values: a closed set of transforms, each pure and linear. Knows no event. */
import { hash } from "node:crypto";
import { parseAddress } from "@vedette/condition";
import { z } from "@vedette/kit";
import type { FieldValue, Scalar } from "@vedette/model";

interface Transform<C extends z.ZodType = z.ZodType> {
  readonly summary: string;
  readonly settings: C;
  /** Undefined where there is nothing to set. */
  make(settings: z.output<C>): (values: readonly Scalar[]) => FieldValue | undefined;
}
const transform = <C extends z.ZodType>(one: Transform<C>): Transform<C> => one;

const none = z.strictObject({});
/** Each value for itself, as text. */
const each = (change: (text: string) => Scalar | undefined) => (): ((values: readonly Scalar[]) => FieldValue | undefined) => (values) => {
  const made = values.flatMap((one) => (one === null ? [] : (change(String(one)) ?? [])));
  return made.length === 0 ? undefined : made.length === 1 ? made[0] : made;
};
/** Longest text that a computation makes. */
const maxText = 65_536;
const maxParts = 1_000;

export const transforms: { readonly [name: string]: Transform } = {
  lowercase: transform({ summary: "In lower case.", settings: none, make: each((text) => text.toLowerCase()) }),
  uppercase: transform({ summary: "In upper case.", settings: none, make: each((text) => text.toUpperCase()) }),
  trim: transform({ summary: "Without blanks at the ends.", settings: none, make: each((text) => text.trim()) }),
  to_text: transform({ summary: "As text.", settings: none, make: each((text) => text) }),
  to_number: transform({
    summary: "As a number, decimal or 0x….",
    settings: none,
    make: each((text) => {
      const number = text.trim() === "" ? Number.NaN : Number(text);
      return Number.isFinite(number) ? number : undefined;
    }),
  }),
  basename: transform({
    summary: "The last part of a path, with / or \\.",
    settings: none,
    make: each((text) => text.slice(Math.max(text.lastIndexOf("/"), text.lastIndexOf("\\")) + 1) || undefined),
  }),
  split: transform({
    summary: "The parts between separators, or one of them.",
    settings: z.strictObject({
      by: z.string().min(1).max(16).describe("The separator."),
      at: z.int().min(-64).max(64).optional().describe("Only this part: 0 the first, -1 the last."),
    }),
    make:
      ({ by, at }) =>
      (values) => {
        const parts = values.flatMap((one): string[] => {
          if (one === null) return [];
          const all = String(one).split(by, maxParts);
          const part = at === undefined ? undefined : all.at(at);
          return at === undefined ? all : part === undefined ? [] : [part];
        });
        return parts.length === 0 ? undefined : parts.length === 1 ? parts[0] : parts;
      },
  }),
  concat: transform({
    summary: "All values one after the other.",
    settings: z.strictObject({ by: z.string().max(16).default("").describe("What stands between them.") }),
    make:
      ({ by }) =>
      (values) =>
        values
          .filter((one) => one !== null)
          .join(by)
          .slice(0, maxText) || undefined,
  }),
  substring: transform({
    summary: "Some characters of a text.",
    settings: z.strictObject({
      start: z.int().min(0).max(maxText).default(0).describe("The first one, from 0."),
      length: z.int().min(1).max(maxText).describe("How many."),
    }),
    make: ({ start, length }) => each((text) => text.slice(start, start + length) || undefined)(),
  }),
  replace: transform({
    summary: "With every occurrence of a text replaced.",
    settings: z.strictObject({
      text: z.string().min(1).max(256).describe("What is replaced, literally."),
      with: z.string().max(256).describe("By what."),
    }),
    make: ({ text, with: by }) => each((value) => value.split(text).join(by).slice(0, maxText))(),
  }),
  hash: transform({
    summary: "SHA-256, in hexadecimal. Short values can be guessed from it: for names use pseudonymise.",
    settings: none,
    make: each((text) => hash("sha256", text, "hex")),
  }),
  cidr_mask: transform({
    summary: "The network around an address.",
    settings: z.strictObject({
      v4: z.int().min(0).max(32).default(24).describe("Bits of an IPv4 network."),
      v6: z.int().min(0).max(128).default(64).describe("Bits of an IPv6 network."),
    }),
    make: ({ v4, v6 }) => each((text) => networkOf(text, v4, v6))(),
  }),
};

function networkOf(text: string, v4: number, v6: number): string | undefined {
  const address = parseAddress(text);
  if (address === undefined) return undefined;
  const masked = (word: number, bits: number) => (bits <= 0 ? 0 : bits >= 32 ? word : word & ~(0xffffffff >>> bits)) >>> 0;
  if (address.v4) {
    const word = masked(address.words[3], v4);
    return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}/${v4}`;
  }
  const groups = address.words.flatMap((word, i) => {
    const bits = masked(word, v6 - i * 32);
    return [(bits >>> 16).toString(16), (bits & 0xffff).toString(16)];
  });
  return `${compressed(groups)}/${v6}`;
}

/** RFC 5952: the longest run of two or more zero groups, the first of equals, is `::`. */
function compressed(groups: readonly string[]): string {
  let best = { from: 0, length: 0 };
  for (let from = 0; from < groups.length; from++) {
    let end = from;
    while (groups[end] === "0") end++;
    if (end - from > best.length) best = { from, length: end - from };
  }
  if (best.length < 2) return groups.join(":");
  return `${groups.slice(0, best.from).join(":")}::${groups.slice(best.from + best.length).join(":")}`;
}
