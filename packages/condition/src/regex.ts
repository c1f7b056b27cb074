/** Which regular expressions the backtracking engine of JavaScript runs in linear time for certain; the rest needs a linear engine from outside. */

/** What a prepared pattern does; the shape of RegExp and of RE2 bindings alike. */
export interface RegexTest {
  test(text: string): boolean;
}
/** Makes a linear-time matcher (RE2 dialect) of any pattern; may throw on a pattern it does not take. */
export type RegexFactory = (pattern: string, flags: string) => RegexTest;

/** A condition that cannot be prepared. */
export class ConditionError extends Error {
  readonly code: "unsafe_regex" | "bad_regex" | "bad_cidr";
  constructor(code: ConditionError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ConditionError";
    this.code = code;
  }
}

/** Longest pattern taken, in characters. */
export const maxRegexLength = 4096;
/** Ways a bounded part may match at one start before it counts as unsafe: a constant factor, kept small. */
const maxWays = 256;

/** Characters a one-character atom can match: 128 flags for ASCII and one for everything else. */
type CharSet = { readonly ascii: Uint8Array; readonly other: boolean };
interface Item {
  /** Undefined for groups and for what has no width. */
  readonly set?: CharSet;
  readonly width: "one" | "none" | "group";
  readonly text: string;
  readonly min: number;
  readonly max: number;
  /** Different ways to match at a fixed start, repeats not counted. */
  readonly ways: number;
  readonly anchor?: boolean;
  readonly empty: boolean;
}
class Unsafe extends Error {}

const setOf = (test: (code: number) => boolean, other: boolean): CharSet => ({
  ascii: Uint8Array.from({ length: 128 }, (_, code) => (test(code) ? 1 : 0)),
  other,
});
const isDigit = (c: number) => c >= 48 && c <= 57;
const isWord = (c: number) => isDigit(c) || (c >= 65 && c <= 90) || c === 95 || (c >= 97 && c <= 122);
const isSpace = (c: number) => c === 32 || (c >= 9 && c <= 13);
const classes: { readonly [letter: string]: CharSet } = {
  d: setOf(isDigit, false),
  D: setOf((c) => !isDigit(c), true),
  w: setOf(isWord, false),
  W: setOf((c) => !isWord(c), true),
  s: setOf(isSpace, true),
  S: setOf((c) => !isSpace(c), true),
};
const controls: { readonly [letter: string]: number } = { t: 9, n: 10, v: 11, f: 12, r: 13, "0": 0 };
const anything = setOf(() => true, true);
const disjoint = (a: CharSet, b: CharSet) => !(a.other && b.other) && a.ascii.every((in_a, code) => in_a === 0 || b.ascii[code] === 0);

/** Reads the subset of the dialect that can be judged; throws Unsafe on anything else. */
class PatternReader {
  private at = 0;
  private depth = 0;
  private readonly source: string;
  private readonly folded: boolean;
  constructor(source: string, flags: string) {
    this.source = source;
    this.folded = flags.includes("i");
  }

  alternatives(): Item[][] {
    const found: Item[][] = [[]];
    while (this.at < this.source.length && this.source[this.at] !== ")") {
      if (this.source[this.at] === "|") {
        this.at++;
        found.push([]);
      } else found.at(-1)!.push(this.item());
    }
    if (this.depth === 0 && this.at < this.source.length) throw new Unsafe();
    return found;
  }

  private item(): Item {
    const from = this.at;
    const c = this.source[this.at++]!;
    if (c === "^" || c === "$") return { width: "none", text: c, min: 1, max: 1, ways: 1, anchor: c === "^", empty: true };
    if ("*+?{}]".includes(c)) throw new Unsafe();
    if (c === "(") return this.group(from);
    if (c === "\\" && (this.source[this.at] === "b" || this.source[this.at] === "B")) {
      this.at++;
      return { width: "none", text: this.source.slice(from, this.at), min: 1, max: 1, ways: 1, empty: true };
    }
    const set = c === "." ? anything : c === "[" ? this.charClass() : c === "\\" ? this.escape() : this.single(c.charCodeAt(0));
    const text = this.source.slice(from, this.at);
    const [min, max] = this.repeat();
    return { width: "one", set, text, min, max, ways: 1, empty: min === 0 };
  }

