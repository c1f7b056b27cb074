/** Aho-Corasick over UTF-16 code units on typed arrays: which of many literals occur in a text, in one pass. Knows no rules. */
import { foldCase } from "@vedette/condition";

/** Room for the longest text that predicates look at; filled and read within one call. */
const units = new Uint16Array(65_536);
const bytes = Buffer.from(units.buffer);
const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
/** Below this the call costs more than it saves. */
const minCopied = 64;

/** Built once, then read only. */
export class Automaton {
  /** Class of each code unit below 256, capitals as their small letters; 0 is any that no literal has. */
  readonly #low = new Uint16Array(256);
  readonly #high = new Map<number, number>();
  readonly #classes: number;
  /** states × classes: the next state's number times `#classes`. */
  readonly #next: Int32Array;
  /** Per state: the literal that ends there, or -1. */
  readonly #ends: Int32Array;
  /** Per state: the nearest state at or behind it on its suffix chain where a literal ends, or -1. */
  readonly #report: Int32Array;
  /** Per state: the next such state further along the chain, or -1. */
  readonly #further: Int32Array;
  /** States, for reports of memory. */
  readonly states: number;

  /** @param literals distinct folded texts, none empty; each is reported by its index */
  constructor(literals: readonly string[]) {
    let classes = 1;
    let capacity = 1;
    for (const literal of literals) {
      capacity += literal.length;
      for (let i = 0; i < literal.length; i++) {
        const unit = literal.charCodeAt(i);
        if (unit < 256) {
          if (this.#low[unit] === 0) this.#low[unit] = classes++;
        } else if (!this.#high.has(unit)) this.#high.set(unit, classes++);
      }
    }
    // Folded texts hold no capitals, so that their places are free for scanning texts as they are.
    for (let unit = 0; unit < 256; unit++) {
      const small = String.fromCharCode(unit).toLowerCase().charCodeAt(0);
      if (small !== unit) this.#low[unit] = this.#low[small]!;
    }
    this.#classes = classes;
    const next = new Int32Array(capacity * classes);
    const ends = new Int32Array(capacity).fill(-1);
    let states = 1;
    for (let number = 0; number < literals.length; number++) {
      const literal = literals[number]!;
      let state = 0;
      for (let i = 0; i < literal.length; i++) {
        const at = state * classes + this.#classOf(literal.charCodeAt(i));
        if (next[at] === 0) next[at] = states++;
        state = next[at]!;
      }
      ends[state] = number;
    }
    this.states = states;
    this.#ends = ends.slice(0, states);
    this.#next = next.slice(0, states * classes);
    this.#report = new Int32Array(states).fill(-1);
    this.#further = new Int32Array(states).fill(-1);
    this.#close();
  }

  #classOf(unit: number): number {
    return unit < 256 ? this.#low[unit]! : (this.#high.get(unit) ?? 0);
  }

  /** Fills in the transitions that fall back, breadth first, so that a scan takes one step a unit. */
  #close(): void {
    const classes = this.#classes;
    const next = this.#next;
    const fail = new Int32Array(this.states);
    const queue = new Int32Array(this.states);
    let tail = 0;
    for (let c = 1; c < classes; c++) if (next[c] !== 0) queue[tail++] = next[c]!;
    for (let head = 0; head < tail; head++) {
      const state = queue[head]!;
      const row = state * classes;
      const behind = fail[state]!;
      this.#report[state] = this.#ends[state]! >= 0 ? state : this.#report[behind]!;
      this.#further[state] = this.#report[behind]!;
      for (let c = 1; c < classes; c++) {
        const child = next[row + c]!;
        const fallback = next[behind * classes + c]!;
        if (child === 0) next[row + c] = fallback;
        else {
          fail[child] = fallback;
          queue[tail++] = child;
        }
      }
    }
    for (let i = 0; i < next.length; i++) next[i] = next[i]! * classes;
  }

  /** Appends to `found` the literals that occur in the text when it is folded, each perhaps more than once. */
  scan(text: string, found: number[]): void {
    const next = this.#next;
    const low = this.#low;
    const report = this.#report;
    const classes = this.#classes;
    const before = found.length;
    const wide = this.#high.size > 0;
    const length = text.length;
    // One copy is cheaper than asking a sliced string, as lines of a file are, for each of its units.
    const copied = littleEndian && length >= minCopied && length <= units.length;
    if (copied) bytes.write(text, "utf16le");
    let row = 0;
    for (let i = 0; i < length; i++) {
      const unit = copied ? units[i]! : text.charCodeAt(i);
      if (unit > 255) {
        if (!wide && !foldsToLatin(unit)) {
          row = 0;
          continue;
        }
        found.length = before;
        this.#scanFolded(foldCase(text), found);
        return;
      }
      row = next[row + low[unit]!]!;
      if (row === 0) continue;
      const state = report[row / classes]!;
      if (state >= 0) this.#collect(state, found);
    }
  }

  #scanFolded(text: string, found: number[]): void {
    const next = this.#next;
    let row = 0;
    for (let i = 0; i < text.length; i++) {
      row = next[row + this.#classOf(text.charCodeAt(i))]!;
      if (row === 0) continue;
      const state = this.#report[row / this.#classes]!;
      if (state >= 0) this.#collect(state, found);
    }
  }

  #collect(from: number, found: number[]): void {
    for (let state = from; state >= 0; state = this.#further[state]!) found.push(this.#ends[state]!);
  }
}

/** The units beyond Latin-1 whose small letter has a part within it: İ, Ÿ, ẞ, and the Kelvin and Ångström signs (Unicode 16, SpecialCasing and UnicodeData). */
export function foldsToLatin(unit: number): boolean {
  return unit === 0x130 || unit === 0x178 || unit === 0x1e9e || unit === 0x212a || unit === 0x212b;
}
