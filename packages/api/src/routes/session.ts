/** Signing in and out, by browser and by program. Knows no token's content. */
import { callerOf, grantsSchema, nobody, permissionsOf, sessionOf } from "@vedette/access";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { cookieSession, isSecure, refuseIfTooMany, sessionCookie } from "../guard.ts";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";
import { duty, giveCookie, password, placeOf, refuseAttempt, totpCode } from "./people.ts";

/** The console's own page for signing in. */
export const signInPage = "/sign-in";
const token = z.string().min(1).max(512).describe("As the terminal or `admin.token` shows it.");
const recovery = z.string().min(1).max(64).describe("A recovery code, in the place of a one-time code.");
const byName = {
  name: z.string().min(1).max(256).describe("Somebody's name."),
  password,
  totp: totpCode.optional(),
  recovery: recovery.optional(),
};
const credentials = z.union([z.strictObject({ token }), z.strictObject(byName)], {
  error: "expected token; or name and password, with totp or recovery where one-time codes are set up",
});
const signedIn = { 401: schemas.problem, 429: schemas.problem };

export function loginRoute(app: App, context: RouteContext): void {
  const { options, counters } = context;
  app.route({
    method: "GET",
    url: "/login",
    config: { access: "open", audit: { action: "login" } },
    schema: {
      summary: "Log in with a one-time token; sets the session cookie and leads to the console.",
      tags: ["session"],
      querystring: z.strictObject({ token: token.optional() }),
      response: { 303: z.null().describe("Logged in, or on to the sign-in page."), ...signedIn },
    },
    handler: async (request, reply) => {
      if (request.query.token === undefined) {
        request.auditFields = undefined; // nobody tried to log in
        return reply.code(303).header("location", signInPage).send(null);
      }
      const opened = await options.auth.login(request.query.token, placeOf(request));
      if (opened === undefined) {
        await refuseIfTooMany(counters, request, reply);
        // a person who reloads a used link gets a form, a script gets the reason
        request.auditFields = { ...request.auditFields, "event.outcome": "failure" };
        if ((request.headers.accept ?? "").includes("text/html")) return reply.code(303).header("location", signInPage).send(null);
        throw new ApiProblem(401, "unauthorised", "this link was used already or has expired; the terminal has a new one");
      }
      request.auditFields = { ...request.auditFields, "user.name": "admin" };
      await endBefore(request, context);
      return giveCookie(reply, opened.secret, context).code(303).header("location", "/").send(null);
    },
  });
}

/** A browser that signs in again leaves its former session: nobody who knew that one is in the new one. */
export async function endBefore(request: FastifyRequest, { options }: RouteContext): Promise<void> {
  const before = cookieSession(request);
  if (before !== undefined) await options.auth.people.sessions.end([before]);
}

/** Opens a session for whoever proves a name. @throws ApiProblem 401, 429 */
async function openByName(
  request: FastifyRequest & { readonly body: z.output<z.ZodObject<typeof byName>> },
  reply: FastifyReply,
  kind: "browser" | "client",
  { options }: RouteContext,
) {
  const { signIn, users } = options.auth.people;
  const attempt = await signIn.attempt({ ...request.body, address: request.ip });
  // a password typed in the place of a name is not written down
  const name = users.ofName(request.body.name)?.name;
  request.auditFields = { ...request.auditFields, ...(name !== undefined && { "user.name": name }) };
  if ("refused" in attempt) {
    if (attempt.refused === "second_factor") request.auditFields = undefined;
    refuseAttempt(attempt, reply);
  }
  const opened = await options.auth.people.open({ person: attempt.user.id, kind, by: attempt.by, ...placeOf(request) });
  request.auditFields = { ...request.auditFields, "vedette.audit.by": attempt.by };
  return opened;
}

export function sessionRoutes(app: App, context: RouteContext): void {
  const { options, counters } = context;
  const secure = isSecure(options);
  app.route({
    method: "POST",
    url: "/session",
    config: { access: "open", audit: { action: "login" } },
    schema: {
      summary: "Log in with the admin token, or with name and password; sets the session cookie.",
      description: "`second_factor_needed`: the password was right; send it again with totp or recovery.",
      tags: ["session"],
      body: credentials,
      response: { 204: z.null().describe("Logged in."), ...failures, 429: schemas.problem },
    },
    handler: async (request, reply) => {
      const { body } = request;
      if (!("token" in body)) {
        const { secret } = await openByName(Object.assign(request, { body }), reply, "browser", context);
        await endBefore(request, context);
        return giveCookie(reply, secret, context).code(204).send(null);
      }
      const opened = await options.auth.loginWithToken(body.token, placeOf(request));
      if (opened === undefined) {
        await refuseIfTooMany(counters, request, reply);
        throw new ApiProblem(401, "unauthorised", "this is not the admin token");
      }
      request.auditFields = { ...request.auditFields, "user.name": "admin" };
      await endBefore(request, context);
      return giveCookie(reply, opened.secret, context).code(204).send(null);
    },
  });
  app.route({
    method: "GET",
    url: "/session",
    config: { permission: "own" },
    schema: {
      summary: "Who is logged in, and what they may do.",
      tags: ["session"],
      response: { 200: whoIs, ...failures },
    },
    handler: async ({ principal }) => {
      const { people } = options.auth;
      const session = people.sessions.alive(sessionOf(principal) ?? nobody);
      const user = principal?.kind === "user" ? people.users.ofId(principal.id) : undefined;
      const must = user && people.dutyOf(user, session);
      return {
        user: callerOf(principal),
        kind: user === undefined ? ("shared" as const) : ("user" as const),
        ...(user && { id: user.id }),
        ...(user?.displayName && { display_name: user.displayName }),
        grants: principal?.kind === "user" || principal?.kind === "shared" ? principal.grants : [],
        permissions: principal === undefined ? [] : permissionsOf(principal, context.tenant),
        ...(must && { duty: must }),
        ...(session && { session: { id: session.id, by: session.by, expires: formatTime(session.expires) } }),
      };
    },
  });
  app.route({
    method: "DELETE",
    url: "/session",
    config: { permission: "own", audit: { action: "logout" } },
    schema: { summary: "Log out.", tags: ["session"], response: { 204: z.null().describe("Logged out."), ...failures } },
    handler: async ({ principal }, reply) => {
      const session = sessionOf(principal);
      if (session !== undefined) await options.auth.people.sessions.end([session]);
      return reply
        .code(204)
        .header("set-cookie", sessionCookie("", secure, 0))
        .send(null);
    },
  });
  tokenRoutes(app, context);
}

