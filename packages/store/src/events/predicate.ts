/** Compiles a Condition to DuckDB SQL with parameters, meaning exactly what `evaluate` of @vedette/condition means. Runs nothing. */
import { type Condition, epochUnits, foldCase, isoTime, likeParts, plainLike, withinLike } from "@vedette/condition";
import { BadInputError } from "@vedette/kit";
import { hotFields } from "./columns.ts";
import { networkTest } from "./network.ts";
import { likeRegex } from "./wildcard.ts";

/** Most nodes and deepest nesting of one query: far above any rule, far below what stalls the planner. */
const maxNodes = 2000;
const maxDepth = 64;

/** Builds SQL text over one text value `x`. */
type Test = (x: string) => string;

const decimal = "'-?[0-9]+(\\.[0-9]*)?([eE][+-]?[0-9]+)?'";
/** SQL for the number a text stands for, NULL for none; the last-digit test refuses `5.`. */
export const numberSql = (x: string): string =>
  `CASE WHEN length(${x}) <= 40 AND regexp_full_match(${x}, ${decimal}) AND right(${x}, 1) <> '.' THEN TRY_CAST(${x} AS DOUBLE) END`;

/** SQL for the TIMESTAMP (UTC) that a text stands for as `timeOf` reads it, NULL for none. */
function timeSql(x: string): string {
  const number = numberSql(x);
  const units = epochUnits.map(([from, below, perSecond]) => {
    const micros = `CAST(floor((${number}) * ${1e6 / perSecond}) AS BIGINT)`;
    return `WHEN (${number}) >= ${from} AND (${number}) < ${below} THEN make_timestamp(${micros})`;
  });
  // the cast to TIMESTAMP leaves the offset out
  const sign = `CASE substr(${x}, -6, 1) WHEN '+' THEN -1 WHEN '-' THEN 1 ELSE 0 END`;
  const offset = `to_minutes(${sign} * coalesce(60 * TRY_CAST(substr(${x}, -5, 2) AS INTEGER) + TRY_CAST(right(${x}, 2) AS INTEGER), 0))`;
  const text = `WHEN length(${x}) <= 40 AND regexp_full_match(${x}, '${isoTime}') THEN TRY_CAST(${x} AS TIMESTAMP) + ${offset}`;
  return `CASE ${units.join(" ")} ${text} END`;
}

/** SQL for a text folded as `foldCase` folds it. */
const foldSql = (x: string): string => `replace(lower(${x}), 'ς', 'σ')`;

/** The same for comparing with `wanted`: the sigma matters only where one is wanted. */
const lowerSql = (x: string, wanted: string): string => (wanted.includes("σ") ? foldSql(x) : `lower(${x})`);

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Compiles conditions and collects their parameters; one per query. */
export class Predicate {
  readonly parameters: (string | number)[];
  /** Hot fields of which some selected partition has a marked cell; the others' cells are all plain. */
  private readonly odd: ReadonlySet<string>;
  private nodes = 0;
  private lambdas = 0;
  /** @param parameters shared by those who write parts of one statement */
  constructor(odd: ReadonlySet<string>, parameters: (string | number)[] = []) {
    this.odd = odd;
    this.parameters = parameters;
  }

