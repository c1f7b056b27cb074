/** The rules that can match one kind of event, indexed by the witnesses they wait for. Knows no other kinds. */
import type { Condition, FieldValue, Readable } from "@vedette/condition";
import { FieldIndex } from "./fieldindex.ts";
import { type Frame, textOfScalar } from "./frame.ts";
import type { Compiler, Predicate } from "./predicate.ts";
import { type Literal, witnessOf } from "./witness.ts";

/** A rule within a bucket: its number, and what is left of its condition there. */
export interface Member {
  readonly rule: number;
  readonly rest: Condition | true;
}

const yes: Predicate = () => true;

export class Bucket {
  /** Numbers of the rules that can match here. */
  readonly rules: readonly number[];
  /** Events that fell in here. */
  seen = 0;
  readonly #predicates: readonly Predicate[];
  /** Members (by position) that no literal announces. */
  readonly #always: readonly number[];
  readonly #fields: readonly FieldIndex[];
  readonly #words: FieldIndex | undefined;
  readonly #checked: Uint32Array;
  #turn = 0;

  constructor(members: readonly Member[], compiler: Compiler) {
    this.rules = members.map((m) => m.rule);
    this.#predicates = members.map((m) => (m.rest === true ? yes : compiler.predicate(m.rest)));
    this.#checked = new Uint32Array(members.length);
    const always: number[] = [];
    const byField = new Map<string, { literal: Literal; rule: number }[]>();
    for (const [position, { rest }] of members.entries()) {
      const witness = rest === true ? undefined : witnessOf(rest);
      if (witness === undefined) always.push(position);
      for (const literal of witness?.literals ?? []) {
        const entries = byField.get(literal.field);
        if (entries === undefined) byField.set(literal.field, [{ literal, rule: position }]);
        else entries.push({ literal, rule: position });
      }
    }
    this.#always = always;
    const words = byField.get("");
    this.#words = words === undefined ? undefined : new FieldIndex("", words);
    byField.delete("");
    this.#fields = [...byField].map(([field, entries]) => new FieldIndex(field, entries));
  }

  /** States of all automata, for reports of memory. */
  get states(): number {
    return this.#fields.reduce((n, f) => n + f.states, this.#words?.states ?? 0);
  }

  /** Appends the numbers of matching rules. */
  match(event: Readable, frame: Frame, out: number[]): void {
    if (++this.#turn > 0xffff_fffe) {
      this.#turn = 1;
      this.#checked.fill(0);
    }
    this.#check(this.#always, frame, out);
    for (let i = 0; i < this.#fields.length; i++) {
      const index = this.#fields[i]!;
      const value = event.fields[index.field];
      if (value !== undefined && value !== null) this.#look(index, value, frame, out);
    }
    if (this.#words !== undefined) for (const word of frame.words()) this.#check(this.#words.candidates(word), frame, out);
  }

  #look(index: FieldIndex, value: FieldValue, frame: Frame, out: number[]): void {
    if (typeof value !== "object" || value === null) {
      this.#check(index.candidates(textOfScalar(value)), frame, out);
      return;
    }
    if (!Array.isArray(value)) return;
    for (const item of value as readonly unknown[]) {
      if (item !== null && typeof item !== "object") this.#check(index.candidates(textOfScalar(item)), frame, out);
    }
  }

  #check(positions: readonly number[], frame: Frame, out: number[]): void {
    for (let i = 0; i < positions.length; i++) {
      const position = positions[i]!;
      if (this.#checked[position] === this.#turn) continue;
      this.#checked[position] = this.#turn;
      if (this.#predicates[position]!(frame)) out.push(this.rules[position]!);
    }
  }
}
