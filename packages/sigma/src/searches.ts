/** What buckets of one rule set look for, worked out once for all of them: automata by field, searches for words, witnesses. Knows no events. */
import type { Condition } from "@vedette/condition";
import { Automaton } from "./automaton.ts";
import { type Witness, witnessesOf } from "./witness.ts";
import { WordSearch } from "./wordsearch.ts";

export class Searches {
  readonly #automata = new Map<string, Automaton>();
  readonly #words = new Map<string, WordSearch>();
  readonly #witnesses = new WeakMap<Condition, readonly Witness[]>();

  /** Buckets share a field's, because most of their literals are the same. */
  automaton(field: string): Automaton {
    let automaton = this.#automata.get(field);
    if (automaton === undefined) {
      automaton = new Automaton();
      this.#automata.set(field, automaton);
    }
    return automaton;
  }

  /** A rule of keywords is in nearly every bucket of its product. @param literals as for `WordSearch`, numbered by their index */
  ofWords(literals: readonly string[]): WordSearch {
    const key = JSON.stringify(literals);
    let search = this.#words.get(key);
    if (search === undefined) {
      search = new WordSearch(literals);
      this.#words.set(key, search);
    }
    return search;
  }

  /** As the function of that name. */
  witnessesOf(condition: Condition): readonly Witness[] {
    let witnesses = this.#witnesses.get(condition);
    if (witnesses === undefined) {
      witnesses = witnessesOf(condition);
      this.#witnesses.set(condition, witnesses);
    }
    return witnesses;
  }

  /** States of all automata, for reports of memory. */
  get states(): number {
    let states = 0;
    for (const automaton of this.#automata.values()) states += automaton.states;
    return states;
  }
}
