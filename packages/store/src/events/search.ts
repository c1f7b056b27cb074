/** Reads events: search pages, lookups by id, histograms, top values, statistics. Knows how rows are laid out, not where files come from. */
import { always, narrowed, rowsOf, shownWhere, type View } from "@vedette/condition";
import { BadInputError, VedetteError } from "@vedette/kit";
import type { Event } from "@vedette/model";
import type { Aggregate, EventPage, EventQuery, EventStore, SeenQuery, TimeRange } from "../store.ts";
import { bigintColumns, columns } from "./columns.ts";
import type { Duck } from "./duck.ts";
import type { Row } from "./duckdb.ts";
import type { Source, View as Stored } from "./partitions.ts";
import { numberSql, Predicate, quote } from "./predicate.ts";
import { eventOf } from "./rows.ts";
import { isFile, oddOf, SeenIn, type SeenSources } from "./seen_in.ts";
import { shownEvents } from "./shown.ts";

const columnList = columns.map(quote).join(", ");
/** Values of one `values` aggregate, and groups of one `stats`: more is no table a person reads. */
const maxValues = 100;
const maxGroups = 10_000;
const maxPage = 10_000;

/** Sources as one relation of the given columns. */
function from(sources: readonly Source[], list: string): string {
  const files = sources.filter(isFile).map((one) => one.relation);
  const parts = sources.filter((one) => !isFile(one)).map((one) => `SELECT ${list} FROM ${one.relation}`);
  if (files.length > 0) parts.push(`SELECT ${list} FROM read_parquet([${files.join(", ")}])`);
  return `(${parts.join(" UNION ALL ")})`;
}

/** No event at all: a sum over nothing is an answer. */
const emptyRelation = `(SELECT ${columns.map((name) => `NULL::${bigintColumns.has(name) ? "BIGINT" : "VARCHAR"} AS ${quote(name)}`).join(", ")} WHERE false)`;
const nothing: readonly SeenSources[] = [
  { sources: [{ relation: emptyRelation, rows: 0, minTime: 0, maxTime: 0, odd: [] }], view: undefined },
];

type InWords = (predicate: Predicate, view: View | undefined) => string;
/** What is wanted of each event that a question finds, as one relation: said anew where a view comes to something else. */
class Found {
  readonly parameters: Predicate["parameters"] = [];
  readonly sql: string;

  constructor(seen: readonly SeenSources[], question: EventQuery, list: InWords, more: InWords = () => "") {
    const selects = seen.map(({ sources, view }) => {
      const predicate = new Predicate(oddOf(sources), this.parameters);
      const where = `${bounds(predicate, question, view)}${more(predicate, view)}`;
      return `SELECT ${list(predicate, view)} FROM ${from(sources, "*")} WHERE ${where}`;
    });
    this.sql = `(${selects.join(" UNION ALL ")})`;
  }
}

const between = (predicate: Predicate, { from: least, to: end }: TimeRange) =>
  `time >= ${predicate.bindInteger(least)} AND time < ${predicate.bindInteger(end)}`;

function bounds(predicate: Predicate, { range, tenant, where }: EventQuery, view: View | undefined): string {
  const asked = view === undefined ? where : narrowed(where, view);
  return `${between(predicate, range)} AND tenant = ${predicate.bind(tenant)} AND ${predicate.compile(asked)}`;
}

/** DuckDB's words for what the query, not the store, is to blame for. They may quote a value, so who sees a part only is not told them. */
function explained(error: unknown, view: View | undefined): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof VedetteError || (error instanceof Error && error.name === "AbortError")) return error;
  if (/regexp|regex|missing \)|invalid perl operator|invalid escape|bad repetition|no argument for repetition/i.test(message)) {
    return new BadInputError("query_invalid", `not a linear-time (RE2) pattern: ${message.slice(0, 300)}`, { cause: error });
  }
  const words = view === undefined ? `: ${message.slice(0, 300)}` : "";
  return new VedetteError("store_unavailable", false, `the event store could not answer${words}`, { cause: error });
}

