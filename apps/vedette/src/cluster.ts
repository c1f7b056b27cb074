/** The cluster as the configuration has it, and how a server shares with others who may come in. Knows no protocol. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { AccessNotices, type Reloaded, type ServerOptions } from "@vedette/api";
import { type Cluster, inProcessCluster, openRedisCluster } from "@vedette/cluster";
import { type Clock, ConfigError } from "@vedette/kit";
import type { Store } from "@vedette/store";
import type { Config } from "./config/schema.ts";

/**
 * @param patience_ms how long a server that does not answer is waited for
 * @throws ConfigError where a setting of `redis` is wrong, UnavailableError where nothing answers there
 */
export function openCluster({ redis }: Pick<Config, "redis">, clock: Clock, patience_ms?: number): Promise<Cluster> {
  const { host, tls, ...rest } = redis;
  if (host === undefined) return Promise.resolve(inProcessCluster(clock));
  return openRedisCluster(
    { ...rest, host, ...(tls && { tls: { ca: pem("ca", tls.ca), cert: pem("certificate", tls.certificate), key: pem("key", tls.key) } }) },
    clock,
    patience_ms,
  );
}

function pem(setting: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError("config_invalid", `redis.tls.${setting}: ${(cause as Error).message}`, { cause });
  }
}

/** This process among the others; another after a restart. */
export const processName = (): string => `${hostname()}/${randomUUID()}`;

/** What a server's people, keys and tokens are kept in, and how it learns of others' changes of them. */
export interface SharedAccess {
  readonly store: Pick<Store, "people" | "keys" | "settings" | "machines">;
  readonly options: Pick<ServerOptions, "counters" | "recheck">;
  /** @returns the way to stop */
  follow(known: Reloaded): Promise<() => void>;
}

export function sharedAccess({ redis }: Pick<Config, "redis">, cluster: Cluster, store: SharedAccess["store"], clock: Clock): SharedAccess {
  const { counters } = cluster;
  if (redis.host === undefined) return { store, options: { counters }, follow: async () => () => undefined };
  const notices = new AccessNotices(cluster.notices, clock, processName());
  return {
    store: {
      people: notices.people(store.people),
      keys: notices.keys(store.keys),
      settings: notices.settings(store.settings),
      machines: notices.machines(store.machines),
    },
    options: { counters, recheck: () => notices.refresh() },
    follow: (known) => notices.follow(known),
  };
}
