/** `vedette key create|list|revoke`: keys that programs ask with, of whoever's token the command has. */
import { connect, type ServerOptions } from "../client.ts";
import { formOf, printRows, safe } from "../output.ts";

interface Options extends ServerOptions {
  readonly output?: string;
  readonly json?: boolean;
}

/** A new key goes to stdout alone, so that a script can take it. */
export async function create(name: string, options: Options & { readonly scope: string; readonly days?: string }): Promise<void> {
  const scope = options.scope.split(",").map((one) => one.trim());
  const days = options.days === undefined ? {} : { days: Number(options.days) };
  // which permissions there are the server knows, and says
  const made = await connect(options).post("/keys", { body: { name, scope: scope as never, ...days } });
  if (formOf(options) === "table") {
    process.stderr.write(`key ${made.id} for ${safe(made.name)}: ${made.scope.join(", ")}, until ${made.expires}; it is shown this once\n`);
    process.stdout.write(`${made.token}\n`);
  } else printRows([made], ["id", "name", "scope", "expires", "token"], formOf(options));
}

export async function list(options: Options & { readonly user?: string }): Promise<void> {
  const server = connect(options);
  const path = options.user === undefined ? undefined : { id: options.user };
  const { keys } = path === undefined ? await server.get("/keys") : await server.get("/users/{id}/keys", { path });
  const form = formOf(options);
  const rows = form === "json" || form === "ndjson" ? keys : keys.map((one) => ({ ...one, scope: one.scope.join(" ") }));
  printRows(rows, ["id", "name", "expires", "used", "scope"], form, "no key; make one with: vedette key create NAME --scope alerts:read");
}

export async function revoke(id: string, options: Options & { readonly user?: string }): Promise<void> {
  const server = connect(options);
  if (options.user === undefined) await server.delete("/keys/{id}", { path: { id } });
  else await server.delete("/users/{id}/keys/{key}", { path: { id: options.user, key: id } });
  process.stderr.write(`key ${safe(id)} is revoked; who asks with it gets 401 from now on\n`);
}
