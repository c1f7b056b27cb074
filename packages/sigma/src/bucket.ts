/** The rules that can match one kind of event, indexed by the witnesses they wait for. Knows no other kinds. */
import type { Condition, FieldValue, Readable } from "@vedette/condition";
import { type Awaited, FieldIndex } from "./fieldindex.ts";
import { type Frame, textOfScalar } from "./frame.ts";
import type { Meter } from "./meter.ts";
import type { Compiler, Predicate } from "./predicate.ts";
import type { Searches } from "./searches.ts";
import type { Witness } from "./witness.ts";
import { WordIndex } from "./wordindex.ts";

/** A rule within a bucket: its number, and what is left of its condition there. */
export interface Member {
  readonly rule: number;
  readonly rest: Condition | true;
}

/** What buckets of one rule set share. */
export interface Shared {
  readonly compiler: Compiler;
  readonly searches: Searches;
  readonly meter: Meter;
}

/** Events after which a bucket first looks whether its witnesses are as rare as was thought, and by which factor it waits longer each time. */
const firstReview = 512;
const reviewFactor = 4;
/** A witness that makes its rule a candidate less often than this is rare enough. */
const rareEnough = 0.002;

const yes: Predicate = () => true;

/** What a member waits for: its witnesses, the one in use, and for those tried the share of events in which one was seen. */
interface Waiting {
  readonly witnesses: readonly Witness[];
  readonly measured: (number | undefined)[];
  used: number;
}

export class Bucket {
  /** Numbers of the rules that can match here. */
  readonly rules: readonly number[];
  /** Events that fell in here. */
  seen = 0;
  /** Of these, how many `RuleSet.drain` has told of. */
  told = 0;
  readonly #shared: Shared;
  readonly #rests: readonly (Condition | true)[];
  /** Compiled when first asked: most rules never are. */
  readonly #predicates: (Predicate | undefined)[];
  readonly #waiting: readonly Waiting[];
  /** Per member, how often it was a candidate since the last review. */
  readonly #asked: Float64Array;
  /** Members (by position) that no literal announces. */
  #always: readonly number[] = [];
  #fields: readonly FieldIndex[] = [];
  #words: WordIndex | undefined;
  #sinceReview = 0;
  #review = firstReview;
  readonly #checked: Uint32Array;
  #turn = 0;

  constructor(members: readonly Member[], shared: Shared) {
    this.#shared = shared;
    this.rules = members.map((m) => m.rule);
    this.#rests = members.map((m) => m.rest);
    this.#predicates = members.map(() => undefined);
    this.#waiting = members.map(({ rest }) => ({
      witnesses: rest === true ? [] : shared.searches.witnessesOf(rest),
      measured: [],
      used: 0,
    }));
    this.#asked = new Float64Array(members.length);
    this.#checked = new Uint32Array(members.length);
    this.#index();
  }

  /** Builds the indexes for the witnesses in use. */
  #index(): void {
    const always: number[] = [];
    const byField = new Map<string, Awaited[]>();
    for (const [position, { witnesses, used }] of this.#waiting.entries()) {
      const witness = witnesses[used];
      if (witness === undefined) always.push(position);
      for (const literal of witness?.literals ?? []) {
        const entries = byField.get(literal.field);
        if (entries === undefined) byField.set(literal.field, [{ literal, rule: position }]);
        else entries.push({ literal, rule: position });
      }
    }
    this.#always = always;
    const words = byField.get("");
    this.#words = words === undefined ? undefined : new WordIndex(words, (literals) => this.#shared.searches.ofWords(literals));
    byField.delete("");
    this.#fields = [...byField].map(([field, entries]) => new FieldIndex(field, entries, () => this.#shared.searches.automaton(field)));
  }

  /** Replaces witnesses that turned out common by the next best. What matches stays the same; each witness is tried at most once. */
  #learn(): void {
    const events = this.#sinceReview;
    this.#sinceReview = 0;
    this.#review *= reviewFactor;
    let changed = false;
    for (const [position, waiting] of this.#waiting.entries()) {
      const share = this.#asked[position]! / events;
      if (waiting.witnesses.length < 2 || share < rareEnough) continue;
      waiting.measured[waiting.used] = share;
      const costs = waiting.witnesses.map((w, i) => waiting.measured[i] ?? w.cost);
      const best = costs.indexOf(Math.min(...costs));
      if (best === waiting.used) continue;
      waiting.used = best;
      changed = true;
    }
    this.#asked.fill(0);
    if (changed) this.#index();
  }

  /** Appends the numbers of matching rules. */
  match(event: Readable, frame: Frame, out: number[]): void {
    if (++this.#turn > 0xffff_fffe) {
      this.#turn = 1;
      this.#checked.fill(0);
    }
    if (++this.#sinceReview > this.#review) this.#learn();
    this.#check(this.#always, frame, out);
    for (let i = 0; i < this.#fields.length; i++) {
      const index = this.#fields[i]!;
      const value = event.fields[index.field];
      if (value !== undefined && value !== null) this.#look(index, value, frame, out);
    }
    if (this.#words !== undefined) this.#check(this.#words.candidates(event), frame, out);
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
      this.#asked[position]!++;
      const rule = this.rules[position]!;
      if (this.#shared.meter.holds(rule, this.#predicates[position] ?? this.#compile(position), frame)) out.push(rule);
    }
  }

  #compile(position: number): Predicate {
    const rest = this.#rests[position]!;
    const predicate = rest === true ? yes : this.#shared.compiler.predicate(rest);
    this.#predicates[position] = predicate;
    return predicate;
  }
}
