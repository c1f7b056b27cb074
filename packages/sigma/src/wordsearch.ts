/** Looks for many literals in a text at once, skipping most of its characters (Wu and Manber, 1994). Knows no rules and no events. */
import { Automaton } from "./automaton.ts";
import { maxLookedAt } from "./frame.ts";

/** The longest text taken: two values at the cap and what stands between them. */
export const maxSearched = 2 * maxLookedAt + 1;
/** Bytes before a text, so that a window's last three can always be read. */
const before = 2;
/** The text as UTF-8, at most three bytes a unit; filled and read within one call. */
const bytes = Buffer.allocUnsafeSlow(before + 3 * maxSearched);
/** What folds to ASCII or a part of it: the Kelvin sign and the dotted capital I (Unicode 16, SpecialCasing and UnicodeData). */
const foldsToAscii = /[\u212a\u0130]/;
/** Capitals as small letters. */
const fold = Uint8Array.from({ length: 256 }, (_, b) => (b >= 0x41 && b <= 0x5a ? b + 0x20 : b));
/** Literals are told apart by their first characters, at most so many: more skip hardly further. */
const maxWindow = 10;

interface Start {
  readonly text: Uint8Array;
  readonly number: number;
}

/** Of a window's last characters, capitals as small letters. Each step waits for it, so it reads no table. */
function hash(last: number, second: number, third: number, ofSecond: number, ofThird: number): number {
  return (last | 0x20) ^ (((second | 0x20) & ofSecond) << 3) ^ (((third | 0x20) & ofThird) << 6);
}

/**
 * Reads every second to ninth character, so it suits the few long keywords of a rule, not the hundreds of literals of a field. ASCII literals
 * are looked for in the bytes of UTF-8, where no other character looks like them; other literals, and what folds to ASCII, take an automaton.
 */
export class WordSearch {
  readonly #automaton: Automaton;
  /** Length of the shortest literal, within `maxWindow`. */
  readonly #window: number;
  /** Which bits of the second and third character from a window's end are in its hash: none where the window is shorter. */
  readonly #second: number;
  readonly #third: number;
  /** By the hash of a window's last characters: how far it can be moved on. */
  readonly #shift: Uint8Array;
  /** By the hash of the last characters of a literal's own window: those literals. */
  readonly #starts = new Map<number, Start[]>();
  /** Whether all literals are ASCII. */
  readonly #plain: boolean;

  /** @param literals distinct folded texts, none empty; reported by the automaton's numbers, with one of its own by their index */
  constructor(literals: readonly string[], automaton = new Automaton()) {
    this.#automaton = automaton;
    const numbered = literals.map((text) => ({ text, number: automaton.add(text) }));
    const ascii = numbered.filter(({ text }) => /^[\x00-\x7f]+$/.test(text));
    this.#plain = ascii.length === numbered.length;
    this.#window = Math.min(maxWindow, ...ascii.map(({ text }) => text.length));
    const block = Math.min(3, this.#window);
    this.#second = block > 1 ? 0xff : 0;
    this.#third = block > 2 ? 0xff : 0;
    // Sixteen times as many places as are taken, so that few strangers share one.
    const size = 2 ** Math.ceil(Math.log2(Math.max(256, ascii.length * this.#window * 16)));
    this.#shift = new Uint8Array(size).fill(Math.max(1, this.#window - block + 1));
    for (const start of ascii) this.#enter({ text: Buffer.from(start.text, "latin1"), number: start.number }, block);
  }

  #enter(start: Start, block: number): void {
    const { text } = start;
    for (let i = block - 1; i < this.#window; i++) {
      const h = hash(text[i]!, text[i - 1] ?? 0, text[i - 2] ?? 0, this.#second, this.#third) & (this.#shift.length - 1);
      this.#shift[h] = Math.min(this.#shift[h]!, this.#window - 1 - i);
      if (i < this.#window - 1) continue;
      const same = this.#starts.get(h);
      if (same === undefined) this.#starts.set(h, [start]);
      else same.push(start);
    }
  }

  /** Appends the literals that the text contains, each perhaps more than once. */
  find(text: string, found: number[]): void {
    if (text.length > maxSearched) throw new RangeError(`a text of ${text.length} units is longer than ${maxSearched}`);
    const length = bytes.write(text, before, "utf8");
    // As many bytes as units: then every one is ASCII.
    if (length === text.length || (this.#plain && !foldsToAscii.test(text))) this.#skipThrough(before + length, found);
    else this.#automaton.scan(text, found);
  }

  #skipThrough(end: number, found: number[]): void {
    const shift = this.#shift;
    const second = this.#second;
    const third = this.#third;
    const mask = shift.length - 1;
    const last = this.#window - 1;
    for (let i = before + last; i < end; ) {
      const h = hash(bytes[i]!, bytes[i - 1]!, bytes[i - 2]!, second, third) & mask;
      const on = shift[h]!;
      if (on > 0) i += on;
      else {
        this.#verify(h, i - last, end, found);
        i++;
      }
    }
  }

  #verify(h: number, from: number, end: number, found: number[]): void {
    const starts = this.#starts.get(h);
    if (starts === undefined) return;
    for (const { text, number } of starts) {
      if (from + text.length > end) continue;
      let i = 0;
      while (i < text.length && fold[bytes[from + i]!] === text[i]) i++;
      if (i === text.length) found.push(number);
    }
  }
}
