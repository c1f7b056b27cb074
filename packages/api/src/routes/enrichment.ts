/** What is added to events and what users' pipelines do to them: looking, changing, and revealing pseudonyms. What may be done is theirs to decide. */
import { callerOf } from "@vedette/access";
import type { EnricherLine, TableRef } from "@vedette/model";
import { z } from "zod";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

/** An inventory of 100,000 hosts has some 20 MB. */
const inventoryBodyLimit = 64 * 1_048_576;
const previewBodyLimit = 4 * 1_048_576;

const reason = z.string().trim().min(1).max(1_000);
const why = reason.describe("Why; kept for ever.");
const byId = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9_]{1,64}$/)
    .describe("The enricher's name."),
});
const table = z.object({
  hash: z.string(),
  bytes: z.number(),
  rows: z.number(),
  at: z.string().describe("RFC 3339: in force since."),
  by: z.string(),
  file: z.string().optional(),
});
const enricher = z.object({
  name: z.string(),
  summary: z.string(),
  state: z.enum(["running", "off", "waiting", "broken"]),
  reason: z.string().optional(),
  inventory: z.boolean().describe("Whether its table may be put through the API."),
  table: table.optional(),
});
const loss = z.object({ id: z.string(), title: z.string(), how: z.string() });
const pipeline = z.object({
  name: z.string(),
  file: z.string(),
  steps: z.array(z.object({ name: z.string(), does: z.string(), dropped: z.number() })).readonly(),
  cases: z.number(),
  failing: z.number(),
});
const fields = z.record(z.string(), z.unknown());
const pair = z.tuple([z.string(), z.string()]).readonly().describe("Before and after.");
const preview = z.object({
  events: z.number(),
  from: z.string().optional(),
  to: z.string().optional(),
  dropped: z.record(z.string(), z.number()),
  changed: z.number(),
  examples: z
    .array(
      z.object({
        id: z.string(),
        time: z.string(),
        source: z.string(),
        dropped: z.string().optional(),
        before: fields,
        after: fields,
        original: pair.optional(),
        class: pair.optional(),
      }),
    )
    .readonly(),
  refused: z.array(z.string()).readonly(),
  losses: z.array(loss).readonly(),
});

const tableRow = (one: TableRef) => ({ ...one, at: formatTime(one.at) });
const enricherRow = ({ table: content, ...rest }: EnricherLine) => ({ ...rest, ...(content && { table: tableRow(content) }) });

export function enrichmentRoutes(app: App, context: RouteContext): void {
  const { runtime } = context.options;
  const enrichment = () => {
    if (runtime.enrichment === undefined) throw new ApiProblem(404, "not_found", "nothing is added to events here");
    return runtime.enrichment;
  };
  app.route({
    method: "GET",
    url: "/enrichers",
    config: { permission: "system:read" },
    schema: {
      summary: "What is added to events: every enricher with its state and the table it looks things up in.",
      tags: ["enrichment"],
      response: { 200: z.object({ enrichers: z.array(enricher) }), ...failures },
    },
    handler: async () => ({ enrichers: (runtime.enrichment?.lines() ?? []).map(enricherRow) }),
  });
  app.addContentTypeParser("text/csv", { parseAs: "buffer", bodyLimit: inventoryBodyLimit }, (_request, body, done) => done(null, body));
  app.route({
    method: "PUT",
    url: "/inventory/:id",
    config: { permission: "system:write", audit: { action: "inventory_put", id: "vedette.audit.inventory" } },
    bodyLimit: inventoryBodyLimit,
    schema: {
      summary: "A new version of an inventory, CSV (text/csv) or a JSON array of objects; in force for what is taken in from now on.",
      tags: ["enrichment"],
      params: byId,
      querystring: z.strictObject({ reason: reason.optional().describe("Why; kept for ever.") }),
      body: z.unknown(),
      response: { 200: table, ...failures, 404: schemas.problem, 409: schemas.problem, 413: schemas.problem },
    },
    handler: async (request) => {
      const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.from(JSON.stringify(request.body ?? null));
      const who = { by: callerOf(request.principal), reason: request.query.reason ?? "a new version" };
      return tableRow(await enrichment().put(request.params.id, bytes, who));
    },
  });
  app.route({
    method: "DELETE",
    url: "/inventory/:id",
    config: { permission: "system:write", audit: { action: "inventory_removed", id: "vedette.audit.inventory" } },
    schema: {
      summary: "Take an inventory out of force.",
      tags: ["enrichment"],
      params: byId,
      querystring: z.strictObject({ reason: reason.optional().describe("Why; kept for ever.") }),
      response: { 204: z.null().describe("Gone."), ...failures, 404: schemas.problem, 409: schemas.problem },
    },
    handler: async (request, reply) => {
      await enrichment().remove(request.params.id, { by: callerOf(request.principal), reason: request.query.reason ?? "removed" });
      return reply.code(204).send(null);
    },
  });
  app.route({
    method: "POST",
    url: "/enrichers/reload",
    config: { permission: "system:write", audit: { action: "tables_reloaded", shows: ["reason"] } },
    schema: {
      summary: "Read the files of inventories and databases again.",
      tags: ["enrichment"],
      body: z.strictObject({ reason: why }),
      response: { 200: z.object({ changed: z.array(z.string()).readonly() }), ...failures, 404: schemas.problem },
    },
    handler: async (request) => ({ changed: await enrichment().reload({ by: callerOf(request.principal), reason: request.body.reason }) }),
  });
  pipelineRoutes(app, context);
}

