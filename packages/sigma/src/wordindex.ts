/** For one bucket: which rules the texts of a whole event make candidates by their keywords. Knows no fields by name. */
import type { Readable } from "@vedette/condition";
import { type Awaited, push } from "./fieldindex.ts";
import { textOfScalar } from "./frame.ts";
import { maxSearched, type WordSearch } from "./wordsearch.ts";

export class WordIndex {
  readonly #search: WordSearch;
  /** Texts shorter than this hold no keyword. */
  readonly #shortest: number;
  readonly #byNumber: readonly (readonly number[])[];
  readonly #found: number[] = [];
  readonly #candidates: number[] = [];

  /**
   * @param entries whose literals are parts, in ascending order of rule
   * @param searchFor looks for literals, reported by their index
   */
  constructor(entries: readonly Awaited[], searchFor: (literals: readonly string[]) => WordSearch) {
    const rules = new Map<string, number[]>();
    for (const { literal, rule } of entries) push(rules, literal.text, rule);
    this.#search = searchFor([...rules.keys()]);
    // Folding makes a text twice as long at most.
    this.#shortest = Math.min(...[...rules.keys()].map((text) => text.length)) / 2;
    this.#byNumber = [...rules.values()];
  }

  /** Rules of which a keyword is in the event or reaches over two of its values, each perhaps more than once. The result is reused: not to be kept. */
  candidates(event: Readable): readonly number[] {
    const found = this.#found;
    found.length = 0;
    // One text of all: a search has a price of its own, and most values are short.
    let text = event.original === undefined ? "" : textOfScalar(event.original);
    const { fields } = event;
    for (const field in fields) {
      const value: unknown = fields[field];
      if (value === undefined || value === null) continue;
      if (typeof value !== "object") text = this.#joined(text, value, found);
      else if (Array.isArray(value)) {
        for (const item of value) if (item !== null && typeof item !== "object") text = this.#joined(text, item, found);
      }
    }
    this.#search.find(text, found);
    if (found.length === 0) return none;
    const rules = this.#candidates;
    rules.length = 0;
    for (const number of found) for (const rule of this.#byNumber[number]!) rules.push(rule);
    return rules;
  }

  /** The value after the texts so far; these are searched first where the two would be too long. */
  #joined(text: string, value: unknown, found: number[]): string {
    const more = textOfScalar(value);
    if (more.length < this.#shortest) return text;
    if (text.length + more.length < maxSearched) return `${text}\n${more}`;
    this.#search.find(text, found);
    return more;
  }
}

const none: readonly number[] = [];