  private group(from: number): Item {
    if (this.source[this.at] === "?") {
      if (this.source[this.at + 1] !== ":") throw new Unsafe();
      this.at += 2;
    }
    if (++this.depth > 16) throw new Unsafe();
    const inner = this.alternatives();
    if (this.source[this.at++] !== ")") throw new Unsafe();
    this.depth--;
    const text = this.source.slice(from, this.at);
    let ways = 0;
    for (const items of inner) {
      if (items.some((one) => one.max === Number.POSITIVE_INFINITY)) throw new Unsafe();
      ways += waysOf(items);
    }
    const [min, max] = this.repeat();
    if (max === Number.POSITIVE_INFINITY) throw new Unsafe();
    return { width: "group", text, min, max, ways, empty: true };
  }

  /** The quantifier after an atom; its laziness changes nothing for a yes-or-no test. */
  private repeat(): [number, number] {
    let range: [number, number] = [1, 1];
    const c = this.source[this.at];
    if (c === "*") range = [0, Number.POSITIVE_INFINITY];
    else if (c === "+") range = [1, Number.POSITIVE_INFINITY];
    else if (c === "?") range = [0, 1];
    else if (c === "{") {
      const end = this.source.indexOf("}", this.at);
      const inner = /^(\d{1,4})(,?)(\d{0,4})$/.exec(this.source.slice(this.at + 1, Math.max(end, this.at + 1)));
      if (end < 0 || inner === null) throw new Unsafe();
      const min = Number(inner[1]);
      range = [min, inner[2] === "" ? min : inner[3] === "" ? Number.POSITIVE_INFINITY : Number(inner[3])];
      this.at = end;
    } else return range;
    this.at++;
    if (this.source[this.at] === "?") this.at++;
    return range;
  }

  private single(code: number): CharSet {
    if (code > 127) return setOf(() => false, true);
    const low = (c: number) => (this.folded && c >= 65 && c <= 90 ? c + 32 : c);
    return setOf((c) => low(c) === low(code), false);
  }

  private code(): number | CharSet {
    const c = this.source[this.at++];
    if (c === undefined) throw new Unsafe();
    if (classes[c] !== undefined) return classes[c];
    if (c in controls) {
      if (c === "0" && /\d/.test(this.source[this.at] ?? "")) throw new Unsafe();
      return controls[c]!;
    }
    if (c === "x" || c === "u") {
      const digits = this.source.slice(this.at, this.at + (c === "x" ? 2 : 4));
      if (!(c === "x" ? /^[0-9a-f]{2}$/i : /^[0-9a-f]{4}$/i).test(digits)) throw new Unsafe();
      this.at += digits.length;
      return Number.parseInt(digits, 16);
    }
    // an escaped letter or digit that is none of the above is a back-reference or means different things in different dialects
    if (isWord(c.charCodeAt(0))) throw new Unsafe();
    return c.charCodeAt(0);
  }

  private escape(): CharSet {
    const code = this.code();
    return typeof code === "number" ? this.single(code) : code;
  }

  private charClass(): CharSet {
    const ascii = new Uint8Array(128);
    let other = false;
    const negated = this.source[this.at] === "^";
    if (negated) this.at++;
    const add = (set: CharSet) => {
      set.ascii.forEach((on, code) => {
        ascii[code]! |= on;
      });
      other ||= set.other;
    };
    const next = (): number | CharSet => {
      const c = this.source[this.at++];
      if (c === undefined) throw new Unsafe();
      if (c === "\\" && this.source[this.at] === "b") {
        this.at++;
        return 8;
      }
      return c === "\\" ? this.code() : c.charCodeAt(0);
    };
    while (this.source[this.at] !== "]") {
      const from = next();
      const ranged = this.source[this.at] === "-" && this.source[this.at + 1] !== "]";
      if (!ranged) {
        add(typeof from === "number" ? this.single(from) : from);
        continue;
      }
      this.at++;
      const to = next();
      if (typeof from !== "number" || typeof to !== "number" || to < from) throw new Unsafe();
      for (let code = from; code <= Math.min(to, 127); code++) add(this.single(code));
      if (to > 127) other = true;
    }
    this.at++;
    // what a negated class leaves out of the rest of Unicode is not tracked
    return negated ? setOf((code) => ascii[code] === 0, true) : { ascii, other };
  }
}

