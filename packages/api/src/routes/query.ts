/** The query language over the store: tables from pipes, checking while typing, names to complete. */
import { parseQuery, type Query, suggestField } from "@vedette/condition";
import type { Event, FieldValue } from "@vedette/model";
import type { SeenQuery } from "@vedette/store";
import { z } from "zod";
import { ApiProblem } from "../problems.ts";
import { fieldsOf, maskedIn, narrow, reachOf, readQuery } from "../read_query.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";
import { rangeOf } from "./events.ts";

/** Rows of an answer. */
const maxRows = 1_000;
/** What a filter alone shows. */
const plainColumns = ["@timestamp", "host.name", "event.dataset", "message"];

export function queryRoutes(app: App, context: RouteContext): void {
  const { clock, bounded, fields } = context;
  app.route({
    method: "GET",
    url: "/query",
    config: { permission: "events:read", confined: true, audit: { action: "events_searched" } },
    schema: {
      summary: "Run a query with pipes; the answer is a table.",
      tags: ["query"],
      querystring: z.strictObject({ q: schemas.queryText, ...schemas.range }),
      response: { 200: schemas.table, ...failures, 504: schemas.problem },
    },
    handler: async (request, reply) => {
      const { q, from, to } = request.query;
      const written = readQuery(q);
      const { where, range } = narrow(written.where, rangeOf({ from, to }, clock.now()));
      const query = { ...written, where };
      const asked = { ...reachOf(request, context.tenant, where), range, where };
      const table = await bounded(reply, (signal) => (query.stats === undefined ? list : sums)(context, query, asked, signal));
      request.auditFields = { ...request.auditFields, "vedette.audit.query": q ?? "", "vedette.audit.rows": table.rows.length };
      const named = [...(query.stats?.by ?? []), ...(query.stats?.aggregates ?? []).flatMap((one) => one.field ?? [])];
      return { ...table, ...maskedIn(request.view, where, named) };
    },
  });

  app.route({
    method: "GET",
    url: "/query/check",
    config: { permission: "events:read", confined: true },
    schema: {
      summary: "Whether a query reads, and where it does not.",
      tags: ["query"],
      querystring: z.strictObject({ q: schemas.queryText }),
      response: { 200: schemas.check, ...failures },
    },
    handler: async ({ query: { q }, view }, reply) => {
      const result = parseQuery(q);
      if (!result.ok) return result;
      const { masked } = maskedIn(view, result.query.where);
      if (masked !== undefined)
        return { ok: true as const, warning: `masked for you, so nothing is found by it: ${masked.join(", ").slice(0, 200)}` };
      const known = await bounded(reply, (signal) => fields.list(signal, view));
      const unknown = fieldsOf(result.query.where).find((one) => !known.includes(one));
      const suggestion = unknown === undefined ? undefined : suggestField(unknown, known);
      if (unknown === undefined || suggestion === undefined) return { ok: true as const };
      return { ok: true as const, warning: `no recent event has a field ${unknown.slice(0, 100)}`, suggestion };
    },
  });

  app.route({
    method: "GET",
    url: "/fields",
    config: { permission: "events:read", confined: true },
    schema: {
      summary: "Names of fields that events carry.",
      tags: ["query"],
      response: { 200: z.object({ fields: z.array(z.string()).readonly() }), ...failures },
    },
    handler: async ({ view }, reply) => ({ fields: await bounded(reply, (signal) => fields.list(signal, view)) }),
  });
}

type Table = { readonly columns: readonly string[]; readonly rows: readonly (readonly FieldValue[])[] };

async function sums({ options }: RouteContext, query: Query, asked: SeenQuery, signal: AbortSignal): Promise<Table> {
  const { aggregates, by } = query.stats!;
  if ((query.sort?.length ?? 0) > 1) throw new ApiProblem(400, "query_invalid", "q: sort by one column");
  const sort = query.sort?.[0];
  const found = await options.store.events.stats(
    {
      ...asked,
      aggregates,
      by,
      ...(sort && { sort }),
      limit: Math.min(query.head ?? maxRows, maxRows),
    },
    signal,
  );
  const columns = query.fields ?? [...by, ...aggregates.map((one) => one.as)];
  return { columns, rows: found.map((row) => columns.map((column) => row[column] ?? null)) };
}

async function list({ options, fields }: RouteContext, query: Query, asked: SeenQuery, signal: AbortSignal): Promise<Table> {
  const sort = query.sort?.[0];
  if (sort !== undefined && (query.sort!.length > 1 || sort.by !== "@timestamp"))
    throw new ApiProblem(400, "query_invalid", "q: events sort by @timestamp only; other orders need `stats`");
  const { events } = await options.store.events.search(
    {
      ...asked,
      limit: Math.min(query.head ?? 100, maxRows),
      oldestFirst: sort !== undefined && !sort.descending,
    },
    signal,
  );
  if (asked.view === undefined) fields.learn(events);
  const columns = query.fields ?? plainColumns;
  const cell = (event: Event, column: string): FieldValue => {
    if (column === "@timestamp") return formatTime(event.time);
    return event.fields[column] ?? (column === "message" ? event.original : column === "host.name" ? event.host : null);
  };
  return { columns, rows: events.map((event) => columns.map((column) => cell(event, column))) };
}
