/** What an installation keeps (vault, store, log, audit trail), opened in the order they need one another. Knows nothing of what runs over them. */
import { AuditTrail } from "@vedette/audit";
import { systemClock } from "@vedette/kit";
import { type LogKeys, openLog } from "@vedette/log";
import { openStore, type Store } from "@vedette/store";
import type { Vault } from "@vedette/vault";
import { recordStart } from "../audit.ts";
import { configuredLog } from "../log.ts";
import { configuredOpenSearch } from "../opensearch.ts";
import { configuredPostgres } from "../postgres.ts";
import { configuredShared } from "../shared_events.ts";
import { secretsOfInstallation } from "../shared_secrets.ts";
import { openLogKeys, openVault } from "../vault.ts";
import type { Start } from "./start.ts";

export interface Storage {
  readonly vault: Vault;
  /** The vault's boxes, or those that all processes of an installation share. */
  readonly secrets: ReturnType<typeof secretsOfInstallation>;
  readonly store: Store;
  readonly logKeys: LogKeys;
  readonly log: Awaited<ReturnType<typeof openLog>>;
  readonly audit: AuditTrail;
}

/** @param ended called when the log can no longer be written @throws ConfigError, UnavailableError */
export async function openStorage(
  { loaded: { config }, directory: { path }, version, display }: Start,
  ended: (why: Error) => void,
): Promise<Storage> {
  const vault = await openVault(config, path);
  const postgres = configuredPostgres(config);
  const openSearch = configuredOpenSearch(config);
  const sharedEvents = configuredShared(config);
  const store = await openStore({
    directory: path,
    ...(postgres && { postgres }),
    ...(sharedEvents !== undefined && { shared: sharedEvents }),
    ...(openSearch && { openSearch }),
    memoryLimitMb: config.events.memory_mb,
    seriesPerSource: config.metrics.series_per_source,
  });
  const secrets = secretsOfInstallation(vault, config, store.settings);
  const logKeys = await openLogKeys(secrets, config);
  const log = await openLog(await configuredLog(config, path, logKeys.encryption), ended, async () => {
    await vault.reread();
    return await logKeys.reread();
  });
  for (const d of await log.damage())
    display.say(`log: ${d.topic}/${d.partition} ${d.where}: ${d.reason}; ${d.bytes} bytes set aside in log/quarantine`);
  const audit = await AuditTrail.open({
    directory: path,
    clock: systemClock,
    secrets: vault,
    heads: config.audit.heads,
    onProblem: (_, message) => message && display.say(message),
  });
  await recordStart(audit, store.settings, config, version);
  return { vault, secrets, store, logKeys, log, audit };
}

/** In the order opposite to that in which they were opened. */
export async function closeStorage({ audit, log, store }: Storage): Promise<void> {
  await audit.close();
  await log.close();
  await store.close();
}
