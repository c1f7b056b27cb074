/** For one field in one bucket: which rules a value makes candidates. Remembers recent values, within bounds. Knows no events. */
import { foldCase } from "@vedette/condition";
import { Automaton } from "./automaton.ts";
import type { Literal } from "./witness.ts";

/** Values remembered per index and generation: values repeat (97 % on OTRF's events), and two generations of a thousand short strings stay near 200 kB. */
const maxRemembered = 1_024;
/** Longer values hardly repeat and would hold memory. */
const maxRememberedLength = 512;

/** Literals of one field, each with the rule that waits for it. */
export class FieldIndex {
  readonly field: string;
  readonly #exact = new Map<string, number[]>();
  readonly #always: readonly number[];
  readonly #parts: readonly (readonly number[])[];
  readonly #automaton: Automaton | undefined;
  readonly #scratch: number[] = [];
  #young = new Map<string, readonly number[]>();
  #old = new Map<string, readonly number[]>();

  /** @param entries literals with rule numbers, in ascending order of rule */
  constructor(field: string, entries: readonly { readonly literal: Literal; readonly rule: number }[]) {
    this.field = field;
    const parts = new Map<string, number[]>();
    const always = new Set<number>();
    for (const { literal, rule } of entries) {
      if (literal.kind === "any") always.add(rule);
      else push(literal.kind === "exact" ? this.#exact : parts, literal.text, rule);
    }
    this.#always = [...always];
    this.#parts = [...parts.values()];
    this.#automaton = parts.size === 0 ? undefined : new Automaton([...parts.keys()]);
  }

  get states(): number {
    return this.#automaton?.states ?? 0;
  }

  /** Rules for which this value holds a witness, each once. The result is shared: not to be changed. */
  candidates(text: string): readonly number[] {
    if (text.length > maxRememberedLength) return this.#find(text);
    const known = this.#young.get(text);
    if (known !== undefined) return known;
    const found = this.#old.get(text) ?? this.#find(text);
    if (this.#young.size >= maxRemembered) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, found);
    return found;
  }

  #find(text: string): readonly number[] {
    const exact = this.#exact.size === 0 ? undefined : this.#exact.get(foldCase(text));
    const parts = this.#scratch;
    parts.length = 0;
    this.#automaton?.scan(text, parts);
    if (parts.length === 0) {
      if (exact === undefined) return this.#always;
      if (this.#always.length === 0) return exact;
    }
    const found = new Set(this.#always);
    if (exact !== undefined) for (const rule of exact) found.add(rule);
    for (const part of new Set(parts)) for (const rule of this.#parts[part]!) found.add(rule);
    return [...found];
  }
}

function push(map: Map<string, number[]>, text: string, rule: number): void {
  const rules = map.get(text);
  if (rules === undefined) map.set(text, [rule]);
  else if (rules.at(-1) !== rule) rules.push(rule);
}
