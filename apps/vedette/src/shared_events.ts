/** What the configuration says of a shared folder of events. Opens nothing. */
import { resolve } from "node:path";
import { ConfigError } from "@vedette/kit";
import type { Config } from "./config/schema.ts";

/**
 * The folder that events are in; undefined where they are in the data directory, or on OpenSearch.
 * @throws ConfigError `config_invalid` where both a folder and OpenSearch are named
 */
export function configuredShared({ events }: Config): string | undefined {
  if (events.shared === undefined) return undefined;
  if (events.driver !== "local")
    throw new ConfigError(
      "config_invalid",
      `events.shared: events.driver is ${events.driver}; a shared folder is for local, and events are in one place: leave one of the two out`,
    );
  return resolve(events.shared);
}
