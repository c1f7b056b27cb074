/** Mounts the ingest endpoints outside the API prefix and hands them the body as it arrives. Knows no protocol. */
import type { Principal } from "@vedette/access";
import type { Counters, EndpointContext, EndpointRequest, EndpointResponse, Intake } from "@vedette/kit";
import { readMachineId } from "@vedette/machines";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Quotas } from "./access/quotas.ts";
import type { MountedEndpoint, ServerOptions } from "./ports.ts";
import { problemOf, setProblemHeaders } from "./problems.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Content-Type as it was sent, on ingest routes. */
    sentType: string | undefined;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function headersOf(request: FastifyRequest): EndpointRequest["headers"] {
  const headers: { [name: string]: string | undefined } = Object.create(null);
  for (const [name, value] of Object.entries(request.headers)) {
    // the token was for us
    if (name !== "authorization" && name !== "cookie") headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  headers["content-type"] = request.sentType;
  return headers;
}

function endpointRequest(request: FastifyRequest): EndpointRequest {
  const { pathname, searchParams } = new URL(request.raw.url ?? "/", "http://vedette.invalid");
  return {
    method: request.method,
    path: pathname,
    query: searchParams,
    headers: headersOf(request),
    body: (request.body as AsyncIterable<Uint8Array> | undefined) ?? nothing(),
    peer: request.ip,
  };
}

/** With a source's own token, whatever source the endpoint asks for is that one, within the token's quota; a machine is the source of its name. */
function contextFor(principal: Principal | undefined, context: EndpointContext, quotas: Quotas | undefined): EndpointContext {
  if (principal?.kind === "machine") {
    const { name } = readMachineId(principal.id);
    return { intake: () => context.intake(name), clock: context.clock, warn: context.warn };
  }
  if (principal?.kind !== "source") return context;
  const { source, token } = principal;
  const within = quotas?.within(token);
  const intake = (): Intake => within?.(context.intake(source)) ?? context.intake(source);
  return { intake, clock: context.clock, warn: context.warn };
}

function answer(reply: FastifyReply, { status, headers, body }: EndpointResponse): FastifyReply {
  for (const [name, value] of Object.entries(headers ?? {})) reply.header(name, value);
  if (body !== undefined && !reply.hasHeader("content-type")) reply.header("content-type", "text/plain; charset=utf-8");
  return reply
    .code(status)
    .serializer(typeof body === "string" ? String : (bytes: unknown) => bytes as string)
    .send(body);
}

/** What the server refuses on an endpoint's path, worded by the endpoint where it has words for it. */
function refuse({ spec }: MountedEndpoint, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error);
  const { status, code, message } = problem;
  if (spec.refuse === undefined || ![401, 403, 429, 503].includes(status)) throw error;
  setProblemHeaders(reply, problem);
  // the guard refuses before the type is put aside
  request.sentType ??= request.raw.headers["content-type"];
  const presented = request.headers.authorization !== undefined;
  const { pathname } = new URL(request.raw.url ?? "/", "http://vedette.invalid");
  const asked = { method: request.method, path: pathname, headers: headersOf(request) };
  return answer(reply, spec.refuse({ status, code, message, presented }, asked));
}

/** Runs one endpoint for a request. An UnavailableError passes through to the server's error handler: 429 or 503. */
export async function runEndpoint(
  { spec, config }: MountedEndpoint,
  context: EndpointContext,
  request: FastifyRequest,
  reply: FastifyReply,
  quotas?: Quotas,
): Promise<FastifyReply> {
  return answer(reply, await spec.handle(endpointRequest(request), config as never, contextFor(request.principal, context, quotas)));
}

/** What `GET /` and `HEAD /` answer to programs: the endpoint that claims the root path, if any. */
export function rootEndpoint(options: ServerOptions, method: "GET" | "HEAD"): MountedEndpoint | undefined {
  return [...options.endpoints.values()].find(({ spec }) => spec.routes.some((one) => one.path === "/" && one.method === method));
}

/** A plugin of its own, so that its raw bodies stay its own. */
export async function ingestRoutes(app: FastifyInstance, options: ServerOptions & { readonly counters: Counters }): Promise<void> {
  const quotas = new Quotas(options.counters, (token) => options.auth.sources.quotaOf(token));
  app.removeAllContentTypeParsers();
  app.decorateRequest("sentType", undefined);
  // what a body is called is the endpoint's business; the server would refuse what it cannot read
  app.addHook("onRequest", async (request) => {
    const { headers } = request.raw;
    request.sentType = headers["content-type"];
    if (request.method !== "GET" && request.method !== "HEAD") headers["content-type"] = "application/octet-stream";
  });
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
  for (const mounted of options.endpoints.values()) {
    for (const { method, path, open } of mounted.spec.routes) {
      if (path === "/") continue;
      app.route({
        method,
        url: path,
        config: { access: open === true ? "open" : "ingest" },
        schema: { summary: mounted.spec.summary, tags: ["ingest"] },
        handler: (request, reply) => runEndpoint(mounted, options.endpointContext, request, reply, quotas),
        ...(mounted.spec.refuse && { errorHandler: (error, request, reply) => refuse(mounted, error, request, reply) }),
      });
    }
  }
}
