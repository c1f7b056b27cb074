/** What an operator does to state databases on which nothing runs. Loads a driver only when it is asked to. */
import { existsSync } from "node:fs";
import { ConfigError } from "@vedette/kit";
import type { Schema } from "./state/migrate.ts";
import type { MoveOptions } from "./state/move.ts";
import type { PostgresSettings } from "./state/postgres.ts";

export type { MoveOptions, Schema };
/** A `state.db`, or PostgreSQL. */
export type StatePlace = string | PostgresSettings;

/** Which migrations have been run and which are pending; changes nothing. @throws as `openStore` */
export async function schemaOfState(where: StatePlace): Promise<Schema & { readonly place: string }> {
  const [{ openPlace }, { migrations, schemaOf }] = await Promise.all([import("./state/open.ts"), import("./state/migrate.ts")]);
  if (typeof where === "string" && !existsSync(where)) return { place: where, done: [], pending: Object.keys(migrations) };
  const place = await openPlace(where, false);
  try {
    return { place: place.name, ...(await schemaOf(place)) };
  } finally {
    await place.state.destroy();
  }
}

/** Runs what is pending; returns what was run. @throws as `openStore` */
export async function migrateState(where: StatePlace): Promise<readonly string[]> {
  const [{ openPlace }, { migrate }] = await Promise.all([import("./state/open.ts"), import("./state/migrate.ts")]);
  const place = await openPlace(where);
  try {
    return await migrate(place);
  } finally {
    await place.state.destroy();
  }
}

/** Copies all state from one to the other and reads it back; see `state/move.ts`. @throws ConfigError `config_invalid` where somebody uses PostgreSQL's */
export async function moveStateTo(from: StatePlace, to: StatePlace, options: MoveOptions): Promise<{ readonly [table: string]: number }> {
  const [{ openPlace }, { migrate }, { moveState }] = await Promise.all([
    import("./state/open.ts"),
    import("./state/migrate.ts"),
    import("./state/move.ts"),
  ]);
  const places = [await openPlace(from)];
  try {
    places.push(await openPlace(to));
    for (const place of places) {
      const users = (await place.users?.()) ?? 0;
      if (users > 0)
        throw new ConfigError("config_invalid", `${place.name} is in use: ${users} connections of Vedette; stop every process of it first`);
      await migrate(place);
    }
    return await moveState(places[0]!, places[1]!, options);
  } finally {
    for (const place of places) await place.state.destroy();
  }
}
