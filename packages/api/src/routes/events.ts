/** Searching events: pages, histogram, most frequent values. */

import { always } from "@vedette/condition";
import { auditTenant } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { EventStore, TimeRange } from "@vedette/store";
import { z } from "zod";
import { eventRow } from "../present.ts";
import { ApiProblem } from "../problems.ts";
import { maskedIn, narrow, reachOf, readFilter, readsAudit } from "../read_query.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

const answers = { ...failures, 504: schemas.problem };
const day: Micros = 86_400_000_000;
/** Clocks ahead of ours are clamped to half a minute on arrival; this includes them. */
const ahead: Micros = 60_000_000;

/** Half-open; everything up to now where not given. */
export function rangeOf({ from, to }: { from?: Micros | undefined; to?: Micros | undefined }, now: Micros): TimeRange {
  const range = { from: from ?? 0, to: to ?? now + ahead };
  if (range.to <= range.from) throw new ApiProblem(400, "bad_request", "`from` must lie before `to`");
  return range;
}

/** What an answer lacks while a restore is bringing events back. */
async function restoringIn({ status }: RouteContext, { from, to }: TimeRange) {
  const { restoring } = await status.get();
  if (restoring === undefined || restoring.oldest >= formatTime(to) || restoring.newest < formatTime(from)) return {};
  return { restoring };
}

export function eventRoutes(app: App, context: RouteContext): void {
  const { options, tenant, clock, bounded, fields } = context;
  const { events } = options.store;

  app.route({
    method: "GET",
    url: "/events",
    config: { permission: "events:read", confined: true, audit: { action: "events_searched" } },
    schema: {
      summary: "Events that match a filter, newest first unless asked otherwise.",
      tags: ["events"],
      querystring: z.strictObject({
        q: schemas.queryText,
        ...schemas.range,
        limit: schemas.limit(100),
        cursor: schemas.cursor,
        order: z.enum(["desc", "asc"]).default("desc").describe("desc: newest first."),
      }),
      response: { 200: schemas.eventPage, ...answers },
    },
    handler: async (request, reply) => {
      const { q, from, to, limit, cursor, order } = request.query;
      const filter = readFilter(q);
      const query = {
        ...reachOf(request, tenant, filter),
        ...narrow(filter, rangeOf({ from, to }, clock.now())),
        limit,
        oldestFirst: order === "asc",
        ...(cursor !== undefined && { cursor }),
      };
      const page = await bounded(reply, (signal) => events.search(query, signal));
      if (request.view === undefined) fields.learn(page.events);
      request.auditFields = { ...request.auditFields, "vedette.audit.query": q ?? "", "vedette.audit.rows": page.events.length };
      return {
        events: page.events.map(eventRow),
        ...(page.cursor !== undefined && { cursor: page.cursor }),
        ...maskedIn(request.view, filter),
        ...(await restoringIn(context, query.range)),
      };
    },
  });

  app.route({
    method: "GET",
    url: "/events/:id",
    config: { permission: "events:read", confined: true },
    schema: {
      summary: "One event.",
      tags: ["events"],
      params: z.object({ id: schemas.id }),
      response: { 200: schemas.event, ...answers, 404: schemas.problem },
    },
    handler: async ({ params, principal, view }, reply) => {
      const [event] = await bounded(reply, async () => {
        const found = await events.get(tenant, [params.id], undefined, view);
        return found.length > 0 || !readsAudit(principal, tenant) ? found : events.get(auditTenant(tenant), [params.id], undefined, view);
      });
      if (event === undefined) throw new ApiProblem(404, "not_found", "there is no such event");
      return eventRow(event);
    },
  });
  countRoutes(app, context);
}

/** When the first event was that who asks may see. */
async function oldestOf(events: EventStore, reach: ReturnType<typeof reachOf>, now: Micros): Promise<Micros | undefined> {
  if (reach.view === undefined) return (await events.usage()).oldest;
  const query = { ...reach, range: { from: 0, to: now + ahead }, where: always, limit: 1, oldestFirst: true };
  return (await events.search(query)).events[0]?.time;
}

function countRoutes(app: App, { options, tenant, clock, bounded }: RouteContext): void {
  const { events } = options.store;

  app.route({
    method: "GET",
    url: "/events/histogram",
    config: { permission: "events:read", confined: true },
    schema: {
      summary: "Counts over time; empty buckets are left out.",
      tags: ["events"],
      querystring: z.strictObject({ q: schemas.queryText, ...schemas.range, buckets: schemas.limit(120) }),
      response: { 200: schemas.histogram, ...answers },
    },
    handler: async (request, reply) => {
      const { q, from, to, buckets } = request.query;
      const now = clock.now();
      const filter = readFilter(q);
      const reach = reachOf(request, tenant, filter);
      const oldest = from ?? (await oldestOf(events, reach, now)) ?? now - day;
      const { where, range } = narrow(filter, rangeOf({ from: from ?? Math.min(oldest, (to ?? now) - 1), to: to ?? now }, now));
      // whole milliseconds, so that `width_ms` is exact
      const width = Math.max(1_000, Math.ceil((range.to - range.from) / buckets / 1_000) * 1_000);
      const found = await bounded(reply, (signal) => events.histogram({ ...reach, range, where, width }, signal));
      return {
        width_ms: width / 1_000,
        from: formatTime(range.from),
        to: formatTime(range.to),
        total: found.reduce((sum, one) => sum + one.count, 0),
        buckets: found.map(({ start, count }) => ({ start: formatTime(start), count })),
        ...maskedIn(request.view, where),
      };
    },
  });

  app.route({
    method: "GET",
    url: "/events/top",
    config: { permission: "events:read", confined: true },
    schema: {
      summary: "The most frequent values of a field.",
      tags: ["events"],
      querystring: z.strictObject({
        q: schemas.queryText,
        ...schemas.range,
        field: z.string().min(1).max(200).describe("ECS name."),
        limit: schemas.limit(10),
      }),
      response: { 200: schemas.top, ...answers },
    },
    handler: async (request, reply) => {
      const { q, from, to, field, limit } = request.query;
      const filter = readFilter(q);
      const query = { ...reachOf(request, tenant, filter), ...narrow(filter, rangeOf({ from, to }, clock.now())), field, limit };
      const having = { ...query, aggregates: [{ fn: "count" as const, field, as: "n" }], by: [] };
      const [values, [row]] = await bounded(reply, (signal) => Promise.all([events.top(query, signal), events.stats(having, signal)]));
      return { field, total: Number(row?.["n"] ?? 0), values, ...maskedIn(request.view, filter, [field]) };
    },
  });
}
