/** Cuts query text into words, phrases and patterns on demand: what ends a word depends on where it stands. Knows no grammar. */
import { escapeLike } from "./like.ts";

/** Thrown inside the parser only; `parseQuery` turns it into a result. */
export class QueryError extends Error {
  readonly position: number;
  readonly length: number;
  readonly suggestion: string | undefined;
  constructor(message: string, position: number, length: number, suggestion?: string) {
    super(message);
    this.position = position;
    this.length = length;
    this.suggestion = suggestion;
  }
}

export interface Word {
  /** Escapes undone; wildcards are just characters here. */
  readonly text: string;
  /** The same as a `like` pattern. */
  readonly pattern: string;
  readonly wild: boolean;
  readonly quoted: boolean;
  readonly start: number;
  readonly end: number;
}

/** Where a word stands: the name before a colon, the value after it, or an item of a pipe's list. */
export type Place = "name" | "value" | "item";
const ends: { readonly [place in Place]: ReadonlySet<string> } = {
  name: new Set(['"', "(", ")", "|", ":", "<", ">", "="]),
  value: new Set(['"', "(", ")", "|"]),
  item: new Set(['"', "(", ")", "|", ",", "="]),
};
/** What a backslash takes the meaning from outside quotes; before anything else it is itself, as in `C:\Windows`. */
const escapable = new Set([...'*?\\()":|<>=!,/$', " ", "\t", "\n", "\r", "\u00a0"]);
const isSpace = (c: string | undefined): boolean => c === " " || c === "\t" || c === "\n" || c === "\r" || c === "\u00a0";

export class Scanner {
  readonly text: string;
  at = 0;
  constructor(text: string) {
    this.text = text;
  }

  skip(): this {
    while (isSpace(this.text[this.at])) this.at++;
    return this;
  }
  get done(): boolean {
    return this.at >= this.text.length;
  }
  get next(): string | undefined {
    return this.text[this.at];
  }
  has(text: string): boolean {
    return this.text.startsWith(text, this.at);
  }
  take(text: string): boolean {
    if (!this.has(text)) return false;
    this.at += text.length;
    return true;
  }
  fail(message: string, position = this.at, length = position < this.text.length ? 1 : 0, suggestion?: string): never {
    throw new QueryError(message, position, length, suggestion);
  }

  /** A quoted phrase, or a bare word; undefined where neither begins. */
  word(place: Place): Word | undefined {
    return this.next === '"' ? this.phrase() : this.bare(place);
  }

  /** A word without moving on. */
  peek(place: Place): Word | undefined {
    const from = this.at;
    const word = this.bare(place);
    this.at = from;
    return word;
  }

  /** `"…"` in which only `\"` and `\\` are escapes. */
  private phrase(): Word {
    const start = this.at++;
    let text = "";
    for (;;) {
      const c = this.text[this.at++];
      if (c === undefined) return this.fail('this phrase has no closing "', start, this.text.length - start);
      if (c === '"') break;
      const escaped = c === "\\" && (this.next === '"' || this.next === "\\");
      text += escaped ? this.text[this.at++] : c;
    }
    return { text, pattern: escapeLike(text), wild: false, quoted: true, start, end: this.at };
  }

  private bare(place: Place): Word | undefined {
    const start = this.at;
    const stops = ends[place];
    let text = "";
    let pattern = "";
    let wild = false;
    let star = false;
    for (; this.at < this.text.length; this.at++) {
      const c = this.text[this.at]!;
      if (stops.has(c) || isSpace(c)) break;
      const following = this.text[this.at + 1];
      if (c === "\\" && following !== undefined && escapable.has(following)) {
        text += following;
        pattern += escapeLike(following);
        star = false;
        this.at++;
      } else {
        if (c === "*" || c === "?") wild = true;
        text += c;
        // a run of stars says no more than one
        if (c !== "*" || !star) pattern += c === "\\" ? "\\\\" : c;
        star = c === "*";
      }
    }
    return this.at === start ? undefined : { text, pattern, wild, quoted: false, start, end: this.at };
  }

  /** `/…/flags` where it is one: what follows must end the value, or it is a path like `/etc/passwd`. */
  regex(): { readonly pattern: string; readonly flags: string } | undefined {
    if (this.next !== "/") return undefined;
    let pattern = "";
    let at = this.at + 1;
    for (; at < this.text.length && this.text[at] !== "/"; at++) {
      const c = this.text[at]!;
      if (c !== "\\" || at + 1 >= this.text.length) pattern += c;
      else if (this.text[++at] === "/") pattern += "/";
      else pattern += `\\${this.text[at]}`;
    }
    if (at >= this.text.length) return undefined;
    const from = ++at;
    while (at < this.text.length && "ims".includes(this.text[at]!)) at++;
    const after = this.text[at];
    if (after !== undefined && after !== ")" && after !== "|" && !isSpace(after)) return undefined;
    this.at = at;
    return { pattern, flags: this.text.slice(from, at) };
  }
}
