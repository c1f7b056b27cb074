/** For one field in one bucket: which rules a value makes candidates. Remembers recent values, within bounds. Knows no events. */
import { foldCase } from "@vedette/condition";
import type { Automaton } from "./automaton.ts";
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

/** A literal and the rule that waits for it. */
export interface Awaited {
  readonly literal: Literal;
  readonly rule: number;
}

/** Literals of one field, each with the rules that wait for it. */
export class FieldIndex {
  readonly field: string;
  /** Until a value is asked for: in most kinds of events most fields that rules name are absent. */
  #entries: readonly Awaited[] | undefined;
  readonly #automatonOf: () => Automaton;
  #automaton: Automaton | undefined;
  readonly #exact = new Map<string, number[]>();
  #longestExact = -1;
  #always: readonly number[] = [];
  /** By the automaton's number; other buckets' literals are not in here. */
  readonly #parts = new Map<number, number[]>();
  /** The literals that a long text is searched for, where they suit it. */
  #skipped: readonly string[] | undefined;
  #search: WordSearch | undefined;
  readonly #scratch: number[] = [];
  /** Values asked for in this generation. */
  #asked = 0;
  /** Values still to come that are not remembered. */
  #paused = 0;
  #young = new Map<string, readonly number[]>();
  #old = new Map<string, readonly number[]>();

  /** @param entries in ascending order of rule */
  constructor(field: string, entries: readonly Awaited[], automatonOf: () => Automaton) {
    this.field = field;
    this.#entries = entries;
    this.#automatonOf = automatonOf;
  }

  #build(entries: readonly Awaited[]): void {
    this.#entries = undefined;
    const always = new Set<number>();
    const texts = new Set<string>();
    for (const { literal, rule } of entries) {
      if (literal.kind === "any") always.add(rule);
      else if (literal.kind === "exact") {
        push(this.#exact, literal.text, rule);
        this.#longestExact = Math.max(this.#longestExact, literal.text.length);
      } else {
        this.#automaton ??= this.#automatonOf();
        push(this.#parts, this.#automaton.add(literal.text), rule);
        texts.add(literal.text);
      }
    }
    if (texts.size <= mostSkipped && [...texts].every((text) => text.length >= shortestSkipped)) this.#skipped = [...texts];
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
    if (this.#entries !== undefined) this.#build(this.#entries);
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
    if (this.#automaton === undefined) return;
    if (this.#skipped === undefined || text.length <= maxRememberedLength) this.#automaton.scan(text, found);
    else {
      this.#search ??= new WordSearch(this.#skipped, this.#automaton);
      this.#search.find(text, found);
    }
  }
}

const none: readonly number[] = [];

/** Adds a rule to a key's, once; rules come in ascending order. */
export function push<K>(map: Map<K, number[]>, key: K, rule: number): void {
  const rules = map.get(key);
  if (rules === undefined) map.set(key, [rule]);
  else if (rules.at(-1) !== rule) rules.push(rule);
}
