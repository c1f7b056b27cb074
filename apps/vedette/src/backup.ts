/** Wires backups: whose keys open them, where they go, who is told when they fail. Makes and reads none itself. */
import { existsSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import type { BackupPort } from "@vedette/api";
import { Repository, type RepositoryKeys } from "@vedette/backup";
import { BadInputError } from "@vedette/kit";
import type { Log } from "@vedette/log";
import { Backups, reportOwn } from "@vedette/pipeline";
import type { Store } from "@vedette/store";
import { sealerOf, Vault } from "@vedette/vault";
import type { Config } from "./config/schema.ts";

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

/** Drivers whose data is not in the data directory: half of an installation is no backup of it. */
function outside({ log, state }: Config): string | undefined {
  const chosen: readonly (readonly [key: string, driver: string, own: string])[] = [
    ["log.driver", log.driver, "segments"],
    ["state.driver", state.driver, "sqlite"],
  ];
  const [found] = chosen.filter(([, driver, own]) => driver !== own);
  return (
    found &&
    `${found[0]} is ${found[1]}: vedette backup holds what lies in the data directory; back up ${found[1]} by its own means (docs/guide/backup.md)`
  );
}

export interface Wired {
  readonly config: Config;
  readonly directory: string;
  readonly vault: Vault;
  readonly store: Store;
  /** Where people are told of trouble; nobody is without it. */
  readonly log?: Log;
  readonly version: string;
}

export async function openBackups({ config, directory, vault, store, log, version }: Wired): Promise<Backups> {
  return await Backups.open({
    directory,
    store,
    keys: await backupKeys(vault, config.backup.key_file),
    secret: () => vault.keep(purpose, Repository.newKey),
    version,
    schedule: scheduleOf(config),
    refused: outside(config),
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
    status: () => backups.status(),
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
