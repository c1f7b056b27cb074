/** Reads the query language: a filter by operator precedence, then pipes. Never throws for what a person typed. */
import { always, type Condition, never } from "./condition.ts";
import { refuseEquals, refuseForeign, refuseOperator } from "./hints.ts";
import { parseNetwork } from "./ip.ts";
import { QueryError, Scanner, type Word } from "./lexer.ts";
import { likeParts, plainLike } from "./like.ts";
import { parsePipes } from "./pipes.ts";
import { maxQueryDepth, maxQueryLength, maxQueryNodes, type ParseResult } from "./query.ts";
import { ConditionError, linearForm, maxRegexLength, regexTest } from "./regex.ts";
import { timeParts } from "./time.ts";

/** Binding powers: `not` binds tightest, then `and` (also unwritten), then `or`. */
const power = { or: 1, and: 2 } as const;

class FilterParser {
  private readonly scanner: Scanner;
  private depth = 0;
  private nodes = 0;
  constructor(scanner: Scanner) {
    this.scanner = scanner;
  }

  filter(): Condition {
    const scanner: Scanner = this.scanner;
    scanner.skip();
    if (scanner.done || (scanner.next === "|" && !scanner.has("||"))) return always;
    const condition = this.expression(0, undefined);
    if (scanner.skip().next === ")") scanner.fail("this ) closes nothing");
    return condition;
  }

  /** @param field set inside `field:( … )`, where the terms are its values. */
  private expression(least: number, field: string | undefined): Condition {
    let left = this.unary(field);
    let chain: Condition[] | undefined;
    let chained: "and" | "or" | undefined;
    for (;;) {
      const operator = this.operator(field);
      if (operator === undefined || power[operator.op] < least) return left;
      this.scanner.at = operator.end;
      const right = this.expression(power[operator.op] + 1, field);
      if (chain !== undefined && chained === operator.op) chain.push(right);
      else {
        chained = operator.op;
        chain = [left, right];
        left = this.node({ op: chained, of: chain });
      }
    }
  }

  /** The operator that follows, `and` where none is written; undefined at the end of the expression. */
  private operator(field: string | undefined): { readonly op: "and" | "or"; readonly end: number } | undefined {
    const scanner: Scanner = this.scanner;
    scanner.skip();
    if (scanner.has("||")) scanner.fail("`||` is written `or` here", scanner.at, 2, "or");
    if (scanner.done || scanner.next === ")" || scanner.next === "|") return undefined;
    const written = this.keyword();
    if (written !== undefined && written.op !== "not") return { op: written.op, end: written.end };
    if (field !== undefined) scanner.fail("write `or` or `and` between the values", scanner.at, 1, "or ");
    return { op: "and", end: scanner.at };
  }

  /** `and`, `or` or `not` standing here as such, and not as a field's name. */
  private keyword(): { readonly op: "and" | "or" | "not"; readonly end: number } | undefined {
    const word = this.scanner.peek("name");
    if (word === undefined || this.scanner.text[word.end] === ":") return undefined;
    const op = this.scanner.text.slice(word.start, word.end).toLowerCase();
    return op === "and" || op === "or" || op === "not" ? { op, end: word.end } : undefined;
  }

  private unary(field: string | undefined): Condition {
    const scanner: Scanner = this.scanner;
    const written = this.scanner.skip().done ? undefined : this.keyword();
    if (written?.op === "not") {
      this.enter();
      scanner.at = written.end;
      const of = this.unary(field);
      this.depth--;
      return of === always ? never : this.node({ op: "not", of });
    }
    if (written !== undefined)
      scanner.fail(`\`${written.op}\` needs a term on both sides; quote it to search for the word`, scanner.at, written.end - scanner.at);
    if (scanner.done) scanner.fail("a term is missing at the end");
    if (scanner.next !== "(") return field === undefined ? this.term() : this.value(field);
    const open = scanner.at++;
    this.enter();
    const condition = this.expression(0, field);
    this.depth--;
    if (!scanner.skip().take(")")) scanner.fail("this ( is never closed", open, 1);
    return condition;
  }

  private enter(): void {
    if (++this.depth > maxQueryDepth) this.scanner.fail(`nested deeper than ${maxQueryDepth} levels`);
  }
  private node<C extends Condition>(condition: C): C {
    if (++this.nodes > maxQueryNodes) this.scanner.fail(`more than ${maxQueryNodes} conditions`);
    return condition;
  }

  /** `field:value`, `field > value`, or a bare word or phrase. */
  private term(): Condition {
    const scanner: Scanner = this.scanner;
    const cased = scanner.take("=");
    const word = scanner.word("name");
    if (word === undefined) scanner.fail(scanner.done ? "a term is missing at the end" : `unexpected ${scanner.next}`);
    const after = scanner.at;
    if (!cased) {
      scanner.skip();
      refuseEquals(scanner, word);
      if (scanner.take(":")) return this.fieldTerm(word);
      if (scanner.next === "<" || scanner.next === ">") return this.comparison(this.fieldName(word));
      scanner.at = after;
      refuseOperator(scanner, word);
      scanner.at = after;
    }
    if (word.pattern === "*" && !word.quoted && !cased) return always;
    return this.node({ op: "keyword", value: word.pattern, ...(cased && { cased: true }) });
  }

  private fieldName(word: Word): string {
    const length = word.end - word.start;
    if (word.quoted) return word.text;
    if (word.wild) this.scanner.fail("a field name cannot hold wildcards; a word without a field searches all of them", word.start, length);
    if (/^[-+]/.test(word.text))
      this.scanner.fail(
        "write `not field:value` to exclude; every term is required already",
        word.start,
        1,
        word.text[0] === "-" ? "not " : "",
      );
    return word.text;
  }

