/** Elasticsearch's bulk body: actions and documents in order, odd ones kept with their flaw; and the reply to it. Knows nothing of HTTP. */
import type { Flaw, RawRecord } from "@vedette/model";
import { badJson, flawedRecord, rawRecord, tooDeepFlaw } from "./batch.ts";
import { scanValue, skipSpace, tooDeep } from "./json_scan.ts";

type Action = "create" | "index" | "update" | "delete";

export interface BulkItem {
  readonly action: Action;
  readonly index: string;
  readonly id: string | undefined;
  /** 201 or 409 once accepted; 400 where we do not do such a thing. */
  status: number;
  reason: string | undefined;
  readonly record: RawRecord;
}

export interface BulkOptions {
  /** Positions are `<token>:<n>`. */
  readonly token: string;
  /** Index of items that name none. */
  readonly index: string;
  readonly peer: string | undefined;
  readonly maxRecordBytes: number;
}

/** An action line says where a document goes: some short strings. */
const maxActionBytes = 8_192;
/** Elasticsearch takes ids of up to 512 bytes. */
const maxIdLength = 512;
/** The reply lists every item; senders put a few thousand in a bulk. */
export const maxBulkItems = 200_000;

const missingDocument: Flaw = { code: "bad_request", expected: "a document on the line after its action" };
const badAction: Flaw = { code: "bad_request", expected: 'an action line such as {"create":{}}' };
const unsupported: Flaw = { code: "bad_request", expected: "create or index: events are never changed or deleted by a sender" };

/**
 * Every action with its document, in order. Blank lines are skipped (rsyslog sends them), the last line end may be missing;
 * a document or action that cannot be understood becomes a flawed record and an item like any other. Undefined: more than `maxBulkItems`.
 */
export function parseBulk(body: Buffer, options: BulkOptions): BulkItem[] | undefined {
  const items: BulkItem[] = [];
  const lines = new Lines(body);
  let line = lines.next();
  while (line !== undefined) {
    if (items.length >= maxBulkItems) return undefined;
    const position = `${options.token}:${items.length}`;
    const meta = actionOf(line);
    let document = meta?.action === "delete" ? undefined : lines.next();
    let next: Buffer | undefined;
    // An action where a document should be: the document was lost, the action was not.
    if (document !== undefined && actionOf(document) !== undefined) {
      next = document;
      document = undefined;
    }
    items.push(itemOf(line, meta, document, position, options));
    line = next ?? lines.next();
  }
  return items;
}

function itemOf(line: Buffer, meta: Meta | undefined, document: Buffer | undefined, position: string, options: BulkOptions): BulkItem {
  const action = meta?.action ?? "create";
  const index = meta?.index ?? options.index;
  const id = meta?.id;
  if (action === "update" || action === "delete") {
    const record = kept(position, document ?? line, unsupported, options);
    return { action, index, id, status: 400, reason: `${action} is not supported: ${unsupported.expected}`, record };
  }
  const flaw = meta === undefined ? badAction : document === undefined ? missingDocument : documentFlaw(document);
  if (flaw === undefined && document!.length <= options.maxRecordBytes) {
    // without an id of its own a document is known by its whole request's hash: the same request sent again is a repeat
    const record = rawRecord(position, document!, undefined, id === undefined ? position : `${index}/${id}`, options.peer);
    return { action, index, id, status: 201, reason: undefined, record };
  }
  // Of a pair without a readable action both lines are kept; they stand next to each other in the body.
  const bytes = meta === undefined && document !== undefined ? Buffer.concat([line, Buffer.from("\n"), document]) : (document ?? line);
  return { action, index, id, status: 201, reason: undefined, record: kept(position, bytes, flaw, options) };
}

/** One document by itself, as `_doc` takes it. */
export function documentRecord(position: string, body: Buffer, id: string | undefined, options: BulkOptions): RawRecord {
  const start = skipSpace(body, 0, body.length);
  const flaw = start === body.length ? missingDocument : documentFlaw(body);
  if (flaw === undefined && body.length <= options.maxRecordBytes) return rawRecord(position, body, undefined, id, options.peer);
  return kept(position, body, flaw, options);
}

const kept = (position: string, bytes: Buffer, flaw: Flaw | undefined, options: BulkOptions): RawRecord =>
  flawedRecord(position, bytes, flaw, options.maxRecordBytes, options.peer);

function documentFlaw(document: Buffer): Flaw | undefined {
  const start = skipSpace(document, 0, document.length);
  const end = scanValue(document, start, document.length);
  if (end === tooDeep) return tooDeepFlaw;
  return document[start] === 0x7b && end > 0 && skipSpace(document, end, document.length) === document.length ? undefined : badJson;
}

