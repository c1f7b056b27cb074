/** What somebody who is signed in does about themselves: profile, password, one-time codes, sessions. Knows nobody else. */
import { sessionOf, type User } from "@vedette/access";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { cookieSession } from "../guard.ts";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { type App, failures, type RouteContext } from "./context.ts";
import {
  displayName,
  email,
  giveCookie,
  password,
  recoveryCodes,
  refuseAttempt,
  sessions,
  shownSessions,
  shownUser,
  totpCode,
  user,
} from "./people.ts";

const current = z.strictObject({ password: password.describe("The present one, once more.") });
const answers = { ...failures, 409: schemas.problem, 429: schemas.problem };

export function meRoutes(app: App, context: RouteContext): void {
  const { people } = context.options.auth;
  app.route({
    method: "GET",
    url: "/me",
    config: { permission: "own" },
    schema: { summary: "Whoever asks, as they are known here.", tags: ["me"], response: { 200: user, ...failures, 409: schemas.problem } },
    handler: async (request) => shownUser(self(request, context), context),
  });
  app.route({
    method: "PATCH",
    url: "/me",
    config: { permission: "own", audit: { action: "profile_changed" } },
    schema: {
      summary: "Change one's own profile.",
      tags: ["me"],
      body: z.strictObject({ display_name: displayName.optional(), email: email.optional() }),
      response: { 200: user, ...failures, 409: schemas.problem },
    },
    handler: async (request) => {
      const { display_name, email: mail } = request.body;
      const after = await people.users.change(self(request, context).id, ({ displayName: called, email: mailed, ...rest }) => ({
        ...rest,
        ...((display_name ?? called) && { displayName: display_name ?? called! }),
        ...((mail ?? mailed) && { email: mail ?? mailed! }),
      }));
      return shownUser(after, context);
    },
  });
  app.route({
    method: "POST",
    url: "/me/password",
    config: { permission: "own", audit: { action: "password_changed" } },
    schema: {
      summary: "Change one's own password; ends all one's sessions but this one.",
      tags: ["me"],
      body: current.extend({ new_password: password.describe("At least 12 characters, and none that are guessed first.") }),
      response: { 204: z.null().describe("Changed."), ...answers },
    },
    handler: async (request, reply) => {
      const { id } = await confirmed(request, reply, request.body.password, context);
      await people.credentials.setPassword(id, request.body.new_password);
      await renewed(request, reply, context);
      return reply.code(204).send(null);
    },
  });
  totpRoutes(app, context);
  ownSessions(app, context);
}

function totpRoutes(app: App, context: RouteContext): void {
  const { people } = context.options.auth;
  app.route({
    method: "POST",
    url: "/me/totp",
    config: { permission: "own", audit: { action: "totp_begun" } },
    schema: {
      summary: "Begin to set up one-time codes: the secret, and the link that a QR code shows to an authenticator app.",
      tags: ["me"],
      body: current,
      response: { 200: z.object({ secret: z.string().describe("Base32."), uri: z.string().describe("otpauth://totp/…") }), ...answers },
    },
    handler: async (request, reply) => {
      const { id } = await confirmed(request, reply, request.body.password, context);
      reply.header("cache-control", "no-store");
      return await people.credentials.beginTotp(id);
    },
  });
  app.route({
    method: "POST",
    url: "/me/totp/confirm",
    config: { permission: "own", audit: { action: "totp_enrolled" } },
    schema: {
      summary: "End the set-up with a first code; from now on one is asked for. Ends all one's sessions but this one.",
      tags: ["me"],
      body: z.strictObject({ code: totpCode }),
      response: { 200: z.object({ recovery_codes: recoveryCodes }), ...answers },
    },
    handler: async (request, reply) => {
      const { id } = self(request, context);
      const codes = await people.credentials.confirmTotp(id, request.body.code);
      if (codes === undefined)
        throw new ApiProblem(400, "bad_request", "body/code: this is not the present code of the set-up; look again, and at the clock");
      await renewed(request, reply, context);
      return { recovery_codes: codes };
    },
  });
  app.route({
    method: "POST",
    url: "/me/totp/disable",
    config: { permission: "own", audit: { action: "totp_disabled" } },
    schema: {
      summary: "Turn one's one-time codes off. Ends all one's sessions but this one.",
      tags: ["me"],
      body: current,
      response: { 204: z.null().describe("Off."), ...answers },
    },
    handler: async (request, reply) => {
      const { id } = await confirmed(request, reply, request.body.password, context);
      await people.credentials.dropTotp(id);
      await renewed(request, reply, context);
      return reply.code(204).send(null);
    },
  });
  app.route({
    method: "POST",
    url: "/me/recovery-codes",
    config: { permission: "own", audit: { action: "recovery_codes_renewed" } },
    schema: {
      summary: "New recovery codes; the old ones are good for nothing.",
      tags: ["me"],
      body: current,
      response: { 200: z.object({ recovery_codes: recoveryCodes }), ...answers },
    },
    handler: async (request, reply) => {
      const { id } = await confirmed(request, reply, request.body.password, context);
      reply.header("cache-control", "no-store");
      return { recovery_codes: await people.credentials.newRecovery(id) };
    },
  });
}

