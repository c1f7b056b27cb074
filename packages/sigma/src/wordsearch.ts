/** Looks for many literals in a text at once, reading a few of its characters (Fredriksson and Grabowski, 2009). Knows no rules and no events. */
import { Automaton } from "./automaton.ts";
import { maxLookedAt } from "./frame.ts";

/** The longest text taken: two values at the cap and what stands between them. */
export const maxSearched = 2 * maxLookedAt + 1;
/** Most characters of a block: what one load reads. */
const maxBlock = 4;
/** The text as UTF-8, at most three bytes a unit, and room for the last block; filled and read within one call. */
const bytes = Buffer.allocUnsafeSlow(3 * maxSearched + maxBlock);
const view = new DataView(bytes.buffer);
/** What folds to ASCII or a part of it: the Kelvin sign and the dotted capital I (Unicode 16, SpecialCasing and UnicodeData). */
const foldsToAscii = /[\u212a\u0130]/;
/** Capitals as small letters. */
const fold = Uint8Array.from({ length: 256 }, (_, b) => (b >= 0x41 && b <= 0x5a ? b + 0x20 : b));
/** Literals are told apart by so many of their characters at most: more make larger tables and hardly longer steps. */
const maxWindow = 12;
/** A window shorter than this has blocks of three characters, so that steps are of two at least. */
const windowOfFours = 5;
/** Places a table has at most; beyond, strangers share them. */
const maxBits = 16;

/** A literal, and how far into it a block begins. */
interface Place {
  readonly text: Uint8Array;
  readonly number: number;
  readonly into: number;
}

/**
 * Wherever a literal stands, one of the blocks of its window begins at a multiple of the step: only there the text is read. Suits the few long
 * keywords of a rule, not the hundreds of literals of a field. ASCII literals are looked for in the bytes of UTF-8, where no other character
 * looks like them; other literals, and what folds to ASCII, take an automaton.
 */
export class WordSearch {
  readonly #automaton: Automaton;
  readonly #step: number;
  readonly #block: number;
  /** The bits of a block that are compared: those of its characters but for the one that tells capitals from small letters. */
  readonly #ignored: number;
  readonly #mask: number;
  readonly #shift: number;
  /** By the hash of a block: 0, or which of `#places` are those of literals that have it in their window. */
  readonly #known: Int32Array;
  readonly #places: Place[][] = [[]];
  /** Whether all literals are ASCII. */
  readonly #plain: boolean;

  /** @param literals distinct folded texts, none empty; reported by the automaton's numbers, with one of its own by their index */
  constructor(literals: readonly string[], automaton = new Automaton()) {
    this.#automaton = automaton;
    const numbered = literals.map((text) => ({ text, number: automaton.add(text) }));
    const ascii = numbered.filter(({ text }) => /^[\x00-\x7f]+$/.test(text));
    this.#plain = ascii.length === numbered.length;
    const window = Math.min(maxWindow, ...ascii.map(({ text }) => text.length));
    this.#block = Math.min(window < windowOfFours ? maxBlock - 1 : maxBlock, window);
    this.#step = window - this.#block + 1;
    this.#mask = this.#block === maxBlock ? -1 : 2 ** (8 * this.#block) - 1;
    this.#ignored = 0x20202020 & this.#mask;
    // So many times as many places as are taken that few strangers share one: each costs a look.
    const bits = Math.min(maxBits, Math.max(8, Math.ceil(Math.log2(ascii.length * this.#step * 32 + 1))));
    this.#shift = 32 - bits;
    this.#known = new Int32Array(2 ** bits);
    const uses = new Map<string, number>();
    for (const { text } of ascii) for (const block of new Set(this.#blocksOf(text))) uses.set(block, (uses.get(block) ?? 0) + 1);
    for (const { text, number } of ascii) this.#enter(text, number, uses);
  }

  #blocksOf(text: string): string[] {
    return Array.from({ length: text.length - this.#block + 1 }, (_, i) => text.slice(i, i + this.#block));
  }

  /** The window is where fewest other literals have the same blocks: what is common among them is common in texts, too. */
  #enter(literal: string, number: number, uses: ReadonlyMap<string, number>): void {
    const blocks = this.#blocksOf(literal).map((block) => uses.get(block)!);
    let start = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i + this.#step <= blocks.length; i++) {
      const shared = blocks.slice(i, i + this.#step).reduce((a, b) => a + b, 0);
      if (shared >= least) continue;
      least = shared;
      start = i;
    }
    const text = Buffer.from(literal, "latin1");
    bytes.set(text);
    for (let into = start; into < start + this.#step; into++) {
      const h = this.#hash(view.getInt32(into, true));
      if (this.#known[h] === 0) this.#known[h] = this.#places.push([]) - 1;
      this.#places[this.#known[h]!]!.push({ text, number, into });
    }
  }

  /** A multiple of the golden ratio spreads what differs in few bits (Knuth, The Art of Computer Programming, 6.4). */
  #hash(block: number): number {
    return Math.imul((block & this.#mask) | this.#ignored, 0x9e3779b1) >>> this.#shift;
  }

  /** Appends the literals that the text contains, each perhaps more than once. */
  find(text: string, found: number[]): void {
    if (text.length > maxSearched) throw new RangeError(`a text of ${text.length} units is longer than ${maxSearched}`);
    const length = bytes.write(text, 0, "utf8");
    // As many bytes as units: then every one is ASCII.
    if (length === text.length || (this.#plain && !foldsToAscii.test(text))) this.#probe(length, found);
    else this.#automaton.scan(text, found);
  }

  #probe(end: number, found: number[]): void {
    const known = this.#known;
    const mask = this.#mask;
    const ignored = this.#ignored;
    const shift = this.#shift;
    const step = this.#step;
    const last = end - this.#block;
    for (let i = 0; i <= last; i += step) {
      const h = Math.imul((view.getInt32(i, true) & mask) | ignored, 0x9e3779b1) >>> shift;
      const places = known[h]!;
      if (places !== 0) this.#verify(this.#places[places]!, i, end, found);
    }
  }

  #verify(places: readonly Place[], at: number, end: number, found: number[]): void {
    for (let n = 0; n < places.length; n++) {
      const { text, number, into } = places[n]!;
      const from = at - into;
      if (from < 0 || from + text.length > end) continue;
      let i = 0;
      while (i < text.length && fold[bytes[from + i]!] === text[i]) i++;
      if (i === text.length) found.push(number);
    }
  }
}
