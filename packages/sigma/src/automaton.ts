/** Aho-Corasick over UTF-16 code units: which of many literals occur in a text, in one pass. Grows by new literals; knows no rules. */
import { foldCase } from "@vedette/condition";

/** Room for the longest text that predicates look at; filled and read within one call. */
const units = new Uint16Array(65_536);
const bytes = Buffer.from(units.buffer);
const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
/** Below this the call costs more than it saves. */
const minCopied = 64;
/** A transition that no text has taken yet. */
const unknown = -1;

/**
 * The literals are kept as a sparse trie. Transitions of the deterministic automaton are worked out when a text first takes them: of the
 * states that SigmaHQ's literals make, real texts visit a small part, so that neither time nor memory is spent on the others.
 */
export class Automaton {
  readonly #numbers = new Map<string, number>();
  /** Class of each code unit below 256, capitals as their small letters; 0 is any that no literal has. */
  readonly #low = new Uint16Array(256);
  readonly #high = new Map<number, number>();
  #classes = 1;

  // The trie: per state its first child, next sibling, parent, class from the parent, and the literal that ends there or -1.
  #child = new Int32Array(64);
  #sibling = new Int32Array(64);
  #parent = new Int32Array(64);
  #class = new Uint16Array(64);
  #ends = new Int32Array(64).fill(-1);
  /** Where a mismatch falls back to; `unknown` until asked. */
  #fail = new Int32Array(64);
  #states = 1;

  // The deterministic automaton: a row of transitions per visited state, `row × 2 + 1` where a literal ends at the state or behind it.
  #width = 1;
  #next = new Int32Array(0);
  #rows = 0;
  #rowOf = new Int32Array(0);
  #stateOf: number[] = [];
  #fresh = false;

  /** @param literals distinct folded texts, none empty; numbered from 0 in this order */
  constructor(literals: Iterable<string> = []) {
    for (const literal of literals) this.add(literal);
  }

  /** States of the trie, for reports of memory. */
  get states(): number {
    return this.#states;
  }

  /** @param literal folded, not empty @returns the number it is reported by, the same whenever it is added */
  add(literal: string): number {
    const known = this.#numbers.get(literal);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(literal, number);
    let state = 0;
    for (let i = 0; i < literal.length; i++) state = this.#grow(state, this.#newClass(literal.charCodeAt(i)));
    this.#ends[state] = number;
    this.#fresh = false;
    return number;
  }