  bind(value: string | number): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }
  /** Binds a number as an exact BIGINT. */
  bindInteger(value: number): string {
    return `CAST(${this.bind(String(Math.trunc(value)))} AS BIGINT)`;
  }

  /** SQL that is true where the condition holds; false or NULL elsewhere. */
  compile(condition: Condition, depth = 0): string {
    if (++this.nodes > maxNodes || depth > maxDepth) {
      throw new BadInputError("query_invalid", `a query may have at most ${maxNodes} parts, nested at most ${maxDepth} deep`);
    }
    switch (condition.op) {
      case "and":
      case "or": {
        if (condition.of.length === 0) return condition.op === "and" ? "true" : "false";
        return `(${condition.of.map((one) => this.compile(one, depth + 1)).join(condition.op === "and" ? " AND " : " OR ")})`;
      }
      case "not": {
        const test = this.compile(condition.of, depth + 1);
        const column = this.textColumn(condition.of);
        return column === undefined ? `(NOT coalesce(${test}, false))` : `(${column} IS NULL OR NOT ${test})`;
      }
      case "fieldref":
        return this.fieldref(condition);
      case "keyword":
        return this.keyword(condition.value, condition.cased === true);
      case "exists":
        return this.exists(condition.field);
      default:
        if (condition.op === "eq" && condition.value === null) return this.isNull(condition.field);
        if (condition.op === "time" && condition.field === "@timestamp") return this.timePart(condition, () => "make_timestamp(time)")("");
        return this.any(condition.field, this.test(condition));
    }
  }

  /** The column whose being NULL is all that leaves a comparison undecided: then the rows that have no value are passed over unread. */
  private textColumn(condition: Condition): string | undefined {
    const { op } = condition;
    const onText = (op === "eq" && condition.value !== null) || op === "contains" || op === "starts" || op === "ends";
    return onText ? this.plainColumn(condition.field) : undefined;
  }

  /** The text test a comparison stands for. */
  private test(condition: Exclude<Condition, { op: "and" | "or" | "not" | "fieldref" | "keyword" | "exists" }>): Test {
    switch (condition.op) {
      case "eq":
        return this.compareText("eq", String(condition.value), condition.cased === true);
      case "contains":
      case "starts":
      case "ends":
        return this.compareText(condition.op, condition.value, condition.cased === true);
      case "like":
        return this.like(condition.value, condition.cased === true);
      case "regex": {
        const flags = condition.flags ?? "";
        if (!/^[ims]{0,3}$/.test(flags)) throw new BadInputError("query_invalid", `unknown regular expression flags: ${flags}`);
        const off = ["i", "m", "s"].filter((flag) => !flags.includes(flag)).join("");
        const pattern = this.bind(`(?${[...new Set(flags)].join("")}${off === "" ? "" : `-${off}`})${condition.value}`);
        return (x) => `regexp_matches(${x}, ${pattern})`;
      }
      case "cidr":
        return networkTest(condition.value, (value) => this.bind(value));
      case "time":
        return this.timePart(condition, timeSql);
      default:
        return this.order(condition.op, condition.value);
    }
  }

  private compareText(how: "eq" | "contains" | "starts" | "ends", value: string, cased: boolean): Test {
    const folded = cased ? value : foldCase(value);
    // Text without letters needs no folding on the column's side, which lets DuckDB use statistics and dictionaries.
    const plain = cased || (folded === value.toUpperCase() && how === "eq");
    const parameter = this.bind(folded);
    const side = (x: string) => (plain ? x : lowerSql(x, folded));
    if (how === "eq") return (x) => `${side(x)} = ${parameter}`;
    const call = how === "contains" ? "contains" : how === "starts" ? "starts_with" : "ends_with";
    return (x) => `${call}(${side(x)}, ${parameter})`;
  }

  private like(pattern: string, cased: boolean): Test {
    const plain = plainLike(likeParts(pattern));
    if (plain !== undefined) return this.compareText(plain.how, plain.text, cased);
    const folded = cased ? pattern : foldCase(pattern);
    const parameter = this.bind(likeRegex(folded));
    return (x) => `regexp_full_match(${cased ? x : lowerSql(x, folded)}, ${parameter})`;
  }

  private timePart({ part, how, value }: Extract<Condition, { op: "time" }>, time: (x: string) => string): Test {
    const sign = { eq: "=", lt: "<", lte: "<=", gt: ">", gte: ">=" }[how];
    const bound = this.bind(value);
    return (x) => `date_part('${part}', ${time(x)}) ${sign} CAST(${bound} AS BIGINT)`;
  }

  private order(op: "lt" | "lte" | "gt" | "gte", bound: number | string): Test {
    const sign = { lt: "<", lte: "<=", gt: ">", gte: ">=" }[op];
    const text = String(bound);
    const numeric = typeof bound === "number" || (text.length <= 40 && /^-?\d+(\.\d*)?([eE][+-]?\d+)?$/.test(text) && !text.endsWith("."));
    if (numeric) {
      const parameter = this.bind(text);
      return (x) => `(${numberSql(x)}) ${sign} CAST(${parameter} AS DOUBLE)`;
    }
    const parameter = this.bind(foldCase(text));
    return (x) => `${foldSql(x)} ${sign} ${parameter}`;
  }

  /** True when some scalar of the field passes the test. */
  any(field: string, test: Test): string {
    const column = quote(field);
    if (hotFields.has(field)) {
      if (!this.odd.has(field)) return test(column);
      return `(CASE WHEN starts_with(${column}, chr(1)) THEN ${this.anyJson(`substr(${column}, 2)`, test)} ELSE ${test(column)} END)`;
    }
    return `(${this.inRest(field)} AND ${this.anyJson(this.restValue(field), test)})`;
  }

  /** True when some scalar of a JSON value passes the test; null has no text and never does. */
  private anyJson(json: string, test: Test): string {
    const x = `x${this.lambdas++}`;
    const many = `len(list_filter(json_extract_string(${json}, '$[*]'), lambda ${x}: ${test(x)})) > 0`;
    return `CASE WHEN json_type(${json}) = 'ARRAY' THEN ${many} ELSE ${test(`json_extract_string(${json}, '$')`)} END`;
  }

  private restValue(field: string): string {
    return `json_extract(rest, ${this.bind(`/${field.replaceAll("~", "~0").replaceAll("/", "~1")}`)})`;
  }
  /** A cheap necessary condition: the quoted key occurs in the text. */
  inRest(field: string): string {
    return `contains(rest, ${this.bind(`${JSON.stringify(field.toWellFormed())}:`)})`;
  }

  /** A field's scalars as a VARCHAR list, without nulls; empty or NULL when there are none. */
  scalars(field: string): string {
    const ofJson = (json: string) =>
      `list_filter(CASE WHEN json_type(${json}) = 'ARRAY' THEN json_extract_string(${json}, '$[*]') ELSE [json_extract_string(${json}, '$')] END, lambda s: s IS NOT NULL)`;
    if (!hotFields.has(field)) return `CASE WHEN ${this.inRest(field)} THEN ${ofJson(this.restValue(field))} END`;
    const column = quote(field);
    const plain = `CASE WHEN ${column} IS NOT NULL THEN [${column}] END`;
    if (!this.odd.has(field)) return plain;
    return `CASE WHEN starts_with(${column}, chr(1)) THEN ${ofJson(`substr(${column}, 2)`)} ELSE ${plain} END`;
  }

  /** SQL for the field's text when it never holds more than one scalar, else undefined. */
  plainColumn(field: string): string | undefined {
    return hotFields.has(field) && !this.odd.has(field) ? quote(field) : undefined;
  }

  private exists(field: string): string {
    const plain = this.plainColumn(field);
    return plain !== undefined ? `(${plain} IS NOT NULL)` : `(len(${this.scalars(field)}) > 0)`;
  }

  private isNull(field: string): string {
    const plain = this.plainColumn(field);
    if (plain !== undefined) return `(${plain} IS NULL)`;
    const hasNull = (json: string) => `len(list_filter(json_extract_string(${json}, '$[*]'), lambda n: n IS NULL)) > 0`;
    const column = quote(field);
    const json = hotFields.has(field) ? `CASE WHEN starts_with(${column}, chr(1)) THEN substr(${column}, 2) END` : this.restValue(field);
    return `(coalesce(len(${this.scalars(field)}), 0) = 0 OR (json_type(${json}) = 'ARRAY' AND ${hasNull(json)}))`;
  }

  private fieldref(condition: Extract<Condition, { op: "fieldref" }>): string {
    const fold = (x: string) => (condition.cased ? x : foldSql(x));
    const call = { eq: "", contains: "contains", starts: "starts_with", ends: "ends_with" }[condition.how];
    const relation = (a: string, b: string) => (call === "" ? `${fold(a)} = ${fold(b)}` : `${call}(${fold(a)}, ${fold(b)})`);
    const [one, other] = [this.plainColumn(condition.field), this.plainColumn(condition.other)];
    if (one !== undefined && other !== undefined) return `(${relation(one, other)})`;
    const inner = `len(list_filter(${this.scalars(condition.other)}, lambda b: ${relation("a", "b")})) > 0`;
    return `(len(list_filter(${this.scalars(condition.field)}, lambda a: ${inner})) > 0)`;
  }

  private keyword(value: string, cased: boolean): string {
    const pattern = withinLike(value);
    const test = this.like(pattern, cased);
    const fields = [...hotFields.keys()].map((field) => this.any(field, test));
    // The longest run that JSON leaves as it is must stand in the text of `rest`, whichever field matches.
    const runs = likeParts(pattern).flatMap((part) => (typeof part === "string" ? (part.match(/[\w .:/@-]+/g) ?? []) : []));
    const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
    const candidate = this.compareText("contains", longest, cased)("rest");
    const matched = `len(list_filter(json_extract(rest, '$.*'), lambda j: ${this.anyJson("j", test)})) > 0`;
    return `(${test("coalesce(original, '')")} OR ${fields.join(" OR ")} OR (${candidate} AND ${matched}))`;
  }
}
