/** Builds and takes apart query text for the page; the server alone parses it for real. */
import type { FieldValue } from "../api/types.ts";

/** A value as a query writes it: plain where it is safe, else in quotes with backslashes escaped. */
export function quoteValue(value: string): string {
  if (/^[A-Za-z0-9_.\-/@]+$/.test(value) && !/^(and|or|not)$/i.test(value)) return value;
  return `"${value.replace(/[\\"]/g, (character) => `\\${character}`)}"`;
}

/** `field:value` for one value of a field. */
export function filterTerm(field: string, value: FieldValue): string {
  if (Array.isArray(value)) return value.length === 0 ? `${field}:*` : filterTerm(field, value[0] as FieldValue);
  return `${field}:${quoteValue(String(value))}`;
}

/** Position of the first pipe outside quotes, or -1. */
export function pipeAt(query: string): number {
  let quoted = false;
  for (let at = 0; at < query.length; at += 1) {
    const character = query[at];
    if (character === "\\" && quoted) at += 1;
    else if (character === '"') quoted = !quoted;
    else if (character === "|" && !quoted) return at;
  }
  return -1;
}

/** The part in front of the first pipe: what the histogram and the field list can use. */
export function filterPart(query: string): string {
  const at = pipeAt(query);
  return (at < 0 ? query : query.slice(0, at)).trim();
}

/** Whether the filter has an `or` outside quotes and parentheses, so that `and` may not simply be appended. */
function hasOpenOr(filter: string): boolean {
  let depth = 0;
  let quoted = false;
  let word = "";
  for (const character of `${filter} `) {
    if (character === '"') quoted = !quoted;
    if (quoted) continue;
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    if (/[A-Za-z]/.test(character)) word += character;
    else {
      if (depth === 0 && word.toLowerCase() === "or") return true;
      word = "";
    }
  }
  return false;
}

/** Adds `and field:value` (or `and not …`) to a query, in front of any pipe; a term already there is not repeated. */
export function addFilter(query: string, field: string, value: FieldValue, exclude = false): string {
  const term = `${exclude ? "not " : ""}${filterTerm(field, value)}`;
  const at = pipeAt(query);
  const filter = filterPart(query);
  const rest = at < 0 ? "" : ` ${query.slice(at)}`;
  if (filter === "" || filter === "*") return `${term}${rest}`;
  if (filter.split(/ and /i).some((part) => part.trim() === term)) return query;
  return `${hasOpenOr(filter) ? `(${filter})` : filter} and ${term}${rest}`;
}

/** A text in three parts around a place; a place outside is moved inside. */
export function splitAt(
  text: string,
  position: number,
  length: number,
): { readonly before: string; readonly marked: string; readonly after: string } {
  const from = Math.min(Math.max(position, 0), text.length);
  const to = Math.min(from + Math.max(length, 0), text.length);
  return { before: text.slice(0, from), marked: text.slice(from, to), after: text.slice(to) };
}

export interface Completion {
  /** Where the word begins that the completion replaces. */
  readonly from: number;
  readonly to: number;
  readonly fields: readonly string[];
}

/** How many suggestions are shown at once. */
const completions_max = 8;

/** Field names that could stand where the caret is; those that start with the word come first. None inside quotes or values. */
export function completeField(query: string, caret: number, fields: readonly string[]): Completion | undefined {
  const before = query.slice(0, caret);
  if ((before.match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1) return undefined;
  const word = /[A-Za-z0-9_.@]*$/.exec(before)?.[0] ?? "";
  const from = caret - word.length;
  if (word.length === 0 || query[from - 1] === ":" || /[A-Za-z0-9_.@:]/.test(query[caret] ?? "")) return undefined;
  const low = word.toLowerCase();
  const starts = fields.filter((field) => field.toLowerCase().startsWith(low) && field !== word);
  const inside = fields.filter((field) => !field.toLowerCase().startsWith(low) && field.toLowerCase().includes(low));
  const found = [...starts, ...inside].slice(0, completions_max);
  return found.length === 0 ? undefined : { from, to: caret, fields: found };
}

/** A query for everything that mentions an entity. */
export function entityQuery(entity: { readonly type: string; readonly id: string }): string {
  const fields: { readonly [type: string]: string } = {
    host: "host.name",
    user: "user.name",
    process: "process.name",
    ip: "source.ip",
    domain: "dns.question.name",
  };
  return filterTerm(fields[entity.type] ?? entity.type, entity.id);
}
