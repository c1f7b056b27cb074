/** People: made, changed, disabled, their passwords reset and their sessions ended, by whoever administers them. Knows no proof. */
import { grantsSchema, type User } from "@vedette/access";
import type { Micros } from "@vedette/model";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { cookieSession } from "../guard.ts";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { type App, failures, type RouteContext } from "./context.ts";
import { displayName, email, personName, sessions, shownSessions, shownUser, user } from "./people.ts";

const byId = z.strictObject({ id: schemas.id });
const withPassword = z.object({
  user,
  initial_password: z.string().optional().describe("Good for three days, and to be changed at the first sign-in; shown this once."),
});
const mayClash = { ...failures, 404: schemas.problem, 409: schemas.problem };
const changeable = {
  name: personName.optional(),
  display_name: displayName.optional(),
  email: email.optional(),
  grants: grantsSchema.optional(),
  disabled: z.boolean().optional().describe("Whether they may not sign in; ends their sessions."),
};

export function userRoutes(app: App, context: RouteContext): void {
  const { people } = context.options.auth;
  const find = (id: string): User => {
    const found = people.users.ofId(id);
    if (found === undefined) throw new ApiProblem(404, "not_found", "there is nobody with this id");
    return found;
  };
  /** What the trail shows of a change. */
  const recordTarget = (request: FastifyRequest, target: User, more: { readonly [field: string]: string } = {}) => {
    request.auditFields = { ...request.auditFields, "user.target.name": target.name, ...more };
  };

  app.route({
    method: "GET",
    url: "/users",
    config: { permission: "users:read" },
    schema: {
      summary: "People, by name.",
      tags: ["users"],
      response: { 200: z.object({ users: z.array(user) }), ...failures },
    },
    handler: async () => ({ users: people.users.list().map((one) => shownUser(one, context)) }),
  });
  app.route({
    method: "GET",
    url: "/users/:id",
    config: { permission: "users:read" },
    schema: { summary: "Somebody.", tags: ["users"], params: byId, response: { 200: user, ...failures, 404: schemas.problem } },
    handler: async ({ params }) => shownUser(find(params.id), context),
  });
  app.route({
    method: "POST",
    url: "/users",
    config: { permission: "users:write", audit: { action: "user_created", shows: ["name", "grants"] } },
    schema: {
      summary: "Add somebody; the answer shows a first password for the only time.",
      tags: ["users"],
      body: z.strictObject({
        name: personName,
        display_name: displayName.optional(),
        email: email.optional(),
        grants: grantsSchema.describe("What they may do; nothing where it is empty."),
        oidc: z
          .strictObject({ issuer: z.url().max(500), subject: z.string().min(1).max(255) })
          .optional()
          .describe("They sign in by the OpenID provider, and get no password."),
      }),
      response: { 201: withPassword, ...failures, 409: schemas.problem },
    },
    handler: async (request, reply) => {
      const { name, display_name, email: mail, grants: given, oidc } = request.body;
      const made = await people.users.create({
        name,
        grants: given,
        ...(display_name && { displayName: display_name }),
        ...(mail && { email: mail }),
        ...(oidc && { oidc }),
      });
      recordTarget(request, made);
      reply.code(201).header("cache-control", "no-store");
      if (oidc !== undefined) return { user: shownUser(made, context) };
      const { user: ready, password } = await people.credentials.reset(made.id);
      return { user: shownUser(ready, context), initial_password: password };
    },
  });
  app.route({
    method: "PATCH",
    url: "/users/:id",
    config: { permission: "users:write", audit: { action: "user_changed" } },
    schema: {
      summary: "Change somebody; other grants end their sessions.",
      tags: ["users"],
      params: byId,
      body: z.strictObject(changeable),
      response: { 200: user, ...mayClash },
    },
    handler: async (request) => {
      const before = find(request.params.id);
      const { body } = request;
      const taken = body.name !== undefined && body.name !== before.name && people.users.ofName(body.name) !== undefined;
      if (taken) throw new ApiProblem(409, "conflict", `name: there is somebody named ${body.name} already`);
      const after = await people.users.change(before.id, (now) => changed(now, body, context.clock.now()));
      recordTarget(request, after, {
        "vedette.audit.before": JSON.stringify(auditedUser(before)),
        "vedette.audit.after": JSON.stringify(auditedUser(after)),
      });
      return shownUser(after, context);
    },
  });
  app.route({
    method: "DELETE",
    url: "/users/:id",
    config: { permission: "users:write", audit: { action: "user_deleted" } },
    schema: {
      summary: "Remove somebody; what they did stays in the audit trail. The last administrator stays.",
      tags: ["users"],
      params: byId,
      response: { 204: z.null().describe("Removed."), ...mayClash },
    },
    handler: async (request, reply) => {
      const removed = await people.users.remove(find(request.params.id).id);
      await people.sessions.endOf(removed.id);
      recordTarget(request, removed, { "vedette.audit.before": JSON.stringify(auditedUser(removed)) });
      return reply.code(204).send(null);
    },
  });
  app.route({
    method: "POST",
    url: "/users/:id/reset",
    config: { permission: "users:write", audit: { action: "user_reset" } },
    schema: {
      summary: "Give somebody a first password again, and take their one-time codes off; ends their sessions.",
      tags: ["users"],
      params: byId,
      body: z.strictObject({ keep_totp: z.boolean().default(false).describe("Leave the one-time codes set up.") }).prefault({}),
      response: { 200: withPassword, ...mayClash },
    },
    handler: async (request, reply) => {
      const target = find(request.params.id);
      if (target.oidc !== undefined)
        throw new ApiProblem(409, "conflict", `${target.name} signs in by the OpenID provider and has no password here`);
      const { user: after, password } = await people.credentials.reset(target.id, request.body.keep_totp);
      recordTarget(request, after);
      reply.header("cache-control", "no-store");
      return { user: shownUser(after, context), initial_password: password };
    },
  });
  sessionsOfUsers(app, context, find);
}