function waysOf(items: readonly Item[]): number {
  let ways = 1;
  for (const one of items) {
    if (one.max === Number.POSITIVE_INFINITY) continue;
    if (one.width === "group") {
      let repeated = 0;
      for (let k = one.min; k <= one.max; k++) repeated += one.ways ** k;
      ways *= repeated;
    } else ways *= one.max - one.min + 1;
    if (ways > maxWays || one.max > maxWays) throw new Unsafe();
  }
  return ways;
}

const least = (item: Item) => (item.min === 0 ? "" : item.min === 1 ? item.text : `${item.text}{${item.min}}`);
const written = (item: Item) =>
  item.max === Number.POSITIVE_INFINITY
    ? `${item.text}{${item.min},}`
    : item.min === 1 && item.max === 1
      ? item.text
      : `${item.text}{${item.min},${item.max}}`;

/** One alternative, rewritten without loops that decide nothing at its open ends; throws Unsafe where a loop could be retried. */
function linearSequence(items: readonly Item[], multiline: boolean): string {
  waysOf(items);
  let out = "";
  items.forEach((item, i) => {
    if (item.min > maxWays) throw new Unsafe();
    if (item.max !== Number.POSITIVE_INFINITY) {
      out += written(item);
      return;
    }
    // searching is unanchored: at either end of the pattern the shortest repeat finds a match exactly when a longer one does
    if (i === 0 || i === items.length - 1) {
      out += least(item);
      return;
    }
    const set = item.set!;
    const begun = items.slice(0, i).filter((one) => one.width !== "none");
    const before = begun.at(-1);
    const anchored = begun.length === 0 && items[0]!.anchor === true && !multiline;
    // runs after different starts must not overlap, or every start walks the same run again
    if (!anchored && (before?.set === undefined || before.min === 0 || !disjoint(before.set, set))) throw new Unsafe();
    const next = items.slice(i + 1).find((one) => one.width !== "none" || (one.text === "$" && !multiline));
    // what follows must not begin like the run, or giving back characters is worth a try
    const decided = next?.text === "$" || (next?.set !== undefined && next.min > 0 && disjoint(next.set, set));
    if (!decided) throw new Unsafe();
    out += written(item);
  });
  return out;
}

/** The pattern in a form that backtracking runs in time linear in the text, or undefined where that is not certain. Only for tests, not for captures. */
export function linearForm(pattern: string, flags: string): string | undefined {
  if (pattern.length > maxRegexLength || !/^[ims]{0,3}$/.test(flags)) return undefined;
  try {
    const alternatives = new PatternReader(pattern, flags).alternatives();
    return alternatives.map((items) => linearSequence(items, flags.includes("m"))).join("|");
  } catch (error) {
    if (error instanceof Unsafe) return undefined;
    throw error;
  }
}

/**
 * Prepares a pattern: natively when it is linear for certain, else by the given factory.
 * @throws ConditionError `bad_regex` (not a pattern), `unsafe_regex` (needs a factory and there is none).
 */
export function regexTest(pattern: string, flags: string, factory?: RegexFactory): RegexTest {
  const linear = linearForm(pattern, flags);
  if (linear !== undefined) {
    try {
      const native = new RegExp(linear, flags);
      return { test: (text) => native.test(text) };
    } catch (cause) {
      throw new ConditionError("bad_regex", `/${pattern}/ is not a regular expression`, { cause });
    }
  }
  if (factory === undefined || pattern.length > maxRegexLength)
    throw new ConditionError(
      "unsafe_regex",
      `/${pattern.slice(0, 200)}/ may take more than linear time and there is no engine for it here`,
    );
  try {
    return factory(pattern, flags);
  } catch (cause) {
    throw new ConditionError("bad_regex", `/${pattern.slice(0, 200)}/ is not a regular expression of the linear-time dialect`, { cause });
  }
}
