/** What the configuration says of PostgreSQL, as the store takes it. Opens nothing but files of certificates. */
import { readFileSync } from "node:fs";
import { ConfigError } from "@vedette/kit";
import type { PostgresSettings } from "@vedette/store";
import type { Config } from "./config/schema.ts";

function pem(key: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError("config_invalid", `postgres.tls.${key}: ${(cause as Error).message}`, { cause });
  }
}

/** @throws ConfigError `config_invalid` where no host is named, or a file of `postgres.tls` cannot be read */
export function postgresSettings({ postgres }: Pick<Config, "postgres">): PostgresSettings {
  const { host, tls, connect_timeout_s, statement_timeout_s, ...rest } = postgres;
  if (host === undefined)
    throw new ConfigError(
      "config_invalid",
      "postgres.host: not set; name PostgreSQL's host there or by POSTGRES_HOST, or leave state in SQLite",
    );
  return {
    ...rest,
    host,
    connect_ms: connect_timeout_s * 1_000,
    statement_ms: statement_timeout_s * 1_000,
    ...(tls && { tls: { ca: pem("ca", tls.ca), certificate: pem("certificate", tls.certificate), key: pem("key", tls.key) } }),
  };
}

/** Where state is on PostgreSQL; undefined where it is in the data directory. */
export const configuredPostgres = (config: Config): PostgresSettings | undefined =>
  config.state.driver === "postgres" ? postgresSettings(config) : undefined;
