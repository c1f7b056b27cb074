/** Looks for many literals in all the texts of an event at once, skipping most of their characters (Wu and Manber, 1994). Knows no rules. */
import { Automaton } from "./automaton.ts";
import { maxLookedAt } from "./frame.ts";

/** Texts of one event, one after the other; filled and read within one call. Room for a text at the cap and a usual event beside. */
const bytes = Buffer.allocUnsafeSlow(2 * maxLookedAt);
/** Places before the first text, so that a window's last three characters can always be read. */
const before = 2;
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
  /** Weights of the last characters of a window in its hash: of the last three, or of as many as there are. */
  readonly #second: number;
  readonly #third: number;
  /** By the hash of a window's last characters: how far it can be moved on. */
  readonly #shift: Uint8Array;
  /** By the hash of the last characters of a literal's own window: those literals. */
  readonly #starts = new Map<number, Start[]>();
  #filled = before;

  /** @param literals distinct folded texts, none empty; reported by the automaton's numbers, with one of its own by their index */
  constructor(literals: readonly string[], automaton = new Automaton()) {
    this.#automaton = automaton;
    const numbered = literals.map((text) => ({ text, number: automaton.add(text) }));
    const ascii = numbered.filter(({ text }) => /^[\x00-\x7f]+$/.test(text));
    this.#window = Math.min(maxWindow, ...ascii.map(({ text }) => text.length));
    const block = Math.min(3, this.#window);
    this.#second = block > 1 ? 31 : 0;
    this.#third = block > 2 ? 31 * 31 : 0;
    // Four times as many places as are taken, so that few strangers share one.
    const size = 2 ** Math.ceil(Math.log2(Math.max(256, ascii.length * this.#window * 4)));
    this.#shift = new Uint8Array(size).fill(Math.max(1, this.#window - block + 1));
    for (const start of ascii) this.#enter({ text: Buffer.from(start.text, "latin1"), number: start.number }, block);
  }

  #enter(start: Start, block: number): void {
    const { text } = start;
    for (let i = block - 1; i < this.#window; i++) {
      const h = (text[i]! + (text[i - 1] ?? 0) * this.#second + (text[i - 2] ?? 0) * this.#third) & (this.#shift.length - 1);
      this.#shift[h] = Math.min(this.#shift[h]!, this.#window - 1 - i);
      if (i < this.#window - 1) continue;
      const same = this.#starts.get(h);
      if (same === undefined) this.#starts.set(h, [start]);
      else same.push(start);
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
    this.#filled = before;
    const shift = this.#shift;
    const second = this.#second;
    const third = this.#third;
    const mask = shift.length - 1;
    const last = this.#window - 1;
    for (let i = before + last; i < end; ) {
      const h = (fold[bytes[i]!]! + fold[bytes[i - 1]!]! * second + fold[bytes[i - 2]!]! * third) & mask;
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

/** Copies a short text; false where it is not ASCII. */
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
