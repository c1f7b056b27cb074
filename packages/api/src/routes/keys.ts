/** API keys: one's own, and for administrators those of others. What a key may do is its owner's, at the moment of use. */
import { type ApiKey, defaultDays, maxDays, type Permission, type Principal, permissions } from "@vedette/access";
import { z } from "zod";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

const key = z
  .object({
    id: z.string(),
    name: z.string().describe("What it is for."),
    scope: z.array(z.enum(permissions)).readonly().describe("What it may do at most."),
    created: z.string(),
    expires: z.string(),
    used: z.string().optional().describe("When it was last asked with, to the hour."),
  })
  .meta({ id: "ApiKey" });
const keys = z.object({ keys: z.array(key).readonly() });
const gone = { 204: z.null().describe("Revoked."), ...failures, 404: schemas.problem };

const row = ({ owner: _, created, expires, used, ...rest }: ApiKey) => ({
  ...rest,
  created: formatTime(created),
  expires: formatTime(expires),
  ...(used !== undefined && { used: formatTime(used) }),
});
/** Whose a caller's keys are; the shared admin token's are nobody's in particular. */
const ownerOf = (principal: Principal | undefined): string => (principal?.kind === "user" ? principal.id : "");

export function keyRoutes(app: App, { options: { auth } }: RouteContext): void {
  const revoke = async (owner: string, id: string) => {
    if (!(await auth.keys.revoke(owner, id))) throw new ApiProblem(404, "not_found", "there is no such key");
  };
  app.route({
    method: "GET",
    url: "/keys",
    config: { permission: "own" },
    schema: { summary: "Your own keys, without their secrets.", tags: ["keys"], response: { 200: keys, ...failures } },
    handler: async ({ principal }) => ({ keys: auth.keys.list(ownerOf(principal)).map(row) }),
  });
  app.route({
    method: "POST",
    url: "/keys",
    config: { permission: "own", audit: { action: "key_created", shows: ["name", "scope", "days"] } },
    schema: {
      summary: "Make a key for a program; the answer shows it for the only time.",
      tags: ["keys"],
      body: z.strictObject({
        name: z.string().trim().min(1).max(100).describe("What it is for."),
        scope: z.array(z.enum(permissions)).min(1).max(permissions.length).describe("What it may do; no more than you may."),
        days: z.int().min(1).max(maxDays).default(defaultDays).describe("Days until it ends."),
      }),
      response: { 201: key.extend({ token: z.string().describe("The key.") }), ...failures, 409: schemas.problem },
    },
    handler: async ({ principal, body }, reply) => {
      const { token, ...made } = await auth.keys.create(ownerOf(principal), body as { name: string; scope: Permission[]; days: number });
      return reply
        .code(201)
        .header("cache-control", "no-store")
        .send({ ...row(made), token });
    },
  });
  app.route({
    method: "DELETE",
    url: "/keys/:id",
    config: { permission: "own", audit: { action: "key_revoked", id: "vedette.audit.key" } },
    schema: { summary: "Take a key of yours back, at once.", tags: ["keys"], params: z.strictObject({ id: schemas.id }), response: gone },
    handler: async ({ principal, params }, reply) => {
      await revoke(ownerOf(principal), params.id);
      return reply.code(204).send(null);
    },
  });
  app.route({
    method: "GET",
    url: "/users/:id/keys",
    config: { permission: "users:read" },
    schema: {
      summary: "Somebody's keys, without their secrets.",
      tags: ["keys"],
      params: z.strictObject({ id: schemas.id }),
      response: { 200: keys, ...failures },
    },
    handler: async ({ params }) => ({ keys: auth.keys.list(params.id).map(row) }),
  });
  app.route({
    method: "DELETE",
    url: "/users/:id/keys/:key",
    config: { permission: "users:write", audit: { action: "key_revoked", id: "user.target.id" } },
    schema: {
      summary: "Take somebody's key back, at once.",
      tags: ["keys"],
      params: z.strictObject({ id: schemas.id, key: schemas.id }),
      response: gone,
    },
    handler: async (request, reply) => {
      const { id, key: revoked } = request.params;
      request.auditFields = { ...request.auditFields, "vedette.audit.key": revoked };
      await revoke(id, revoked);
      return reply.code(204).send(null);
    },
  });
}
