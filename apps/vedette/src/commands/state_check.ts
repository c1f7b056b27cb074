/** What `doctor` says of the state database that the configuration names. Changes nothing in it. */
import { join, resolve } from "node:path";
import { VedetteError } from "@vedette/kit";
import { schemaOfState } from "@vedette/store";
import type { Config } from "../config/schema.ts";
import { configuredPostgres } from "../postgres.ts";

export async function stateCheck(config: Config, directory: string) {
  const name = "state";
  try {
    const postgres = configuredPostgres(config);
    const { place, done, pending } = await schemaOfState(postgres ?? join(resolve(directory), "state.db"));
    const plain = postgres !== undefined && postgres.tls === undefined && !isLocal(postgres.host);
    return {
      name,
      ok: true,
      note: plain,
      detail: `${place}: ${done.length} migrations run${pending.length > 0 ? `, ${pending.length} at the next start` : ""}${plain ? "; not encrypted on the way" : ""}`,
      advice: "set postgres.tls (docs/guide/state-on-postgres.md)",
    };
  } catch (e) {
    if (!(e instanceof VedetteError)) throw e;
    return { name, ok: false, detail: e.message, advice: "mend what it names (docs/guide/state-on-postgres.md)" };
  }
}

const isLocal = (host: string): boolean => host.startsWith("/") || /^(localhost|127\.|::1$)/.test(host);
