/** A small stand-in for the query language, good enough to make the pages move: `and`, `not`, `field:value`, wildcards, words, `| stats count() by`. */
import type { EventRow, QueryCheck, Stats } from "../src/api/types.ts";

export function checkQuery(query: string): QueryCheck {
  const quotes = [...query.matchAll(/"/g)];
  if (quotes.length % 2 === 1) {
    return { ok: false, message: 'This quote is never closed; expected another "', position: quotes.at(-1)!.index, length: 1 };
  }
  const count = (wanted: string) => [...query].filter((character) => character === wanted).length;
  if (count("(") !== count(")"))
    return { ok: false, message: "Parentheses do not match", position: Math.max(query.lastIndexOf("("), 0), length: 1 };
  const equals = /\w=\w/.exec(query);
  if (equals !== null)
    return { ok: false, message: "Expected a colon between field and value", position: equals.index + 1, length: 1, suggestion: ":" };
  return { ok: true };
}

type Test = (event: EventRow) => boolean;

function valueTest(field: string, raw: string): Test {
  const wanted = raw
    .replace(/^"|"$/g, "")
    .replace(/\\(["\\])/g, "$1")
    .toLowerCase();
  const parts = wanted.split("*");
  const matches = (value: string) => {
    if (parts.length === 1) return value === wanted;
    return value.startsWith(parts[0]!) && value.endsWith(parts.at(-1)!) && parts.every((part) => value.includes(part));
  };
  return (event) => {
    const value = event.fields[field];
    if (value === undefined) return false;
    return (Array.isArray(value) ? value : [value]).some((item) => matches(String(item).toLowerCase()));
  };
}

function termTest(term: string): Test {
  const text = term.trim();
  if (text === "" || text === "*") return () => true;
  if (/^not /i.test(text)) {
    const inner = termTest(text.slice(4));
    return (event) => !inner(event);
  }
  const found = /^([\w.@]+):(.+)$/.exec(text);
  if (found !== null) return valueTest(found[1]!, found[2]!);
  const word = text.replaceAll('"', "").toLowerCase();
  return (event) => event.original.toLowerCase().includes(word);
}

export function filterEvents(events: readonly EventRow[], query: string, from: string | null, to: string | null): EventRow[] {
  const tests = (query.split("|")[0] ?? "").split(/ and /i).map(termTest);
  const first = from === null ? Number.NEGATIVE_INFINITY : Date.parse(from);
  const last = to === null ? Number.POSITIVE_INFINITY : Date.parse(to);
  return events.filter((event) => {
    const at = Date.parse(event.time);
    return at >= first && at < last && tests.every((test) => test(event));
  });
}

export function countBy(events: readonly EventRow[], field: string): { value: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const event of events) {
    const value = event.fields[field];
    if (value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) counts.set(String(item), (counts.get(String(item)) ?? 0) + 1);
  }
  return [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count);
}

export function runStats(events: readonly EventRow[], query: string): Stats {
  const field = /by ([\w.@]+)/.exec(query)?.[1] ?? "host.name";
  return { columns: [field, "n"], rows: countBy(events, field).map(({ value, count }) => [value, count]) };
}
