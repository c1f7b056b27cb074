/** How people and their sessions look in the API, and what their routes share. Knows no route. */
import { fitting, grantSchema, maxPassword, nameProblem, type Session, type User } from "@vedette/access";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Place } from "../access/auth.ts";
import { isSecure, sessionCookie } from "../guard.ts";
import { ApiProblem } from "../problems.ts";
import { formatTime } from "../time.ts";
import type { RouteContext } from "./context.ts";

export const personName = z
  .string()
  .trim()
  .toLowerCase()
  .superRefine(fitting(nameProblem))
  .describe("What is signed in with: small letters, digits, . _ @ -.")
  .meta({ examples: ["ada"] });
export const displayName = z.string().trim().max(200).describe("As people call them; empty for none.");
export const email = z
  .union([z.literal(""), z.email().max(254)])
  .describe("Empty for none.")
  .meta({ examples: ["ada@site.example"] });
export const password = z.string().min(1).max(maxPassword).describe("As it is typed.");
export const totpCode = z
  .string()
  .trim()
  .regex(/^\d{3}\s?\d{3}$/, "expected six digits")
  .describe("Six digits of an authenticator app.")
  .meta({ examples: ["287082"] });
export const recoveryCodes = z.array(z.string()).readonly().describe("Each is good once; shown this once.");
export const duty = z
  .enum(["change_password", "enrol_totp"])
  .describe("What has to be done before anything else is permitted: POST /me/password, or POST /me/totp and its confirmation.");

export const user = z
  .object({
    id: z.string(),
    name: z.string(),
    display_name: z.string().optional(),
    email: z.string().optional(),
    grants: z.array(z.object(grantSchema.shape)).readonly(),
    disabled: z.boolean(),
    created: z.string(),
    last_sign_in: z.string().optional(),
    password: z.enum(["none", "set", "initial"]).describe("initial: made for them, and to be changed."),
    totp: z.boolean().describe("Whether one-time codes are set up."),
    recovery_codes: z.number().optional().describe("How many are left."),
    oidc: z.object({ issuer: z.string(), subject: z.string() }).optional().describe("Who they are at the OpenID provider."),
    sessions: z.number().describe("Browsers and clients that are signed in."),
  })
  .meta({ id: "User" });

export const session = z
  .object({
    id: z.string(),
    user: z.string().describe("A name; admin for the shared admin token."),
    kind: z.enum(["browser", "client"]).describe("client: by access and refresh tokens."),
    by: z.enum(["token", "link", "password", "totp", "recovery", "oidc"]).describe("How whoever opened it proved who they are."),
    created: z.string(),
    used: z.string().describe("To the minute."),
    expires: z.string(),
    ip: z.string(),
    agent: z.string().describe("What the browser or program called itself."),
    current: z.boolean().describe("Whether this request came by it."),
  })
  .meta({ id: "Session" });
export const sessions = z.object({ sessions: z.array(session) });

export const shownUser = (one: User, { options }: RouteContext): z.input<typeof user> => ({
  id: one.id,
  name: one.name,
  ...(one.displayName && { display_name: one.displayName }),
  ...(one.email && { email: one.email }),
  grants: one.grants,
  disabled: one.disabled,
  created: formatTime(one.created),
  ...(one.lastSignIn !== undefined && { last_sign_in: formatTime(one.lastSignIn) }),
  password: one.password === undefined ? "none" : one.password.mustChange ? "initial" : "set",
  totp: one.totp?.confirmed === true,
  ...(one.totp?.confirmed && { recovery_codes: one.totp.recovery.length }),
  ...(one.oidc && { oidc: one.oidc }),
  sessions: options.auth.people.sessions.list(one.id).length,
});

export function shownSessions(all: readonly Session[], current: string | undefined, { options }: RouteContext): z.input<typeof sessions> {
  const { users } = options.auth.people;
  return {
    sessions: all.map(({ id, person, kind, by, created, used, expires, ip, agent }) => ({
      id,
      user: users.ofId(person)?.name ?? "admin",
      kind,
      by,
      created: formatTime(created),
      used: formatTime(used),
      expires: formatTime(expires),
      ip,
      agent,
      current: id === current,
    })),
  };
}

export const placeOf = (request: FastifyRequest): Place => ({ ip: request.ip, agent: request.headers["user-agent"] ?? "" });

/** Hands a session to the browser. */
export const giveCookie = (reply: FastifyReply, secret: string, { options }: RouteContext): FastifyReply =>
  reply.header("set-cookie", sessionCookie(secret, isSecure(options))).header("cache-control", "no-store");

/** Says no to an attempt to sign in, or to confirm it. */
export function refuseAttempt(
  attempt: { readonly refused: "wrong" | "second_factor" } | { readonly refused: "locked"; readonly wait: number },
  reply: FastifyReply,
): never {
  if (attempt.refused === "locked") {
    reply.header("retry-after", String(Math.ceil(attempt.wait / 1_000_000)));
    throw new ApiProblem(429, "unauthorised", "too many failed attempts; try again later");
  }
  if (attempt.refused === "second_factor") throw new ApiProblem(401, "second_factor_needed", "totp or recovery: a code is needed too");
  throw new ApiProblem(401, "unauthorised", "name, password or code is wrong");
}
