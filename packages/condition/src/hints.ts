/** Recognises other tools' languages and says how ours puts the same thing. Never decides what a query means. */
import { QueryError, type Scanner, type Word } from "./lexer.ts";

/** Throws when the whole text is plainly another language. */
export function refuseForeign(text: string): void {
  const words = text.trim().toLowerCase().split(/\s+/, 64);
  const length = text.length;
  if (words[0] === "select" && words.includes("from"))
    throw new QueryError(
      "this looks like SQL; a filter names fields directly, and sums come after a pipe",
      0,
      length,
      "user.name:root | stats count() by host.name",
    );
  if (words[1] === "where" && /^(any|process|file|network|registry|library|authentication)$/.test(words[0]!))
    throw new QueryError(
      "this looks like EQL; leave out the event class and write field:value",
      0,
      length,
      "process.name:bash and user.name:root",
    );
  if (words[0] === "sequence" && (words[1] === "by" || text.includes("[")))
    throw new QueryError(
      "this looks like an EQL sequence; sequences are rules here (Sigma correlation), a query looks at single events",
      0,
      length,
    );
  if (words[0] === "search" && (words[1] ?? "").includes("="))
    throw new QueryError("this looks like SPL; leave out `search` and write field:value", 0, length, words[1]!.replace("=", ":"));
  if (/^(index|sourcetype)=/.test(words[0] ?? ""))
    throw new QueryError("this looks like SPL; write field:value instead of field=value", 0, words[0]!.length, words[0]!.replace("=", ":"));
}

/** After a name: an equality of another language. */
export function refuseEquals(scanner: Scanner, name: Word): void {
  const { at } = scanner;
  const attached = name.text.endsWith("!") && scanner.next === "=";
  const negated = attached || scanner.take("!=");
  if (!negated && scanner.next !== "=") return;
  const operator = scanner.has("=~") ? "=~" : scanner.has("==") ? "==" : "=";
  if (attached || !negated) scanner.at += operator.length;
  const value = scanner.skip().word("value");
  const field = attached ? name.text.slice(0, -1) : name.text;
  const ours = `${negated ? "not " : ""}${field}:${value === undefined ? "value" : scanner.text.slice(value.start, value.end)}`;
  const written = negated ? "!=" : operator;
  throw new QueryError(`\`${written}\` is not an operator here; write ${ours}`, name.start, (value?.end ?? at) - name.start, ours);
}

/** A bare word that is an operator elsewhere. */
export function refuseOperator(scanner: Scanner, word: Word): void {
  if (word.quoted) return;
  const length = word.end - word.start;
  if (word.text === "&&") throw new QueryError("`&&` is written `and` here", word.start, length, "and");
  if (word.text === "!" || (word.text.startsWith("!") && scanner.text[word.start] === "!"))
    throw new QueryError(`\`!\` is written \`not\` here`, word.start, 1, "not ");
  const low = word.text.toLowerCase();
  if ((low === "in" || low === "like") && scanner.skip().next === "(" && low === "in")
    throw new QueryError("`in (…)` is written field:(a or b) here", word.start, length, ":");
}

/** What a pipe command of another language is here. */
export const pipeHints: { readonly [command: string]: readonly [message: string, suggestion?: string] } = {
  where: ["put the condition in front of the first pipe, joined with `and`"],
  search: ["put the condition in front of the first pipe, joined with `and`"],
  filter: ["put the condition in front of the first pipe, joined with `and`"],
  table: ["the columns to show are chosen with `fields`", "fields"],
  keep: ["the columns to show are chosen with `fields`", "fields"],
  project: ["the columns to show are chosen with `fields`", "fields"],
  select: ["the columns to show are chosen with `fields`", "fields"],
  limit: ["the number of rows is set with `head`", "head"],
  take: ["the number of rows is set with `head`", "head"],
  top: ["write `stats count() as n by field | sort -n | head 10`", "stats count() as n by"],
  summarize: ["sums are made with `stats`", "stats"],
  timechart: ["the histogram shows counts over time; sums are made with `stats`", "stats"],
  order: ["write `sort -n` for descending, `sort n` for ascending", "sort"],
  dedup: ["write `stats count() by field`", "stats count() by"],
};
export const functionHints: { readonly [name: string]: string } = {
  dc: "distinct",
  distinct_count: "distinct",
  count_distinct: "distinct",
  cardinality: "distinct",
  dcount: "distinct",
  average: "avg",
  mean: "avg",
  total: "sum",
  list: "values",
  unique: "values",
};
