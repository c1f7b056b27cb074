/** For one bucket: which rules the texts of a whole event make candidates by their keywords. Knows no fields by name. */
import type { Readable } from "@vedette/condition";
import { type Awaited, push } from "./fieldindex.ts";
import { textOfScalar } from "./frame.ts";
import { WordSearch } from "./wordsearch.ts";

export class WordIndex {
  readonly #search: WordSearch;
  readonly #byNumber: readonly (readonly number[])[];
  readonly #found: number[] = [];
  readonly #candidates: number[] = [];

  /** @param entries whose literals are parts, in ascending order of rule */
  constructor(entries: readonly Awaited[]) {
    const rules = new Map<string, number[]>();
    for (const { literal, rule } of entries) push(rules, literal.text, rule);
    this.#search = new WordSearch([...rules.keys()]);
    this.#byNumber = [...rules.values()];
  }

  /** Rules of which a keyword is in the event, each perhaps more than once. The result is reused: not to be kept. */
  candidates(event: Readable): readonly number[] {
    const found = this.#found;
    found.length = 0;
    const search = this.#search;
    if (event.original !== undefined) search.add(textOfScalar(event.original), found);
    const { fields } = event;
    for (const field in fields) {
      const value: unknown = fields[field];
      if (value === undefined || value === null) continue;
      if (typeof value !== "object") search.add(textOfScalar(value), found);
      else if (Array.isArray(value)) {
        for (const item of value) if (item !== null && typeof item !== "object") search.add(textOfScalar(item), found);
      }
    }
    search.finish(found);
    if (found.length === 0) return none;
    const rules = this.#candidates;
    rules.length = 0;
    for (const number of found) for (const rule of this.#byNumber[number]!) rules.push(rule);
    return rules;
  }
}

const none: readonly number[] = [];
