/** `vedette user reset --offline`: the way back in when nobody can sign in any more, for whoever may read the data directory of a stopped server. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { AuditTrail } from "@vedette/audit";
import { ConfigError, systemClock } from "@vedette/kit";
import { openDataDirectory } from "@vedette/pipeline";
import { openStore } from "@vedette/store";
import { operator } from "../audit.ts";
import { loadConfig } from "../config/load.ts";
import { openPeople } from "../people.ts";
import { configuredPostgres } from "../postgres.ts";
import { openVault } from "../vault.ts";

interface Options {
  readonly dataDir?: string;
  readonly config?: string;
  /** Gives the role admin too: the last administrator may be gone. */
  readonly admin?: boolean;
}

export async function resetOffline(name: string, options: Options): Promise<void> {
  const { config } = loadConfig(options.config, process.env, { data_dir: options.dataDir });
  const path = resolve(config.data_dir);
  const postgres = configuredPostgres(config);
  if (!existsSync(join(path, "state.db")))
    throw new ConfigError("config_invalid", `${path}: expected a data directory, found no state.db in it`);
  const directory = openDataDirectory(path);
  const store = await openStore({ directory: path, ...(postgres && { postgres }) });
  try {
    const secrets = await openVault(config, path);
    const people = await openPeople(config, secrets, store);
    const trail = await AuditTrail.open({ directory: path, clock: systemClock, secrets, heads: config.audit.heads, onProblem: () => {} });
    const by = { user: operator() };
    const told = { "user.target.name": name, "vedette.audit.by": "recovery on the host, without a server" };
    try {
      const known = people.users.ofName(name) ?? (options.admin ? await people.users.create({ name, grants: [] }) : undefined);
      if (known === undefined)
        throw new ConfigError(
          "config_invalid",
          `there is nobody named ${name}; there are ${
            people.users
              .list()
              .map((one) => one.name)
              .join(", ") || "no people"
          }. --admin makes one`,
        );
      await trail.record({ action: "user_reset", outcome: "unknown", by, fields: told });
      await people.users.change(
        known.id,
        ({ oidc: _, ...now }) => ({ ...now, disabled: false, ...(options.admin && { grants: [{ role: "admin" as const }] }) }),
        "whoever",
      );
      const { user, password } = await people.credentials.reset(known.id);
      await trail.record({
        action: "user_reset",
        outcome: "success",
        by,
        fields: { ...told, "vedette.audit.after": JSON.stringify({ grants: user.grants }) },
      });
      process.stderr.write(
        `${user.name} can sign in with this password for three days, and changes it at the first sign-in; this is in the audit trail\n`,
      );
      process.stdout.write(`${password}\n`);
    } finally {
      await trail.close();
    }
  } finally {
    await store.close();
    directory.release();
  }
}
