/**
 * SQL that is true wherever a condition may hold, and cheap: what can be decided on a column's text or on the text of `rest` is, everything
 * else is let through. Knows no file; whoever asks evaluates what comes back.
 */
import { type Condition, foldCase, likeParts } from "@vedette/condition";
import { hotFields } from "./columns.ts";
import { type Predicate, quote } from "./predicate.ts";

const everything = "true";
type Leaf = Exclude<Condition, { op: "and" | "or" | "not" | "time" }>;

/** A necessary condition as SQL; `true` where nothing cheap is known. */
export function looseSql(condition: Condition, predicate: Predicate): string {
  switch (condition.op) {
    case "and": {
      const of = condition.of.map((one) => looseSql(one, predicate)).filter((one) => one !== everything);
      return of.length === 0 ? everything : of.length === 1 ? (of[0] as string) : `(${of.join(" AND ")})`;
    }
    case "or": {
      const before = predicate.parameters.length;
      const { words, others } = wordsOf(condition.of);
      const of = new Set([...words].map(([field, list]) => oneOf(field, list, predicate)));
      for (const one of others) of.add(looseSql(one, predicate));
      // what is left out must not leave parameters behind
      if (of.has(everything)) predicate.parameters.length = before;
      return of.has(everything) ? everything : of.size === 0 ? "false" : `(${[...of].join(" OR ")})`;
    }
    case "not":
    // the field may be the event's own time, which no column of fields holds
    case "time":
      return everything;
    default:
      return leaf(condition, predicate);
  }
}

function leaf(condition: Leaf, predicate: Predicate): string {
  switch (condition.op) {
    case "keyword":
      return anywhere(longest(runsOfLike(condition.value)), predicate);
    case "fieldref":
      return `(${present(condition.field, predicate)} AND ${present(condition.other, predicate)})`;
    case "eq":
      if (condition.value === null) return everything;
      return within(condition.field, String(condition.value), predicate, "eq");
    case "starts":
      return within(condition.field, condition.value, predicate, "starts");
    // a rule looks at the first 64 Ki characters of a value only, whose end is not the value's end: so `ends` becomes `contains`
    case "contains":
    case "ends":
      return within(condition.field, condition.value, predicate, "contains");
    case "like":
      return holding(condition.field, runsOfLike(condition.value), predicate);
    case "cidr":
      return predicate.plainColumn(condition.field) === undefined ? present(condition.field, predicate) : predicate.compile(condition);
    default:
      return present(condition.field, predicate);
  }
}

/** The field has a value, as far as a glance tells. */
function present(field: string, predicate: Predicate): string {
  return hotFields.has(field) ? `${quote(field)} IS NOT NULL` : predicate.inRest(field);
}

function within(field: string, value: string, predicate: Predicate, how: "eq" | "starts" | "contains"): string {
  const folded = foldCase(value);
  const column = predicate.plainColumn(field);
  // letters beyond ASCII are folded differently here and there: their ASCII neighbours must do
  if (column === undefined || !isAscii(folded) || folded === "" || folded.length > maxExact)
    return holding(field, runsOf(folded), predicate);
  const text = predicate.bind(folded);
  if (how === "eq") return folded === folded.toUpperCase() ? `${column} = ${text}` : `lower(${column}) = ${text}`;
  return `${how === "starts" ? "starts_with" : "contains"}(lower(${column}), ${text})`;
}

/** Longer texts than rules look at are never compared whole. */
const maxExact = 60_000;