interface Meta {
  readonly action: Action;
  readonly index: string | undefined;
  readonly id: string | undefined;
}
const actions: ReadonlySet<string> = new Set<Action>(["create", "index", "update", "delete"]);
/** Everything an action may say about its document (Elasticsearch 8 reference, and `_type` of the time before). */
const metaKeys: ReadonlySet<string> = new Set([
  "_index",
  "_id",
  "_type",
  "routing",
  "_routing",
  "pipeline",
  "require_alias",
  "require_data_stream",
  "list_executed_pipelines",
  "dynamic_templates",
  "op_type",
  "version",
  "version_type",
  "if_seq_no",
  "if_primary_term",
  "retry_on_conflict",
  "_source",
]);
const firstLetters = /^\s{0,16}\{\s{0,16}"(?:create|index|update|delete)"/;

/** Undefined if the line is no action. */
function actionOf(line: Buffer): Meta | undefined {
  if (line.length > maxActionBytes || !firstLetters.test(line.toString("latin1", 0, 64)) || documentFlaw(line) !== undefined)
    return undefined;
  const parsed = JSON.parse(line.toString()) as { [key: string]: unknown };
  const [action, ...others] = Object.keys(parsed);
  const value = action === undefined ? undefined : parsed[action];
  if (action === undefined || others.length > 0 || !actions.has(action) || typeof value !== "object" || value === null) return undefined;
  if (!Object.keys(value).every((key) => metaKeys.has(key))) return undefined;
  const { _index: index, _id: id } = value as { readonly _index?: unknown; readonly _id?: unknown };
  return { action: action as Action, index: shortText(index), id: shortText(id) };
}

function shortText(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" && value.length <= maxIdLength ? value : undefined;
}

/** Lines with something in them, without their ends. */
class Lines {
  readonly #body: Buffer;
  #at = 0;
  constructor(body: Buffer) {
    this.#body = body;
  }
  next(): Buffer | undefined {
    while (this.#at < this.#body.length) {
      const found = this.#body.indexOf(0x0a, this.#at);
      const end = found < 0 ? this.#body.length : found;
      const stop = end > this.#at && this.#body[end - 1] === 0x0d ? end - 1 : end;
      const line = this.#body.subarray(this.#at, stop);
      this.#at = end + 1;
      if (skipSpace(line, 0, line.length) < line.length) return line;
    }
    return undefined;
  }
}

/** The reply, one entry an item in order; as short as `filter_path` wants it, for Fluent Bit reads at most 512 KB. */
export function bulkReply(items: readonly BulkItem[], took_ms: number, filterPath: string | null): string {
  const wanted = wantedPaths(filterPath);
  const reply: { [key: string]: unknown } = {};
  if (wanted("took")) reply.took = took_ms;
  if (wanted("errors")) reply.errors = items.some((item) => item.status !== 201);
  const listed = items.flatMap((item) => {
    const entry: { [key: string]: unknown } = {};
    const full = { _index: item.index, _id: item.id ?? item.record.position, status: item.status, ...errorOf(item) };
    for (const [key, value] of Object.entries(full)) if (wanted("items", item.action, key)) entry[key] = value;
    return Object.keys(entry).length === 0 ? [] : [{ [item.action]: entry }];
  });
  // Filtered replies leave out what is empty.
  if (listed.length > 0 || filterPath === null) reply.items = listed;
  return JSON.stringify(reply);
}

function errorOf(item: BulkItem): { readonly error?: object } {
  if (item.status === 201) return {};
  if (item.status !== 409) return { error: { type: "illegal_argument_exception", reason: item.reason } };
  return { error: { type: "version_conflict_engine_exception", reason: `[${item.id}]: version conflict, document already exists` } };
}

/** Most patterns of one `filter_path`; senders use three. */
const maxPatterns = 32;

/** Elasticsearch's `filter_path` for the paths we have: names and `*`, one a segment; a shorter pattern means everything below. */
function wantedPaths(filterPath: string | null): (...path: readonly string[]) => boolean {
  if (filterPath === null || filterPath === "") return () => true;
  const patterns = filterPath
    .split(",", maxPatterns)
    .map((pattern) => pattern.trim().split(".", 4))
    .filter(([first]) => !first!.startsWith("-"));
  if (patterns.length === 0) return () => true;
  const fits = (pattern: readonly string[], path: readonly string[]) =>
    pattern[0] === "**" ||
    path.every((name, i) => pattern[i] === undefined || pattern[i] === "*" || pattern[i] === "**" || pattern[i] === name);
  return (...path) => patterns.some((pattern) => fits(pattern, path));
}
