/**
 * What of an event OpenSearch can look up: exact terms made here, so that a term there means what a comparison means here (case folded by us,
 * numbers and addresses in an order that bytes have too). Knows no query and no HTTP.
 */
import { type Address, foldCase, numberOf, parseAddress, scalarsOf, textOf } from "@vedette/condition";
import type { Event, FieldValue } from "@vedette/model";
import { hotFields } from "../events/columns.ts";

/** Lucene takes no term over 32,766 bytes: so many UTF-16 units of text, three bytes each, and of a name stay below it. */
export const maxText = 8_192;
const maxName = 512;

/** Between a name and what it holds: a character that JSON writes as it is, and no name with terms holds. */
export const separator = "\x7f";

/** In the list of odd names: something of the event has no terms at all, or its original line has none. */
export const whollyOdd: string = `${separator}all`;
const oddOriginal = `${separator}original`;

/** Terms of one event; the field names are short because every index repeats them. */
export interface Terms {
  /** `name DEL folded text` of every scalar. */
  readonly f: readonly string[];
  /** `name DEL n…` of every number, `name DEL a…` of every address. */
  readonly v: readonly string[];
  /** Names that hold a scalar, that hold several, that hold a null beside others. */
  readonly n: readonly string[];
  readonly m: readonly string[];
  readonly z: readonly string[];
  /** Names with a value too long for a term: what is asked of them is decided on the event itself. */
  readonly o: readonly string[];
  /** The folded original line, and folded values that are no part of it: for words looked for anywhere. */
  readonly t: readonly string[];
  /** Texts of the fields that people group by. */
  readonly ecs: { readonly [field: string]: string | readonly string[] };
}

const hex = (word: number) => (word >>> 0).toString(16).padStart(8, "0");
const bits = new DataView(new ArrayBuffer(8));

/** A double as text whose order is the number's. */
function sortable(value: number): string {
  bits.setFloat64(0, value === 0 ? 0 : value);
  const [high, low] = [bits.getUint32(0), bits.getUint32(4)];
  return high & 0x80000000 ? hex(~high) + hex(~low) : hex(high | 0x80000000) + hex(low);
}

export const pairTerm = (name: string, folded: string): string => `${name}${separator}${folded}`;
export const numberTerm = (name: string, value: number): string => `${name}${separator}n${sortable(value)}`;
export const addressTerm = (name: string, { v4, words }: Address): string =>
  v4 ? `${name}${separator}a4${hex(words[3])}` : `${name}${separator}a6${words.map(hex).join("")}`;

/** Whether a name can have terms at all. */
export const nameable = (name: string): boolean => name.length <= maxName && !name.includes(separator);

/** Whether what the event holds under the name is all in its terms. */
function termed(value: FieldValue | undefined): boolean {
  // folding makes a text three times as long at most
  return scalarsOf(value).every((one) => typeof one !== "string" || one.length * 3 <= maxText || foldCase(one).length <= maxText);
}

/** Whether the answer to a question about these names (undefined: any text of it) can be read off the event's terms. */
export function isTermed(event: Event, names: readonly string[] | undefined): boolean {
  const held = Object.keys(event.fields);
  if (!held.every(nameable)) return false;
  if (names !== undefined) return names.every((name) => termed(event.fields[name]));
  return foldCase(event.original).length <= maxText && held.every((name) => termed(event.fields[name]));
}

export function termsOf(event: Event): Terms {
  const [f, v, n, m, z, o]: string[][] = [[], [], [], [], [], []];
  const ecs: { [field: string]: string | readonly string[] } = {};
  const original = foldCase(event.original);
  const t: string[] = [];
  if (original.length <= maxText) t.push(original);
  else o!.push(oddOriginal);
  for (const name in event.fields) {
    const value = event.fields[name];
    if (!nameable(name)) {
      o!.push(whollyOdd);
      continue;
    }
    if (Array.isArray(value) && value.includes(null)) z!.push(name);
    const scalars = scalarsOf(value);
    if (scalars.length === 0) continue;
    n!.push(name);
    if (scalars.length > 1) m!.push(name);
    const texts = scalars.map((one) => textOf(one) as string);
    const folded = texts.map(foldCase);
    if (folded.some((text) => text.length > maxText)) {
      o!.push(name);
      continue;
    }
    for (const text of folded) {
      f!.push(pairTerm(name, text));
      if (!original.includes(text)) t.push(text);
      if (/[.:]/.test(text)) {
        const address = parseAddress(text);
        if (address !== undefined) v!.push(addressTerm(name, address));
      }
    }
    for (const one of scalars) {
      const number = numberOf(one);
      if (!Number.isNaN(number)) v!.push(numberTerm(name, number));
    }
    if (hotFields.has(name)) ecs[name] = texts.length === 1 ? (texts[0] as string) : texts;
  }
  return { f: f!, v: v!, n: n!, m: m!, z: z!, o: o!, t, ecs };
}

/** Of an event whose terms were refused: everything asked of it is decided on the event itself. */
export const noTerms: Terms = { f: [], v: [], n: [], m: [], z: [], o: [whollyOdd], t: [], ecs: {} };