/** The field's text holds all of these, in lower case. */
function holding(field: string, runs: readonly string[], predicate: Predicate): string {
  const text = hotFields.has(field) ? quote(field) : "rest";
  // a marked cell and `rest` are JSON, where quotes, backslashes and control characters are written otherwise
  const plain = predicate.plainColumn(field) === undefined ? runs.flatMap((run) => run.split(/["\\\x00-\x1f\x7f]+/)) : runs;
  const told = [...new Set(plain)].filter((run) => run.length > 0);
  return [present(field, predicate), ...told.map((run) => `contains(lower(${text}), ${predicate.bind(run)})`)].join(" AND ");
}

function anywhere(run: string, predicate: Predicate): string {
  if (run === "") return everything;
  const inJson = longest(run.split(/["\\\x00-\x1f\x7f]+/));
  const text = predicate.bind(run);
  const json = inJson === run ? text : predicate.bind(inJson);
  const columns = [...hotFields.keys()].map((field) =>
    predicate.plainColumn(field) === undefined ? `contains(lower(${quote(field)}), ${json})` : `contains(lower(${quote(field)}), ${text})`,
  );
  return `(contains(lower(original), ${text}) OR contains(lower(rest), ${json}) OR ${columns.join(" OR ")})`;
}

/** A text that one field, or any text of the event where the field is "", must be or hold. */
interface Word {
  readonly text: string;
  readonly whole: boolean;
}
/** Alternatives on one field from which one pass for all of them is cheaper than one pass for each. */
const manyWords = 6;
/** Alternatives of one pattern: RE2 gives up on programs of some MB. */
const patternWords = 400;

/** Sorts out the alternatives that are plain texts of a field that has many of them. */
function wordsOf(of: readonly Condition[]): {
  readonly words: ReadonlyMap<string, readonly Word[]>;
  readonly others: readonly Condition[];
} {
  const words = new Map<string, Word[]>();
  const from = new Map<string, Condition[]>();
  const others: Condition[] = [];
  for (const one of of) {
    const word = wordOf(one);
    if (word === undefined) {
      others.push(one);
      continue;
    }
    const field = one.op === "keyword" ? "" : (one as { readonly field: string }).field;
    words.set(field, [...(words.get(field) ?? []), word]);
    from.set(field, [...(from.get(field) ?? []), one]);
  }
  for (const [field, list] of from) {
    if (list.length >= manyWords) continue;
    words.delete(field);
    others.push(...list);
  }
  return { words, others };
}

function wordOf(condition: Condition): Word | undefined {
  switch (condition.op) {
    case "eq": {
      if (condition.value === null || condition.field === "") return undefined;
      const folded = foldCase(String(condition.value));
      const whole = isAscii(folded) && folded.length <= maxExact;
      return word(whole ? folded : longest(runsOf(folded)), whole);
    }
    case "contains":
    case "starts":
    case "ends":
      return condition.field === "" ? undefined : word(longest(runsOf(foldCase(condition.value))), false);
    case "like":
      return condition.field === "" ? undefined : word(longest(runsOfLike(condition.value)), false);
    case "keyword":
      return word(longest(runsOfLike(condition.value)), false);
    default:
      return undefined;
  }
}
const word = (text: string, whole: boolean): Word | undefined => (text === "" || text.length > 200 ? undefined : { text, whole });

/** One of the words, by one look at the text for every few hundred. */
function oneOf(field: string, words: readonly Word[], predicate: Predicate): string {
  if (field === "") {
    const columns = [...hotFields.keys()];
    const [plain, json] = [words, words.map(inJson)];
    if (json.some(({ text }) => text === "")) return everything;
    const tests = columns.map((one) => matching(quote(one), predicate.plainColumn(one) === undefined ? json : plain));
    return `(${[matching("original", plain), matching("rest", json), ...tests].join(" OR ")})`;
  }
  const column = predicate.plainColumn(field);
  if (column !== undefined) {
    const exact = words.filter(({ whole }) => whole).map(({ text }) => predicate.bind(text));
    const parts = words.filter(({ whole }) => !whole);
    const tests = [
      ...(exact.length > 0 ? [`lower(${column}) IN (${exact.join(", ")})`] : []),
      ...(parts.length > 0 ? [matching(column, parts)] : []),
    ];
    return `(${tests.join(" OR ")})`;
  }
  const json = words.map(inJson);
  const there = present(field, predicate);
  return json.some(({ text }) => text === "") ? there : `(${there} AND ${matching(hotFields.has(field) ? quote(field) : "rest", json)})`;
}

const inJson = ({ text }: Word): Word => ({ text: longest(text.split(/["\\\x00-\x1f\x7f]+/)), whole: false });

/** The patterns are written out: only then are they compiled once. They hold letters, digits and escapes, nothing of SQL. */
function matching(column: string, words: readonly Word[]): string {
  const texts = [...new Set(words.map(({ text }) => text))].map((text) =>
    text.replace(/[^a-z0-9]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`),
  );
  const tests: string[] = [];
  for (let at = 0; at < texts.length; at += patternWords)
    tests.push(`regexp_matches(lower(${column}), '${texts.slice(at, at + patternWords).join("|")}')`);
  return tests.length === 1 ? tests[0]! : `(${tests.join(" OR ")})`;
}

const isAscii = (text: string) => /^[\x00-\x7f]*$/.test(text);
/** The ASCII parts of a folded text. */
const runsOf = (folded: string): string[] => folded.split(/[^\x00-\x7f]+/).filter((run) => run !== "");
const runsOfLike = (pattern: string): string[] =>
  likeParts(pattern).flatMap((part) => (typeof part === "string" ? runsOf(foldCase(part)) : []));
const longest = (runs: readonly string[]): string => runs.reduce((best, run) => (run.length > best.length ? run : best), "");
