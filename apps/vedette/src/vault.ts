/** Opens the vault with the keys that the configuration names, and takes out of it what other parts need. Seals nothing itself. */
import { randomBytes } from "node:crypto";
import { pseudonymKey } from "@vedette/enrich";
import { type Secrets, systemClock } from "@vedette/kit";
import { type LogEncryption, LogKeys } from "@vedette/log";
import { CanaryKey, type Resources } from "@vedette/pipeline";
import { Vault } from "@vedette/vault";
import type { Config } from "./config/schema.ts";

type KeyConfig = Pick<Config, "auth">;

/** @throws ConfigError, UnavailableError `key_unavailable` */
export const openVault = ({ auth }: KeyConfig, directory: string): Promise<Vault> =>
  Vault.open({
    directory,
    secret: auth.secret_key,
    file: auth.secret_key_file,
    command: auth.key_command.length === 0 ? undefined : auth.key_command,
  });

const pseudonymBytes = 64;

/** The key of pseudonyms: made once, from SECRET_KEY where there is one, and the same from then on whatever becomes of that. */
const keptPseudonymKey = (secrets: Secrets, { auth }: KeyConfig): Promise<Uint8Array> =>
  secrets.keep("pseudonyms", () =>
    auth.secret_key === undefined ? new Uint8Array(randomBytes(pseudonymBytes)) : pseudonymKey(auth.secret_key),
  );

/** What programs name and do not carry: contents of tables, and the key of pseudonyms. */
export async function resourcesOf(secrets: Secrets, config: KeyConfig, tables: Resources): Promise<Resources> {
  return { table: (hash) => tables.table(hash), pseudonymKey: await keptPseudonymKey(secrets, config) };
}

/** What canaries are known by: of the data directory, or of all who share the state. */
export const canaryKey = async ({ state }: Pick<Config, "state">, directory: string, secrets: Secrets): Promise<CanaryKey> =>
  state.driver === "sqlite" ? CanaryKey.of(directory) : await CanaryKey.kept(secrets);

/** The keys of the log, and whether it is to be sealed. */
export const openLogKeys = (secrets: Secrets, { log }: Pick<Config, "log">): Promise<LogKeys> =>
  LogKeys.open(secrets, log.encryption === "on", systemClock);

export const logEncryption = async (secrets: Secrets, config: Pick<Config, "log">): Promise<LogEncryption> =>
  (await openLogKeys(secrets, config)).encryption;
