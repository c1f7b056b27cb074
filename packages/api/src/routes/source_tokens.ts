/** Tokens of sources: make, list, take back. */
import { z } from "zod";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

/** As sources are named in the configuration and in `/ingest/NAME`. */
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, "expected letters, digits, . _ - (at most 128)");
const listed = z.object({ id: z.string(), source: z.string(), created: z.string() });

export function sourceTokenRoutes(app: App, { options: { auth } }: RouteContext): void {
  app.route({
    method: "GET",
    url: "/source-tokens",
    schema: {
      summary: "Tokens of sources, without their secrets.",
      tags: ["sources"],
      response: { 200: z.object({ tokens: z.array(listed) }), ...failures },
    },
    handler: async () => ({ tokens: auth.sources.list().map((one) => ({ ...one, created: formatTime(one.created) })) }),
  });
  app.route({
    method: "POST",
    url: "/source-tokens",
    config: { audit: { action: "token_created", shows: ["source"] } },
    schema: {
      summary: "Make a token that may ingest for one source and nothing else; the answer shows it for the only time.",
      tags: ["sources"],
      body: z.strictObject({ source: name }),
      response: { 201: listed.extend({ token: z.string() }), ...failures, 409: schemas.problem },
    },
    handler: async (request, reply) => {
      request.told = { ...request.told, "user.target.roles": ["source"] };
      const made = await auth.sources.issue(request.body.source);
      if (made === undefined) throw new ApiProblem(409, "conflict", "there are 10,000 tokens already; revoke some first");
      return reply
        .code(201)
        .header("cache-control", "no-store")
        .send({ ...made, created: formatTime(made.created) });
    },
  });
  app.route({
    method: "DELETE",
    url: "/source-tokens/:id",
    config: { audit: { action: "token_revoked", id: "vedette.audit.token" } },
    schema: {
      summary: "Take a source's token back, at once.",
      tags: ["sources"],
      params: z.strictObject({ id: z.string().max(64) }),
      response: { 204: z.null().describe("Revoked."), ...failures, 404: schemas.problem },
    },
    handler: async ({ params }, reply) => {
      if (!(await auth.sources.revoke(params.id))) throw new ApiProblem(404, "not_found", `no token ${params.id.slice(0, 64)}`);
      return reply.code(204).send(null);
    },
  });
}
