/** Signing in and out by an OpenID provider, as the browser goes through it. Knows no claim. */
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { cookieSession, hostCookie, isSecure, sessionCookie, setHostCookie } from "../guard.ts";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { type App, failures, type RouteContext } from "./context.ts";
import { giveCookie, placeOf } from "./people.ts";
import { endBefore, signInPage } from "./session.ts";

/** Which browser began a sign-in. */
const bindingCookie = "vedette_oidc";
const answers = { ...failures, 404: schemas.problem };

export function oidcRoutes(app: App, context: RouteContext): void {
  const { options } = context;
  const secure = isSecure(options);
  const provider = () => {
    if (options.oidc === undefined) throw new ApiProblem(404, "not_found", "no OpenID provider is configured (access.oidc)");
    return options.oidc.provider;
  };
  app.route({
    method: "GET",
    url: "/oidc",
    config: { access: "open" },
    schema: {
      summary: "Whether people can sign in by an OpenID provider, for the sign-in page.",
      tags: ["session"],
      response: { 200: z.object({ available: z.boolean(), label: z.string().optional().describe("What the button says.") }), ...failures },
    },
    handler: async () => ({ available: options.oidc !== undefined, ...(options.oidc && { label: options.oidc.label }) }),
  });
  app.route({
    method: "GET",
    url: "/oidc/login",
    config: { access: "open" },
    schema: {
      summary: "Lead the browser to the provider.",
      tags: ["session"],
      querystring: z.strictObject({
        return: z
          .string()
          .max(2_000)
          .optional()
          .describe("Path of the console to lead to afterwards; any other address leads to its start."),
      }),
      response: { 303: z.null().describe("To the provider."), ...answers },
    },
    handler: async (request, reply) => {
      const { url, binding, lifetime_s } = await provider().begin(request.query.return);
      // Lax: it comes back by a link of the provider's page
      reply.header("set-cookie", setHostCookie(bindingCookie, binding, { secure, sameSite: "Lax", maxAge_s: lifetime_s }));
      return reply.code(303).header("cache-control", "no-store").header("location", url).send(null);
    },
  });
  app.route({
    method: "GET",
    url: "/oidc/callback",
    config: { access: "open", audit: { action: "login" } },
    schema: {
      summary: "Where the provider leads the browser back to; sets the session cookie.",
      tags: ["session"],
      querystring: z.looseObject({
        state: z.string().max(512).optional().describe("As the sign-in began."),
        code: z.string().max(4_096).optional().describe("The provider's."),
        iss: z.string().max(500).optional().describe("Who answers, RFC 9207."),
        error: z.string().max(200).optional().describe("Why not, RFC 6749."),
      }),
      response: { 303: z.null().describe("Signed in, or back to the sign-in page."), ...answers, 401: schemas.problem },
    },
    handler: async (request, reply) => {
      reply.header("cache-control", "no-store");
      const ended = await provider().end(queryOf(request), hostCookie(request, bindingCookie, secure));
      const forget = setHostCookie(bindingCookie, "", { secure, sameSite: "Lax", maxAge_s: 0 });
      if ("refused" in ended) {
        reply.header("set-cookie", forget);
        request.auditFields = { ...request.auditFields, "event.outcome": "failure", "event.reason": ended.refused };
        if ((request.headers.accept ?? "").includes("text/html"))
          return reply.code(303).header("location", `${signInPage}?refused=oidc`).send(null);
        throw new ApiProblem(401, "unauthorised", ended.refused);
      }
      const { people } = options.auth;
      const { secret } = await people.open({ person: ended.user.id, kind: "browser", by: "oidc", ...placeOf(request) });
      request.auditFields = { ...request.auditFields, "user.name": ended.user.name, "vedette.audit.by": "oidc" };
      await endBefore(request, context);
      giveCookie(reply, secret, context);
      return reply.header("set-cookie", forget).code(303).header("location", ended.returnTo).send(null);
    },
  });
  app.route({
    method: "POST",
    url: "/oidc/logout",
    config: { permission: "own", audit: { action: "logout" } },
    schema: {
      summary: "Log out here, and say where to log out at the provider.",
      tags: ["session"],
      response: { 200: z.object({ location: z.string().describe("The provider's page, or the sign-in page.") }), ...answers },
    },
    handler: async (request, reply) => {
      const url = await provider()
        .signOutUrl()
        .catch(() => undefined);
      const session = cookieSession(request);
      if (session !== undefined) await options.auth.people.sessions.end([session]);
      reply.header("set-cookie", sessionCookie("", secure, 0));
      return { location: url ?? signInPage };
    },
  });
}

/** As it was sent: a parameter that comes twice is for the check to refuse. */
const queryOf = (request: FastifyRequest): URLSearchParams => new URL(request.raw.url ?? "/", "http://vedette.invalid").searchParams;
