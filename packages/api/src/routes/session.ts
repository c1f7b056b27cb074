/** Logging in and out. Knows no token's content. */
import { callerOf, sessionOf } from "@vedette/access";
import { z } from "zod";
import { refuseIfTooMany, sessionCookie } from "../guard.ts";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { type App, failures, type RouteContext } from "./context.ts";

/** The console's own page for the admin token. */
const signIn = "/sign-in";
const token = z.string().min(1).max(512).describe("As the terminal or `admin.token` shows it.");

export function loginRoute(app: App, { options, clock, failures: limit }: RouteContext): void {
  app.route({
    method: "GET",
    url: "/login",
    config: { access: "open", audit: { action: "login" } },
    schema: {
      summary: "Log in with a one-time token; sets the session cookie and leads to the console.",
      tags: ["session"],
      querystring: z.strictObject({ token: token.optional() }),
      response: { 303: z.null().describe("Logged in, or on to the sign-in page."), 401: schemas.problem, 429: schemas.problem },
    },
    handler: async (request, reply) => {
      if (request.query.token === undefined) {
        request.told = undefined; // nobody tried to log in
        return reply.code(303).header("location", signIn).send(null);
      }
      const session = await options.auth.login(request.query.token);
      if (session === undefined) {
        refuseIfTooMany(limit, request, reply, clock.now());
        // a person who reloads a used link gets a form, a script gets the reason
        request.told = { ...request.told, "event.outcome": "failure" };
        if ((request.headers.accept ?? "").includes("text/html")) return reply.code(303).header("location", signIn).send(null);
        throw new ApiProblem(401, "unauthorised", "this link was used already or has expired; the terminal has a new one");
      }
      request.told = { ...request.told, "user.name": "admin" };
      reply.header("set-cookie", sessionCookie(session, options.https !== undefined)).header("cache-control", "no-store");
      return reply.code(303).header("location", "/").send(null);
    },
  });
}

export function sessionRoutes(app: App, { options, clock, failures: limit }: RouteContext): void {
  const secure = options.https !== undefined;
  app.route({
    method: "POST",
    url: "/session",
    config: { access: "open", audit: { action: "login" } },
    schema: {
      summary: "Log in with the admin token; sets the session cookie.",
      tags: ["session"],
      body: z.strictObject({ token }),
      response: { 204: z.null().describe("Logged in."), ...failures, 429: schemas.problem },
    },
    handler: async (request, reply) => {
      const session = await options.auth.loginWithToken(request.body.token);
      if (session === undefined) {
        refuseIfTooMany(limit, request, reply, clock.now());
        throw new ApiProblem(401, "unauthorised", "this is not the admin token");
      }
      request.told = { ...request.told, "user.name": "admin" };
      return reply.code(204).header("set-cookie", sessionCookie(session, secure)).header("cache-control", "no-store").send(null);
    },
  });
  app.route({
    method: "GET",
    url: "/session",
    config: { permission: "own" },
    schema: {
      summary: "Who is logged in.",
      tags: ["session"],
      response: { 200: z.object({ user: z.string() }), ...failures },
    },
    handler: async ({ principal }) => ({ user: callerOf(principal) }),
  });
  app.route({
    method: "DELETE",
    url: "/session",
    config: { permission: "own", audit: { action: "logout" } },
    schema: { summary: "Log out.", tags: ["session"], response: { 204: z.null().describe("Logged out."), ...failures } },
    handler: async ({ principal }, reply) => {
      const session = sessionOf(principal);
      if (session !== undefined) await options.auth.logout(session);
      return reply
        .code(204)
        .header("set-cookie", sessionCookie("", secure, 0))
        .send(null);
    },
  });
}
