/** Sigma's condition expressions (`selection and not 1 of filter_*`): read into one Condition over named selections. */
import type { Condition } from "@vedette/condition";
import { join } from "./detection.ts";
import { nearest } from "./refusal.ts";

/** Trouble with an expression, at an offset within it. */
export interface ExpressionTrouble {
  readonly offset: number;
  readonly construct: string;
  readonly expected: string;
  readonly suggestion: string;
}

interface Token {
  readonly text: string;
  readonly at: number;
}

/** Parentheses and `not` an expression may nest: rules use three. */
const maxNesting = 64;

/** Reads an expression; the selections' own Condition objects are used in the tree, so that a match can be traced back to them. */
export function parseExpression(text: string, selections: ReadonlyMap<string, Condition>): Condition | ExpressionTrouble {
  try {
    return new Parser(text, selections).whole();
  } catch (error) {
    if (error instanceof Stop) return error.trouble;
    throw error;
  }
}

class Stop extends Error {
  readonly trouble: ExpressionTrouble;
  constructor(trouble: ExpressionTrouble) {
    super(trouble.construct);
    this.trouble = trouble;
  }
}

class Parser {
  readonly #tokens: Token[] = [];
  readonly #selections: ReadonlyMap<string, Condition>;
  readonly #text: string;
  #next = 0;
  #nesting = 0;

  constructor(text: string, selections: ReadonlyMap<string, Condition>) {
    this.#text = text;
    this.#selections = selections;
    for (const hit of text.matchAll(/[()|]|[^\s()|]+/g)) this.#tokens.push({ text: hit[0], at: hit.index });
  }

  whole(): Condition {
    if (this.#tokens.length === 0)
      this.#stop(undefined, "an empty condition", "an expression over the selections", "write condition: selection");
    const condition = this.#or();
    const rest = this.#peek();
    if (rest?.text === "|") {
      this.#stop(rest, this.#text.slice(rest.at), "an expression without aggregation", "write a correlation in a document of its own");
    }
    if (rest !== undefined) this.#stop(rest, rest.text, "and, or, or the end", "join the selections with and or or");
    return condition;
  }

  #or(): Condition {
    const of = [this.#and()];
    while (this.#take("or")) of.push(this.#and());
    return join("or", of);
  }

  #and(): Condition {
    const of = [this.#not()];
    while (this.#take("and")) of.push(this.#not());
    return join("and", of);
  }

  #not(): Condition {
    const token = this.#peek();
    if (++this.#nesting > maxNesting) this.#stop(token, "nesting", `at most ${maxNesting} levels`, "split the expression");
    const condition: Condition = this.#take("not") ? { op: "not", of: this.#not() } : this.#primary();
    this.#nesting--;
    return condition;
  }

  #primary(): Condition {
    const token = this.#tokens[this.#next++];
    if (token === undefined) this.#stop(undefined, "the end of the condition", "a selection", "complete the expression");
    if (token.text === "(") {
      const inner = this.#or();
      const close = this.#tokens[this.#next++];
      if (close?.text !== ")") this.#stop(close, close?.text ?? "the end of the condition", ")", "close the parenthesis");
      return inner;
    }
    if (this.#take("of")) return this.#quantified(token);
    const selection = this.#selections.get(token.text);
    if (selection === undefined) this.#unknown(token);
    return selection;
  }

  #quantified(count: Token): Condition {
    const word = count.text.toLowerCase();
    if (word !== "1" && word !== "any" && word !== "all")
      this.#stop(count, `${count.text} of`, "1 of, any of or all of", "write 1 of or all of");
    const target = this.#tokens[this.#next++];
    if (target === undefined) this.#stop(undefined, `${count.text} of`, "them or a selection pattern", "write them or selection_*");
    const names = this.#matching(target.text);
    if (names.length === 0) this.#unknown(target);
    return join(
      word === "all" ? "and" : "or",
      names.map((name) => this.#selections.get(name)!),
    );
  }

  /** `them` is every selection whose name does not begin with `_`; a `*` stands for any run of characters, but for a `_` at the start. */
  #matching(target: string): string[] {
    const names = [...this.#selections.keys()];
    if (target.toLowerCase() === "them" && !this.#selections.has(target)) return names.filter((name) => !name.startsWith("_"));
    if (!target.includes("*")) return names.filter((name) => name === target);
    const pieces = target.split("*");
    return names.filter((name) => (!name.startsWith("_") || target.startsWith("_")) && matchesPieces(name, pieces));
  }

  #unknown(token: Token): never {
    const near = nearest(token.text, this.#selections.keys());
    const suggestion = near === undefined ? `one of ${[...this.#selections.keys()].join(", ")}` : `did you mean ${near}?`;
    this.#stop(token, token.text, "the name of a selection", suggestion);
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #take(word: string): boolean {
    if (this.#peek()?.text.toLowerCase() !== word) return false;
    this.#next++;
    return true;
  }

  #stop(token: Token | undefined, construct: string, expected: string, suggestion: string): never {
    throw new Stop({ offset: token?.at ?? this.#text.length, construct, expected, suggestion });
  }
}

/** Does the name consist of the pieces in order, with anything between them? */
function matchesPieces(name: string, pieces: readonly string[]): boolean {
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let from = first.length;
  const end = name.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const at = name.indexOf(piece, from);
    if (at < 0 || at + piece.length > end) return false;
    from = at + piece.length;
  }
  return true;
}
