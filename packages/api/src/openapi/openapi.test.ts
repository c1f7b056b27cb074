import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020, type AnySchema, type ValidateFunction } from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { alertOf, asAdmin, eventOf, type Rig, rig } from "../testing/fakes.ts";
import { apiDocument } from "./document.ts";

interface Content {
  readonly [type: string]: { readonly schema: AnySchema; readonly example?: unknown };
}
interface Answer {
  readonly $ref?: string;
  readonly description: string;
  readonly content?: Content;
}
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly description?: string;
    readonly example?: unknown;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: { readonly [status: string]: Answer };
}
interface Document {
  readonly tags: readonly { readonly name: string }[];
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
  readonly components: { readonly responses: { readonly [status: string]: Answer }; readonly schemas: object };
}

let document: Document;
let operations: { readonly name: string; readonly path: string; readonly method: string; readonly operation: Operation }[];
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
const compiled = new Map<string, ValidateFunction>();
beforeAll(async () => {
  document = (await apiDocument()) as Document;
  ajv.addSchema(document, "document");
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, method, operation })),
  );
});

const answerOf = ({ responses }: Operation, status: number | string): Answer | undefined => {
  const one = responses[status];
  return one?.$ref === undefined ? one : document.components.responses[one.$ref.split("/").at(-1)!];
};
/** What does not fit, in words; empty when the value fits. */
function misfits(schema: AnySchema, value: unknown): string[] {
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/');
  const fits = compiled.get(text) ?? ajv.compile(JSON.parse(text) as object);
  compiled.set(text, fits);
  return fits(value) ? [] : fits.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
}
/** Every media type that the document gives, with where it stands. */
const contents = () =>
  operations.flatMap(({ name, operation }) => [
    ...Object.entries(operation.requestBody?.content ?? {}).map(([type, one]) => ({ where: `${name} request ${type}`, ...one })),
    ...Object.keys(operation.responses).flatMap((status) =>
      Object.entries(answerOf(operation, status)?.content ?? {}).map(([type, one]) => ({ where: `${name} ${status} ${type}`, ...one })),
    ),
  ]);

test("the document is OpenAPI 3.1", async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document) as never);
  expect([valid, errors]).toEqual([true, undefined]);
});

test("every route says what it does, what its parameters are and how it may fail", () => {
  expect(operations.length).toBeGreaterThan(55);
  const tags = new Set(document.tags.map(({ name }) => name));
  for (const { name, operation } of operations) {
    expect([name, operation.summary]).toEqual([name, expect.stringMatching(/\.$/)]);
    expect([name, operation.tags.filter((tag) => !tags.has(tag))]).toEqual([name, []]);
    expect([name, (operation.parameters ?? []).filter((one) => !one.description || one.example === undefined)]).toEqual([name, []]);
    expect([name, Object.keys(operation.responses)]).toEqual([name, expect.arrayContaining(["403", "429", "500", "503"])]);
    for (const status of Object.keys(operation.responses))
      expect([name, status, answerOf(operation, status)?.description.length]).not.toContain(0);
  }
});

test("every body has an example, and it fits", () => {
  const found = contents();
  expect(found.length).toBeGreaterThan(400);
  for (const { where, schema, example } of found) {
    if (Object.keys(schema).length === 0) continue;
    expect([where, example !== undefined]).toEqual([where, true]);
    expect([where, misfits(schema, example)]).toEqual([where, []]);
  }
});

test("no example is a placeholder: what examples.ts does not know by name is given there, or in the schema", () => {
  const unknown = new Set<string>();
  const visit = (value: unknown, name: string): void => {
    if (value === name && name !== "") unknown.add(name);
    if (Array.isArray(value)) for (const one of value) visit(one, name.replace(/(?<!s)s$/, ""));
    else if (typeof value === "object" && value !== null) for (const [key, one] of Object.entries(value)) visit(one, key);
  };
  for (const { example } of contents()) visit(example, "");
  expect([...unknown]).toEqual([]);
});

/** Ids that the fakes know, by the path that asks for them. */
const ids: { readonly [path: string]: string } = {
  alerts: "a1",
  events: "e1",
  rules: "r1",
  inventory: "assets",
  "source-tokens": "none",
  backtests: "b1",
};
/** Bodies that differ from the example because the fakes know other names. */
const bodies: { readonly [route: string]: unknown } = {
  "POST /api/v1/canaries": { ids: ["r1"] },
  "POST /api/v1/reveal": { pseudonym: "pn_ada", reason: "asked by the owner" },
};

test("what the server answers is what the document says", async () => {
  const it: Rig = await rig();
  afterAll(() => it.app.close());
  const served = it.app.swagger().paths as object;
  let succeeded = 0;
  for (const { name, path, method, operation } of operations) {
    if (operation.tags.includes("ingest") || path.endsWith("/stream") || path === "/login" || !(path in served)) continue;
    it.store.alertsById.set("a1", alertOf("a1"));
    if (it.store.all.length === 0) it.store.all.push(eventOf("e1", { "user.name": "ada", "source.port": 22 }));
    const url = path.replace("{id}", ids[path.split("/")[3] ?? ""] ?? "x");
    const [type, body] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
    const payload = bodies[name] ?? body?.example;
    const query = new URLSearchParams(method === "get" && path.endsWith("/top") ? { field: "user.name" } : {});
    const response = await it.app.inject({
      method: method.toUpperCase() as "GET",
      url: `${url}?${query}`,
      headers: { ...asAdmin, ...(type !== undefined && { "content-type": type }) },
      ...(payload !== undefined && { payload: JSON.stringify(payload) }),
    });
    const documented = answerOf(operation, response.statusCode);
    expect([name, response.statusCode, documented !== undefined]).toEqual([name, response.statusCode, true]);
    if (response.statusCode < 300) succeeded++;
    const [, content] = Object.entries(documented!.content ?? {})[0] ?? [];
    const isJson = /\bjson\b/.test(String(response.headers["content-type"]));
    if (content !== undefined && isJson)
      expect([name, response.statusCode, misfits(content.schema, response.json())]).toEqual([name, response.statusCode, []]);
  }
  expect(succeeded).toBeGreaterThan(40);
});
