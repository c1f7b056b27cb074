/** What every request passes before its route: security headers, host, who asks, origin. Refuses unless a route says otherwise. */
import { isIP } from "node:net";
import { grantsFor, mayFully, type Permission, type Principal, sessionOf, viewOf, wholeOnly, whyNot } from "@vedette/access";
import type { View } from "@vedette/condition";
import type { Counters, Rate } from "@vedette/kit";
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ServerOptions } from "./ports.ts";
import { ApiProblem } from "./problems.ts";

/**
 * `open` needs no token, `enrol` none but the one that it takes; `ingest` takes a source's token, a machine's certificate, or whoever may make such a
 * token; `machine` a machine's certificate; `metrics` is open on loopback.
 */
type Access = "open" | "enrol" | "ingest" | "machine" | "metrics";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Where no permission decides. A route names this or a permission, or the server does not start. */
    access?: Access;
    /** What whoever asks must be permitted; `own`: what concerns nobody else, so that to be known is enough. */
    permission?: Permission | "own";
    /** Its answers keep to the request's view. To a route that does not, a grant limited to rows or fields gives no way in. */
    confined?: true;
  }
  interface FastifyInstance {
    /** Every route with what it demands, in order of registration. */
    readonly demands: readonly RouteDemand[];
  }
  interface FastifyRequest {
    /** Who asks, where that is known. */
    principal: Principal | undefined;
    /** What the answer may be made of; undefined: everything. Set on confined routes only. */
    view: View | undefined;
  }
}

export interface RouteDemand {
  readonly method: string;
  readonly url: string;
  readonly access?: Access;
  readonly permission?: Permission | "own";
  readonly confined?: true;
}

const sessionName = "vedette_session";
/** Over TLS the browser keeps it from every other host and path. */
const cookieName = (name: string, secure: boolean) => (secure ? `__Host-${name}` : name);

/** Inline styles are what the console's components set; scripts come from our own files only. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");
const headers = {
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
} as const;

/** The host part of a Host header, without port and brackets, lower case. */
function hostName(host: string): string {
  const bracket = /^\[([0-9a-fA-F:.]+)\](?::\d+)?$/.exec(host);
  return (bracket?.[1] ?? host.replace(/:\d+$/, "")).toLowerCase();
}

/** Whether an address or name is this machine's own. */
function isLoopback(name: string): boolean {
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  if (name === "::1" || name.startsWith("::ffff:127.")) return true;
  return isIP(name) === 4 && name.startsWith("127.");
}

/** The value of one cookie of a Cookie header. */
function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(";") ?? []) {
    const at = part.indexOf("=");
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}

/** The token of an Authorization header: Bearer, Splunk's and Elasticsearch's ApiKey, or the password of Basic. */
function tokenOf(header: string | undefined): string | undefined {
  if (header === undefined || header.length > 2_048) return undefined;
  const space = header.indexOf(" ");
  const scheme = header.slice(0, Math.max(space, 0)).toLowerCase();
  const value = header.slice(space + 1).trim();
  if (scheme === "bearer" || scheme === "splunk") return value;
  if (scheme !== "apikey" && scheme !== "basic") return undefined;
  // both are base64 of `name:secret`; an ApiKey may also be the token as it is
  const decoded = Buffer.from(value, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon >= 0) return decoded.slice(colon + 1);
  return scheme === "apikey" ? value : undefined;
}

/** Whether a request of this method changes nothing (RFC 9110, 9.2.1). */
export const isSafe = (method: string) => method === "GET" || method === "HEAD" || method === "OPTIONS";

/** Cookies ride along with any site's requests: what changes state must say that it comes from our own page. */
function fromOwnPage(request: FastifyRequest): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return request.headers["sec-fetch-site"] === "same-origin";
  try {
    const { protocol, host: sender } = new URL(origin);
    // parsed the same way, so that a written-out default port makes no difference
    return sender === new URL(`${protocol}//${host}`).host;
  } catch {
    return false;
  }
}

/** Who asks, as of now: a session may have ended since. */
export function identify(request: FastifyRequest, options: ServerOptions): Principal | undefined {
  const { auth, machines } = options;
  const { socket } = request.raw;
  if (machines?.listener?.has(socket)) {
    const peer = machines.listener.peerOf(socket);
    return peer && { kind: "machine", id: peer.id, role: peer.role };
  }
  const { authorization, cookie } = request.headers;
  const token = tokenOf(authorization);
  if (token !== undefined) return auth.ofToken(token);
  const session = cookieOf(cookie, cookieName(sessionName, isSecure(options)));
  return session === undefined ? undefined : auth.ofCookie(session);
}

/** Failed attempts per sender: tokens are not guessable, this bounds the noise. */
const failures: Rate = { perMinute: 10, burst: 10 };

export async function refuseIfTooMany(counters: Counters, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const [drawn] = await counters.take([{ key: `failed ${request.ip}`, rate: failures, cost: 1 }]);
  const wait = drawn?.wait ?? 0;
  if (wait === 0) return;
  reply.header("retry-after", String(Math.ceil(wait / 1_000_000)));
  throw new ApiProblem(429, "unauthorised", "too many failed attempts; try again later");
}

