/** `vedette migrate`: which migrations of the state database have been run, and running those that have not. */
import { join, resolve } from "node:path";
import { openDataDirectory } from "@vedette/pipeline";
import { migrateState, schemaOfState } from "@vedette/store";
import { loadConfig } from "../config/load.ts";
import { formOf, printRows } from "../output.ts";
import { configuredPostgres } from "../postgres.ts";

interface Options {
  readonly dataDir?: string;
  readonly config?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export async function migrate(options: Options): Promise<void> {
  const { config } = loadConfig(options.config, process.env, { data_dir: options.dataDir });
  const directory = resolve(config.data_dir);
  const where = configuredPostgres(config) ?? join(directory, "state.db");
  const { place, done, pending } = await schemaOfState(where);
  const run = options.dryRun ? [] : await running(where, directory);
  const rows = [
    ...done.map((migration) => ({ migration, state: "done" })),
    ...pending.map((migration) => ({ migration, state: run.includes(migration) ? "run now" : options.dryRun ? "pending" : "done" })),
  ];
  printRows(rows, ["migration", "state"], formOf(options));
  const left = options.dryRun ? pending.length : 0;
  process.stderr.write(`${place}: ${done.length} done before, ${options.dryRun ? `${left} pending` : `${run.length} run now`}\n`);
  if (left > 0) process.exitCode = 1;
}

/** A file is one process's; PostgreSQL lets one migrate while others wait. */
async function running(where: Awaited<Parameters<typeof migrateState>[0]>, directory: string): Promise<readonly string[]> {
  if (typeof where !== "string") return await migrateState(where);
  const held = openDataDirectory(directory);
  try {
    return await migrateState(where);
  } finally {
    held.release();
  }
}
