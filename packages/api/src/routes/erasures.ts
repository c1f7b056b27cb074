/** Erasure for good: what one would come to, beginning one, and how those that were begun went. What is erased and in which order is not known here. */
import { callerOf } from "@vedette/access";
import { z } from "zod";
import type { Erasure, ErasureRequest } from "../erasure/erasures.ts";
import { ApiProblem } from "../problems.ts";
import { readFilter } from "../read_query.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

const counts = {
  events: z.number(),
  held: z.number().describe("Events that fit and stay, since a legal hold keeps them."),
  alerts: z.number().describe("Alerts that quoted some of it."),
  records: z.number().describe("Records of the audit trail; 0 unless audit was asked for."),
};
const preview = z.object({ ...counts, holds: z.array(schemas.id).readonly().describe("Legal holds that keep something of it.") });
const erasure = z
  .object({
    id: z.string(),
    at: z.string(),
    by: z.string(),
    reason: z.string(),
    from: z.string(),
    to: z.string(),
    audit: z.boolean(),
    digest: z.string().describe("SHA-256 of the question, hex: the question itself is forgotten once it is done."),
    state: z.enum(["running", "done", "failed"]),
    ended: z.string().optional(),
    ...counts,
    problem: z.string().optional(),
  })
  .meta({ id: "Erasure" });
const body = z.strictObject({
  q: z.string().min(1).max(4_096).describe("Whom or what, such as user.name:mallory."),
  ...schemas.range,
  audit: z.boolean().default(false).describe("Also records of the audit trail that fit: a signed tombstone stays in each place."),
  reason: z.string().trim().min(1).max(1_000).describe("Why; kept here, in tombstones and in the audit trail."),
});

function row({ id, at, by, reason, range, audit, digest, state, ended, events, held, alerts, records, problem }: Erasure) {
  return {
    ...{ id, at: formatTime(at), by, reason, from: formatTime(range.from), to: formatTime(range.to), audit, digest, state },
    ...(ended !== undefined && { ended: formatTime(ended) }),
    ...{ events, held, alerts, records },
    ...(problem !== undefined && { problem }),
  };
}

function asked({ q, from, to, audit, reason }: z.output<typeof body>, by: string): ErasureRequest {
  readFilter(q);
  if (from === undefined || to === undefined || from >= to)
    throw new ApiProblem(400, "bad_request", "from: expected a range: from, and to after it");
  return { q, range: { from, to }, audit, by, reason };
}

export function erasureRoutes(app: App, { options: { erasures }, bounded }: RouteContext): void {
  if (erasures === undefined) return;
  // the question names a person: what is on record is its digest
  const shows = ["from", "to", "audit", "reason"];
  app.route({
    method: "GET",
    url: "/erasures",
    config: { permission: "audit:read" },
    schema: {
      summary: "Erasures, newest first.",
      tags: ["erasures"],
      response: { 200: z.object({ erasures: z.array(erasure).readonly() }), ...failures },
    },
    handler: async () => ({ erasures: (await erasures.list()).map(row) }),
  });
  app.route({
    method: "POST",
    url: "/erasures/preview",
    config: { permission: "data:erase", audit: { action: "erasure_previewed", shows } },
    schema: {
      summary: "What an erasure would come to; changes nothing.",
      tags: ["erasures"],
      body,
      response: { 200: preview, ...failures, 504: schemas.problem },
    },
    handler: async ({ body: what, principal }, reply) =>
      bounded(reply, (signal) => erasures.preview(asked(what, callerOf(principal)), signal)),
  });
  app.route({
    method: "POST",
    url: "/erasures",
    config: { permission: "data:erase", audit: { action: "erasure_begun", shows } },
    schema: {
      summary: "Erase for good what is stored of somebody or something: events, what alerts quote of them, on demand audit records.",
      tags: ["erasures"],
      body,
      response: { 202: erasure, ...failures, 409: schemas.problem },
    },
    handler: async (request, reply) => {
      const made = await erasures.start(asked(request.body, callerOf(request.principal)));
      request.auditFields = { ...request.auditFields, "vedette.audit.erasure": made.id, "vedette.audit.digest": made.digest };
      return reply.code(202).send(row(made));
    },
  });
}
