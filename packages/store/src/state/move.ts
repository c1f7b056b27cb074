/** Copies all state from one database to another that both are up to date, and reads it back. Knows neither driver nor what rows mean. */
import { createHash } from "node:crypto";
import { ConfigError, UnavailableError } from "@vedette/kit";
import type { Kysely } from "kysely";
import type { Place } from "./migrate.ts";
import type { State, Tables } from "./tables.ts";

/** What the files of one data directory mean: it stays with them. */
export const localTables = ["partition", "series_file"] as const satisfies readonly (keyof Tables)[];
/** What moves of `progress`; its other rows are of those files. */
const positions = "triage.offset";
const serials = "alert.serial";
export const movedProgress: readonly string[] = [positions, serials];
/** Whose rows say how far something is in the log, and what it remembers of it. */
const ofLog: ReadonlySet<string> = new Set(["checkpoint", "checkpoint_key", "event_writer"]);

/** By what rows are told apart; each table after those it refers to. */
export const movedTables: { readonly [table in Exclude<keyof Tables, (typeof localTables)[number]>]: readonly string[] } = {
  setting: ["name"],
  progress: ["name"],
  person: ["id"],
  session: ["id"],
  api_key: ["hash"],
  machine: ["id"],
  machine_certificate: ["serial"],
  machine_enrolment: ["hash"],
  alert: ["id"],
  alert_entity: ["alert", "type", "id"],
  event_of_interest: ["tenant", "id"],
  alert_event: ["alert", "event"],
  folded_finding: ["id"],
  checkpoint: ["consumer"],
  checkpoint_key: ["consumer", "shard", "key"],
  event_writer: ["partition"],
  event_file: ["partition", "name"],
};

/** Of rows of at most 15 columns: far below what either driver takes of parameters. */
const page = 500;
/** In `setting`: where the state of this database went. Whoever would go on with it is told. */
const movedTo = "state.moved";
/** And what it came from, where that was asked for. */
const cameFrom = "state.came";

export interface MoveOptions {
  /** What is there is given up. */
  readonly overwrite: boolean;
  /** The log is another one there: positions in it and what detectors remember stay behind. */
  readonly newLog: boolean;
  /** Rows written or read back so far, of about `total`. */
  readonly onProgress?: (done: number, total: number, table: string) => void;
  /** When it is, as RFC 3339. */
  readonly at: string;
  /** By which a move that was cut short after it was made is known again. */
  readonly of?: string;
}

// the tables are taken one after the other, whatever their columns are
// biome-ignore lint/suspicious/noExplicitAny: see above
type Any = Kysely<any>;
export type Row = { readonly [column: string]: unknown };

/** A table's rows as far as they are moved. */
function movedRows(db: State, table: string, newLog: boolean) {
  const rows = (db as Any).selectFrom(table);
  if (table === "progress") return rows.where("name", "in", newLog ? [serials] : [serials, positions]);
  return table === "setting" ? rows.where("name", "!=", movedTo) : rows;
}