const whoIs = z.object({
  user: z.string().describe("A name; admin for the shared admin token."),
  kind: z.enum(["user", "shared"]),
  id: z.string().optional(),
  display_name: z.string().optional(),
  grants: grantsSchema,
  permissions: z.array(z.string()).readonly().describe("Everything they may do, if perhaps not with everything."),
  duty: duty.optional(),
  session: z.object({ id: z.string(), by: z.string(), expires: z.string() }).optional().describe("Absent for keys and the admin token."),
});

const tokens = z.object({
  access_token: z.string().describe("For `Authorization: Bearer …`."),
  token_type: z.literal("Bearer"),
  expires_in: z.number().describe("Seconds."),
  refresh_token: z.string().describe("Good once, for the next pair; shown twice, it ends both."),
});
const refreshToken = z.strictObject({ refresh_token: z.string().min(1).max(200).describe("The newest.") });

/** Access tokens for programs that sign in by name, as RFC 6749 calls its parts. */
function tokenRoutes(app: App, context: RouteContext): void {
  const { people } = context.options.auth;
  const { counters } = context;
  const pair = async (opened: Awaited<ReturnType<typeof people.open>>): Promise<z.input<typeof tokens>> => ({
    access_token: await people.tokens.issue(opened.session.person, opened.session.id),
    token_type: "Bearer",
    expires_in: people.tokens.lifetime / 1_000_000,
    refresh_token: opened.secret,
  });
  app.route({
    method: "POST",
    url: "/token",
    config: { access: "open", audit: { action: "login" } },
    schema: {
      summary: "Sign in a program by name: an access token for a while, and a refresh token for the next.",
      tags: ["session"],
      body: z.strictObject(byName),
      response: { 200: tokens, ...failures, 429: schemas.problem },
    },
    handler: async (request, reply) => {
      const opened = await openByName(request, reply, "client", context);
      reply.header("cache-control", "no-store");
      return await pair(opened);
    },
  });
  app.route({
    method: "POST",
    url: "/token/refresh",
    config: { access: "open", audit: { action: "token_refreshed" } },
    schema: {
      summary: "Give a refresh token for the next pair of tokens.",
      description: "A refresh token that was used before was stolen, or this one was: its session ends, for whoever has the newest too.",
      tags: ["session"],
      body: refreshToken,
      response: { 200: tokens, ...failures, 429: schemas.problem },
    },
    handler: async (request, reply) => {
      const renewed = await people.sessions.refresh(request.body.refresh_token);
      if (renewed === undefined || renewed === "reused") {
        await refuseIfTooMany(counters, request, reply);
        if (renewed === "reused")
          request.auditFields = { ...request.auditFields, "event.reason": "a refresh token was shown twice; its session has ended" };
        throw new ApiProblem(401, "unauthorised", "refresh_token: it is not good, or was used before; sign in again");
      }
      request.auditFields = { ...request.auditFields, "user.name": people.users.ofId(renewed.session.person)?.name ?? "admin" };
      reply.header("cache-control", "no-store");
      return await pair(renewed);
    },
  });
  app.route({
    method: "POST",
    url: "/token/revoke",
    config: { access: "open", audit: { action: "logout" } },
    schema: {
      summary: "End what a refresh token belongs to, its access tokens too.",
      tags: ["session"],
      body: refreshToken,
      response: { 204: z.null().describe("It is good for nothing now, whatever it was."), ...failures },
    },
    handler: async (request, reply) => {
      const session = people.sessions.ofRefreshToken(request.body.refresh_token);
      if (session !== undefined) await people.sessions.end([session.id]);
      request.auditFields = { ...request.auditFields, "user.name": people.users.ofId(session?.person ?? nobody)?.name ?? "unknown" };
      return reply.code(204).send(null);
    },
  });
}

/** Outside the API: where RFC 8615 has it. */
export function keySetRoute(app: App, { options }: RouteContext): void {
  app.route({
    method: "GET",
    url: "/.well-known/jwks.json",
    config: { access: "open" },
    schema: {
      summary: "The public keys by which access tokens are checked, RFC 7517; none where they are signed with a shared secret.",
      tags: ["session"],
      response: { 200: z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string(), alg: z.string() })) }) },
    },
    handler: async (_, reply) => {
      reply.header("cache-control", "max-age=300");
      return options.auth.people.tokens.keySet() as never;
    },
  });
}
