/** The only importer of node:sqlite: Kysely's SQLite dialect over Node's built-in driver. Knows no table. */
import { chmodSync } from "node:fs";
import { backup, DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";

/** Statements kept prepared: the store has far fewer shapes; varying `IN` lists push the oldest out. */
const maxPrepared = 200;

class Connection implements DatabaseConnection {
  private readonly database: DatabaseSync;
  private readonly prepared = new Map<string, StatementSync>();
  constructor(database: DatabaseSync) {
    this.database = database;
  }

  private prepare(sql: string): StatementSync {
    let statement = this.prepared.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      const oldest = this.prepared.size >= maxPrepared ? this.prepared.keys().next().value : undefined;
      if (oldest !== undefined) this.prepared.delete(oldest);
      this.prepared.set(sql, statement);
    }
    return statement;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const statement = this.prepare(query.sql);
    const parameters = query.parameters.map((value) => (typeof value === "boolean" ? Number(value) : value)) as SQLInputValue[];
    if (statement.columns().length > 0) return { rows: statement.all(...parameters) as R[] };
    const { changes } = statement.run(...parameters);
    return { rows: [], numAffectedRows: BigInt(changes) };
  }

  // biome-ignore lint/correctness/useYield: rows are small here, nothing is streamed
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("streaming is not used on the state database");
  }
}

/** SQLite's changes of tables are undone with their transaction like any others: a migration is made whole or not at all. */
class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** One connection, handed to one user at a time: a transaction's statements never mix with others'. */
class SingleDriver implements Driver {
  private readonly connection: Connection;
  private readonly database: DatabaseSync;
  private readonly waiting: (() => void)[] = [];
  private busy = false;
  constructor(database: DatabaseSync) {
    this.database = database;
    this.connection = new Connection(database);
  }
  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.busy) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.busy = true;
    return this.connection;
  }
  async releaseConnection(): Promise<void> {
    const next = this.waiting.shift();
    if (next === undefined) this.busy = false;
    else next();
  }
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }
  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("commit"));
  }
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("rollback"));
  }
  async destroy(): Promise<void> {
    this.database.close();
  }
}

/**
 * Opens a state database file; every commit is durable before it returns. @throws what SQLite says about a damaged file.
 * @param path `:memory:` for one that is gone when it is closed
 */
export function openSqlite<DB>(path: string): Kysely<DB> {
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    // it holds hashes of passwords and what is sealed; its companions take its mode
    if (path !== ":memory:") chmodSync(path, 0o600);
    database.exec("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;");
    const check = database.prepare("pragma quick_check(1)").all()[0] as { readonly quick_check: string };
    if (check.quick_check !== "ok") throw new Error(`integrity check: ${check.quick_check}`);
  } catch (error) {
    database.close();
    throw error;
  }
  const dialect: Dialect = {
    createAdapter: () => new Adapter(),
    createDriver: () => new SingleDriver(database),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
  return new Kysely<DB>({ dialect });
}

/** More pages than a database can have. */
const allPages = 0x7fff_ffff;

/** Copies a state database that is written to meanwhile, as of one moment: in one step, so that no commit makes it begin anew, and beside the caller's thread. */
export async function copySqlite(path: string, to: string): Promise<void> {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    await backup(database, to, { rate: allPages });
  } finally {
    database.close();
  }
}

/** Rows of a database that nobody writes to. */
export function readSqlite<R>(path: string, sql: string): readonly R[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare(sql).all() as unknown as readonly R[];
  } finally {
    database.close();
  }
}
