/** What --role and the drivers make of a process: all of an installation, or a part of one that lies on shared servers. Opens nothing. */
import type { Cluster } from "@vedette/cluster";
import { BadInputError, ConfigError } from "@vedette/kit";
import { type ClusterPart, type Role, roleNames, rolesOf } from "@vedette/pipeline";
import type { Store } from "@vedette/store";
import { processName } from "./cluster.ts";
import type { Loaded } from "./config/load.ts";
import type { Config } from "./config/schema.ts";

/** What several processes must share, by setting: what is wrong, and what is to be done. */
const needs: readonly (readonly [setting: string, holds: (config: Config) => boolean, fix: string])[] = [
  ["log.driver", ({ log }) => log.driver === "kafka", "kafka, with kafka.server (KAFKA_SERVER)"],
  ["state.driver", ({ state }) => state.driver === "postgres", "postgres, with postgres.host (POSTGRES_HOST)"],
  [
    "events.driver",
    ({ events }) => events.driver === "opensearch" || events.shared !== undefined,
    "opensearch, with opensearch.url; or local, with events.shared (a folder that all of them have mounted)",
  ],
  ["redis.host", ({ redis }) => redis.host !== undefined, "a Redis that all of them reach (REDIS_HOST)"],
  [
    "auth.secret_key",
    ({ auth }) => auth.secret_key !== undefined || auth.secret_key_file !== undefined,
    "one secret for all of them (SECRET_KEY): what one seals another opens",
  ],
];

/**
 * Undefined for an installation of one process.
 * @throws ConfigError `config_invalid` naming everything that is missing
 */
export function rolesWanted(role: string, { config }: Loaded): ReadonlySet<Role> | undefined {
  const roles = rolesOf(role);
  const { partitions } = config.kafka;
  const several = roles.size < roleNames.length || (config.log.driver === "kafka" && partitions > 1);
  if (!several) return undefined;
  const why = roles.size < roleNames.length ? `--role ${role}` : `kafka.partitions: ${partitions}`;
  const missing = needs.filter(([, holds]) => !holds(config)).map(([setting, , fix]) => `${setting}: expected ${fix}`);
  if (missing.length > 0)
    throw new ConfigError("config_invalid", [`${why} is for several processes, which share what they know:`, ...missing].join("\n  "));
  return roles;
}

export const partOf = (roles: ReadonlySet<Role> | undefined, config: Config, cluster: Cluster, version: string): ClusterPart | undefined =>
  roles && { cluster, roles, partitions: config.kafka.partitions, name: processName(), version };

/** What is answered from: roll-ups of series are kept where one process does everything, and elsewhere nobody is to take "none" for an answer. */
export function servedBy(roles: ReadonlySet<Role> | undefined, store: Store): Store {
  if (roles === undefined) return store;
  const refuse = () =>
    Promise.reject(
      new BadInputError(
        "not_found",
        "roll-ups of series are kept by an installation of one process; several judge samples as they come, by metric_threshold and correlations, and keep none",
      ),
    );
  return { ...store, series: { ...store.series, list: refuse, range: refuse } };
}