function pipelineRoutes(app: App, { options: { runtime }, bounded }: RouteContext): void {
  const { pipelines } = runtime;
  if (pipelines === undefined) return;
  app.route({
    method: "GET",
    url: "/pipelines",
    config: { permission: "system:read" },
    schema: {
      summary: "The pipelines that events go through, what each step left out, and the rules that lose their data to them.",
      tags: ["pipelines"],
      response: { 200: z.object({ pipelines: z.array(pipeline).readonly(), losses: z.array(loss).readonly() }), ...failures },
    },
    handler: async () => ({ pipelines: await pipelines.lines(), losses: await pipelines.losses() }),
  });
  app.route({
    method: "POST",
    url: "/pipelines/preview",
    config: { permission: "events:read", audit: { action: "pipelines_previewed" } },
    bodyLimit: previewBodyLimit,
    schema: {
      summary: "What pipelines would do to the newest 1,000 stored events. Changes nothing.",
      tags: ["pipelines"],
      body: z.strictObject({
        files: z
          .array(z.strictObject({ file: z.string().min(1).max(400), text: z.string().max(1_048_576) }))
          .min(1)
          .max(100),
      }),
      response: { 200: preview, ...failures },
    },
    handler: async ({ body }, reply) => {
      const { from, to, examples, ...rest } = await bounded(reply, (signal) => pipelines.preview(body.files, signal));
      return {
        ...rest,
        ...(from === undefined ? {} : { from: formatTime(from) }),
        ...(to === undefined ? {} : { to: formatTime(to) }),
        examples: examples.map((one) => ({ ...one, time: formatTime(one.time) })),
      };
    },
  });
  app.route({
    method: "POST",
    url: "/pipelines/reload",
    config: { permission: "system:write", audit: { action: "pipelines_reloaded", shows: ["reason", "yes"] } },
    schema: {
      summary: "Read the pipelines' files again, unless rules would lose their data.",
      tags: ["pipelines"],
      body: z.strictObject({ reason: why, yes: z.boolean().default(false).describe("Although rules lose their data.") }),
      response: {
        200: z.object({ blocked: z.array(z.string()).readonly(), changed: z.boolean(), losses: z.array(loss).readonly() }),
        ...failures,
      },
    },
    handler: (request) => pipelines.reload({ by: callerOf(request.principal), reason: request.body.reason }, request.body.yes),
  });
  app.route({
    method: "POST",
    url: "/reveal",
    config: { permission: "pseudonyms:reveal", audit: { action: "pseudonym_revealed", shows: ["pseudonym", "reason"] } },
    schema: {
      summary: "The text behind a pseudonym. Who asked and why is on record before it is told.",
      tags: ["pipelines"],
      body: z.strictObject({ pseudonym: z.string().min(4).max(25_000), reason: why }),
      response: { 200: z.object({ text: z.string() }), ...failures, 404: schemas.problem, 409: schemas.problem },
    },
    handler: async (request) => ({
      text: await pipelines.reveal(request.body.pseudonym, { by: callerOf(request.principal), reason: request.body.reason }),
    }),
  });
}