async function countOf(db: State, table: string, newLog: boolean): Promise<number> {
  const { count } = await movedRows(db, table, newLog)
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** A table's rows in the order of their keys. */
export async function* rowsOf(db: State, table: string, newLog: boolean): AsyncGenerator<readonly Row[]> {
  const key = movedTables[table as keyof typeof movedTables];
  for (let last: Row | undefined; ; ) {
    let some = movedRows(db, table, newLog).selectAll().limit(page);
    for (const column of key) some = some.orderBy(column);
    const after = last;
    if (after !== undefined)
      some = some.where((eb) =>
        eb(eb.refTuple(...(key as [string, string])), ">", eb.tuple(...(key.map((one) => after[one]) as [never, never]))),
      );
    const rows = (await some.execute()) as Row[];
    if (rows.length > 0) yield rows;
    last = rows.at(-1);
    if (rows.length < page) return;
  }
}

/** Columns in one order, whichever the driver gives them in. */
export const told = (row: Row): string =>
  JSON.stringify(
    Object.keys(row)
      .sort()
      .map((column) => row[column]),
  );

/** @throws ConfigError `config_invalid` where the state went somewhere else */
export async function refuseMoved({ state, name }: Place): Promise<void> {
  const row = await state.selectFrom("setting").select("value").where("name", "=", movedTo).executeTakeFirst();
  if (row === undefined) return;
  const { to, at } = JSON.parse(row.value) as { readonly to: string; readonly at: string };
  throw new ConfigError(
    "config_invalid",
    `state.driver: the state in ${name} was moved to ${to} at ${at}; set state.driver to what it is now, or bring it back: vedette move --overwrite`,
  );
}

/**
 * In one transaction: all of it is there afterwards, or the target is as it was. From then on the source is refused by `refuseMoved`.
 * @returns rows by table
 * @throws ConfigError `config_invalid` (something is there, or the source's state went somewhere else); UnavailableError `store_unavailable`
 */
export async function moveState(from: Place, to: Place, options: MoveOptions): Promise<{ readonly [table: string]: number }> {
  const { of } = options;
  const came = await to.state.selectFrom("setting").select("value").where("name", "=", cameFrom).executeTakeFirst();
  if (of !== undefined && came?.value === of) {
    await markMoved(from, to, options.at);
    return {};
  }
  await refuseMoved(from);
  const { newLog, onProgress } = options;
  const tables = Object.keys(movedTables).filter((table) => !(newLog && ofLog.has(table)));
  const counts: { [table: string]: number } = {};
  for (const table of tables) counts[table] = await countOf(from.state, table, newLog);
  // written and read back
  const total = 2 * Object.values(counts).reduce((a, b) => a + b, 0);
  let done = 0;
  const digest = async (db: State, table: string, each?: (rows: readonly Row[]) => Promise<unknown>): Promise<string> => {
    const hash = createHash("sha256");
    for await (const rows of rowsOf(db, table, newLog)) {
      for (const row of rows) hash.update(told(row));
      await each?.(rows);
      done += rows.length;
      onProgress?.(done, total, table);
    }
    return hash.digest("hex");
  };
  await to.state.transaction().execute(async (tx) => {
    await makeRoom(tx, to.name, options.overwrite);
    for (const table of tables) {
      const sent = await digest(from.state, table, (rows) => (tx as Any).insertInto(table).values(rows).execute());
      const [stored, count] = [await digest(tx, table), await countOf(tx, table, newLog)];
      if (stored !== sent || count !== counts[table])
        throw new UnavailableError("store_unavailable", `${to.name}: table ${table} does not read as it was written; nothing was moved`);
    }
    await tx.deleteFrom("setting").where("name", "=", cameFrom).execute();
    if (of !== undefined) await tx.insertInto("setting").values({ name: cameFrom, value: of }).execute();
  });
  await markMoved(from, to, options.at);
  return counts;
}

async function markMoved(from: Place, to: Place, at: string): Promise<void> {
  const value = JSON.stringify({ to: to.name, at });
  await from.state.deleteFrom("setting").where("name", "=", movedTo).execute();
  await from.state.insertInto("setting").values({ name: movedTo, value }).execute();
}

/** Empties the target, or refuses to. */
async function makeRoom(tx: State, name: string, overwrite: boolean): Promise<void> {
  await tx.deleteFrom("setting").where("name", "=", movedTo).execute();
  for (const table of Object.keys(movedTables).reverse()) {
    const count = await countOf(tx, table, false);
    // an empty database counts its changes too
    if (count > 0 && table !== "progress" && !overwrite)
      throw new ConfigError("config_invalid", `${name} holds state already (${count} rows in ${table}); --overwrite gives it up`);
    if (count === 0) continue;
    const rows = (tx as Any).deleteFrom(table);
    await (table === "progress" ? rows.where("name", "in", [serials, positions]) : rows).execute();
  }
}
