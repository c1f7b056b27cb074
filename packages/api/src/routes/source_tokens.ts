/** Tokens of sources: make, list, take back. */
import { z } from "zod";
import type { SourceToken } from "../access/source_tokens.ts";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

/** As sources are named in the configuration and in `/ingest/NAME`. */
export const sourceName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, "expected letters, digits, . _ - (at most 128)");
/** A sender of a million a second has several tokens. */
const perSecond = (what: string) =>
  z.int().min(1).max(10_000_000_000).optional().describe(`Most ${what} a second, on average over ten; what is over is told to wait.`);
const quota = { events_per_second: perSecond("events"), bytes_per_second: perSecond("bytes of records") };
const listed = z.object({ id: z.string(), source: z.string(), created: z.string(), ...quota });

const shown = ({ id, source, created, quota: limits }: SourceToken) => ({
  id,
  source,
  created: formatTime(created),
  ...(limits?.eventsPerSecond === undefined ? {} : { events_per_second: limits.eventsPerSecond }),
  ...(limits?.bytesPerSecond === undefined ? {} : { bytes_per_second: limits.bytesPerSecond }),
});

export function sourceTokenRoutes(app: App, { options: { auth } }: RouteContext): void {
  app.route({
    method: "GET",
    url: "/source-tokens",
    config: { permission: "sources:read" },
    schema: {
      summary: "Tokens of sources, without their secrets.",
      tags: ["sources"],
      response: { 200: z.object({ tokens: z.array(listed) }), ...failures },
    },
    handler: async () => ({ tokens: auth.sources.list().map(shown) }),
  });
  app.route({
    method: "POST",
    url: "/source-tokens",
    config: { permission: "sources:write", audit: { action: "token_created", shows: ["source"] } },
    schema: {
      summary: "Make a token that may ingest for one source and nothing else; the answer shows it for the only time.",
      tags: ["sources"],
      body: z.strictObject({ source: sourceName, ...quota }),
      response: { 201: listed.extend({ token: z.string() }), ...failures, 409: schemas.problem },
    },
    handler: async (request, reply) => {
      request.auditFields = { ...request.auditFields, "user.target.roles": ["source"] };
      const { source, events_per_second, bytes_per_second } = request.body;
      const limits = {
        ...(events_per_second === undefined ? {} : { eventsPerSecond: events_per_second }),
        ...(bytes_per_second === undefined ? {} : { bytesPerSecond: bytes_per_second }),
      };
      const made = await auth.sources.issue(source, Object.keys(limits).length === 0 ? undefined : limits);
      if (made === undefined) throw new ApiProblem(409, "conflict", "there are 10,000 tokens already; revoke some first");
      return reply
        .code(201)
        .header("cache-control", "no-store")
        .send({ ...shown(made), token: made.token });
    },
  });
  app.route({
    method: "DELETE",
    url: "/source-tokens/:id",
    config: { permission: "sources:write", audit: { action: "token_revoked", id: "vedette.audit.token" } },
    schema: {
      summary: "Take a source's token back, at once.",
      tags: ["sources"],
      params: z.strictObject({ id: z.string().max(64).describe("As a list gives it.") }),
      response: { 204: z.null().describe("Revoked."), ...failures, 404: schemas.problem },
    },
    handler: async ({ params }, reply) => {
      if (!(await auth.sources.revoke(params.id))) throw new ApiProblem(404, "not_found", `no token ${params.id.slice(0, 64)}`);
      return reply.code(204).send(null);
    },
  });
}
