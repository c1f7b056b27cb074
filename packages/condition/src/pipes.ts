/** Reads what follows the filter: `| stats … | sort … | head … | fields …`. Knows no condition. */
import { functionHints, pipeHints } from "./hints.ts";
import type { Scanner, Word } from "./lexer.ts";
import {
  type AggregateFunction,
  aggregateFunctions,
  columnOf,
  maxAggregates,
  maxGroupBy,
  maxHead,
  maxQueryFields,
  type Query,
  type QueryAggregate,
  type SortKey,
} from "./query.ts";
import { closest } from "./suggest.ts";

const commands = ["stats", "sort", "head", "fields"] as const;
type Pipes = Omit<Query, "where">;
const isFunction = (name: string): name is AggregateFunction => (aggregateFunctions as readonly string[]).includes(name);

function name(scanner: Scanner, what: string): Word {
  const word = scanner.skip().word("item");
  if (word === undefined) scanner.fail(`${what} is missing here`);
  if (word.wild) scanner.fail(`${what} cannot hold wildcards`, word.start, word.end - word.start);
  return word;
}

/** A column by its name, also the unnamed `fn(field)`. */
function column(scanner: Scanner): string {
  const word = name(scanner, "a column");
  if (word.quoted || !scanner.take("(")) return word.text;
  const field = scanner.skip().next === ")" ? undefined : name(scanner, "a field").text;
  if (!scanner.skip().take(")")) scanner.fail("a ) is missing here");
  return field === undefined ? word.text : `${word.text}(${field})`;
}

function list<T>(scanner: Scanner, most: number, item: () => T): T[] {
  const items: T[] = [];
  do {
    if (items.length === most) scanner.fail(`more than ${most} of these`);
    items.push(item());
  } while (scanner.skip().take(","));
  return items;
}

/** Whether the bare word `wanted` stands here; moves past it. */
function takeWord(scanner: Scanner, wanted: string): boolean {
  const word = scanner.skip().peek("item");
  if (word?.text.toLowerCase() !== wanted) return false;
  scanner.at = word.end;
  return true;
}

function aggregate(scanner: Scanner): QueryAggregate {
  const word = name(scanner, "a function such as count()");
  const fn = word.text.toLowerCase();
  const length = word.end - word.start;
  if (!isFunction(fn)) {
    const suggestion = functionHints[fn] ?? closest(fn, aggregateFunctions);
    scanner.fail(`there is no function ${fn}; there are ${aggregateFunctions.join(", ")}`, word.start, length, suggestion);
  }
  let field: string | undefined;
  if (scanner.take("(")) {
    if (scanner.skip().next !== ")") field = name(scanner, "a field").text;
    if (!scanner.skip().take(")")) scanner.fail("a ) is missing here");
  }
  if (field === undefined && fn !== "count") scanner.fail(`${fn} needs a field`, word.start, length, `${fn}(field)`);
  const as = takeWord(scanner, "as") ? name(scanner, "a name").text : columnOf(fn, field);
  return { fn, ...(field !== undefined && { field }), as };
}

function stats(scanner: Scanner): NonNullable<Query["stats"]> {
  const start = scanner.at;
  const aggregates = list(scanner, maxAggregates, () => aggregate(scanner));
  const by = takeWord(scanner, "by") ? list(scanner, maxGroupBy, () => name(scanner, "a field").text) : [];
  const columns = [...by, ...aggregates.map((one) => one.as)];
  const twice = columns.find((one, i) => columns.indexOf(one) !== i);
  if (twice !== undefined) scanner.fail(`two columns are named ${twice}; name them apart with \`as\``, start, scanner.at - start);
  return { aggregates, by };
}

function sortKey(scanner: Scanner, columns: readonly string[] | undefined): SortKey {
  scanner.skip();
  const descending = scanner.take("-");
  const start = scanner.at;
  const by = column(scanner);
  if (columns !== undefined && !columns.includes(by))
    scanner.fail(`there is no column ${by}; there are ${columns.join(", ")}`, start, scanner.at - start, closest(by, columns));
  return { by, descending: (takeWord(scanner, "desc") || descending) && !takeWord(scanner, "asc") };
}

function head(scanner: Scanner): number {
  const word = scanner.skip().word("item");
  const rows = Number(word?.text);
  if (word === undefined || !/^\d{1,6}$/.test(word.text) || rows < 1 || rows > maxHead)
    scanner.fail(`a number of rows from 1 to ${maxHead} is missing here`, word?.start, word && word.end - word.start, "head 100");
  return rows;
}

function columnsOf(pipes: Pipes): string[] | undefined {
  return pipes.stats && [...pipes.stats.by, ...pipes.stats.aggregates.map((one) => one.as)];
}

function field(scanner: Scanner, columns: readonly string[] | undefined): string {
  const start = scanner.skip().at;
  const found = column(scanner);
  if (columns !== undefined && !columns.includes(found))
    scanner.fail(`there is no column ${found}; there are ${columns.join(", ")}`, start, scanner.at - start, closest(found, columns));
  return found;
}

/** Reads pipes to the end of the text. Each command at most once, in the order in which they apply. */
export function parsePipes(scanner: Scanner): Pipes {
  let pipes: Pipes = {};
  let last = -1;
  while (!scanner.skip().done) {
    if (!scanner.take("|")) scanner.fail("expected | or the end", scanner.at, 1, "|");
    const word = scanner.skip().word("item");
    if (word === undefined) scanner.fail("a command is missing after |; there are stats, sort, head, fields");
    const command = word.text.toLowerCase();
    const length = word.end - word.start;
    const place = (commands as readonly string[]).indexOf(command);
    if (place < 0) {
      const hint = Object.hasOwn(pipeHints, command) ? pipeHints[command] : undefined;
      const message = hint?.[0] ?? "there are stats, sort, head, fields";
      scanner.fail(`there is no command ${command} here: ${message}`, word.start, length, hint?.[1] ?? closest(command, commands));
    }
    if (place <= last) scanner.fail("commands come once each, in the order stats, sort, head, fields", word.start, length);
    last = place;
    const columns = columnsOf(pipes);
    if (command === "stats") pipes = { ...pipes, stats: stats(scanner) };
    else if (command === "sort") pipes = { ...pipes, sort: list(scanner, maxGroupBy, () => sortKey(scanner, columns)) };
    else if (command === "head") pipes = { ...pipes, head: head(scanner) };
    else pipes = { ...pipes, fields: list(scanner, maxQueryFields, () => field(scanner, columns)) };
  }
  return pipes;
}
