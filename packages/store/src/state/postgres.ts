/** The only importer of pg: Kysely over a pool of connections to one PostgreSQL, whose failures are told in words of our settings. Knows no table. */
import { ConfigError, UnavailableError } from "@vedette/kit";
import { type DataTypeNode, Kysely, PostgresDialect, type PostgresPoolClient, PostgresQueryCompiler, sql } from "kysely";
import pg from "pg";

export interface PostgresSettings {
  /** Name, address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly db: string;
  readonly user: string;
  readonly password?: string | undefined;
  /** Schema of all tables; it is made when it is not there. */
  readonly schema: string;
  /** Connections of one process. */
  readonly connections: number;
  /** How long a connection may take to be made, in milliseconds. */
  readonly connect_ms: number;
  /** How long one statement may take, in milliseconds; 0 for as long as it needs. */
  readonly statement_ms: number;
  /** By which connections are told apart on the server, besides the schema. */
  readonly purpose?: "maintenance" | undefined;
  /** PEM texts; plain where absent. */
  readonly tls?:
    | { readonly ca?: string | undefined; readonly certificate?: string | undefined; readonly key?: string | undefined }
    | undefined;
}

/** R64: 13 or later. */
const oldestVersion = 130_000;
/** What the server is given beyond `statement_ms` to say itself that it has stopped: after that the connection is taken for lost. */
const graceMs = 5_000;

/**
 * PostgreSQL's text holds no NUL, and keys of detectors have one between their parts: U+0000 is written as U+0001 U+0001, U+0001 as
 * U+0001 U+0002. Order and common beginnings stay what they were.
 */
const written = (value: unknown): unknown =>
  typeof value === "string" && /[\0\u0001]/.test(value)
    ? value.replace(/[\0\u0001]/g, (one) => (one === "\0" ? "\u0001\u0001" : "\u0001\u0002"))
    : value;
const read = (value: string): string =>
  value.includes("\u0001") ? value.replace(/\u0001([\u0001\u0002])/g, (_, code) => (code === "\u0001" ? "\0" : "\u0001")) : value;

const { TEXT, VARCHAR, INT8 } = pg.types.builtins;
/** Counts, times and offsets are whole numbers below 2^53, as in SQLite. */
const parsers: { readonly [type: number]: (value: string) => unknown } = { [TEXT]: read, [VARCHAR]: read, [INT8]: Number };

/** Text compares by its bytes, as in SQLite, whatever language the database is set to. */
class Compiler extends PostgresQueryCompiler {
  protected override visitDataType(node: DataTypeNode): void {
    super.visitDataType(node);
    if (node.dataType === "text") this.append(' collate "C"');
  }
}
class Dialect extends PostgresDialect {
  override createQueryCompiler(): Compiler {
    return new Compiler();
  }
}

/** What a standby answers, and a primary that somebody made read-only. */
const readOnly = "25006";

/** SQLSTATE (PostgreSQL's documentation, appendix A) of what an operator mends, with the setting that is wrong and how. */
const refusals: { readonly [code: string]: (settings: PostgresSettings) => string } = {
  "28P01": ({ user }) => `postgres.password: not the password of ${user}; set it by POSTGRES_PASSWORD`,
  "28000": ({ user, db }) =>
    `postgres.user: ${user} is not let in to ${db}; create the role, and a line for it in the server's pg_hba.conf`,
  "3D000": ({ db, user }) => `postgres.db: there is no database ${db}; createdb -E UTF8 -T template0 -O ${user} ${db}`,
  "42501": ({ user, db, schema }) =>
    `postgres.user: ${user} may not do this in schema ${schema}; GRANT CREATE ON DATABASE ${db} TO ${user}, or make the schema its own: CREATE SCHEMA ${schema} AUTHORIZATION ${user}`,
  [readOnly]: ({ host }) =>
    `postgres.host: ${host} takes no writes, so it is a standby or default_transaction_read_only is on; name the primary`,
};

/** Of Node's errors of TLS, whose codes are OpenSSL's, and of pg's own, which has none. */
function tlsRefusal(code: string, message: string): string | undefined {
  if (/does not support SSL/.test(message)) return "postgres.tls: the server speaks no TLS; set ssl = on there, or leave postgres.tls out";
  if (!/^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) return undefined;
  return "postgres.tls: the server's certificate is not taken; name its authority by postgres.tls.ca, and in postgres.host the server as the certificate does";
}

interface Failure {
  readonly code?: string;
  readonly message: string;
}

/**
 * What went wrong, as those above are to know it. Addresses stay out of it: it may be shown to whoever asks.
 * @param starting an operator looks on, and mends what is refused; later the same is only away, and may be mended under a program that runs
 */
