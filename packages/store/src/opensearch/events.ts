/**
 * The event store on OpenSearch: writes by id, finds by terms, and leaves to the local driver's code what terms cannot tell. Knows no rule, and
 * what is true of the events embedded is true of them here.
 */
import { always, type Condition, narrowed, shownWhere } from "@vedette/condition";
import { BadInputError, UnavailableError } from "@vedette/kit";
import type { Event, Micros } from "@vedette/model";
import { hotFields } from "../events/columns.ts";
import type { Duck } from "../events/duck.ts";
import type { Policy } from "../events/partitions.ts";
import { Predicate } from "../events/predicate.ts";
import { rowsOfEvents } from "../events/scan.ts";
import { cursorOf, readCursor } from "../events/search.ts";
import { shownEvents } from "../events/shown.ts";
import type {
  EncodedEvents,
  EventHold,
  EventPage,
  EventQuery,
  EventStore,
  RefusedEvent,
  ScanEstimate,
  ScanPage,
  SeenQuery,
  TimeRange,
} from "../store.ts";
import { Bulk } from "./bulk.ts";
import { Candidates } from "./candidates.ts";
import { Client, type Cluster, reasonOf, trouble, unavailable } from "./client.ts";
import { eventOfSource, eventsOfBatch, type Source, sourceFields } from "./documents.ts";
import { bucketOf, type Layout, template } from "./indices.ts";
import { type Asked, askedOf, type Clause } from "./query.ts";
import { isTermed } from "./terms.ts";

export interface OpenSearchSettings extends Cluster, Layout {}

type Key = readonly [time: number, id: string];
type Parameters_<M extends keyof EventStore> = Parameters<EventStore[M]>[0];

/** Documents of one answer: a few MB; OpenSearch gives at most ten thousand. */
const pageSize = 2_000;
const maxPage = 10_000;
/** Groups that one answer lists. */
const groupPage = 10_000;
/** Events fetched to be summed here: a minute and a half of one core, some GB of memory and disk. */
const mostSummed = 1_000_000;
/** Groups held to be sorted: some 100 MB. */
const mostGroups = 500_000;
/** Seconds a candidate of a scan costs: fetched, read and judged; measured by `bench opensearch`. */
const candidateCost = 90e-6;

/** A question is asked again for some 6 s in all: a new index takes less, a cluster that has lost a shard is not waited for. */
const longestDelay_ms = 3_200;

const matchAll: Clause = { match_all: {} };

interface Found {
  readonly hits?: { readonly total?: { readonly value: number }; readonly hits?: readonly { readonly _source: Source }[] };
  readonly aggregations?: { readonly [name: string]: unknown };
}
interface Group {
  readonly key: { readonly [name: string]: string | null };
  readonly doc_count: number;
}
/** What a question may see, as OpenSearch is asked for it. */
interface Question {
  readonly asked: Asked;
  readonly clause: Clause;
}

export class OpenSearchEvents {
  readonly #client: Client;
  readonly #layout: Layout;
  readonly #duck: Duck;
  readonly #bulk: Bulk;
  readonly #now: () => Micros;
  readonly #sleep: (ms: number) => Promise<void>;
  #prepared: Promise<void> | undefined;
  #usage: Awaited<ReturnType<EventStore["usage"]>> = { events: 0, openBytes: 0, sealedBytes: 0, originalBytes: 0, partitions: 0 };

  constructor(settings: OpenSearchSettings, duck: Duck, now: () => Micros, sleep: (ms: number) => Promise<void>) {
    this.#client = new Client(settings);
    this.#layout = settings;
    this.#duck = duck;
    this.#now = now;
    this.#sleep = sleep;
    this.#bulk = new Bulk(this.#client, settings, sleep);
  }

