/** Legal holds: which there are, putting one on a case, and releasing it. What a hold keeps is the store's to see to. */
import { callerOf } from "@vedette/access";
import { z } from "zod";
import type { Hold } from "../erasure/holds.ts";
import { ApiProblem } from "../problems.ts";
import { readFilter } from "../read_query.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

const reason = z.string().trim().min(1).max(1_000).describe("Why; kept with the hold and in the audit trail.");
const done = { by: z.string(), at: z.string(), reason: z.string() };
const hold = z
  .object({
    id: z.string(),
    ...done,
    alerts: z.array(z.string()).readonly(),
    q: z.string().optional(),
    from: z.string().optional(),
    to: z.string().optional(),
    released: z.object(done).optional().describe("Absent: in force."),
  })
  .meta({ id: "Hold" });
const byId = z.object({ id: schemas.id });

function row({ id, by, at, reason: why, alerts, query, released }: Hold) {
  return {
    id,
    by,
    at: formatTime(at),
    reason: why,
    alerts,
    ...(query && { q: query.q, from: formatTime(query.range.from), to: formatTime(query.range.to) }),
    ...(released && { released: { ...released, at: formatTime(released.at) } }),
  };
}

export function holdRoutes(app: App, { options: { holds } }: RouteContext): void {
  if (holds === undefined) return;
  app.route({
    method: "GET",
    url: "/holds",
    config: { permission: "holds:read" },
    schema: {
      summary: "Legal holds, newest first, the released ones too.",
      tags: ["holds"],
      response: { 200: z.object({ holds: z.array(hold).readonly() }), ...failures },
    },
    handler: async () => ({ holds: (await holds.list()).map(row) }),
  });
  app.route({
    method: "POST",
    url: "/holds",
    config: { permission: "holds:write", audit: { action: "hold_added", shows: ["alerts", "q", "from", "to", "reason"] } },
    schema: {
      summary: "Keep the events of a case whatever their age, until the hold is released.",
      tags: ["holds"],
      body: z.strictObject({
        alerts: z.array(schemas.id).max(100).default([]).describe("Their evidence, and what it gains."),
        q: z.string().max(4_096).optional().describe("What this filter finds between from and to, whenever it comes in."),
        ...schemas.range,
        reason,
      }),
      response: { 201: hold, ...failures, 404: schemas.problem, 409: schemas.problem },
    },
    handler: async (request, reply) => {
      const { alerts, q, from, to, reason: why } = request.body;
      if (q !== undefined) {
        readFilter(q);
        if (from === undefined || to === undefined || from >= to)
          throw new ApiProblem(400, "bad_request", "q: a query needs a range: from, and to after it");
      } else if (from !== undefined || to !== undefined) throw new ApiProblem(400, "bad_request", "from and to belong to q");
      const query = q === undefined ? {} : { query: { q, range: { from: from!, to: to! } } };
      const made = await holds.add({ alerts, ...query }, { by: callerOf(request.principal), reason: why });
      request.auditFields = { ...request.auditFields, "vedette.audit.hold": made.id };
      return reply.code(201).send(row(made));
    },
  });
  app.route({
    method: "POST",
    url: "/holds/:id/release",
    config: { permission: "holds:write", audit: { action: "hold_released", id: "vedette.audit.hold", shows: ["reason"] } },
    schema: {
      summary: "Let retention have the events of a case again.",
      tags: ["holds"],
      params: byId,
      body: z.strictObject({ reason }),
      response: { 200: hold, ...failures, 404: schemas.problem, 409: schemas.problem },
    },
    handler: async ({ params, body, principal }) => row(await holds.release(params.id, { by: callerOf(principal), reason: body.reason })),
  });
}