function failureOf(cause: unknown, settings: PostgresSettings, starting: boolean): Error {
  const { code = "", message } = cause as Failure;
  if (code === readOnly && !starting)
    return new UnavailableError("store_unavailable", "PostgreSQL takes no writes (25006): it is read-only, or a standby by now", { cause });
  const refused = refusals[code]?.(settings) ?? tlsRefusal(code, message);
  if (refused !== undefined && !starting)
    return new UnavailableError("store_unavailable", `PostgreSQL refuses (${code || "no TLS"})`, { cause });
  if (refused !== undefined) return new ConfigError("postgres_refused", `${refused} (PostgreSQL says: ${message})`, { cause });
  // class 08 connection, 53 resources, 57P operator; names of Node's errors; texts of pg's own
  const away = /^(08|53|57P)/.test(code) || /^E[A-Z]/.test(code) || /connection|timeout|terminat/i.test(message);
  const what = away ? `PostgreSQL does not answer (${code || message})` : `PostgreSQL: ${message}${code ? ` (${code})` : ""}`;
  return new UnavailableError("store_unavailable", what, { cause });
}

/** A client as Kysely wants it: it writes NULs, words failures, and is thrown away after one that may have left it in the middle of something. */
function clientOf(client: pg.PoolClient, settings: PostgresSettings): PostgresPoolClient {
  let broken = false;
  return {
    query: async (sql: string, parameters: readonly unknown[] = []) => {
      try {
        return await client.query(sql, parameters.map(written));
      } catch (cause) {
        // an error of the statement has a severity: the server is there, and says so
        const { severity, code } = cause as { severity?: string; code?: string };
        // after a fail-over the name leads to another server, and this connection still to the one before
        broken ||= severity === undefined || code === readOnly;
        throw failureOf(cause, settings, settings.purpose === "maintenance");
      }
    },
    release: (discard?: boolean) => client.release(discard === true || broken),
  } as unknown as PostgresPoolClient;
}

/** Names on the server are cut at 63 bytes. */
const applicationOf = ({ schema, purpose }: PostgresSettings): string =>
  `vedette${purpose === undefined ? "" : `-${purpose}`} ${schema}`.slice(0, 63);

/** Connections of processes that run on the state, to tell whether it may be moved. */
export async function usersOf<DB>(db: Kysely<DB>, settings: PostgresSettings): Promise<number> {
  const application = applicationOf({ ...settings, purpose: undefined });
  const { rows } = await sql<{ users: number }>`select count(*) as users from pg_stat_activity
    where datname = current_database() and application_name = ${application}`.execute(db);
  return rows[0]!.users;
}

function poolOf(settings: PostgresSettings): pg.Pool {
  const { host, port, db, user, password, schema, connections, connect_ms, statement_ms, tls } = settings;
  const pool = new pg.Pool({
    host,
    port,
    database: db,
    user,
    ...(password !== undefined && { password }),
    ssl: tls === undefined ? false : { ca: tls.ca, cert: tls.certificate, key: tls.key, rejectUnauthorized: true },
    max: connections,
    // every few seconds something is asked; a new connection costs more than many questions
    idleTimeoutMillis: 120_000,
    connectionTimeoutMillis: connect_ms,
    ...(statement_ms > 0 && { statement_timeout: statement_ms, query_timeout: statement_ms + graceMs }),
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    application_name: applicationOf(settings),
    options: `-c search_path=${quoted(schema).replace(/[\\ ]/g, "\\$&")} -c client_encoding=UTF8`,
    types: { getTypeParser: ((type: number, format?: string) => parsers[type] ?? pg.types.getTypeParser(type, format as "text")) as never },
  });
  // a connection that ends while nobody uses it is replaced by the next that is asked for
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Refuses what would fail later, and makes the schema. */
async function prepare(pool: pg.Pool, settings: PostgresSettings, make: boolean): Promise<void> {
  try {
    const one = async (sql: string) => Object.values((await pool.query(sql)).rows[0] ?? {})[0];
    const version = Number(await one("show server_version_num"));
    if (version < oldestVersion)
      throw new ConfigError(
        "postgres_refused",
        `postgres.host: its PostgreSQL is version ${Math.floor(version / 10_000)}; 13 or later is needed`,
      );
    const encoding = await one("show server_encoding");
    if (encoding !== "UTF8")
      throw new ConfigError(
        "postgres_refused",
        `postgres.db: ${settings.db} is of encoding ${encoding}; UTF8 is needed: createdb -E UTF8 -T template0 ${settings.db}`,
      );
    const there = await pool.query("select 1 from pg_namespace where nspname = $1", [settings.schema]);
    if (make && there.rowCount === 0) await pool.query(`create schema if not exists ${quoted(settings.schema)}`);
  } catch (cause) {
    throw cause instanceof ConfigError ? cause : failureOf(cause, settings, true);
  }
}

/**
 * Connects; nothing is migrated yet.
 * @param make whether the schema is made where it is not there
 * @throws ConfigError `postgres_refused`, with the setting that is wrong and the fix; UnavailableError `store_unavailable`
 */
export async function openPostgres<DB>(settings: PostgresSettings, make = true): Promise<Kysely<DB>> {
  const pool = poolOf(settings);
  try {
    await prepare(pool, settings, make);
  } catch (error) {
    await pool.end();
    throw error;
  }
  const connect = () =>
    pool.connect().then(
      (client) => clientOf(client, settings),
      (cause: unknown) => {
        throw failureOf(cause, settings, settings.purpose === "maintenance");
      },
    );
  return new Kysely<DB>({ dialect: new Dialect({ pool: { options: pool.options, connect, end: () => pool.end() } }) });
}