type Cursor = readonly [time: number, id: string];
export function readCursor(text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined;
  try {
    const [time, id] = JSON.parse(Buffer.from(text, "base64url").toString()) as [unknown, unknown];
    if (typeof time === "number" && Number.isSafeInteger(time) && typeof id === "string") return [time, id];
  } catch {
    // falls through to the one message
  }
  throw new BadInputError("query_invalid", "cursor: not one that a search returned");
}

export const cursorOf = (cursor: Cursor): string => Buffer.from(JSON.stringify(cursor)).toString("base64url");

/** Where rows come from: a stable view of what is stored in a range. */
export interface Readable {
  view(range: TimeRange | undefined): Promise<Stored>;
}

export class Search implements Pick<EventStore, "search" | "get" | "histogram" | "top" | "stats"> {
  private readonly duck: Duck;
  private readonly partitions: Readable;
  private readonly seenIn: SeenIn;
  constructor(duck: Duck, partitions: Readable) {
    this.duck = duck;
    this.partitions = partitions;
    this.seenIn = new SeenIn(duck);
  }

  private async reading<T>(
    { range, view }: { readonly range?: TimeRange | undefined; readonly view?: View | undefined },
    read: (stored: Stored) => Promise<T>,
  ): Promise<T> {
    const stored = await this.partitions.view(range);
    try {
      return await read(stored);
    } catch (error) {
      throw explained(error, view);
    } finally {
      stored.release();
    }
  }

  /** Goes through the partitions from the wanted end of time and stops when no later one can hold a row of the page. */
  search(query: Parameters<EventStore["search"]>[0], signal?: AbortSignal): Promise<EventPage> {
    const cursor = readCursor(query.cursor);
    const limit = Math.max(1, Math.min(maxPage, Math.trunc(query.limit)));
    const oldest = query.oldestFirst === true;
    const range = !cursor
      ? query.range
      : oldest
        ? { from: Math.max(query.range.from, cursor[0]), to: query.range.to }
        : { from: query.range.from, to: Math.min(query.range.to, cursor[0] + 1) };
    return this.reading({ range, view: query.view }, async ({ sources }) => {
      const ordered = [...sources].sort((a, b) => (oldest ? a.minTime - b.minTime : b.maxTime - a.maxTime));
      let rows: Row[] = [];
      for (let at = 0, width = 2; at < ordered.length; width *= 2) {
        const next = ordered[at] as Source;
        const last = rows[limit];
        if (last !== undefined && (oldest ? Number(last[0]) < next.minTime : Number(last[0]) > next.maxTime)) break;
        const found = await this.page(ordered.slice(at, at + width), { ...query, range }, cursor, oldest, limit + 1, signal);
        rows = merge(rows, found, oldest).slice(0, limit + 1);
        at += width;
      }
      const events = shownEvents(rows.slice(0, limit).map(eventOf), query.view);
      const end = events.at(-1);
      if (rows.length <= limit || end === undefined) return { events };
      return { events, cursor: cursorOf([end.time, end.id]) };
    });
  }

  /** First finds which times the page spans, from few columns; then reads whole rows of those times only. */
  private async page(
    sources: readonly Source[],
    query: SeenQuery,
    cursor: Cursor | undefined,
    oldest: boolean,
    limit: number,
    signal?: AbortSignal,
  ) {
    const seen = await this.seenIn.split(sources, query.view, signal);
    if (seen.length === 0) return [];
    const sign = oldest ? ">" : "<";
    const beyond: InWords = (predicate) => {
      if (cursor === undefined) return "";
      const time = predicate.bindInteger(cursor[0]);
      return ` AND (time ${sign} ${time} OR (time = ${time} AND id ${sign} ${predicate.bind(cursor[1])}))`;
    };
    const order = oldest ? "time, id" : "time DESC, id DESC";
    const select = (list: string, range: TimeRange) => {
      const { sql, parameters } = new Found(seen, { ...query, range }, () => list, beyond);
      return this.duck.query(`SELECT * FROM ${sql} ORDER BY ${order} LIMIT ${limit}`, parameters, signal);
    };
    const times = (await select("time, id", query.range)).map(([time]) => Number(time));
    if (times.length === 0) return [];
    const ends = [times[0] as number, times.at(-1) as number];
    return await select(columnList, { from: Math.min(...ends), to: Math.max(...ends) + 1 });
  }

