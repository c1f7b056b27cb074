/**
 * Hands over every event that may satisfy a condition, page by page in slices of event time; and says beforehand how many there will be.
 * Reads few columns first, then whole rows of those row groups only that hold a candidate. Knows no rule.
 */
import type { Event } from "@vedette/model";
import type { EventQuery, ScanEstimate, ScanPage, TimeRange } from "../store.ts";
import { columns, headColumns } from "./columns.ts";
import type { Duck } from "./duck.ts";
import type { Row } from "./duckdb.ts";
import { looseSql } from "./loose.ts";
import type { Source } from "./partitions.ts";
import { Predicate, quote } from "./predicate.ts";
import { eventOf } from "./rows.ts";
import type { Readable } from "./search.ts";

/** Rows of a page: some MB of JSON, some ms of the storage thread. */
const pageRows = 1_000;
/** Stored rows of a slice: what a backtest holds observations of at a time. */
const sliceRows = 1_000_000;
/** With more candidates than one in so many rows, reading everything once is cheaper than row group by row group (some 20 ms each). */
const sparse = 16;
/** Rows read at once where most are candidates: half a row group, some 16 MB of JSON. */
const denseRows = 16_384;
/** Rows looked at for an estimate. */
const sampleRows = 200_000;
/** CPU of one candidate beyond the search: read whole, written as JSON, read again and judged; µs, measured by `bench backtest`. */
const candidateCost = 30;

/** A row as one JSON text: an eighth of the cost of fetching its cells one by one. */
const rowJson = `CAST(json_array(${columns.map(quote).join(", ")}) AS VARCHAR)`;

/** The events of a page; called where they are judged, not where they are read. */
export function eventsOfPage({ rows }: Pick<ScanPage, "rows">): Event[] {
  return rows.map((row) => eventOf(JSON.parse(row) as Row));
}

/** The inverse, with all fields in `rest`: for whoever stands in for a store. */
export function rowsOfEvents(events: readonly Event[]): string[] {
  const hot = columns.slice(headColumns.length, -2).map(() => null);
  return events.map((e) =>
    JSON.stringify([e.time, e.received, e.seq, e.id, e.tenant, e.class, e.source, e.host, ...hot, JSON.stringify(e.fields), e.original]),
  );
}

/** Scans under way, by number: what one thread reads, another asks for page by page. */
export class OpenScans {
  readonly #pages: (query: EventQuery, signal: AbortSignal) => AsyncGenerator<ScanPage>;
  readonly #open = new Map<number, { readonly pages: AsyncGenerator<ScanPage>; readonly stop: AbortController }>();
  #last = 0;
  constructor(pages: (query: EventQuery, signal: AbortSignal) => AsyncGenerator<ScanPage>) {
    this.#pages = pages;
  }

  /** Begins a scan; whoever called must call `close`. */
  start(query: EventQuery): number {
    const stop = new AbortController();
    this.#open.set(++this.#last, { pages: this.#pages(query, stop.signal), stop });
    return this.#last;
  }

  async next(id: number): Promise<ScanPage | undefined> {
    const scan = this.#open.get(id);
    if (scan === undefined) return undefined;
    const { done, value } = await scan.pages.next();
    if (done) this.#open.delete(id);
    return done ? undefined : value;
  }

  async close(id: number): Promise<void> {
    const scan = this.#open.get(id);
    this.#open.delete(id);
    scan?.stop.abort();
    await scan?.pages.return(undefined);
  }
}

export class Scans {
  private readonly duck: Duck;
  private readonly partitions: Readable;
  constructor(duck: Duck, partitions: Readable) {
    this.duck = duck;
    this.partitions = partitions;
  }

  async *pages(query: EventQuery, signal: AbortSignal): AsyncGenerator<ScanPage> {
    const { slices, stored } = await this.slices(query.range);
    let read = 0;
    for (const range of slices) {
      // one each: files that were replaced since the scan began need not be kept for it
      const view = await this.partitions.view(range);
      try {
        for (const source of view.sources) {
          for await (const rows of this.candidates(source, { ...query, range }, signal))
            yield { rows, read: Math.round(Math.min(read, stored)), stored: Math.round(stored), complete: range.from };
          read += share(source, range);
        }
      } finally {
        view.release();
      }
      yield { rows: [], read: Math.round(Math.min(read, stored)), stored: Math.round(stored), complete: range.to };
    }
  }

  private async slices(range: TimeRange): Promise<{ readonly slices: readonly TimeRange[]; readonly stored: number }> {
    const { sources, release } = await this.partitions.view(range);
    release();
    return { slices: slicesOf(sources, range), stored: sources.reduce((sum, one) => sum + share(one, range), 0) };
  }

