/** Opens the state database and brings its tables up to date. Knows no query. */
import { UnavailableError, VedetteError } from "@vedette/kit";
import { Migrator } from "kysely/migration";
import { start } from "./migrations/0001_start.ts";
import { shadow } from "./migrations/0002_shadow.ts";
import { keyDue } from "./migrations/0003_key_due.ts";
import { series } from "./migrations/0004_series.ts";
import { alertSerial } from "./migrations/0005_alert_serial.ts";
import { historical } from "./migrations/0006_historical.ts";
import { people } from "./migrations/0007_people.ts";
import { apiKeys } from "./migrations/0008_api_keys.ts";
import { machines } from "./migrations/0009_machines.ts";
import { openSqlite } from "./sqlite.ts";
import type { State, Tables } from "./tables.ts";

/** In order; a name is never reused or removed. */
export const migrations = {
  "0001_start": start,
  "0002_shadow": shadow,
  "0003_key_due": keyDue,
  "0004_series": series,
  "0005_alert_serial": alertSerial,
  "0006_historical": historical,
  "0007_people": people,
  "0008_api_keys": apiKeys,
  "0009_machines": machines,
} as const;

/** @throws VedetteError `data_dir_format` (written by a newer version, or no database at all), `store_unavailable` (damaged, locked, or a migration failed). */
export async function openState(path: string): Promise<State> {
  let state: State;
  try {
    state = openSqlite<Tables>(path);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    if (text.includes("not a database"))
      throw new VedetteError("data_dir_format", true, `${path} is not a state database: ${text}`, { cause });
    throw new UnavailableError("store_unavailable", `${path} cannot be opened: ${text}. Restore it from a backup, or run doctor`, {
      cause,
    });
  }
  const migrator = new Migrator({ db: state, provider: { getMigrations: async () => ({ ...migrations }) } });
  const { error } = await migrator.migrateToLatest().catch((cause: unknown) => ({ error: cause }));
  if (error === undefined) return state;
  await state.destroy();
  const text = error instanceof Error ? error.message : String(error);
  // Kysely's words for a migration that was run before and is not known now.
  if (text.includes("corrupted migrations")) {
    throw new VedetteError("data_dir_format", true, `${path} was written by a newer version of Vedette: ${text}`, { cause: error });
  }
  throw new UnavailableError("store_unavailable", `${path} cannot be brought up to date: ${text}`, { cause: error });
}
