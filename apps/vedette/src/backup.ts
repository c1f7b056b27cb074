/** Wires backups: whose keys open them, where they go, who is told when they fail. Makes and reads none itself. */
import { existsSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import type { BackupPort } from "@vedette/api";
import { Repository, type RepositoryKeys } from "@vedette/backup";
import { BadInputError, type Secrets } from "@vedette/kit";
import { type Log, mirrorKafkaLog } from "@vedette/log";
import { Backups, type MirrorLog, reportOwn } from "@vedette/pipeline";
import type { Store } from "@vedette/store";
import { sealerOf, Vault } from "@vedette/vault";
import type { Config } from "./config/schema.ts";
import { configuredKafka } from "./log.ts";
import { logEncryption } from "./vault.ts";

const purpose = "backup";

/** The vault's key, and that of a file where there is one. @throws ConfigError, UnavailableError `key_unavailable` */
export async function backupKeys(vault: Vault | undefined, keyFile: string | undefined): Promise<RepositoryKeys> {
  const file = keyFile === undefined ? undefined : resolve(keyFile);
  // a folder of the key file's own: no key is made there, for the file gives one
  const other = file === undefined ? undefined : await Vault.open({ directory: dirname(file), file });
  return {
    wraps: { ...(vault && { vault: vault.sealer(purpose) }), ...(other && { key_file: other.sealer(purpose) }) },
    sealerOf: (secret) => sealerOf(secret, purpose),
  };
}

export const scheduleOf = ({ backup }: Pick<Config, "backup">) =>
  backup.to === undefined
    ? undefined
    : {
        to: resolve(backup.to),
        every_min: backup.every_min,
        keep: { newest: backup.keep, days: backup.keep_days },
        bytesPerSecond: backup.max_mb_per_s * 1e6,
        drill_every_days: backup.drill_every_days,
      };

async function mirrorOf(config: Config, secrets: Secrets): Promise<MirrorLog> {
  const connection = await configuredKafka(config);
  return async (directory, observations) => {
    // as they are now: they may have been rotated since the start
    const kafka = { ...connection, encryption: await logEncryption(secrets, config) };
    return await mirrorKafkaLog({ kafka, directory, ...(observations && { observations }) });
  };
}

const elsewhereOf = ({ events, opensearch }: Config): string | undefined =>
  events.driver === "opensearch"
    ? `events on OpenSearch (indices ${opensearch.prefix}-*): keep them by snapshots of its own, PUT /_snapshot/REPOSITORY/NAME`
    : undefined;

export interface Wired {
  readonly config: Config;
  readonly directory: string;
  readonly vault: Vault;
  /** Where the key of backups is kept. */
  readonly secrets: Secrets;
  readonly store: Store;
  /** Where people are told of trouble; nobody is without it. */
  readonly log?: Log;
  readonly version: string;
}

export async function openBackups({ config, directory, vault, secrets, store, log, version }: Wired): Promise<Backups> {
  return await Backups.open({
    directory,
    store,
    keys: await backupKeys(vault, config.backup.key_file),
    secret: () => secrets.keep(purpose, Repository.newKey),
    version,
    schedule: scheduleOf(config),
    elsewhere: elsewhereOf(config),
    ...(config.log.driver === "kafka" && { mirror: await mirrorOf(config, secrets) }),
    ...(log && {
      onTrouble: (what, at, message) => {
        const title = what === "backup" ? "No backup is made" : "Backups cannot be shown to restore";
        const own = {
          rule: { id: `vedette.${what}`, title },
          severity: "high" as const,
          summary: message ?? "",
          entities: [{ type: "service", id: what }],
        };
        void reportOwn(log, config.tenant, { ...own, at, ...(message === undefined && { over: true }) }).catch(() => {});
      },
    }),
  });
}

/** What is asked for over HTTP: of folders on this host only those that somebody here has made. */
export function backupPort(backups: Backups, { backup }: Config): BackupPort {
  const folder = (asked: string | undefined): string => {
    const to = asked ?? backup.to;
    if (to === undefined) throw new BadInputError("bad_request", "no folder is configured for backups: set backup.to, or name one");
    if (asked !== undefined && (!isAbsolute(asked) || !existsSync(asked)))
      throw new BadInputError("bad_request", `${asked}: expected the whole path of a folder that is there on the server`);
    return resolve(to);
  };
  return {
    status: async () => {
      await backups.refresh();
      return backups.status();
    },
    start: (asked, { newest = backup.keep, days = backup.keep_days }) => {
      const to = folder(asked);
      // how it ends is in the status
      backups.run({ to, keep: { newest, days }, bytesPerSecond: backup.max_mb_per_s * 1e6 }).catch(() => {});
      return to;
    },
    startDrill: (asked) => {
      const from = folder(asked);
      backups.drill(from).catch(() => {});
      return from;
    },
  };
}
