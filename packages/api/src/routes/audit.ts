/** Reading the audit trail, and its newest signed head. Nothing of it can be changed here. */
import { z } from "zod";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

const record = z.object({
  n: z.number().describe("Number in the chain, from 0."),
  time: z.string(),
  hash: z.string().describe("SHA-256 of the record's header, base64url."),
  fields: z.record(z.string(), z.unknown()).optional().describe("What was done, in ECS; absent where it was erased."),
  erased: z.object({ by: z.string(), reason: z.string(), time: z.string() }).optional(),
});
const head = z.object({
  chain: z.string(),
  n: z.number(),
  hash: z.string(),
  time: z.number().describe("Microseconds since 1970."),
  since: z.string().optional(),
  key: z.string(),
  signature: z.string(),
});

export function auditRoutes(app: App, { options: { audit } }: RouteContext): void {
  if (audit === undefined) return;
  app.route({
    method: "GET",
    url: "/audit",
    config: { permission: "audit:read", audit: { action: "audit_read" } },
    schema: {
      summary: "The audit trail, newest first: sign-ins, refusals, changes, sensitive reads.",
      tags: ["audit"],
      querystring: z.strictObject({
        limit: schemas.limit(50),
        before: z.coerce.number().int().min(0).optional().describe("Only records with a smaller number: the `next` of the page before."),
      }),
      response: { 200: z.object({ records: z.array(record), next: z.number().optional() }), ...failures },
    },
    handler: async (request) => {
      const { limit, before } = request.query;
      const found = await audit.newest(limit, before);
      request.told = { ...request.told, "vedette.audit.rows": found.length };
      const last = found.at(-1);
      const records = found.map(({ n, time, hash, fields, erased }) => ({
        n,
        time: formatTime(time),
        hash,
        ...(fields && { fields }),
        ...(erased && { erased: { ...erased, time: formatTime(erased.time) } }),
      }));
      return { records, ...(last !== undefined && last.n > 0 && { next: last.n }) };
    },
  });
  app.route({
    method: "GET",
    url: "/audit/head",
    config: { permission: "audit:read" },
    schema: {
      summary: "The newest head of the audit trail, signed now: kept elsewhere, it shows later what was cut off or rewritten.",
      tags: ["audit"],
      response: { 200: head, ...failures },
    },
    handler: async () => audit.head(),
  });
}