  /** Makes sure, before anything is written, that what answers is an OpenSearch and makes indices as we want them. */
  #prepare(): Promise<void> {
    this.#prepared ??= this.#install().catch((error) => {
      this.#prepared = undefined;
      throw error;
    });
    return this.#prepared;
  }

  async #install(): Promise<void> {
    await this.#client.checkVersion();
    await this.#client.get("PUT", `/_index_template/${this.#layout.prefix}`, template(this.#layout));
  }

  /** Ids make a repeat overwrite what it repeats, so offsets are of no interest. */
  async put(_offset: number, _received: Micros, encoded: EncodedEvents): Promise<readonly RefusedEvent[]> {
    if (encoded.count === 0) return [];
    await this.#prepare();
    return await this.#bulk.put(eventsOfBatch(encoded));
  }

  applied(): number {
    return -1;
  }

  get #all(): string {
    return `/${this.#layout.prefix}-*`;
  }

  /** What this process has written is found from now on; `always` for what others have. */
  async #refresh(forAll = false): Promise<void> {
    if (!forAll && this.#bulk.written.size === 0) return;
    const written = [...this.#bulk.written];
    for (const index of written) this.#bulk.written.delete(index);
    try {
      await this.#client.get("POST", `${this.#all}/_refresh?ignore_unavailable=true&allow_no_indices=true`);
    } catch (error) {
      for (const index of written) this.#bulk.written.add(index);
      throw error;
    }
  }

  /** @throws UnavailableError; undefined where OpenSearch cannot do what it is asked for (too complex, too many groups) */
  async #ask(body: object, signal: AbortSignal | undefined): Promise<Found | undefined> {
    const path = `${this.#all}/_search?ignore_unavailable=true&allow_no_indices=true&allow_partial_search_results=false`;
    let answer = await this.#client.ask("POST", path, body, signal);
    // an index made this moment has no shard yet that answers
    for (let delay_ms = 50; answer.status === 503 && delay_ms <= longestDelay_ms; delay_ms *= 2) {
      await this.#sleep(delay_ms);
      answer = await this.#client.ask("POST", path, body, signal);
    }
    if (answer.status < 300) return answer.body as Found;
    const reason = reasonOf(answer.body);
    if (answer.status === 400 || /too_many_buckets|too_complex|too_many_clauses|too_many_nested/.test(reason)) return undefined;
    throw unavailable(
      trouble(answer.status, answer.body, this.#client.user) ?? `OpenSearch could not answer: HTTP ${answer.status}, ${reason}`,
    );
  }

  /** @throws BadInputError for what no store could be asked */
  #question({ tenant, range, where, view }: SeenQuery, loose = false): Question {
    const wanted = view === undefined ? where : narrowed(where, view);
    new Predicate(new Set()).compile(wanted);
    const asked: Asked = loose ? { ...askedOf(wanted), may: matchAll, exact: false } : askedOf(wanted);
    return { asked, clause: within(tenant, range, asked.may) };
  }

  /** The next events, in order, that may be wanted; undefined where OpenSearch cannot take the question. */
  async #page(
    clause: Clause,
    after: Key | undefined,
    oldest: boolean,
    size: number,
    signal: AbortSignal | undefined,
  ): Promise<Event[] | undefined> {
    const order = oldest ? "asc" : "desc";
    const found = await this.#ask(
      {
        query: clause,
        _source: sourceFields,
        size,
        sort: [{ time: { order, unmapped_type: "long" } }, { id: { order, unmapped_type: "keyword" } }],
        track_total_hits: false,
        ...(after && { search_after: after }),
      },
      signal,
    );
    return found && (found.hits?.hits ?? []).map(({ _source }) => eventOfSource(_source));
  }

  /** Every event that may be wanted, oldest first. */
  async *#candidates(query: SeenQuery, signal: AbortSignal | undefined): AsyncGenerator<readonly Event[]> {
    let { clause } = this.#question(query);
    for (let after: Key | undefined; ; ) {
      let events = await this.#page(clause, after, true, pageSize, signal);
      if (events === undefined) {
        clause = this.#question(query, true).clause;
        events = await this.#page(clause, after, true, pageSize, signal);
        if (events === undefined) throw unavailable("OpenSearch refuses even a question for everything: see its log");
      }
      if (events.length > 0) yield events;
      const last = events.at(-1);
      if (events.length < pageSize || last === undefined) return;
      after = [last.time, last.id];
    }
  }

  async search(query: Parameters_<"search">, signal?: AbortSignal): Promise<EventPage> {
    const limit = Math.max(1, Math.min(maxPage, Math.trunc(query.limit)));
    const oldest = query.oldestFirst === true;
    let question = this.#question(query);
    let after = readCursor(query.cursor);
    await this.#refresh();
    const found: Event[] = [];
    for (let size = limit; found.length <= limit; size = Math.min(maxPage, size * 2)) {
      const wanted = Math.min(maxPage, question.asked.exact ? limit + 1 : Math.max(size, 200));
      const events = await this.#page(question.clause, after, oldest, wanted, signal);
      if (events === undefined) {
        if (question.clause === matchAll || !question.asked.exact) throw unavailable("OpenSearch refuses the question: see its log");
        question = this.#question(query, true);
        continue;
      }
      found.push(...(await this.#judged(events, query, question.asked, oldest)));
      const last = events.at(-1);
      if (last === undefined || events.length < wanted) break;
      after = [last.time, last.id];
    }
    const events = found.slice(0, limit);
    const end = events.at(-1);
    if (found.length <= limit || end === undefined) return { events };
    return { events, cursor: cursorOf([end.time, end.id]) };
  }

  /** Those of a page that are wanted, as they may be seen. */
  async #judged(
    events: readonly Event[],
    query: SeenQuery & { readonly limit: number },
    asked: Asked,
    oldestFirst: boolean,
  ): Promise<readonly Event[]> {
    if (asked.exact && events.every((event) => isTermed(event, asked.names))) return shownEvents(events, query.view);
    const { tenant, range, where, view } = query;
    const question = { tenant, range, where, ...(view && { view }), limit: maxPage, oldestFirst };
    const page = await Candidates.asked(
      this.#duck,
      (add) => add(events),
      (search) => search.search(question),
    );
    return page.events;
  }

  async get(tenant: string, ids: readonly string[], range?: TimeRange, view?: SeenQuery["view"]): Promise<readonly Event[]> {
    const wanted = [...new Set(ids)].slice(0, maxPage);
    if (wanted.length === 0) return [];
    await this.#refresh();
    const found = new Map<string, Event>();
    for (let at = 0; at < wanted.length; at += pageSize) {
      const some = { terms: { id: wanted.slice(at, at + pageSize) } };
      const events = await this.#page(within(tenant, range, some), undefined, false, maxPage, undefined);
      for (const event of shownEvents(events ?? [], view)) found.set(event.id, event);
    }
    return wanted.map((id) => found.get(id)).filter((event) => event !== undefined);
  }

  /** Sums that OpenSearch makes; undefined where only the events themselves tell. */
  async #sums(
    query: SeenQuery,
    aggs: { readonly [name: string]: object },
    more: readonly Clause[],
    signal: AbortSignal | undefined,
  ): Promise<Found | undefined> {
    const { asked, clause } = this.#question(query);
    if (!asked.exact) return undefined;
    const odd = { bool: { should: [asked.odd, ...more], minimum_should_match: 1 } };
    const body = { query: clause, size: 0, track_total_hits: true, aggs: { ...aggs, odd: { filter: odd } } };
    const found = await this.#ask(body, signal);
    const { doc_count } = (found?.aggregations?.["odd"] ?? { doc_count: 0 }) as { doc_count: number };
    return doc_count > 0 ? undefined : found;
  }

  /**
   * The same question asked of the events themselves, by the local driver.
   * @throws BadInputError `query_invalid` where they are too many to be fetched
   */
  async #locally<T>(
    query: SeenQuery,
    ask: (search: Parameters<Parameters<typeof Candidates.asked<T>>[2]>[0]) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    let left = mostSummed;
    const fill = async (add: (events: readonly Event[]) => Promise<void>) => {
      for await (const events of this.#candidates(query, signal)) {
        left -= events.length;
        if (left < 0) throw tooMany(mostSummed, "events");
        await add(events);
      }
    };
    // counted first, as far as OpenSearch can: nothing is fetched in vain
    if ((await this.#count(this.#question(query).clause, signal)) > mostSummed) throw tooMany(mostSummed, "events");
    return await Candidates.asked(this.#duck, fill, ask);
  }

  async histogram(query: Parameters_<"histogram">, signal?: AbortSignal): ReturnType<EventStore["histogram"]> {
    const width = Math.trunc(query.width);
    if (!(width > 0)) throw new BadInputError("query_invalid", "width: a bucket must be at least one microsecond wide");
    await this.#refresh();
    const from = Math.trunc(query.range.from);
    const histogram = { field: "time", interval: width, offset: ((from % width) + width) % width, min_doc_count: 1 };
    const found = await this.#sums(query, { times: { histogram } }, [], signal);
    if (found === undefined) return await this.#locally(query, (search) => search.histogram(query, signal), signal);
    const { buckets = [] } = (found.aggregations?.["times"] ?? {}) as { buckets?: readonly { key: number; doc_count: number }[] };
    return buckets.map(({ key, doc_count }) => ({ start: key, count: doc_count }));
  }

  async top(query: Parameters_<"top">, signal?: AbortSignal): ReturnType<EventStore["top"]> {
    await this.#refresh();
    const { field, view } = query;
    const limit = Math.max(1, Math.min(groupPage, Math.trunc(query.limit)));
    const groups = hotFields.has(field) && isShown(view, field) ? await this.#groups(query, [field], [], signal) : undefined;
    if (groups === undefined) return await this.#locally(query, (search) => search.top(query, signal), signal);
    return groups
      .flatMap(({ key, doc_count }) => (key["g0"] === null ? [] : [{ value: key["g0"] as string, count: doc_count }]))
      .sort((a, b) => b.count - a.count || compareText(a.value, b.value))
      .slice(0, limit);
  }

  /** Counts by the values of hot fields, all of them; undefined where only the events themselves tell. */
  async #groups(
    query: SeenQuery,
    fields: readonly string[],
    more: readonly Clause[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Group[] | undefined> {
    const groups: Group[] = [];
    const sources = fields.map((field, n) => ({ [`g${n}`]: { terms: { field: `ecs.${field}`, missing_bucket: true } } }));
    // whatever is asked for, the fields' own values must all be in their terms
    const odd = [{ terms: { o: fields } }, ...more];
    for (let after: object | undefined; ; ) {
      const composite = { size: groupPage, sources, ...(after && { after }) };
      const found = await this.#sums(query, { groups: { composite } }, odd, signal);
      if (found === undefined) return undefined;
      const { buckets = [], after_key } = (found.aggregations?.["groups"] ?? {}) as { buckets?: readonly Group[]; after_key?: object };
      groups.push(...buckets);
      if (groups.length > mostGroups) throw tooMany(mostGroups, "groups");
      if (buckets.length < groupPage || after_key === undefined) return groups;
      after = after_key;
    }
  }

  async stats(query: Parameters_<"stats">, signal?: AbortSignal): ReturnType<EventStore["stats"]> {
    await this.#refresh();
    const { aggregates, by, view } = query;
    const counted = by.length > 0 && aggregates.every(({ fn, field }) => fn === "count" && field === undefined);
    const plain = counted && by.every((field) => hotFields.has(field) && isShown(view, field));
    // an event that holds several values is one group of its own
    const groups = plain ? await this.#groups(query, by, [{ terms: { m: by } }], signal) : undefined;
    if (groups !== undefined) return rowsOf(groups, query);
    if (by.length === 0) {
      const all = aggregates.every(({ fn, field }) => fn === "count" && field === undefined);
      const count = all ? (await this.#sums(query, {}, [], signal))?.hits?.total?.value : undefined;
      if (count !== undefined) return [Object.fromEntries(aggregates.map(({ as }) => [as, count]))];
    }
    return await this.#locally(query, (search) => search.stats(query, signal), signal);
  }

  async #count(clause: Clause, signal: AbortSignal | undefined): Promise<number> {
    const found = await this.#ask({ query: clause, size: 0, track_total_hits: true }, signal);
    return found?.hits?.total?.value ?? 0;
  }

  /** Everything put by now, by whom ever, is handed over. */
  async *pages(query: EventQuery, signal: AbortSignal): AsyncGenerator<ScanPage> {
    await this.#refresh(true);
    const { tenant, range } = query;
    const stored = await this.#count(within(tenant, range, matchAll), signal);
    const wanted = Math.max(1, await this.#count(this.#question(query).clause, signal));
    let done = 0;
    for await (const events of this.#candidates(query, signal)) {
      done += events.length;
      const read = Math.min(stored, Math.round((stored * done) / wanted));
      yield { rows: rowsOfEvents(events), read, stored, complete: (events.at(-1) as Event).time };
    }
    yield { rows: [], read: stored, stored, complete: range.to };
  }

  async estimate(query: EventQuery, signal?: AbortSignal): Promise<ScanEstimate> {
    const stored = await this.#count(within(query.tenant, query.range, matchAll), signal);
    const candidates = await this.#count(this.#question(query).clause, signal);
    return { stored, candidates, seconds: candidates * candidateCost };
  }

  async #indices(): Promise<readonly { readonly index: string; readonly bytes: number }[]> {
    const path = `/_cat/indices${this.#all}?format=json&bytes=b&h=index,store.size&expand_wildcards=open,closed`;
    const list = await this.#client.get<readonly { index: string; "store.size": string | null }[]>("GET", path);
    return list.map((one) => ({ index: one.index, bytes: Number(one["store.size"] ?? 0) }));
  }

  /** Drops whole indices; the one that is written now stays, whatever its size. */
  async retain(policy: Policy, holds: readonly EventHold[] = []): Promise<{ readonly dropped: number }> {
    const found = (await this.#indices()).flatMap(({ index, bytes }) => {
      const bucket = bucketOf(this.#layout.prefix, index);
      return bucket === undefined ? [] : [{ ...bucket, bytes }];
    });
    // what was written a moment ago may be held
    if (holds.length > 0) await this.#refresh(true);
    const dropped: string[] = [];
    for (const [name, limits] of Object.entries(policy)) {
      const own = found.filter((one) => one.class === name).sort((a, b) => a.end - b.end);
      let bytes = own.reduce((sum, one) => sum + one.bytes, 0);
      const oldest = limits.maxAge === undefined ? Number.NEGATIVE_INFINITY : this.#now() - limits.maxAge;
      for (const one of own) {
        const large = limits.maxBytes !== undefined && bytes > limits.maxBytes && one.end <= this.#now();
        if (one.end > oldest && !large) continue;
        bytes -= one.bytes;
        if (!(await this.#isHeld(one.index, holds))) dropped.push(one.index);
      }
    }
    for (const index of dropped) await this.#client.get("DELETE", `/${index}?ignore_unavailable=true`);
    return { dropped: dropped.length };
  }

  /** Whether a hold may be on an event of the index: what OpenSearch cannot tell is kept. */
  async #isHeld(index: string, holds: readonly EventHold[]): Promise<boolean> {
    for (const { tenants, range, ids, where } of holds) {
      const any = [...(ids.length > 0 ? [{ terms: { id: ids } }] : []), ...(where === undefined ? [] : [askedOf(where).may])];
      const of = tenants.map((tenant) => within(tenant, range, { bool: { should: any, minimum_should_match: 1 } }));
      const body = { size: 0, track_total_hits: 1, query: { bool: { should: of, minimum_should_match: 1 } } };
      const { status, body: found } = await this.#client.ask("POST", `/${index}/_search`, body, undefined);
      if (status >= 300 || ((found as Found).hits?.total?.value ?? 1) > 0) return true;
    }
    return false;
  }

  clearDemo(): Promise<number> {
    return this.#delete({ term: { demo: true } });
  }

  async remove(tenant: string, ids: readonly string[], range: TimeRange): Promise<number> {
    let removed = 0;
    for (let at = 0; at < ids.length; at += maxPage)
      removed += await this.#delete(within(tenant, range, { terms: { id: ids.slice(at, at + maxPage) } }));
    return removed;
  }

  async #delete(query: object): Promise<number> {
    await this.#refresh(true);
    const path = `${this.#all}/_delete_by_query?refresh=true&conflicts=proceed&ignore_unavailable=true&allow_no_indices=true`;
    const { deleted = 0 } = await this.#client.get<{ deleted?: number }>("POST", path, { query });
    return deleted;
  }

  /** While the cluster is away, what it was when it last answered: whoever looks at the whole is told of the problem, not refused. */
  async usage(): ReturnType<EventStore["usage"]> {
    try {
      this.#usage = await this.#measure();
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
    return this.#usage;
  }

  async #measure(): ReturnType<EventStore["usage"]> {
    await this.#refresh();
    const indices = await this.#indices();
    const aggs = { oldest: { min: { field: "time" } }, newest: { max: { field: "time" } }, original: { sum: { field: "bytes" } } };
    const found = await this.#ask({ size: 0, track_total_hits: true, aggs }, undefined);
    const value = (name: string) => ((found?.aggregations?.[name] ?? {}) as { value?: number | null }).value ?? 0;
    const events = found?.hits?.total?.value ?? 0;
    const times = events === 0 ? {} : { oldest: value("oldest"), newest: value("newest") };
    const sealedBytes = indices.reduce((sum, one) => sum + one.bytes, 0);
    return { events, openBytes: 0, sealedBytes, originalBytes: value("original"), partitions: indices.length, ...times };
  }

  close(): void {
    this.#client.close();
  }
}

const tooMany = (most: number, what: string) =>
  new BadInputError(
    "query_invalid",
    `this comes to more than ${most} ${what} that OpenSearch cannot sum by itself: narrow the time, or ask for counts by fewer fields`,
  );

const bounds = ({ from, to }: TimeRange) => ({ gte: Math.trunc(from), lt: Math.trunc(to) });

function within(tenant: string, range: TimeRange | undefined, clause: Clause): Clause {
  const filter: Clause[] = [{ term: { tenant } }, clause];
  if (range !== undefined) filter.push({ range: { time: bounds(range) } });
  return { bool: { filter } };
}

const compareText = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const holdsAlways = (condition: Condition) => condition === always || (condition.op === "and" && condition.of.length === 0);
const isShown = (view: SeenQuery["view"], field: string) => view === undefined || holdsAlways(shownWhere(view, field));

/** Groups as the rows of a table, sorted as the local driver sorts them: what has no value comes last. */
function rowsOf(groups: readonly Group[], { aggregates, by, sort, limit }: Parameters_<"stats">) {
  const names = [...by, ...aggregates.map(({ as }) => as)];
  if (sort !== undefined && !names.includes(sort.by)) throw new BadInputError("query_invalid", `sort: no column ${sort.by}`);
  // no value and an empty one are one group
  const counts = new Map<string, { readonly values: readonly (string | null)[]; count: number }>();
  for (const { key, doc_count } of groups) {
    const values = by.map((_, n) => key[`g${n}`] || null);
    const name = JSON.stringify(values);
    const group = counts.get(name);
    if (group === undefined) counts.set(name, { values, count: doc_count });
    else group.count += doc_count;
  }
  const rows = [...counts.values()].map(({ values, count }) =>
    Object.fromEntries([...by.map((name, n) => [name, values[n] ?? null] as const), ...aggregates.map(({ as }) => [as, count] as const)]),
  );
  const order = [...(sort === undefined ? [] : [sort]), ...by.map((name) => ({ by: name, descending: false }))];
  rows.sort((a, b) => {
    for (const { by: name, descending } of order) {
      const [x, y] = [a[name], b[name]];
      if (x === y) continue;
      if (x === null || x === undefined) return 1;
      if (y === null || y === undefined) return -1;
      const sign = typeof x === "number" ? x - (y as number) : compareText(x, y as string);
      return descending ? -sign : sign;
    }
    return 0;
  });
  return rows.slice(0, Math.max(1, Math.min(groupPage, Math.trunc(limit))));
}
