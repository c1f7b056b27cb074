/** Opens the state database, in a file or on PostgreSQL, with its tables up to date. Knows no query. */
import { UnavailableError, VedetteError } from "@vedette/kit";
import { migrate, type Place } from "./migrate.ts";
import { refuseMoved } from "./move.ts";
import type { PostgresSettings } from "./postgres.ts";
import { openSqlite } from "./sqlite.ts";
import type { State, Tables } from "./tables.ts";

/** How long whoever migrates may take before another that waits for it gives up; rewriting a large table takes minutes. */
const migrateMs = 600_000;

/** As it is found. @throws VedetteError `data_dir_format` (no database at all), `store_unavailable` (damaged, locked) */
function openStateFile(path: string): State {
  try {
    return openSqlite<Tables>(path);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    if (text.includes("not a database"))
      throw new VedetteError("data_dir_format", true, `${path} is not a state database: ${text}`, { cause });
    throw new UnavailableError("store_unavailable", `${path} cannot be opened: ${text}. Restore it from a backup, or run doctor`, {
      cause,
    });
  }
}

/**
 * Opens a database to look at its schema, to bring it up to date or to copy it; whoever asks closes it.
 * @param make whether PostgreSQL's schema is made where it is not there
 */
export async function openPlace(where: string | PostgresSettings, make = true): Promise<Place> {
  if (typeof where === "string") return { state: openStateFile(where), name: where };
  const { openPostgres, usersOf } = await import("./postgres.ts");
  // migrations take what time they need, and so does waiting for another process that runs them
  const state = await openPostgres<Tables>({ ...where, connections: 2, statement_ms: migrateMs, purpose: "maintenance" }, make);
  return {
    state,
    name: `PostgreSQL database ${where.db}, schema ${where.schema}`,
    schema: where.schema,
    users: () => usersOf(state, where),
  };
}

/**
 * @param where a file, or PostgreSQL
 * @throws VedetteError `data_dir_format` (written by a newer version, or no database at all), `store_unavailable` (damaged, locked, away, or a
 *   migration failed), `postgres_refused`
 */
export async function openState(where: string | PostgresSettings): Promise<State> {
  const place = await openPlace(where);
  try {
    await migrate(place);
  } catch (error) {
    await place.state.destroy();
    throw error;
  }
  if (typeof where === "string") return place.state;
  await place.state.destroy();
  const { openPostgres } = await import("./postgres.ts");
  const state = await openPostgres<Tables>(where);
  try {
    await refuseMoved({ ...place, state });
    return state;
  } catch (error) {
    await state.destroy();
    throw error;
  }
}