function sessionsOfUsers(app: App, context: RouteContext, find: (id: string) => User): void {
  const { people } = context.options.auth;
  app.route({
    method: "GET",
    url: "/sessions",
    config: { permission: "users:read" },
    schema: { summary: "Everybody's sessions, newest first.", tags: ["users"], response: { 200: sessions, ...failures } },
    handler: async (request) => shownSessions(people.sessions.list(), cookieSession(request), context),
  });
  app.route({
    method: "DELETE",
    url: "/sessions/:id",
    config: { permission: "users:write", audit: { action: "session_revoked", id: "vedette.audit.session" } },
    schema: {
      summary: "End anybody's session, at once.",
      tags: ["users"],
      params: byId,
      response: { 204: z.null().describe("Ended."), ...failures, 404: schemas.problem },
    },
    handler: async (request, reply) => {
      const [ended] = await people.sessions.end([request.params.id]);
      if (ended === undefined) throw new ApiProblem(404, "not_found", "there is no session with this id");
      request.auditFields = { ...request.auditFields, "user.target.name": people.users.ofId(ended.person)?.name ?? "admin" };
      return reply.code(204).send(null);
    },
  });
  app.route({
    method: "GET",
    url: "/users/:id/sessions",
    config: { permission: "users:read" },
    schema: {
      summary: "Somebody's sessions, newest first.",
      tags: ["users"],
      params: byId,
      response: { 200: sessions, ...failures, 404: schemas.problem },
    },
    handler: async (request) => shownSessions(people.sessions.list(find(request.params.id).id), cookieSession(request), context),
  });
  app.route({
    method: "DELETE",
    url: "/users/:id/sessions",
    config: { permission: "users:write", audit: { action: "sessions_revoked" } },
    schema: {
      summary: "End all sessions of somebody, at once.",
      tags: ["users"],
      params: byId,
      response: { 204: z.null().describe("Ended."), ...failures, 404: schemas.problem },
    },
    handler: async (request, reply) => {
      const target = find(request.params.id);
      await people.sessions.endOf(target.id);
      request.auditFields = { ...request.auditFields, "user.target.name": target.name };
      return reply.code(204).send(null);
    },
  });
}

/** Other  or none at all any more, are for whoever signs in afterwards. */
function changed(now: User, body: z.output<z.ZodObject<typeof changeable>>, at: Micros): User {
  const { name = now.name, display_name, email: mail, grants: given = now.grants, disabled = now.disabled } = body;
  const { displayName: _, email: __, ...rest } = now;
  const [displayed = now.displayName, mailed = now.email] = [display_name, mail];
  const other = JSON.stringify(given) !== JSON.stringify(now.grants) || disabled !== now.disabled;
  return {
    ...rest,
    name,
    ...(displayed && { displayName: displayed }),
    ...(mailed && { email: mailed }),
    grants: given,
    disabled,
    // whoever is let in again makes new keys
    ...(disabled && !now.disabled && { keysSince: at }),
    epoch: now.epoch + (other ? 1 : 0),
  };
}

const auditedUser = ({ name, grants: given, disabled, email: mail }: User) => ({
  name,
  grants: given,
  disabled,
  ...(mail && { email: mail }),
});
