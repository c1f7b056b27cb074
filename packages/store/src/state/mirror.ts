/**
 * Keeps a state database in a file alike to what is on a server, for backups: only rows that differ are written, so that little of the file
 * changes. Knows neither driver nor what rows mean.
 */
import { type Kysely, sql } from "kysely";
import { localTables, movedProgress, movedTables, type Row, rowsOf, told } from "./move.ts";
import type { State } from "./tables.ts";

// the tables are taken one after the other, whatever their columns are
// biome-ignore lint/suspicious/noExplicitAny: see above
type Any = Kysely<any>;

/** A selection, a change or a deletion. */
interface Query {
  where(column: string, how: "=" | "not in", value: unknown): Query;
  execute(): Promise<readonly object[]>;
}

/** Of columns besides the key no two rows may have the same: rows that change places would be in one another's way. There are few. */
const writtenAnew: ReadonlySet<string> = new Set(["person"]);
/** Of rows of at most 15 columns: below what SQLite takes of parameters. */
const atOnce = 500;

/**
 * `file` becomes what `server` is at one moment, and what `local` says of the files of the data directory. In one transaction: killed in the
 * middle, it is what it was.
 */
export async function mirrorState(server: State, local: State, file: State): Promise<void> {
  await server
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute(async (source) => {
      await file.transaction().execute(async (to) => {
        // a row may come before the one that it refers to
        await sql`pragma defer_foreign_keys = on`.execute(to);
        for (const [table, key] of Object.entries(movedTables)) {
          if (writtenAnew.has(table)) await writeAnew(source, to, table);
          else await write(source, to, table, key);
        }
        await copyLocal(local, to);
      });
    });
}

async function writeAnew(source: State, to: State, table: string): Promise<void> {
  const all = async (db: State): Promise<readonly Row[]> => {
    const found: Row[] = [];
    for await (const rows of rowsOf(db, table, false)) found.push(...rows);
    return found;
  };
  const [rows, before] = [await all(source), await all(to)];
  if (rows.map(told).join() === before.map(told).join()) return;
  await (to as Any).deleteFrom(table).execute();
  for (let at = 0; at < rows.length; at += atOnce) await insert(to, table, rows.slice(at, at + atOnce));
}

const insert = (to: State, table: string, rows: readonly Row[]): Promise<unknown> =>
  rows.length === 0 ? Promise.resolve() : (to as Any).insertInto(table).values(rows).execute();

/** Both sides in the order of their keys, side by side. */
async function write(source: State, to: State, table: string, key: readonly string[]): Promise<void> {
  const [theirs, ours] = [oneByOne(rowsOf(source, table, false)), oneByOne(rowsOf(to, table, false))];
  const added: Row[] = [];
  const flush = () => insert(to, table, added.splice(0));
  let [wanted, there] = [await theirs(), await ours()];
  while (wanted !== undefined || there !== undefined) {
    const order = wanted === undefined ? 1 : there === undefined ? -1 : compare(wanted, there, key);
    if (order < 0) {
      added.push(wanted!);
      if (added.length === atOnce) await flush();
    } else if (order > 0) await ofKey((to as Any).deleteFrom(table), there!, key).execute();
    else if (told(wanted!) !== told(there!)) await ofKey((to as Any).updateTable(table).set(wanted!), wanted!, key).execute();
    if (order <= 0) wanted = await theirs();
    if (order >= 0) there = await ours();
  }
  await flush();
}

const ofKey = (query: Query, row: Row, key: readonly string[]): Query =>
  key.reduce((narrowed, column) => narrowed.where(column, "=", row[column]), query);

function oneByOne(pages: AsyncGenerator<readonly Row[]>): () => Promise<Row | undefined> {
  let page: readonly Row[] = [];
  let at = 0;
  return async () => {
    while (at === page.length) {
      const next = await pages.next();
      if (next.done) return undefined;
      [page, at] = [next.value, 0];
    }
    return page[at++];
  };
}

/** As both databases order them: numbers by size, texts by their bytes. */
function compare(a: Row, b: Row, key: readonly string[]): number {
  for (const column of key) {
    const [left, right] = [a[column], b[column]];
    const order = typeof left === "number" ? left - Number(right) : Buffer.compare(Buffer.from(String(left)), Buffer.from(String(right)));
    if (order !== 0) return order;
  }
  return 0;
}

/** Small: as many rows as there are sealed files. */
async function copyLocal(local: State, to: State): Promise<void> {
  for (const table of [...localTables, "progress"] as const) {
    const own = (query: Query): Query => (table === "progress" ? query.where("name", "not in", movedProgress) : query);
    const rows = (await own((local as Any).selectFrom(table).selectAll()).execute()) as readonly Row[];
    await own((to as Any).deleteFrom(table)).execute();
    for (let at = 0; at < rows.length; at += atOnce) await insert(to, table, rows.slice(at, at + atOnce));
  }
}
