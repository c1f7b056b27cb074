/** The OpenAPI document of the server's routes: what each says of itself, and what all have in common. Knows no route by name. */
import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { ServerOptions } from "../ports.ts";
import { exampleOf, type JsonSchema } from "./examples.ts";
import { failureResponses, statusText } from "./failures.ts";

interface Content {
  readonly [type: string]: { readonly schema?: JsonSchema; example?: unknown };
}
interface Response {
  readonly description: string;
  headers?: object;
  readonly content?: Content;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema?: JsonSchema;
  description?: string;
  example?: unknown;
}
interface Operation {
  readonly tags: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly Parameter[];
  requestBody?: { required?: boolean; readonly content: Content };
  responses: { [status: string]: Response | { readonly $ref: string } };
}
interface Document {
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
  readonly components: { schemas: { [name: string]: JsonSchema }; responses?: object; headers?: object };
}

const tags = {
  session: "Signing in and out.",
  me: "What whoever is signed in does about themselves.",
  users: "People, and what they may do.",
  keys: "Keys that programs ask with.",
  access: "Roles, and why somebody may or may not do something.",
  alerts: "What was found, and what people made of it.",
  events: "Stored events.",
  query: "The query language.",
  metrics: "Series of samples.",
  rules: "Rules: which are on, what they would do, whether they can fire.",
  enrichment: "What is added to events.",
  pipelines: "What users' pipelines do to events.",
  sources: "Sources, their tokens, and senders that were refused.",
  machines: "Processes and agents known by certificates.",
  holds: "Events kept for a case.",
  erasures: "What is taken away for good.",
  vault: "Keys at rest.",
  backup: "Backups, and trials to restore them.",
  state: "The program's own state.",
  stream: "Server-sent events.",
  audit: "Who did what.",
  demo: "The bundled scenario.",
  health: "Liveness, readiness, metrics, this document.",
  ingest: "Where collectors deliver, each protocol at the path its clients expect.",
};

const description = `Errors are problem documents (RFC 9457) with a stable \`code\`. Lists page by an opaque \`cursor\`: give back the one of the page
before; there is none on the last page. Times are RFC 3339 in UTC. A POST that makes something takes an \`Idempotency-Key\`.`;

const idempotencyKey = {
  type: "string",
  pattern: "^[\\x21-\\x7e]{1,255}$",
  description: "The request is done once: sent again with the same key within 24 hours, it gets the answer of the first.",
  examples: ["6d0e1c52-0f2b-4d0f-9a53-1f4f6c1f9a51"],
};
const rateHeaders = {
  "RateLimit-Policy": { description: "How many requests a minute.", schema: { type: "string" }, example: '"requests";q=6000;w=60' },
  RateLimit: { description: "How many are left, and seconds until all are.", schema: { type: "string" }, example: '"requests";r=2999;t=1' },
};

/** Puts the document behind the routes that are added from now on. */
export async function describe(app: FastifyInstance, { version, apiPrefix = "/api/v1" }: ServerOptions): Promise<void> {
  await app.register(swagger, {
    exposeHeadRoutes: true,
    openapi: {
      openapi: "3.1.0",
      info: { title: "Vedette", version, description, license: { name: "Apache-2.0", identifier: "Apache-2.0" } as never },
      servers: [{ url: "/" }],
      tags: Object.entries(tags).map(([name, text]) => ({ name, description: text })),
      components: {
        securitySchemes: {
          token: { type: "http", scheme: "bearer", description: "A token; programs send it." },
          session: {
            type: "apiKey",
            in: "cookie",
            name: "vedette_session",
            description: "The console's session; over TLS its name begins with __Host-.",
          },
        },
      },
      security: [{ token: [] }, { session: [] }],
    },
    transform: (document) => {
      const { schema, url } = jsonSchemaTransform(document as never);
      const { method, config } = document.route;
      const names = [String(method).toLowerCase(), ...url.replace(apiPrefix, "").split(/[^A-Za-z0-9]+/)].filter((one) => one !== "");
      const { permission } = config ?? {};
      const needed = permission === undefined || permission === "own" ? "" : `Needs \`${permission}\`.`;
      const said = [(schema as { readonly description?: string }).description, needed].filter(Boolean).join(" ");
      const keyed = method === "POST" && url.startsWith(`${apiPrefix}/`) && config?.access !== "open";
      const described = {
        ...schema,
        ...(keyed && { headers: { type: "object", properties: { "Idempotency-Key": idempotencyKey } } }),
        operationId: names.join("_"),
        ...(said !== "" && { description: said }),
        ...((config?.access === "open" || config?.access === "enrol") && { security: [] }),
      };
      return { schema: described as never, url };
    },
    transformObject: (document) => complete(jsonSchemaTransformObject(document) as unknown as Document, apiPrefix) as never,
  });
}

