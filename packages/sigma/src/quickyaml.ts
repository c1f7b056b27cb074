/**
 * Reads the part of YAML in which nearly all rules and pipelines are written (maps and lists as blocks or in brackets, one-line scalars, literal
 * and folded blocks), many times faster than a reader of all of YAML. Gives up on everything else, mistakes included: it never guesses and reports no errors.
 */
import type { Entry, ListTree, MapTree, ScalarTree, Tree } from "./yamltree.ts";

/** Deeper documents go to the full reader, which refuses what is too deep. */
const maxDepth = 16;
/** As many values as the full reader takes; it refuses what has more. */
const maxNodes = 50_000;
/** Keys of one map, each of which is compared with those before it: a document has some twenty, a pipeline's mapping some hundred. */
const manyKeys = 1_000;

const plainKey = /(?:[A-Za-z_][\w.|*/()-]*(?: [\w.|*/()-]+)*|'[^'\n\\]*'|"[^"\n\\]*"):(?= |\n|$)/y;
/** Begins a plain scalar: no indicator of YAML, or one that something other than space follows. */
const plainStart = /[^\s\-?:,[\]{}#&*!|>'"%@`]|[-?:](?=\S)/y;
const flowStart = /[^\s\-?:,[\]{}#&*!|>'"%@`]|[-?:](?=[^\s,[\]{}])/y;
const singleQuoted = /'(?:[^'\n]|'')*'/y;
const doubleQuoted = /"(?:[^"\\\n]|\\["\\])*"/y;
/** Ends a plain scalar within brackets; a colon there may begin a value, and a comment may follow a space. */
const flowEnd = /[,[\]{}\n]|:(?=[\s,[\]{}])| #/g;
const reserved = /^(?:true|false|null|~)$/i;
const longestReserved = "false".length;
/** What the core schema (YAML 1.2, section 10.3) may read as something other than text. */
const perhapsOther = /^[-+.0-9~nNtTfF]/;
const integer = /^[-+]?[0-9]+$/;
const decimal = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const otherNumber = /^(?:0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
/** Line ends, marks and controls about which readers differ. */
const odd = /[\r\t\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff]/;

/** Begins another document; what stands in blocks is further in. */
const marker = /^---$/gm;

/** The documents' trees, just as `loadYaml` gives them, or undefined where this reader gives up on one. */
export function readQuickly(text: string): readonly MapTree[] | undefined {
  if (odd.test(text)) return undefined;
  const trees: MapTree[] = [];
  let from = 0;
  try {
    for (const { index } of [...text.matchAll(marker), { index: text.length }]) {
      const tree = new Reader(text.slice(0, index)).document(from);
      if (tree !== undefined) trees.push(tree);
      from = index + "---".length;
    }
    return trees;
  } catch (error) {
    if (error === givenUp) return undefined;
    throw error;
  }
}

/** Thrown to leave the recursion; never seen outside. */
const givenUp = Symbol("given up");

/** A value and where it ends. */
interface Flow<T extends Tree> {
  readonly tree: T;
  readonly end: number;
}

/** A key without its quotes and colon. */
function keyOf(written: string, before: readonly Entry[]): string {
  const first = written.charCodeAt(0);
  const quoted = first === 0x27 || first === 0x22;
  const key = quoted ? written.slice(1, -2) : written.slice(0, -1);
  if (!quoted && key.length <= longestReserved && reserved.test(key)) throw givenUp;
  // A set costs more than a look at the few keys that a map of a rule has.
  if (before.length >= manyKeys) throw givenUp;
  for (let i = 0; i < before.length; i++) if (before[i]!.key === key) throw givenUp;
  return key;
}

class Reader {
  readonly #text: string;
  /** Where the next line with content has its first character that is no space; the text's length at its end. */
  #at = 0;
  /** Column of `#at`. */
  #indent = 0;
  #nodes = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Undefined where there is none, but for comments. @param from the start of a line, or its end */
  document(from: number): MapTree | undefined {
    this.#toContent(from);
    if (this.#indent === -1) return undefined;
    const tree = this.#map(0, 0);
    if (this.#at < this.#text.length || this.#indent !== -1) throw givenUp;
    return tree;
  }

  /** Moves to the first content at or after the start of a line, past empty lines and comments. */
  #toContent(lineStart: number): void {
    const text = this.#text;
    let start = lineStart;
    for (;;) {
      let at = start;
      while (text.charCodeAt(at) === 0x20) at++;
      if (at >= text.length) {
        this.#at = text.length;
        this.#indent = -1;
        return;
      }
      const c = text.charCodeAt(at);
      if (c !== 0x0a && c !== 0x23) {
        // Markers of documents begin a line.
        if (at === start && (text.startsWith("---", at) || text.startsWith("...", at))) throw givenUp;
        this.#at = at;
        this.#indent = at - start;
        return;
      }
      const end = text.indexOf("\n", at);
      if (end < 0) start = text.length;
      else start = end + 1;
    }
  }

  #count(): void {
    if (++this.#nodes > maxNodes) throw givenUp;
  }

  #match(pattern: RegExp, at: number): string | undefined {
    pattern.lastIndex = at;
    return pattern.test(this.#text) ? this.#text.slice(at, pattern.lastIndex) : undefined;
  }

  #map(indent: number, depth: number): MapTree {
    if (depth > maxDepth || this.#indent !== indent) throw givenUp;
    this.#count();
    const at = this.#at;
    const entries: Entry[] = [];
    do {
      const keyAt = this.#at;
      const written = this.#match(plainKey, keyAt);
      if (written === undefined) throw givenUp;
      const key = keyOf(written, entries);
      entries.push({ key, keyAt, value: this.#value(keyAt + written.length, indent, depth) });
    } while (this.#indent === indent);
    if (this.#indent > indent) throw givenUp;
    return { kind: "map", entries, at };
  }

  /** What stands behind a key: on its line, or as a block below it. */
  #value(from: number, indent: number, depth: number): Tree {
    const end = this.#endOfLine(from);
    if (end === undefined) return this.#inline(this.#skipSpaces(from), indent, depth);
    this.#toContent(this.#nextLine(end));
    const list = this.#text.startsWith("- ", this.#at);
    if (list && this.#indent >= indent) return this.#list(this.#indent, depth + 1);
    if (this.#indent <= indent) throw givenUp;
    return this.#map(this.#indent, depth + 1);
  }

  #skipSpaces(from: number): number {
    let at = from;
    while (this.#text.charCodeAt(at) === 0x20) at++;
    return at;
  }

  /** Where the line ends, when nothing but spaces and a comment is left of it. */
  #endOfLine(from: number): number | undefined {
    const text = this.#text;
    const at = this.#skipSpaces(from);
    if (at >= text.length || text.charCodeAt(at) === 0x0a) return at;
    if (at === from || text.charCodeAt(at) !== 0x23) return undefined;
    const end = text.indexOf("\n", at);
    return end < 0 ? text.length : end;
  }

  #nextLine(at: number): number {
    return Math.min(at + 1, this.#text.length);
  }

  #list(indent: number, depth: number): ListTree {
    if (depth > maxDepth) throw givenUp;
    this.#count();
    const at = this.#at;
    const items: Tree[] = [];
    do {
      const from = this.#skipSpaces(this.#at + 1);
      if (this.#match(plainKey, from) === undefined) items.push(this.#inline(from, indent, depth));
      else {
        // A map that begins on the line of its dash.
        this.#indent += from - this.#at;
        this.#at = from;
        items.push(this.#map(this.#indent, depth + 1));
      }
    } while (this.#indent === indent && this.#text.startsWith("- ", this.#at));
    if (this.#indent > indent) throw givenUp;
    return { kind: "list", items, at };
  }

  /** What begins on its line and is no block; then moves on. `indent` is that of what holds it: a deeper line would continue it. */
  #inline(at: number, indent: number, depth: number): Tree {
    const c = this.#text.charCodeAt(at);
    if (c === 0x7c || c === 0x3e) return this.#block(at, indent, c === 0x7c ? literal : folded);
    const { tree, end: after } = c === 0x5b || c === 0x7b ? this.#flow(at, indent, depth + 1) : this.#scalar(at, false);
    const end = this.#endOfLine(after);
    if (end === undefined) throw givenUp;
    this.#toContent(this.#nextLine(end));
    if (this.#indent > indent) throw givenUp;
    return tree;
  }

  #scalar(at: number, inFlow: boolean): Flow<ScalarTree> {
    this.#count();
    const c = this.#text.charCodeAt(at);
    if (c === 0x27 || c === 0x22) {
      const quoted = this.#match(c === 0x27 ? singleQuoted : doubleQuoted, at);
      if (quoted === undefined) throw givenUp;
      const inner = quoted.slice(1, -1);
      const value = c === 0x27 ? (inner.includes("'") ? inner.replaceAll("''", "'") : inner) : inner.replace(/\\(.)/g, "$1");
      return { tree: { kind: "scalar", value, source: value, at }, end: at + quoted.length };
    }
    const start = inFlow ? flowStart : plainStart;
    start.lastIndex = at;
    if (!start.test(this.#text)) throw givenUp;
    const end = inFlow ? this.#flowScalarEnd(at) : this.#plainEnd(at);
    const source = this.#text.slice(at, end);
    return { tree: { kind: "scalar", value: resolve(source), source, at }, end };
  }

  /** A list or map in brackets, over several lines where each is further in than what holds it. */
  #flow(at: number, indent: number, depth: number): Flow<Tree> {
    if (depth > maxDepth) throw givenUp;
    this.#count();
    const close = this.#text.charCodeAt(at) === 0x5b ? 0x5d : 0x7d;
    const items: Tree[] = [];
    const entries: Entry[] = [];
    let next = this.#flowContent(at + 1, indent);
    while (this.#text.charCodeAt(next) !== close) {
      let written: string | undefined;
      if (close === 0x7d) {
        written = this.#match(plainKey, next);
        if (written === undefined) throw givenUp;
      }
      const from = written === undefined ? next : this.#flowContent(next + written.length, indent);
      const value = this.#flowValue(from, indent, depth);
      if (written === undefined) items.push(value.tree);
      else entries.push({ key: keyOf(written, entries), keyAt: next, value: value.tree });
      const after = this.#flowContent(value.end, indent);
      const c = this.#text.charCodeAt(after);
      if (c === close) next = after;
      else if (c !== 0x2c) throw givenUp;
      else {
        next = this.#flowContent(after + 1, indent);
        // A comma before the bracket is for the full reader.
        if (this.#text.charCodeAt(next) === close) throw givenUp;
      }
    }
    return { tree: close === 0x5d ? { kind: "list", items, at } : { kind: "map", entries, at }, end: next + 1 };
  }

  #flowValue(at: number, indent: number, depth: number): Flow<Tree> {
    const c = this.#text.charCodeAt(at);
    if (c === 0x5b || c === 0x7b) return this.#flow(at, indent, depth + 1);
    return this.#scalar(at, true);
  }

  #flowScalarEnd(from: number): number {
    flowEnd.lastIndex = from;
    const found = flowEnd.exec(this.#text);
    // Only a comma, a closing bracket or the line's end may follow; `flow` sees whether it is the right one.
    if (found === null || !/[,\]}\n]/.test(found[0])) throw givenUp;
    let end = found.index;
    while (this.#text.charCodeAt(end - 1) === 0x20) end--;
    return end;
  }

  /** The next character within brackets that is no space; a comment ends what this reader understands. */
  #flowContent(from: number, indent: number): number {
    let at = this.#skipSpaces(from);
    while (this.#text.charCodeAt(at) === 0x0a) {
      const line = at + 1;
      at = this.#skipSpaces(line);
      if (this.#text.charCodeAt(at) !== 0x0a && at - line <= indent) throw givenUp;
    }
    if (at >= this.#text.length || this.#text.charCodeAt(at) === 0x23) throw givenUp;
    return at;
  }

  #plainEnd(at: number): number {
    const text = this.#text;
    let end = text.indexOf("\n", at);
    if (end < 0) end = text.length;
    for (let i = at; i < end; i++) {
      const c = text.charCodeAt(i);
      if (c === 0x3a && (i + 1 === end || text.charCodeAt(i + 1) === 0x20)) throw givenUp;
      if (c === 0x23 && text.charCodeAt(i - 1) === 0x20) {
        end = i;
        break;
      }
    }
    while (text.charCodeAt(end - 1) === 0x20) end--;
    return end;
  }

  /** `|`, `|-`, `>` and `>-`: the lines below that are further in than what holds them, without their indentation. */
  #block(at: number, indent: number, joined: (lines: readonly string[]) => string): ScalarTree {
    this.#count();
    const text = this.#text;
    const stripped = text.charCodeAt(at + 1) === 0x2d;
    const header = at + (stripped ? 2 : 1);
    if (text.charCodeAt(header) !== 0x0a) throw givenUp;
    const first = header + 1;
    const width = this.#skipSpaces(first) - first;
    if (width <= indent || first + width >= text.length || text.charCodeAt(first + width) === 0x0a) throw givenUp;
    const lines: string[] = [];
    let start = first;
    while (start < text.length) {
      let end = text.indexOf("\n", start);
      if (end < 0) end = text.length;
      const content = this.#skipSpaces(start);
      if (content < end && content - start < width) break;
      lines.push(text.slice(Math.min(start + width, end), end));
      start = end + 1;
    }
    while (lines.at(-1) === "") lines.pop();
    const value = `${joined(lines)}${stripped ? "" : "\n"}`;
    this.#toContent(Math.min(start, text.length));
    if (this.#indent > indent) throw givenUp;
    return { kind: "scalar", value, source: value, at };
  }
}

const literal = (lines: readonly string[]): string => lines.join("\n");

/** Lines become one, an empty line a line's end; lines further in and spaces at an end have rules of their own. */
function folded(lines: readonly string[]): string {
  if (lines.some((line) => /^ | $/.test(line))) throw givenUp;
  return lines.join("\n").replace(/\n+/g, (ends) => (ends.length === 1 ? " " : ends.slice(1)));
}

function resolve(source: string): string | number | boolean | null {
  if (!perhapsOther.test(source)) return source;
  if (reserved.test(source)) {
    // Case counts in the core schema, but for the spellings it lists.
    if (/^(?:true|True|TRUE)$/.test(source)) return true;
    if (/^(?:false|False|FALSE)$/.test(source)) return false;
    if (/^(?:~|null|Null|NULL)$/.test(source)) return null;
    return source;
  }
  if (integer.test(source) || decimal.test(source)) return Number(source);
  if (otherNumber.test(source)) throw givenUp;
  return source;
}