function ownSessions(app: App, context: RouteContext): void {
  const { people } = context.options.auth;
  app.route({
    method: "GET",
    url: "/me/sessions",
    config: { permission: "own" },
    schema: { summary: "One's own sessions, newest first.", tags: ["me"], response: { 200: sessions, ...failures, 409: schemas.problem } },
    handler: async (request) => shownSessions(people.sessions.list(self(request, context).id), sessionOf(request.principal), context),
  });
  app.route({
    method: "DELETE",
    url: "/me/sessions/:id",
    config: { permission: "own", audit: { action: "session_revoked", id: "vedette.audit.session" } },
    schema: {
      summary: "End one of one's own sessions.",
      tags: ["me"],
      params: z.strictObject({ id: schemas.id }),
      response: { 204: z.null().describe("Ended."), ...failures, 404: schemas.problem, 409: schemas.problem },
    },
    handler: async (request, reply) => {
      const { id } = self(request, context);
      const mine = people.sessions.list(id).find((one) => one.id === request.params.id);
      if (mine === undefined) throw new ApiProblem(404, "not_found", "there is no session of yours with this id");
      await people.sessions.end([mine.id]);
      return reply.code(204).send(null);
    },
  });
}

/** @throws ApiProblem 409 for whoever is nobody in particular */
function self({ principal }: FastifyRequest, { options }: RouteContext): User {
  const found = principal?.kind === "user" ? options.auth.people.users.ofId(principal.id) : undefined;
  if (found === undefined) throw new ApiProblem(409, "conflict", "the admin token is nobody in particular; sign in by name");
  return found;
}

/** Whoever sits at a browser that was left open does not know the password. @throws ApiProblem 400, 409, 429 */
async function confirmed(request: FastifyRequest, reply: FastifyReply, given: string, context: RouteContext): Promise<User> {
  const known = self(request, context);
  if (known.password === undefined)
    throw new ApiProblem(409, "conflict", "you sign in by the OpenID provider; passwords and codes are kept there");
  const attempt = await context.options.auth.people.signIn.confirm(known, given, request.ip);
  if (!("refused" in attempt)) return known;
  if (attempt.refused === "locked") refuseAttempt(attempt, reply);
  // no 401: the session is good
  throw new ApiProblem(400, "bad_request", "body/password: this is not your password");
}

/** Gives this browser a new session secret: everything else that was open has ended. */
async function renewed(request: FastifyRequest, reply: FastifyReply, context: RouteContext): Promise<void> {
  const session = cookieSession(request);
  const secret = session === undefined ? undefined : await context.options.auth.people.sessions.renew(session);
  if (secret !== undefined) giveCookie(reply, secret, context);
}
