/** Where Redis is, and what went wrong on the way there in the words of its settings. Knows no driver. */
import { ConfigError, UnavailableError, type VedetteError } from "@vedette/kit";

export interface RedisSettings {
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly db: number;
  /** Every key and channel begins so: installations may share a server. */
  readonly prefix: string;
  /** PEM. `ca`: certificates that the server's must lead to, the system's when absent; `cert` and `key`: this program's own, for servers that ask. */
  readonly tls?: { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined } | undefined;
}

/** Scripts that read the time before they write are refused by 6 and older in part of their set-ups; all is tested with 7. */
const oldest = 7;

/** What would be wrong again, by what server and driver say. */
const refusals: readonly (readonly [pattern: RegExp, setting: string, hint: string])[] = [
  [/WRONGPASS|NOAUTH|invalid password/, "redis.password", "it refuses this user name and password; environment: REDIS_PASSWORD"],
  [/NOPERM/, "redis.username", "it does not let this user do what is needed: expected +@all on keys and channels of redis.prefix"],
  [/DB index is out of range|invalid DB index/, "redis.db", "it has no database of this number"],
  [/protocol error|Unknown RESP type/i, "redis.port", "what answers there is not Redis, or expects TLS (redis.tls)"],
  [
    /alert.*(?:certificate required|bad certificate|unknown ca)/i,
    "redis.tls.certificate",
    "it wants a certificate of ours whose authority it knows",
  ],
  [/wrong version number|packet length too long|SSL routines/, "redis.tls", "what answers there does not speak TLS"],
  [/certificate|altnames|self.signed/i, "redis.tls.ca", "its certificate is not to be trusted"],
];

const placeOf = ({ host, port }: RedisSettings): string => `Redis at ${host}:${port}`;

/** Permanent where a setting is wrong; else it may be there later. */
export function explain(settings: RedisSettings, cause: unknown): VedetteError {
  const message =
    cause instanceof Error ? (cause.message || String((cause as NodeJS.ErrnoException).code ?? cause.name)).slice(0, 300) : String(cause);
  const refusal = refusals.find(([pattern]) => pattern.test(message));
  if (refusal === undefined)
    return new UnavailableError(
      "cluster_unavailable",
      `redis.host, redis.port: ${placeOf(settings)} does not answer${settings.tls ? " over TLS" : ""}: ${message}`,
      {
        cause,
      },
    );
  const [, setting, hint] = refusal;
  return new ConfigError("config_invalid", `${setting}: ${placeOf(settings)}: ${hint} (${message})`, { cause });
}

/** What INFO tells of a server. @throws ConfigError where it cannot be used; @returns what should be set otherwise */
export function checkServer(settings: RedisSettings, info: string): readonly string[] {
  const facts = new Map(
    info
      .split(/\r?\n/)
      .flatMap((line) => (line.includes(":") ? [[line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)] as const] : [])),
  );
  const refuse = (setting: string, hint: string): never => {
    throw new ConfigError("config_invalid", `${setting}: ${placeOf(settings)}: ${hint}`);
  };
  const version = facts.get("redis_version") ?? "of unknown version";
  if (!(Number.parseInt(version, 10) >= oldest)) refuse("redis.host", `it is ${version}; expected Redis ${oldest} or newer`);
  if (facts.get("cluster_enabled") === "1")
    refuse("redis.host", "it is a node of a Redis Cluster; expected a single server, with replicas where wanted");
  if (facts.get("role") === "slave") refuse("redis.host", "it is a replica; expected the server that it follows");
  const policy = facts.get("maxmemory_policy") ?? "";
  // members and leases have no end of their own there, so volatile-* leaves them alone
  if (Number(facts.get("maxmemory") ?? 0) > 0 && policy.startsWith("allkeys"))
    return [
      `${placeOf(settings)} throws away any key when memory is short (maxmemory-policy ${policy}), leases too: set noeviction or volatile-ttl`,
    ];
  return [];
}