  get(tenant: string, ids: readonly string[], range?: TimeRange, view?: View): Promise<readonly Event[]> {
    const wanted = [...new Set(ids)].slice(0, maxPage);
    if (wanted.length === 0) return Promise.resolve([]);
    return this.reading({ range, view }, async ({ sources }) => {
      const found = new Map<string, Event>();
      const ordered = [...sources].sort((a, b) => b.maxTime - a.maxTime);
      for (let at = 0; at < ordered.length && found.size < wanted.length; at += 64) {
        const predicate = new Predicate(oddOf(ordered.slice(at, at + 64)));
        const list = wanted.map((id) => predicate.bind(id)).join(", ");
        let where = `tenant = ${predicate.bind(tenant)} AND id IN (${list})`;
        if (range !== undefined) where += ` AND ${between(predicate, range)}`;
        if (view !== undefined) where += ` AND ${predicate.compile(rowsOf(view))}`;
        const sql = `SELECT ${columnList} FROM ${from(ordered.slice(at, at + 64), columnList)} WHERE ${where}`;
        const events = (await this.duck.query(sql, predicate.parameters)).map(eventOf);
        for (const event of shownEvents(events, view)) found.set(event.id, event);
      }
      return wanted.map((id) => found.get(id)).filter((event) => event !== undefined);
    });
  }

  /** @param none what the answer is where there is nothing to see: the same whether or not there is something that is not seen */
  private about<T>(
    query: SeenQuery,
    signal: AbortSignal | undefined,
    ask: (seen: readonly SeenSources[]) => Promise<readonly T[]>,
    none: readonly SeenSources[] = [],
  ): Promise<readonly T[]> {
    return this.reading(query, async ({ sources }) => {
      const seen = await this.seenIn.split(sources, query.view, signal);
      const asked = seen.length === 0 ? none : seen;
      return asked.length === 0 ? [] : await ask(asked);
    });
  }

  histogram(query: Parameters<EventStore["histogram"]>[0], signal?: AbortSignal): ReturnType<EventStore["histogram"]> {
    const width = Math.trunc(query.width);
    if (!(width > 0)) throw new BadInputError("query_invalid", "width: a bucket must be at least one microsecond wide");
    return this.about(query, signal, async (seen) => {
      const bucket: InWords = (predicate) => `(time - ${predicate.bindInteger(query.range.from)}) // ${predicate.bindInteger(width)} AS b`;
      const { sql, parameters } = new Found(seen, query, bucket);
      const rows = await this.duck.query(`SELECT b, count(*) FROM ${sql} GROUP BY b ORDER BY b`, parameters, signal);
      return rows.map(([b, count]) => ({ start: Math.trunc(query.range.from) + Number(b) * width, count: Number(count) }));
    });
  }

  top(query: Parameters<EventStore["top"]>[0], signal?: AbortSignal): ReturnType<EventStore["top"]> {
    return this.about(query, signal, async (seen) => {
      const value: InWords = (predicate, view) => {
        const shown = shownSql(predicate, query.field, view);
        const plain = predicate.plainColumn(query.field);
        return `${plain !== undefined ? shown(plain) : `unnest(list_distinct(${shown(predicate.scalars(query.field))}))`} AS v`;
      };
      const { sql: inner, parameters } = new Found(seen, query, value);
      const limit = Math.max(1, Math.min(maxGroups, Math.trunc(query.limit)));
      const sql = `SELECT v, count(*) AS n FROM ${inner} WHERE v IS NOT NULL GROUP BY v ORDER BY n DESC, v LIMIT ${limit}`;
      const rows = await this.duck.query(sql, parameters, signal);
      return rows.map(([v, n]) => ({ value: String(v), count: Number(n) }));
    });
  }