  private fieldTerm(word: Word): Condition {
    const field = this.fieldName(word);
    if (this.scanner.skip().next !== "(") return this.value(field);
    return this.unary(field);
  }

  private comparison(field: string): Condition {
    const scanner: Scanner = this.scanner;
    const start = scanner.at;
    const op = scanner.take(">=") ? "gte" : scanner.take("<=") ? "lte" : scanner.take(">") ? "gt" : "lt";
    if (op === "lt") scanner.at++;
    const word = scanner.skip().word("value");
    if (word === undefined) scanner.fail("a number, time or text is missing here", scanner.done ? start : scanner.at);
    if (word.wild) scanner.fail("a comparison takes no wildcards", word.start, word.end - word.start);
    const number = Number(word.text);
    const value = !word.quoted && String(number) === word.text && Number.isFinite(number) ? number : word.text;
    return this.node({ op, field, value });
  }

  private value(field: string): Condition {
    const scanner: Scanner = this.scanner;
    scanner.skip();
    const start = scanner.at;
    if (scanner.next === "<" || scanner.next === ">") return this.comparison(field);
    const regex = scanner.regex();
    if (regex !== undefined) return this.regex(field, regex, start);
    const cased = scanner.take("=") ? { cased: true } : {};
    const part = cased.cased === true ? undefined : this.timePart(field);
    if (part !== undefined) return part;
    const reference = this.reference(field, cased);
    if (reference !== undefined) return reference;
    const word = scanner.word("value");
    if (word === undefined) scanner.fail(`a value is missing after ${field}:`, scanner.at, scanner.done ? 0 : 1, "*");
    if (word.quoted) return this.node({ op: "eq", field, value: word.text, ...cased });
    if (word.wild) {
      const plain = plainLike(likeParts(word.pattern));
      if (plain === undefined) return this.node({ op: "like", field, value: word.pattern, ...cased });
      if (plain.text === "") return this.node({ op: "exists", field });
      return this.node({ op: plain.how as "contains" | "starts" | "ends", field, value: plain.text, ...cased });
    }
    return this.node(this.literal(field, word, cased));
  }

  private literal(field: string, word: Word, cased: { cased?: boolean }): Condition {
    const { text } = word;
    const raw = this.scanner.text.slice(word.start, word.end);
    if (cased.cased !== true && raw.includes("/")) {
      if (parseNetwork(text) !== undefined) return { op: "cidr", field, value: text };
      if (/^\d{1,3}(\.\d{1,3}){3}\/\d+$/.test(text)) this.scanner.fail(`${text} is not a network`, word.start, raw.length);
    }
    if (raw === "null") return { op: "eq", field, value: null };
    if (raw === "true" || raw === "false") return { op: "eq", field, value: raw === "true", ...cased };
    const number = Number(raw);
    return { op: "eq", field, value: String(number) === raw && Number.isFinite(number) ? number : text, ...cased };
  }

  /** `$hour(5)`, `$year(>=2024)`: a part of the field's timestamp. */
  private timePart(field: string): Condition | undefined {
    const found = /^\$([a-z]{3,6})\((<=|>=|<|>)?(\d{1,4})\)/.exec(this.scanner.text.slice(this.scanner.at, this.scanner.at + 20));
    const part = timeParts.find((one) => one === found?.[1]);
    if (found === null || part === undefined) return undefined;
    this.scanner.at += found[0].length;
    const how = ({ "<": "lt", "<=": "lte", ">": "gt", ">=": "gte" } as const)[found[2] ?? ""] ?? "eq";
    return this.node({ op: "time", field, part, how, value: Number(found[3]) });
  }

  /** `$(other)` with stars for contains, starts and ends. */
  private reference(field: string, cased: { cased?: boolean }): Condition | undefined {
    const scanner: Scanner = this.scanner;
    const before = scanner.has("*$(");
    if (!before && !scanner.has("$(")) return undefined;
    scanner.at += before ? 3 : 2;
    const other = scanner.skip().word("name");
    if (other === undefined) scanner.fail("the other field's name is missing");
    if (!scanner.skip().take(")")) scanner.fail("a ) is missing after the other field's name");
    const how = scanner.take("*") ? (before ? "contains" : "starts") : before ? "ends" : "eq";
    return this.node({ op: "fieldref", field, other: this.fieldName(other), how, ...cased });
  }

  private regex(field: string, { pattern, flags }: { pattern: string; flags: string }, start: number): Condition {
    const length = this.scanner.at - start;
    if (pattern.length > maxRegexLength) this.scanner.fail(`longer than ${maxRegexLength} characters`, start, length);
    try {
      // whether an engine for the rest is at hand is for whoever compiles; here only what no engine could take is refused
      if (linearForm(pattern, flags) === undefined) new RegExp(pattern, flags);
      else regexTest(pattern, flags);
    } catch (error) {
      if (!(error instanceof SyntaxError) && !(error instanceof ConditionError)) throw error;
      this.scanner.fail("this is not a regular expression", start, length);
    }
    return this.node({ op: "regex", field, value: pattern, ...(flags !== "" && { flags }) });
  }
}

/** Reads a query; empty text matches everything. Linear in the text's length. */
export function parseQuery(text: string): ParseResult {
  try {
    if (text.length > maxQueryLength)
      throw new QueryError(`longer than ${maxQueryLength} characters`, maxQueryLength, text.length - maxQueryLength);
    refuseForeign(text);
    const scanner = new Scanner(text);
    const where = new FilterParser(scanner).filter();
    return { ok: true, query: { where, ...parsePipes(scanner) } };
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    const { message, position, length, suggestion } = error;
    return { ok: false, message, position, length, ...(suggestion !== undefined && { suggestion }) };
  }
}
