/** Looks for many literals in all the texts of an event at once, skipping most of their characters (Wu and Manber, 1994). Knows no rules. */
import { Automaton } from "./automaton.ts";
import { maxLookedAt } from "./frame.ts";

/** Texts of one event, one after the other; filled and read within one call. Room for a text at the cap and a usual event beside. */
const bytes = Buffer.allocUnsafeSlow(2 * maxLookedAt);
/** Stands between two texts: in no ASCII literal, so that no find spans both. */
const gap = 0xff;
/** Up to here a loop is cheaper than the call of a native copy. */
const shortText = 24;
/** Capitals as small letters. */
const fold = Uint8Array.from({ length: 256 }, (_, b) => (b >= 0x41 && b <= 0x5a ? b + 0x20 : b));
/** Literals are told apart by their first characters, at most so many: more skip hardly further. */
const maxWindow = 10;

interface Start {
  readonly text: Uint8Array;
  readonly number: number;
}

/**
 * Reads every second to ninth character, so it suits the few long keywords of a rule, not the hundreds of literals of a field. Texts that
 * are not ASCII take an automaton instead, where folding can change their length.
 */
export class WordSearch {
  readonly #automaton: Automaton;
  /** Length of the shortest literal, within `maxWindow`. */
  readonly #window: number;
  /** Class of each byte, capitals as their small letters; 0 is any that no literal has. */
  readonly #classOf = new Uint8Array(256);
  readonly #classes: number;
  /** Per pair of classes: how far a window that ends with it can be moved on. */
  readonly #shift: Uint8Array;
  /** Per pair of classes that ends a literal's window: those literals. */
  readonly #starts = new Map<number, Start[]>();
  #filled = 0;

  /** @param literals distinct folded texts, none empty; reported by the automaton's numbers, with one of its own by their index */
  constructor(literals: readonly string[], automaton = new Automaton()) {
    this.#automaton = automaton;
    const numbered = literals.map((text) => ({ text, number: automaton.add(text) }));
    const ascii = numbered.filter(({ text }) => /^[\x00-\x7f]+$/.test(text));
    this.#window = Math.min(maxWindow, ...ascii.map(({ text }) => text.length));
    let classes = 1;
    for (const { text } of ascii) {
      for (const byte of Buffer.from(text.slice(0, this.#window), "latin1")) if (this.#classOf[byte] === 0) this.#classOf[byte] = classes++;
    }
    for (let byte = 0; byte < 256; byte++) this.#classOf[byte] = this.#classOf[fold[byte]!]!;
    this.#classes = classes;
    this.#shift = new Uint8Array(classes * classes).fill(Math.max(1, this.#window - 1));
    for (const start of ascii) this.#enter({ text: Buffer.from(start.text, "latin1"), number: start.number });
  }

  #enter(start: Start): void {
    const window = this.#window;
    const classAt = (i: number) => this.#classOf[start.text[i]!]!;
    // a window of one character ends with any pair whose second is that character
    const firsts = window === 1 ? Array.from({ length: this.#classes }, (_, c) => c) : undefined;
    for (let i = window === 1 ? 0 : 1; i < window; i++) {
      for (const first of firsts ?? [classAt(i - 1)]) {
        const pair = first * this.#classes + classAt(i);
        this.#shift[pair] = Math.min(this.#shift[pair]!, window - 1 - i);
        if (i < window - 1) continue;
        const same = this.#starts.get(pair);
        if (same === undefined) this.#starts.set(pair, [start]);
        else same.push(start);
      }
    }
  }

  /** Appends the literals that one text contains, each perhaps more than once. */
  findIn(text: string, found: number[]): void {
    this.add(text, found);
    this.finish(found);
  }

  /** Adds a text to the event's; what it appends to `found` at once came from a text that is not ASCII. */
  add(text: string, found: number[]): void {
    const { length } = text;
    if (length < this.#window && isAscii(text)) return;
    // Room for one character more than there are, so that a text cut short by the buffer's end is never taken for ASCII.
    if (this.#filled + length + 4 > bytes.length) this.finish(found);
    const at = this.#filled;
    // As many bytes as units: then every one is ASCII.
    const ascii = length <= shortText ? copyAscii(text, at) : bytes.write(text, at, "utf8") === length;
    if (!ascii) {
      this.#automaton.scan(text, found);
      return;
    }
    this.#filled = at + length;
    bytes[this.#filled++] = gap;
  }

  /** Appends the literals that the texts added since the last call contain, each perhaps more than once. */
  finish(found: number[]): void {
    const end = this.#filled;
    this.#filled = 0;
    const classOf = this.#classOf;
    const shift = this.#shift;
    const classes = this.#classes;
    const last = this.#window - 1;
    for (let i = Math.max(1, last); i < end; ) {
      const pair = classOf[bytes[i - 1]!]! * classes + classOf[bytes[i]!]!;
      const on = shift[pair]!;
      if (on > 0) i += on;
      else {
        this.#verify(pair, i - last, end, found);
        i++;
      }
    }
    if (last === 0 && end > 0) this.#verify(classOf[bytes[0]!]!, 0, end, found);
  }

  #verify(pair: number, from: number, end: number, found: number[]): void {
    const starts = this.#starts.get(pair);
    if (starts === undefined) return;
    for (const { text, number } of starts) {
      if (from + text.length > end) continue;
      let i = 0;
      while (i < text.length && fold[bytes[from + i]!] === text[i]) i++;
      if (i === text.length) found.push(number);
    }
  }
}

function copyAscii(text: string, at: number): boolean {
  let all = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    all |= unit;
    bytes[at + i] = unit;
  }
  return all < 0x80;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
