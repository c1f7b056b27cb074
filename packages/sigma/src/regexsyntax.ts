/** Reads the common part of RE2's syntax into a tree and writes it as an equivalent JavaScript pattern (flag `u`). Runs nothing. */

export type Regex =
  | { readonly kind: "char"; readonly char: string }
  /** A class; `members` only where it is small and plain enough to be listed. */
  | { readonly kind: "class"; readonly js: string; readonly members?: readonly string[] }
  | { readonly kind: "anchor"; readonly js: string; readonly start: boolean }
  | { readonly kind: "cat" | "alt"; readonly of: readonly Regex[] }
  | { readonly kind: "repeat"; readonly of: Regex; readonly min: number; readonly max: number; readonly lazy: boolean };

/** RE2 allows no more repetitions than this. */
const maxRepeat = 1_000;
/** Groups one in another; the patterns of SigmaHQ nest four. */
const maxDepth = 50;

/** RE2's classes as ranges: unlike JavaScript's, `\s` is ASCII only and `.` leaves out nothing but the newline. */
const classes: { readonly [letter: string]: string } = {
  d: "0-9",
  D: "\\u{0}-/:-\\u{10ffff}",
  w: "0-9A-Z_a-z",
  W: "\\u{0}-/:-@\\[-\\^`\\{-\\u{10ffff}",
  s: "\\t\\n\\f\\r ",
  S: "\\u{0}-\\u{8}\\u{b}\\u{e}-\\u{1f}\\u{21}-\\u{10ffff}",
};
const controls: { readonly [letter: string]: string } = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v", a: "\x07" };

/** The pattern's tree, or undefined where it uses something that this reader leaves to RE2 itself. */
export function readRegex(source: string, dotAll: boolean): Regex | undefined {
  const reader = new Reader(source, dotAll);
  const tree = reader.alternatives(0);
  return reader.failed || !reader.done ? undefined : tree;
}

class Reader {
  failed = false;
  readonly #chars: readonly string[];
  readonly #dotAll: boolean;
  #at = 0;

  constructor(source: string, dotAll: boolean) {
    this.#chars = [...source];
    this.#dotAll = dotAll;
  }

  get done(): boolean {
    return this.#at >= this.#chars.length;
  }