  private async *candidates(source: Source, query: EventQuery, signal: AbortSignal): AsyncGenerator<readonly string[]> {
    const { where, parameters } = loose(source, query);
    const sealed = source.relation.startsWith("'");
    const from = sealed ? `read_parquet(${source.relation}, file_row_number = true)` : source.relation;
    const row = sealed ? "file_row_number" : "rowid";
    const found = await this.duck.query(`SELECT CAST(${row} AS DOUBLE) FROM ${from} WHERE ${where}`, parameters, signal);
    const numbers = found.map(([number]) => Number(number)).sort((a, b) => a - b);
    if (numbers.length * sparse < source.rows) {
      for (const list of pagesOf(numbers))
        yield textsOf(await this.duck.query(`SELECT ${rowJson} FROM ${from} WHERE ${row} IN (${list.join(", ")})`, [], signal));
      return;
    }
    for (let at = numbers[0] ?? 0; at <= (numbers.at(-1) ?? -1); at += denseRows) {
      const rows = `${row} BETWEEN ${at} AND ${at + denseRows - 1}`;
      yield* pagesOf(textsOf(await this.duck.query(`SELECT ${rowJson} FROM ${from} WHERE ${rows} AND ${where}`, parameters, signal)));
    }
  }

  /** From the manifest and a sample of some partitions: how many are stored, how many will be looked at, and how long that takes. */
  async estimate(query: EventQuery, signal?: AbortSignal): Promise<ScanEstimate> {
    const { sources, release } = await this.partitions.view(query.range);
    try {
      const stored = sources.reduce((sum, one) => sum + share(one, query.range), 0);
      const sample = sampleOf(sources);
      let [rows, candidates] = [0, 0];
      const begun = performance.now();
      for (const source of sample) {
        const { where, parameters } = loose(source, query);
        const from = source.relation.startsWith("'") ? `read_parquet(${source.relation})` : source.relation;
        const [row] = await this.duck.query(`SELECT count(*) FROM ${from} WHERE ${where}`, parameters, signal);
        candidates += Number(row?.[0] ?? 0);
        rows += share(source, query.range);
      }
      const took = (performance.now() - begun) / 1_000;
      const scale = rows === 0 ? 0 : stored / rows;
      const seconds = took * scale + (candidates * scale * candidateCost) / 1e6;
      return { stored: Math.round(stored), candidates: Math.round(candidates * scale), seconds };
    } finally {
      release();
    }
  }
}

function loose(
  source: Source,
  { tenant, range, where }: EventQuery,
): { readonly where: string; readonly parameters: Predicate["parameters"] } {
  const predicate = new Predicate(new Set(source.odd));
  const bounds = `time >= ${predicate.bindInteger(range.from)} AND time < ${predicate.bindInteger(range.to)}`;
  const sql = `${bounds} AND tenant = ${predicate.bind(tenant)} AND ${looseSql(where, predicate)}`;
  return { where: sql, parameters: predicate.parameters };
}

function* pagesOf<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += pageRows) yield all.slice(at, at + pageRows);
}

const textsOf = (rows: readonly Row[]): string[] => rows.map(([row]) => String(row));

/** Rows of a source within a range, as if they were spread evenly over its time. */
function share({ rows, minTime, maxTime }: Source, { from, to }: TimeRange): number {
  const within = Math.min(maxTime + 1, to) - Math.max(minTime, from);
  return within <= 0 ? 0 : (rows * within) / (maxTime + 1 - minTime);
}

/** Cuts a range at the beginnings of partitions, so that a slice holds about `sliceRows`. */
function slicesOf(sources: readonly Source[], range: TimeRange): readonly TimeRange[] {
  const ordered = [...sources].sort((a, b) => a.minTime - b.minTime);
  const cuts: number[] = [];
  let rows = 0;
  for (const source of ordered) {
    if (rows >= sliceRows && source.minTime > (cuts.at(-1) ?? range.from)) {
      cuts.push(source.minTime);
      rows = 0;
    }
    rows += share(source, range);
  }
  return [range.from, ...cuts].map((from, index) => ({ from, to: cuts[index] ?? range.to }));
}

/** A few partitions from all over the list, together about `sampleRows` or one. */
function sampleOf(sources: readonly Source[]): readonly Source[] {
  const chosen: Source[] = [];
  let rows = 0;
  const step = Math.max(1, Math.floor(sources.length / 7));
  for (let at = Math.floor(step / 2); at < sources.length && rows < sampleRows; at += step) {
    const source = sources[at] as Source;
    chosen.push(source);
    rows += source.rows;
  }
  return chosen;
}
