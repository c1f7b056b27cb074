/**
 * Tells the audit trail of every sign-in, refusal, change and sensitive read. A change is recorded as asked for before it is made, and how it
 * ended before it is answered; what cannot be recorded is not done. Knows no route: each names its action.
 */
import { Readable } from "node:stream";
import { callerOf, sessionOf } from "@vedette/access";
import { RateLimit } from "@vedette/kit";
import type { AuditEntry, Fields } from "@vedette/model";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isSafe } from "./guard.ts";
import type { ServerOptions } from "./ports.ts";
import { problemOf, turnInto } from "./problems.ts";

/** What a route's requests are in the trail. `false`: they change nothing and show nothing that is worth a record. */
type Audited =
  | false
  | {
      /** As in `AuditEntry`. */
      readonly action: string;
      /** Members of the body that are kept, as `vedette.audit.MEMBER`. */
      readonly shows?: readonly string[];
      /** The field that the path's `:id` goes to. */
      readonly id?: string;
    };

declare module "fastify" {
  interface FastifyContextConfig {
    audit?: Audited;
  }
  interface FastifyRequest {
    /** What the trail gets to know of this request, once it is let in; handlers add to it. */
    auditFields: Fields | undefined;
  }
}

/** Refusals that get a record each: whoever sends thousands must not fill the disk. The rest is counted in the next one's. */
const refusalsPerMinute = 600;
const refusalsAtOnce = 50;

/** Puts the trail behind every route of the server. A route that changes something and does not say what is refused at the start. */
export function audit(app: FastifyInstance, options: ServerOptions): void {
  const { audit: trail } = options;
  const now = () => (options.clock ? options.clock.now() : Date.now() * 1000);
  const refusals = new RateLimit(refusalsPerMinute, refusalsAtOnce);
  let suppressed = 0;
  app.decorateRequest("auditFields", undefined);

  app.addHook("onRoute", ({ method, url, config }) => {
    if ([method].flat().every(isSafe) || config?.access === "ingest" || config?.audit !== undefined) return;
    throw new Error(`${String(method)} ${url} changes something: its config must say what the audit trail calls that`);
  });
  if (trail === undefined) return;

  app.addHook("preHandler", async (request) => {
    const { audit: audited } = request.routeOptions.config;
    if (audited === undefined || audited === false) return;
    request.auditFields = fieldsOf(request, audited);
    if (!isSafe(request.method)) await trail.record(entryOf(request, audited.action, "unknown"));
  });

  app.addHook("onSend", async (request, reply, payload) => {
    const found = outcomeOf(request, reply.statusCode);
    if (found === undefined) return payload;
    if (found.outcome === "failure" && request.auditFields === undefined && refusals.take("all", now()) > 0) {
      suppressed++;
      return payload;
    }
    try {
      await trail.record(
        entryOf(request, found.action, found.outcome, { "http.response.status_code": reply.statusCode, ...also(suppressed) }),
      );
      suppressed = 0;
      return payload;
    } catch (e) {
      if (payload instanceof Readable) payload.destroy();
      reply.removeHeader("content-length");
      return JSON.stringify(turnInto(reply, problemOf(e)));
    }
  });
}

const also = (suppressed: number): Fields => (suppressed > 0 ? { "vedette.audit.suppressed": suppressed } : {});

/** What the trail says of an answer; undefined: nothing. */
function outcomeOf(
  request: FastifyRequest,
  status: number,
): { readonly action: string; readonly outcome: "success" | "failure" } | undefined {
  const { audit: audited } = request.routeOptions.config;
  const action = audited ? audited.action : undefined;
  // whoever tries too often has a record of each try that came before
  if (status === 429) return undefined;
  // what a handler forgot was no attempt: a right password that needs a code besides
  if (status === 401 && action === "login" && request.auditFields === undefined) return undefined;
  if (status === 401 && (request.headers.authorization !== undefined || action === "login")) return { action: "login", outcome: "failure" };
  if (status === 403) return { action: "access_denied", outcome: "failure" };
  if (action === undefined || request.auditFields === undefined) return undefined;
  return { action, outcome: status < 400 ? "success" : "failure" };
}

/** Who asked what, as the trail has it. */
export function entryOf(request: FastifyRequest, action: string, outcome: AuditEntry["outcome"], fields: Fields = {}): AuditEntry {
  const { principal } = request;
  const session = sessionOf(principal);
  const user = callerOf(principal);
  return {
    action,
    outcome,
    // a session's id is the hash of its cookie; its beginning tells sessions apart and opens none
    by: { user, ip: request.ip, ...(session !== undefined && { session: session.slice(0, 10) }) },
    fields: {
      ...keyOf(request),
      "http.request.method": request.method,
      "url.path": request.url.split("?")[0]!.slice(0, 500),
      ...request.auditFields,
      ...fields,
    },
  };
}

/** The key that was asked with, where it was one. */
function keyOf({ principal }: FastifyRequest): Fields {
  const key = principal?.kind === "user" || principal?.kind === "shared" ? principal.key : undefined;
  return key === undefined ? {} : { "vedette.audit.key": key };
}

function fieldsOf(request: FastifyRequest, { shows = [], id }: Exclude<Audited, false>): Fields {
  const body = (request.body ?? {}) as { readonly [member: string]: unknown };
  const fields: Fields = {};
  for (const member of shows) {
    const value = body[member];
    if (value !== undefined)
      fields[`vedette.audit.${member}`] = typeof value === "object" ? JSON.stringify(value) : (value as string | number | boolean);
  }
  if (id !== undefined) fields[id] = (request.params as { readonly id: string }).id;
  return fields;
}