  alternatives(depth: number): Regex {
    if (depth > maxDepth) this.failed = true;
    const of: Regex[] = [];
    do of.push(this.#sequence(depth));
    while (!this.failed && this.#take("|"));
    return of.length === 1 ? of[0]! : { kind: "alt", of };
  }

  #sequence(depth: number): Regex {
    const of: Regex[] = [];
    while (!this.failed && !this.done && this.#peek() !== "|" && this.#peek() !== ")") of.push(this.#repeated(this.#atom(depth)));
    return of.length === 1 ? of[0]! : { kind: "cat", of };
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #fail(): Regex {
    this.failed = true;
    return { kind: "cat", of: [] };
  }

  #atom(depth: number): Regex {
    const c = this.#chars[this.#at++]!;
    if (c === "(") return this.#group(depth);
    if (c === "[") return this.#class();
    if (c === ".") return { kind: "class", js: this.#dotAll ? "[\\u{0}-\\u{10ffff}]" : "[^\\n]" };
    if (c === "^") return { kind: "anchor", js: "^", start: true };
    if (c === "$") return { kind: "anchor", js: "$", start: false };
    if (c === "\\") return this.#escape();
    if (c === "*" || c === "+" || c === "?") return this.#fail();
    return { kind: "char", char: c };
  }

  #group(depth: number): Regex {
    if (this.#take("?") && !this.#take(":")) return this.#fail();
    const inner = this.alternatives(depth + 1);
    return this.#take(")") ? inner : this.#fail();
  }

  #escape(): Regex {
    const c = this.#chars[this.#at++];
    if (c === undefined) return this.#fail();
    if (c === "b" || c === "B") return { kind: "anchor", js: `\\${c}`, start: false };
    const ranges = classes[c];
    if (ranges !== undefined) return { kind: "class", js: `[${ranges}]` };
    const char = this.#escapedChar(c);
    return char === undefined ? this.#fail() : { kind: "char", char };
  }

  /** The character that an escape stands for, after its backslash and `c` were read. */
  #escapedChar(c: string): string | undefined {
    if (controls[c] !== undefined) return controls[c];
    if (c === "x") {
      const hex = this.#chars.slice(this.#at, this.#at + 2).join("");
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) return undefined;
      this.#at += 2;
      return String.fromCodePoint(Number.parseInt(hex, 16));
    }
    // Letters and digits have meanings that only RE2 knows; punctuation stands for itself.
    return /^[0-9A-Za-z]$/.test(c) ? undefined : c;
  }

  #class(): Regex {
    const negated = this.#take("^");
    const members: string[] = [];
    let listed = !negated;
    let js = "";
    for (let first = true; ; first = false) {
      const c = this.#chars[this.#at++];
      if (c === undefined || (c === "[" && this.#peek() === ":")) return this.#fail();
      if (c === "]" && !first) break;
      const escapedClass = c === "\\" ? classes[this.#peek() ?? ""] : undefined;
      if (escapedClass !== undefined) {
        this.#at++;
        js += escapedClass;
        listed = false;
        continue;
      }
      const from = c === "\\" ? this.#escapedChar(this.#chars[this.#at++] ?? "0") : c;
      if (from === undefined) return this.#fail();
      if (this.#peek() === "-" && this.#chars[this.#at + 1] !== "]" && this.#chars[this.#at + 1] !== undefined) {
        this.#at++;
        const raw = this.#chars[this.#at++]!;
        if (raw === "\\" && classes[this.#peek() ?? ""] !== undefined) return this.#fail();
        const to = raw === "\\" ? this.#escapedChar(this.#chars[this.#at++] ?? "0") : raw;
        if (to === undefined || to.codePointAt(0)! < from.codePointAt(0)!) return this.#fail();
        js += `${member(from)}-${member(to)}`;
        listed = false;
      } else {
        js += member(from);
        members.push(from);
      }
    }
    return { kind: "class", js: `[${negated ? "^" : ""}${js}]`, ...(listed && members.length <= 4 ? { members } : {}) };
  }

  #repeated(of: Regex): Regex {
    let node = of;
    for (;;) {
      const c = this.#peek();
      let range: readonly [number, number] | undefined;
      if (c === "*") range = [0, Number.POSITIVE_INFINITY];
      else if (c === "+") range = [1, Number.POSITIVE_INFINITY];
      else if (c === "?") range = [0, 1];
      else if (c === "{") range = this.#braces();
      if (range === undefined) return node;
      if (c !== "{") this.#at++;
      if (node !== of || of.kind === "anchor") return this.#fail();
      node = { kind: "repeat", of, min: range[0], max: range[1], lazy: this.#take("?") };
    }
  }

  /** `{2}`, `{2,}` or `{2,5}`; anything else is a literal brace, as in RE2, and is left for the next atom. */
  #braces(): readonly [number, number] | undefined {
    const end = this.#chars.indexOf("}", this.#at);
    const hit = end < 0 ? null : /^\{(\d{1,5})(?:(,)(\d{0,5}))?\}$/.exec(this.#chars.slice(this.#at, end + 1).join(""));
    if (hit === null) return undefined;
    this.#at = end + 1;
    const min = Number(hit[1]);
    const max = hit[2] === undefined ? min : hit[3] === "" ? Number.POSITIVE_INFINITY : Number(hit[3]);
    if (min > maxRepeat || max < min || (max > maxRepeat && max !== Number.POSITIVE_INFINITY)) this.failed = true;
    return [min, max];
  }
}

function member(char: string): string {
  if ("\\]^-[{}&|/".includes(char)) return `\\${char}`;
  return char < " " ? `\\u{${char.codePointAt(0)!.toString(16)}}` : char;
}

/** The tree as a JavaScript pattern for the flag `u`. */
export function writeRegex(node: Regex): string {
  switch (node.kind) {
    case "char":
      return /[\^$\\.*+?()[\]{}|/]/.test(node.char)
        ? `\\${node.char}`
        : node.char < " "
          ? `\\u{${node.char.codePointAt(0)!.toString(16)}}`
          : node.char;
    case "class":
    case "anchor":
      return node.js;
    case "cat":
      return node.of.map((n) => (n.kind === "alt" ? `(?:${writeRegex(n)})` : writeRegex(n))).join("");
    case "alt":
      return node.of.map(writeRegex).join("|");
    case "repeat": {
      const inner = node.of.kind === "char" || node.of.kind === "class" ? writeRegex(node.of) : `(?:${writeRegex(node.of)})`;
      const count = node.max === Number.POSITIVE_INFINITY ? `{${node.min},}` : `{${node.min},${node.max}}`;
      return `${inner}${count}${node.lazy ? "?" : ""}`;
    }
  }
}