  stats(query: Parameters<EventStore["stats"]>[0], signal?: AbortSignal): ReturnType<EventStore["stats"]> {
    return this.about(
      query,
      signal,
      async (seen) => {
        const cells: InWords = (predicate, view) => {
          const groups = query.by.map((field, index) => `${shownSql(predicate, field, view)(textOf(predicate, field))} AS g${index}`);
          const values = query.aggregates.flatMap((one, index) =>
            one.field === undefined ? [] : [`${shownSql(predicate, one.field, view)(valuesOf(predicate, one.field))} AS a${index}`],
          );
          return ["time", ...groups, ...values].join(", ");
        };
        const { sql: inner, parameters } = new Found(seen, query, cells);
        const outer = query.aggregates.map((one, index) => `${aggregateSql(one, `a${index}`)} AS r${index}`);
        const names = [...query.by, ...query.aggregates.map((one) => one.as)];
        const keys = query.by.map((_, index) => `g${index}`);
        const sorted = query.sort === undefined ? -1 : names.indexOf(query.sort.by);
        if (query.sort !== undefined && sorted < 0) throw new BadInputError("query_invalid", `sort: no column ${query.sort.by}`);
        const order = sorted >= 0 ? [`${sorted + 1} ${query.sort?.descending ? "DESC" : "ASC"} NULLS LAST`] : [];
        const limit = Math.max(1, Math.min(maxGroups, Math.trunc(query.limit)));
        const grouped = keys.length > 0 ? ` GROUP BY ${keys.join(", ")}` : "";
        const ordered = order.length + keys.length > 0 ? ` ORDER BY ${[...order, ...keys].join(", ")}` : "";
        const sql = `SELECT ${[...keys, ...outer].join(", ")} FROM ${inner}${grouped}${ordered} LIMIT ${limit}`;
        const rows = await this.duck.query(sql, parameters, signal);
        return rows.map((row) => Object.fromEntries(names.map((name, index) => [name, cell(row[index])])));
      },
      nothing,
    );
  }
}

function merge(a: readonly Row[], b: readonly Row[], oldest: boolean): Row[] {
  const sign = oldest ? 1 : -1;
  return [...a, ...b].sort((x, y) => sign * (Number(x[0]) - Number(y[0]) || compareText(String(x[3]), String(y[3]))));
}
const compareText = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** A field's value where it is shown, NULL elsewhere; an event's time is always shown. */
function shownSql(predicate: Predicate, field: string, view: View | undefined): (value: string) => string {
  const where = view === undefined || field === "@timestamp" ? always : shownWhere(view, field);
  if (where.op === "and" && where.of.length === 0) return (value) => value;
  const test = predicate.compile(where);
  return (value) => `CASE WHEN ${test} THEN ${value} END`;
}

/** A field's scalars as a list; `@timestamp` is the event's time in microseconds. */
function valuesOf(predicate: Predicate, field: string): string {
  return field === "@timestamp" ? "[CAST(time AS VARCHAR)]" : predicate.scalars(field);
}
/** A field as one text to group by; several values are joined. */
function textOf(predicate: Predicate, field: string): string {
  if (field === "@timestamp") return "CAST(time AS VARCHAR)";
  return predicate.plainColumn(field) ?? `nullif(array_to_string(${predicate.scalars(field)}, ', '), '')`;
}

/** SQL of an aggregate over a list-valued column `a`. */
function aggregateSql({ fn, field }: Aggregate, a: string): string {
  if (fn === "count") return field === undefined ? "count(*)" : `count(*) FILTER (len(${a}) > 0)`;
  if (field === undefined) throw new BadInputError("query_invalid", `${fn} needs a field`);
  const flat = `flatten(list(${a}) FILTER (len(${a}) > 0))`;
  const numbers = `list_filter(list_transform(${flat}, lambda v: ${numberSql("v")}), lambda n: n IS NOT NULL)`;
  switch (fn) {
    case "distinct":
      return `coalesce(len(list_distinct(${flat})), 0)`;
    case "values":
      return `array_to_string(list_slice(list_sort(list_distinct(${flat})), 1, ${maxValues}), ', ')`;
    case "sum":
    case "avg":
      return `list_${fn}(${numbers})`;
    default:
      return `coalesce(CAST(list_${fn}(${numbers}) AS VARCHAR), list_${fn}(${flat}))`;
  }
}

function cell(value: Row[number] | undefined): string | number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return Number(value);
  return typeof value === "number" || typeof value === "string" ? value : String(value);
}