const headerReferences = Object.fromEntries(Object.keys(rateHeaders).map((name) => [name, { $ref: `#/components/headers/${name}` }]));

/** What routes leave to be said for all of them: failures, examples, bodies of any type. */
function complete(written: Document, apiPrefix: string): Document {
  const document = merged(written);
  const { schemas } = document.components;
  document.components.responses = failureResponses;
  document.components.headers = rateHeaders;
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(methods)) {
      const ingests = operation.tags.includes("ingest") && method !== "get" && method !== "head";
      if (ingests) operation.requestBody ??= { content: { "*/*": { schema: {} } } };
      operation.responses = { ...succeeding(operation, schemas), ...failing(operation) };
      if (path.startsWith(`${apiPrefix}/`))
        for (const one of Object.values(operation.responses)) if ("content" in one) one.headers = headerReferences;
      fill(operation.requestBody?.content, schemas);
      if (operation.requestBody !== undefined && mayBeAbsent(operation.requestBody.content)) operation.requestBody.required = false;
      for (const parameter of operation.parameters ?? []) {
        if (parameter.in === "path") parameter.description ??= "As a list gives it.";
        parameter.example ??= exampleOf(parameter.schema ?? {}, schemas, parameter.name);
      }
    }
  document.components.schemas = used(document);
  return document;
}

/** A route that takes null for a body takes none as well. */
const mayBeAbsent = (content: Content): boolean =>
  Object.values(content).some(({ schema }) => schema?.anyOf?.some(({ type }) => type === "null"));

function fill(content: Content | undefined, schemas: Document["components"]["schemas"]): void {
  for (const one of Object.values(content ?? {}))
    if (one.schema !== undefined && Object.keys(one.schema).length > 0) one.example ??= exampleOf(one.schema, schemas);
}

function succeeding({ responses }: Operation, schemas: Document["components"]["schemas"]): Operation["responses"] {
  const found = Object.entries(responses).filter(([status, one]) => Number(status) < 400 || !isProblem(one));
  for (const [, one] of found) if ("content" in one) fill(one.content, schemas);
  return Object.fromEntries(
    found.map(([status, one]) => {
      if ("$ref" in one || one.description !== "Default Response") return [status, one];
      return [status, { ...one, description: `${statusText(status)}.` }];
    }),
  );
}

const isProblem = (one: object) => "content" in one && Object.hasOwn(one.content as object, "application/problem+json");

/** The failures that a route names, and those that its place before the guard, its body and its parameters bring with them. */
function failing({ responses, security, requestBody, parameters }: Operation): Operation["responses"] {
  const named = Object.keys(responses).filter((status) => Number(status) >= 400 && isProblem(responses[status]!));
  const reads = requestBody !== undefined || (parameters ?? []).length > 0;
  const brought = [
    ...(reads ? ["400"] : []),
    ...(security === undefined ? ["401"] : []),
    "403",
    ...(requestBody === undefined ? [] : ["413", "415"]),
    "429",
    "500",
    "503",
  ].filter((status) => responses[status] === undefined);
  return Object.fromEntries([...named, ...brought].map((status) => [status, { $ref: `#/components/responses/${status}` }]));
}

/** Components are written once for input and once for output; where both are the same, one is enough. */
function merged(document: Document): Document {
  const { schemas } = document.components;
  const same = Object.keys(schemas).filter((name) => JSON.stringify(schemas[name]) === JSON.stringify(schemas[name.replace(/Input$/, "")]));
  let text = JSON.stringify(document);
  for (const name of same) text = text.replaceAll(`"#/components/schemas/${name}"`, `"#/components/schemas/${name.replace(/Input$/, "")}"`);
  return JSON.parse(text) as Document;
}

/** The components that something refers to. */
function used(document: Document): Document["components"]["schemas"] {
  const { schemas } = document.components;
  const names = new Set<string>();
  const visit = (text: string) => {
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (names.has(name!)) continue;
      names.add(name!);
      visit(JSON.stringify(schemas[name!]));
    }
  };
  visit(JSON.stringify([document.paths, document.components.responses]));
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => names.has(name)));
}
