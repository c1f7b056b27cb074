/** Takes what a restore has put into a data directory on to the servers that the configuration names: the log to Kafka, state to PostgreSQL. */
import { join } from "node:path";
import type { Manifest } from "@vedette/backup";
import { ConfigError } from "@vedette/kit";
import { fillKafkaLog } from "@vedette/log";
import { moveStateTo } from "@vedette/store";
import type { Config } from "./config/schema.ts";
import { configuredKafka } from "./log.ts";
import { postgresSettings } from "./postgres.ts";
import { logEncryption, openVault } from "./vault.ts";

/** Of the raw topic, as the backup has it. */
function partitionsOf({ about }: Manifest): number {
  const numbers = Object.keys(about.log).flatMap((place) => (place.startsWith("raw/") ? [Number(place.slice("raw/".length))] : []));
  return Math.max(0, ...numbers) + 1;
}

/**
 * What is to be done once the files are there; undefined where nothing lies on servers.
 * @throws ConfigError `config_invalid` where the backup does not fit what is configured
 */
export function ontoServers(
  config: Config,
  directory: string,
  manifest: Manifest,
  onProgress: (done: number, total: number, what: string) => void,
): (() => Promise<void>) | undefined {
  const [onKafka, onPostgres] = [config.log.driver === "kafka", config.state.driver === "postgres"];
  const partitions = partitionsOf(manifest);
  const { about, id } = manifest;
  const ofSeveral = partitions > 1 || "observations/0" in about.log;
  if (ofSeveral && !onKafka)
    throw new ConfigError(
      "config_invalid",
      `backup ${id} is of several processes: expected log.driver: kafka and kafka.partitions: ${partitions} in the configuration of the restore (--config)`,
    );
  if (onKafka && config.kafka.partitions < partitions)
    throw new ConfigError("config_invalid", `kafka.partitions: expected ${partitions} or more, as backup ${id} has them`);
  if (!onKafka && !onPostgres) return undefined;
  return async () => {
    const encryption = await logEncryption(await openVault(config, directory), config);
    // the log first: state that is there names offsets of it
    if (onKafka) {
      const kafka = { ...(await configuredKafka(config)), encryption };
      await fillKafkaLog({ kafka, directory, encryption, of: id, onProgress: (done, total) => onProgress(done, total, "log to Kafka") });
    }
    if (onPostgres)
      await moveStateTo(join(directory, "state.db"), postgresSettings(config), {
        overwrite: false,
        newLog: false,
        at: new Date().toISOString(),
        of: id,
        onProgress: (done, total) => onProgress(done, total, "state to PostgreSQL"),
      });
  };
}