/** Collects what each route demands, as it is when the server starts: plugins complete their routes while they register. */
function demandsOf(app: FastifyInstance): void {
  const routes: { readonly method: string | readonly string[]; readonly url: string; readonly config?: FastifyContextConfig }[] = [];
  const demands: RouteDemand[] = [];
  app.decorate("demands", demands);
  app.addHook("onRoute", (route) => void routes.push(route as (typeof routes)[number]));
  app.addHook("onReady", async () => {
    for (const { method, url, config: { access, permission, confined } = {} } of routes) {
      if ((access === undefined) === (permission === undefined))
        throw new Error(`${String(method)} ${url}: its config must name either the permission that it needs or who may come without one`);
      for (const one of [method].flat())
        demands.push({ method: one, url, ...(access && { access }), ...(permission && { permission }), ...(confined && { confined }) });
    }
  });
}

/** What the route demands of who asks. @throws ApiProblem 403 */
function authorise(request: FastifyRequest, principal: Principal, tenant: string): void {
  const { access, permission, confined } = request.routeOptions.config;
  const refuse = (reason: string) => new ApiProblem(403, "forbidden", reason);
  if (access !== undefined) {
    if (access === "ingest" && (principal.kind === "source" || principal.kind === "machine")) return;
    if (access === "machine" && principal.kind !== "machine") throw refuse("a connection with a machine's certificate is needed");
    if (access === "machine") return;
    const needed = access === "ingest" ? "sources:write" : "system:read";
    if (!mayFully(principal, needed, tenant)) throw refuse(`${needed} is needed: ${whyNot(principal, needed, tenant)}`);
  } else if (permission === "own") {
    if (principal.kind !== "user" && principal.kind !== "shared") throw refuse(whyNot(principal, "users:read", tenant));
    if (principal.scope !== undefined && !isSafe(request.method)) throw refuse("a key changes nothing of its owner's; sign in");
  } else {
    const grants = permission === undefined ? [] : grantsFor(principal, permission, tenant);
    if (permission === undefined || grants.length === 0)
      throw refuse(permission === undefined ? "nobody may" : `${permission} is needed: ${whyNot(principal, permission, tenant)}`);
    request.view = viewOf(grants);
    if (request.view !== undefined && !confined)
      throw refuse(
        `${permission} is granted for some rows or fields only, and this answer cannot be limited to them: ${wholeOnly[permission] ?? "it is about all of them"}`,
      );
  }
}

/** Puts the guard before every route of the server, those of plugins included. */
export function guard(app: FastifyInstance, options: ServerOptions, counters: Counters): void {
  const { machines, loopback = true, tenant = "main" } = options;
  const names = new Set(options.hosts?.map((name) => name.toLowerCase()));
  app.decorateRequest("principal", undefined);
  app.decorateRequest("view", undefined);
  demandsOf(app);

  app.addHook("onRequest", async (request, reply) => {
    reply.headers(headers);
    if (isSecure(options)) reply.header("strict-transport-security", "max-age=31536000");
    const name = hostName(request.headers.host ?? "");
    const fromMachine = machines?.listener?.has(request.raw.socket) === true;
    if (loopback && !fromMachine && !isLoopback(name) && !names.has(name))
      throw new ApiProblem(403, "forbidden", `this server does not answer to the name ${name || "(none)"}`);
    if (request.is404) return;
    const { access } = request.routeOptions.config;
    await options.auth.verify(tokenOf(request.headers.authorization) ?? "");
    request.principal = identify(request, options);
    // who is not known here may have signed in, or been given a token, at another server a moment ago
    if (
      request.principal === undefined &&
      options.recheck !== undefined &&
      (request.headers.authorization ?? request.headers.cookie) !== undefined
    ) {
      await options.recheck();
      request.principal = identify(request, options);
    }
    const { principal } = request;
    if (access === "enrol") return;
    if (fromMachine && principal === undefined) throw new ApiProblem(401, "unauthorised", "a machine's certificate that holds is needed");
    if (access === "open" || (access === "metrics" && isLoopback(request.ip))) return;
    reply.header("cache-control", "no-store");
    if (principal === undefined) {
      if (request.headers.authorization !== undefined) await refuseIfTooMany(counters, request, reply);
      throw new ApiProblem(401, "unauthorised", "a token or session is needed");
    }
    authorise(request, principal, tenant);
    if (cookieSession(request) !== undefined && !isSafe(request.method) && !fromOwnPage(request))
      throw new ApiProblem(403, "forbidden", "a request with the session cookie must come from the console itself");
  });
}

export const isSecure = ({ https, secure = https !== undefined }: ServerOptions): boolean => secure;

/** The session whose cookie came with a request. */
export const cookieSession = ({ headers, principal }: FastifyRequest): string | undefined =>
  headers.authorization === undefined ? sessionOf(principal) : undefined;

export const hostCookie = ({ headers }: FastifyRequest, name: string, secure: boolean): string | undefined =>
  cookieOf(headers.cookie, cookieName(name, secure));

interface CookieOptions {
  readonly secure: boolean;
  readonly sameSite: "Strict" | "Lax";
  readonly maxAge_s?: number | undefined;
}

export function setHostCookie(name: string, value: string, { secure, sameSite, maxAge_s }: CookieOptions): string {
  const age = maxAge_s === undefined ? "" : `; Max-Age=${maxAge_s}`;
  return `${cookieName(name, secure)}=${value}; HttpOnly; SameSite=${sameSite}; Path=/${age}${secure ? "; Secure" : ""}`;
}

export const sessionCookie = (value: string, secure: boolean, maxAge_s?: number): string =>
  setHostCookie(sessionName, value, { secure, sameSite: "Strict", maxAge_s });