  #newClass(unit: number): number {
    const known = this.#classOf(unit);
    if (known !== 0) return known;
    const given = this.#classes++;
    if (unit > 255) this.#high.set(unit, given);
    else {
      this.#low[unit] = given;
      // Folded texts hold no capitals, so that their places are free for scanning texts as they are.
      for (let other = 0; other < 256; other++) {
        if (other !== unit && String.fromCharCode(other).toLowerCase().charCodeAt(0) === unit) this.#low[other] = given;
      }
    }
    return given;
  }

  #classOf(unit: number): number {
    return unit < 256 ? this.#low[unit]! : (this.#high.get(unit) ?? 0);
  }

  #childOf(state: number, c: number): number {
    let child = this.#child[state]!;
    while (child !== 0 && this.#class[child] !== c) child = this.#sibling[child]!;
    return child;
  }

  #grow(state: number, c: number): number {
    const known = this.#childOf(state, c);
    if (known !== 0) return known;
    if (this.#states === this.#child.length) this.#enlarge();
    const child = this.#states++;
    this.#class[child] = c;
    this.#parent[child] = state;
    this.#sibling[child] = this.#child[state]!;
    this.#child[state] = child;
    return child;
  }

  #enlarge(): void {
    const wider = (old: Int32Array) => {
      const grown = new Int32Array(old.length * 2);
      grown.set(old);
      return grown;
    };
    const from = this.#states;
    this.#child = wider(this.#child);
    this.#sibling = wider(this.#sibling);
    this.#parent = wider(this.#parent);
    this.#ends = wider(this.#ends).fill(-1, from);
    this.#fail = wider(this.#fail);
    const classes = new Uint16Array(from * 2);
    classes.set(this.#class);
    this.#class = classes;
  }

  /** Forgets the transitions: new literals change where they lead. */
  #restart(): void {
    this.#fresh = true;
    this.#fail.fill(unknown, 0, this.#states);
    this.#width = this.#classes;
    this.#rowOf = new Int32Array(this.#states).fill(unknown);
    this.#stateOf = [];
    this.#rows = 0;
    this.#next = new Int32Array(this.#width * 16).fill(unknown);
    this.#row(0);
  }

  /** The state's row of transitions as they are written into rows: doubled, odd where there is something to report. */
  #row(state: number): number {
    let row = this.#rowOf[state]!;
    if (row === unknown) {
      row = this.#rows++;
      if (row * this.#width === this.#next.length) {
        const grown = new Int32Array(this.#next.length * 2).fill(unknown, this.#next.length);
        grown.set(this.#next);
        this.#next = grown;
      }
      this.#rowOf[state] = row;
      this.#stateOf.push(state);
    }
    let reporting = state;
    while (reporting !== 0 && this.#ends[reporting]! < 0) reporting = this.#fallback(reporting);
    return row * this.#width * 2 + (reporting === 0 ? 0 : 1);
  }

  #fallback(state: number): number {
    const known = this.#fail[state]!;
    if (known !== unknown) return known;
    const parent = this.#parent[state]!;
    const to = parent === 0 ? 0 : this.#step(this.#fallback(parent), this.#class[state]!);
    this.#fail[state] = to;
    return to;
  }

  #step(from: number, c: number): number {
    for (let state = from; ; state = this.#fallback(state)) {
      const child = this.#childOf(state, c);
      if (child !== 0 || state === 0) return child;
    }
  }

  /** Works out one transition. @param at the row's first entry */
  #learn(at: number, c: number): number {
    const to = this.#row(c === 0 ? 0 : this.#step(this.#stateOf[at / this.#width]!, c));
    this.#next[at + c] = to;
    return to;
  }

  /** Appends to `found` the literals that occur in the text when it is folded, each perhaps more than once. */
  scan(text: string, found: number[]): void {
    if (!this.#fresh) this.#restart();
    const low = this.#low;
    const before = found.length;
    const wide = this.#high.size > 0;
    const length = text.length;
    // One copy is cheaper than asking a sliced string, as lines of a file are, for each of its units.
    const copied = littleEndian && length >= minCopied && length <= units.length;
    if (copied) bytes.write(text, "utf16le");
    let next = this.#next;
    let at = 0;
    for (let i = 0; i < length; i++) {
      const unit = copied ? units[i]! : text.charCodeAt(i);
      if (unit > 255) {
        if (!wide && !foldsToLatin(unit)) {
          at = 0;
          continue;
        }
        found.length = before;
        this.#scanFolded(foldCase(text), found);
        return;
      }
      let to = next[at + low[unit]!]!;
      if (to < 0) {
        to = this.#learn(at, low[unit]!);
        next = this.#next;
      }
      at = to >> 1;
      if ((to & 1) !== 0) this.#collect(at, found);
    }
  }

  #scanFolded(text: string, found: number[]): void {
    let at = 0;
    for (let i = 0; i < text.length; i++) {
      const c = this.#classOf(text.charCodeAt(i));
      let to = this.#next[at + c]!;
      if (to < 0) to = this.#learn(at, c);
      at = to >> 1;
      if ((to & 1) !== 0) this.#collect(at, found);
    }
  }

  #collect(at: number, found: number[]): void {
    for (let state = this.#stateOf[at / this.#width]!; state !== 0; state = this.#fallback(state)) {
      const literal = this.#ends[state]!;
      if (literal >= 0) found.push(literal);
    }
  }
}

/** The units beyond Latin-1 whose small letter has a part within it: İ, Ÿ, ẞ, and the Kelvin and Ångström signs (Unicode 16, SpecialCasing and UnicodeData). */
export function foldsToLatin(unit: number): boolean {
  return unit === 0x130 || unit === 0x178 || unit === 0x1e9e || unit === 0x212a || unit === 0x212b;
}
