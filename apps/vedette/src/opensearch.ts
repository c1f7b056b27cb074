/** What the configuration says of OpenSearch, as the store takes it. Opens nothing but the file of certificates. */
import { readFileSync } from "node:fs";
import { ConfigError } from "@vedette/kit";
import type { OpenSearchSettings } from "@vedette/store";
import type { Config } from "./config/schema.ts";

function pem(setting: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError("config_invalid", `opensearch.${setting}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Where events are on OpenSearch; undefined where they are in the data directory.
 * @throws ConfigError `config_invalid` where no node is named, or the file of certificates cannot be read
 */
export function configuredOpenSearch({ events, opensearch }: Config): OpenSearchSettings | undefined {
  if (events.driver !== "opensearch") return undefined;
  const { url, username, password, ca_file, cert_file, key_file, bucket_hours, timeout_s, ...rest } = opensearch;
  if (url === undefined)
    throw new ConfigError("config_invalid", "opensearch.url: not set; name a node of the cluster there, or leave events.driver at local");
  return {
    ...rest,
    urls: [url].flat(),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(ca_file !== undefined && { ca: pem("ca_file", ca_file) }),
    ...(cert_file !== undefined && { cert: pem("cert_file", cert_file) }),
    ...(key_file !== undefined && { key: pem("key_file", key_file) }),
    bucketHours: bucket_hours,
    timeout_ms: timeout_s * 1_000,
  };
}
