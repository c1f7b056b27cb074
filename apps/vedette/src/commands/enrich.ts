/** `vedette enrich list|put|remove|reload` and `vedette reveal`: speaks to a running server. */
import { readFileSync } from "node:fs";
import { ConfigError, jsonText } from "@vedette/kit";
import { connect, type ServerOptions } from "../client.ts";
import { formOf, printRows, safe } from "../output.ts";

interface Options extends ServerOptions {
  readonly output?: string;
  readonly json?: boolean;
  readonly reason?: string;
}

export async function list(options: Options): Promise<void> {
  const { enrichers } = await connect(options).get("/enrichers");
  const rows = enrichers.map(({ name, state, reason, summary, table }) => ({
    name,
    state,
    rows: table?.rows,
    since: table?.at,
    from: table === undefined ? undefined : (table.file ?? table.by),
    about: reason ?? summary,
  }));
  printRows(rows, ["name", "state", "rows", "since", "from", "about"], formOf(options));
}

export async function put(name: string, path: string, options: Options): Promise<void> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (e) {
    throw new ConfigError("bad_table", `${path}: ${(e as Error).message}`);
  }
  const table = await connect(options).put("/inventory/{id}", {
    path: { id: name },
    query: { reason: options.reason },
    body: text,
    headers: { "content-type": "text/csv" },
  });
  if (options.json) process.stdout.write(`${jsonText(table)}\n`);
  else process.stdout.write(`${name}: ${table.rows} rows in force since ${table.at}\n`);
}

export async function remove(name: string, options: Options): Promise<void> {
  await connect(options).delete("/inventory/{id}", { path: { id: name }, query: { reason: options.reason } });
}

export async function reload(options: Options): Promise<void> {
  const { changed } = await connect(options).post("/enrichers/reload", { body: { reason: options.reason! } });
  process.stdout.write(changed.length === 0 ? "nothing had changed\n" : `new: ${changed.join(", ")}\n`);
}

export async function reveal(pseudonym: string, options: Options): Promise<void> {
  const found = await connect(options).post("/reveal", { body: { pseudonym, reason: options.reason! } });
  process.stdout.write(options.json ? `${jsonText(found)}\n` : `${safe(found.text)}\n`);
}
