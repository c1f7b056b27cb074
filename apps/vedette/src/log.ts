/** What the configuration says of the log, as its package takes it. Opens nothing but files that Kafka's settings name. */
import { connectionOf, kafkaBroker } from "@vedette/kafka";
import { ConfigError } from "@vedette/kit";
import type { KafkaLogOptions, LogEncryption, SegmentLogOptions } from "@vedette/log";
import type { Config } from "./config/schema.ts";

/** The log of the data directory, or the one on Kafka. @throws ConfigError `config_invalid`, `config_unreadable` */
export async function configuredLog(
  config: Pick<Config, "log" | "kafka">,
  directory: string,
  encryption: LogEncryption,
): Promise<SegmentLogOptions | KafkaLogOptions> {
  const { driver, segment_mb } = config.log;
  if (driver === "segments") return { directory, segmentBytes: segment_mb * 1_048_576, encryption };
  return { ...(await configuredKafka(config)), encryption };
}

/** Where the log is on Kafka. @throws ConfigError `config_invalid`, `config_unreadable` */
export async function configuredKafka({ kafka }: Pick<Config, "kafka">): Promise<KafkaLogOptions> {
  const { server, topic, partitions, replicas, timeout_s, tls, sasl } = kafka;
  const brokers = (server ?? "").split(",").map((one) => one.trim());
  const wrong = brokers.find((one) => !kafkaBroker.safeParse(one).success);
  if (wrong !== undefined)
    throw new ConfigError(
      "config_invalid",
      `kafka.server: ${server === undefined ? "not set" : `${JSON.stringify(wrong)} is no HOST:PORT`}; name brokers there or by KAFKA_SERVER, such as kafka1:9092,kafka2:9092, or leave log.driver at segments`,
    );
  return {
    kafka: await connectionOf({ brokers, tls, sasl }),
    prefix: topic,
    partitions: { raw: partitions },
    ...(replicas !== undefined && { replicas }),
    timeout_ms: timeout_s * 1_000,
  };
}
