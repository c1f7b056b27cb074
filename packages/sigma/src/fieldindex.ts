/** For one field in one bucket: which rules a value makes candidates. Remembers recent values, within bounds. Knows no events. */
import { foldCase } from "@vedette/condition";
import { Automaton } from "./automaton.ts";
import type { Literal } from "./witness.ts";
import { WordSearch } from "./wordsearch.ts";

/** Values remembered per index and generation: values repeat (97 % on OTRF's events), and what is forgotten is only looked up again. */
const maxRemembered = 512;
/** Longer values hardly repeat and would hold memory. */
const maxRememberedLength = 256;
/** Share of values that must have come again, and how many are not remembered where they did not. */
const worthwhile = 0.2;
const pause = 8_192;
/** Within these bounds skipping through a long text is cheaper than the automaton's step for each character: measured on PowerShell's ContextInfo. */
const mostSkipped = 400;
const shortestSkipped = 4;

/** The automata of all fields: buckets share them, because most of their literals are the same. */
export class Automata {
  readonly #ofField = new Map<string, Automaton>();

  of(field: string): Automaton {
    let automaton = this.#ofField.get(field);
    if (automaton === undefined) {
      automaton = new Automaton();
      this.#ofField.set(field, automaton);
    }
    return automaton;
  }

  /** Of all automata, for reports of memory. */
  get states(): number {
    let states = 0;
    for (const automaton of this.#ofField.values()) states += automaton.states;
    return states;
  }
}

/** A literal and the rule that waits for it. */
export interface Awaited {
  readonly literal: Literal;
  readonly rule: number;
}

/** Literals of one field, each with the rules that wait for it. */
export class FieldIndex {
  readonly field: string;
  readonly #exact = new Map<string, number[]>();
  #longestExact = -1;
  readonly #always: readonly number[];
  /** By the automaton's number; other buckets' literals are not in here. */
  readonly #parts = new Map<number, number[]>();
  readonly #automaton: Automaton;
  /** For long texts, where the literals suit it. */
  readonly #search: WordSearch | undefined;
  readonly #scratch: number[] = [];
  /** Values asked for in this generation. */
  #asked = 0;
  /** Values still to come that are not remembered. */
  #paused = 0;
  #young = new Map<string, readonly number[]>();
  #old = new Map<string, readonly number[]>();

  /** @param entries in ascending order of rule */
  constructor(field: string, entries: readonly Awaited[], automaton: Automaton) {
    this.field = field;
    this.#automaton = automaton;
    const always = new Set<number>();
    const texts = new Set<string>();
    for (const { literal, rule } of entries) {
      if (literal.kind === "any") always.add(rule);
      else if (literal.kind === "exact") {
        push(this.#exact, literal.text, rule);
        this.#longestExact = Math.max(this.#longestExact, literal.text.length);
      } else {
        push(this.#parts, automaton.add(literal.text), rule);
        texts.add(literal.text);
      }
    }
    const skip = texts.size > 0 && texts.size <= mostSkipped && [...texts].every((text) => text.length >= shortestSkipped);
    this.#search = skip ? new WordSearch([...texts], automaton) : undefined;
    this.#always = [...always];
  }

  /** Rules for which this value holds a witness, each perhaps more than once. The result is shared: not to be changed. */
  candidates(text: string): readonly number[] {
    if (text.length > maxRememberedLength) return this.#find(text);
    if (this.#paused > 0) {
      this.#paused--;
      return this.#find(text);
    }
    this.#asked++;
    return this.#young.get(text) ?? this.#remember(text);
  }

  #remember(text: string): readonly number[] {
    const found = this.#old.get(text) ?? this.#find(text);
    if (this.#young.size >= maxRemembered) this.#turnOver();
    this.#young.set(text, found);
    return found;
  }

  /** Begins a generation. Where the last one's values hardly came again, remembering them costs more than it saves: it pauses for a while. */
  #turnOver(): void {
    const again = this.#asked === 0 ? 1 : 1 - maxRemembered / this.#asked;
    this.#asked = 0;
    if (again < worthwhile) this.#paused = pause;
    this.#old = this.#young;
    this.#young = new Map();
  }

  #find(text: string): readonly number[] {
    // Folding makes no text shorter.
    const exact = text.length > this.#longestExact ? undefined : this.#exact.get(foldCase(text));
    const parts = this.#scratch;
    parts.length = 0;
    this.#scan(text, parts);
    if (parts.length === 0) {
      if (exact === undefined) return this.#always;
      if (this.#always.length === 0) return exact;
    }
    const found = this.#always.slice();
    if (exact !== undefined) for (const rule of exact) found.push(rule);
    for (const part of parts) for (const rule of this.#parts.get(part) ?? none) found.push(rule);
    return found;
  }

  #scan(text: string, found: number[]): void {
    if (this.#search !== undefined && text.length > maxRememberedLength) this.#search.find(text, found);
    else if (this.#parts.size > 0) this.#automaton.scan(text, found);
  }
}

const none: readonly number[] = [];

/** Adds a rule to a key's, once; rules come in ascending order. */
export function push<K>(map: Map<K, number[]>, key: K, rule: number): void {
  const rules = map.get(key);
  if (rules === undefined) map.set(key, [rule]);
  else if (rules.at(-1) !== rule) rules.push(rule);
}
