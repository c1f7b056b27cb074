/** What may be permitted, and why somebody may or may not do something. Decides nothing. */
import { callerOf, explain, grantsFor, mayFully, type Principal, permissions, roles, viewOf } from "@vedette/access";
import type { Readable } from "@vedette/condition";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { type App, failures, type RouteContext } from "./context.ts";

const permission = z.enum(permissions);

export function accessRoutes(app: App, context: RouteContext): void {
  app.route({
    method: "GET",
    url: "/access/roles",
    config: { permission: "own" },
    schema: {
      summary: "The roles, and what each permits.",
      tags: ["access"],
      response: {
        200: z.object({ roles: z.array(z.object({ role: z.string(), permissions: z.array(permission).readonly() })) }),
        ...failures,
      },
    },
    handler: async () => ({ roles: Object.entries(roles).map(([role, of]) => ({ role, permissions: of })) }),
  });
  app.route({
    method: "GET",
    url: "/access/explain",
    config: { permission: "own" },
    schema: {
      summary: "Whether somebody may do something, and which grant, role, scope or condition decides. Of others it needs users:read.",
      tags: ["access"],
      querystring: z.strictObject({
        user: z.string().min(1).max(200).optional().describe("Name of a user; yourself where absent."),
        action: permission.describe("The permission."),
        resource: schemas.id.optional().describe("Id of an event or alert that you may see."),
      }),
      response: {
        200: z.object({ user: z.string(), action: permission, allowed: z.boolean(), because: z.array(z.string()).readonly() }),
        ...failures,
        404: schemas.problem,
      },
    },
    handler: async (request) => {
      const { action, resource } = request.query;
      const who = whose(request, context);
      const found = resource === undefined ? undefined : await resourceOf(resource, request, context);
      const { allowed, because } = explain(who, action, context.tenant, found?.event);
      const answer = { user: callerOf(who), action };
      if (found?.alert === undefined || !allowed) return { ...answer, allowed, because };
      const view = viewOf(grantsFor(who, action, context.tenant));
      const seen = await context.options.store.alerts.get(context.tenant, found.alert, view);
      const decided = view === undefined ? [] : [seen ? "an event of its evidence is seen" : "no event of its evidence is seen"];
      return { ...answer, allowed: seen !== undefined, because: [...decided, ...because] };
    },
  });
}

function whose({ principal, query }: FastifyRequest, { options: { auth }, tenant }: RouteContext): Principal {
  const { user } = query as { readonly user?: string };
  if (principal === undefined) throw new ApiProblem(401, "unauthorised", "a token or session is needed");
  if (user === undefined || user === callerOf(principal)) return principal;
  if (!mayFully(principal, "users:read", tenant)) throw new ApiProblem(403, "forbidden", "users:read is needed to ask about others");
  const named = auth.people.users.ofName(user);
  if (named === undefined) throw new ApiProblem(404, "not_found", `user: there is nobody named ${user.slice(0, 80)}`);
  return { kind: "user", id: named.id, name: named.name, grants: named.disabled ? [] : named.grants, by: "session" };
}

/** An event or alert, as far as who asks may see it: an explanation tells nobody of what is not there for them. */
async function resourceOf(
  id: string,
  { principal }: FastifyRequest,
  { options: { store }, tenant }: RouteContext,
): Promise<{ readonly event?: Readable; readonly alert?: string }> {
  const grants = (of: "events:read" | "alerts:read") => (principal === undefined ? [] : grantsFor(principal, of, tenant));
  if (grants("events:read").length > 0) {
    const [event] = await store.events.get(tenant, [id], undefined, viewOf(grants("events:read")));
    if (event !== undefined) return { event };
  }
  if (grants("alerts:read").length > 0 && (await store.alerts.get(tenant, id, viewOf(grants("alerts:read")))) !== undefined)
    return { alert: id };
  throw new ApiProblem(404, "not_found", "resource: there is no event or alert with this id");
}
