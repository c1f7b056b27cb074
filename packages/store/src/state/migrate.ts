/** Brings a state database's tables up to date, and says what is still to be done. Knows no driver. */
import { UnavailableError, VedetteError } from "@vedette/kit";
import { sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { start } from "./migrations/0001_start.ts";
import { shadow } from "./migrations/0002_shadow.ts";
import { keyDue } from "./migrations/0003_key_due.ts";
import { series } from "./migrations/0004_series.ts";
import { alertSerial } from "./migrations/0005_alert_serial.ts";
import { historical } from "./migrations/0006_historical.ts";
import { people } from "./migrations/0007_people.ts";
import { apiKeys } from "./migrations/0008_api_keys.ts";
import { machines } from "./migrations/0009_machines.ts";
import { integrity } from "./migrations/0010_integrity.ts";
import { sharedEvents } from "./migrations/0013_shared_events.ts";
import type { State } from "./tables.ts";

/** In order; a name is never reused or removed. */
export const migrations: { readonly [name: string]: Migration } = {
  "0001_start": start,
  "0002_shadow": shadow,
  "0003_key_due": keyDue,
  "0004_series": series,
  "0005_alert_serial": alertSerial,
  "0006_historical": historical,
  "0007_people": people,
  "0008_api_keys": apiKeys,
  "0009_machines": machines,
  "0010_integrity": integrity,
  "0013_shared_events": sharedEvents,
};

/** A state database that may not be up to date yet. */
export interface Place {
  readonly state: State;
  /** By which messages name it. */
  readonly name: string;
  /** On PostgreSQL. */
  readonly schema?: string;
  /** How many others are connected to it; only a server can tell. */
  users?(): Promise<number>;
}

const newer = ({ name }: Place, names: readonly string[]) =>
  new VedetteError(
    "data_dir_format",
    true,
    `${name} was written by a newer version of Vedette, which knows ${names.join(", ")}: start that version, or restore a backup of before`,
  );

/** Names of migrations that have been run, and of those still to run. */
export interface Schema {
  readonly done: readonly string[];
  readonly pending: readonly string[];
}

/** Looks only. @throws VedetteError `data_dir_format` where the tables are a newer version's */
export async function schemaOf(place: Place): Promise<Schema> {
  const tables = await place.state.introspection.getTables({ withInternalKyselyTables: true });
  const there = tables.some(({ name, schema }) => name === "kysely_migration" && schema === place.schema);
  const { rows } = there ? await sql<{ name: string }>`select name from kysely_migration order by name`.execute(place.state) : { rows: [] };
  const done = rows.map(({ name }) => name);
  const unknown = done.filter((name) => !(name in migrations));
  if (unknown.length > 0) throw newer(place, unknown);
  return { done, pending: Object.keys(migrations).filter((name) => !done.includes(name)) };
}

/**
 * Runs what is to be run, one process at a time: others wait until it is done.
 * @returns the names of those that were run
 * @throws VedetteError `data_dir_format` (a newer version's tables), `postgres_refused` (privileges), `store_unavailable` (it failed, nothing was changed)
 */
export async function migrate(place: Place): Promise<readonly string[]> {
  await schemaOf(place);
  const migrator = new Migrator({
    db: place.state,
    provider: { getMigrations: async () => ({ ...migrations }) },
    ...(place.schema !== undefined && { migrationTableSchema: place.schema }),
  });
  const { error, results = [] } = await migrator.migrateToLatest().catch((cause: unknown) => ({ error: cause, results: [] }));
  if (error === undefined) return results.map((one) => one.migrationName);
  if (error instanceof VedetteError) throw error;
  const text = error instanceof Error ? error.message : String(error);
  // Kysely's words for a migration that was run before and is not known now: somebody else was faster, and newer
  if (text.includes("corrupted migrations")) throw newer(place, [text]);
  throw new UnavailableError("store_unavailable", `${place.name} cannot be brought up to date: ${text}`, { cause: error });
}
