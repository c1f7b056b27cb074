/** `node --conditions=source scripts/client.mjs`: writes the types of the HTTP API's client from the OpenAPI document of the server's routes. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import { apiDocument } from "../packages/api/src/openapi/document.ts";

const prefix = "/api/v1";
const target = fileURLToPath(new URL("../packages/client/src/schema.ts", import.meta.url));

const document = await apiDocument();
// below the prefix only: the client is told where that is
const paths = Object.entries(document.paths).filter(([path]) => path.startsWith(`${prefix}/`));
const relative = { ...document, paths: Object.fromEntries(paths.map(([path, methods]) => [path.slice(prefix.length), methods])) };
// examples are for people; types need none
const bare = JSON.parse(JSON.stringify(relative), (key, value) => (key === "example" ? undefined : value));
const types = await openapiTS(bare, {
  immutable: true,
  defaultNonNullable: false,
  rootTypes: true,
  rootTypesNoSchemaPrefix: true,
});
writeFileSync(target, `/** Written by scripts/client.mjs from the OpenAPI document. */\n${astToString(types)}`);
