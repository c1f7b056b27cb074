/** What `doctor` says of Kafka, where the configuration has the log there. Makes no topic. */
import { VedetteError } from "@vedette/kit";
import { inspectKafkaLog } from "@vedette/log";
import type { Config } from "../config/schema.ts";
import { configuredKafka } from "../log.ts";

export async function logCheck(config: Config) {
  const name = "log";
  try {
    const options = await configuredKafka(config);
    const { tls, brokers } = options.kafka;
    const plain = tls === undefined && !brokers.every((broker) => /^(localhost|127\.|\[::1\])/.test(broker));
    return {
      name,
      ok: true,
      note: plain,
      detail: `${await inspectKafkaLog(options)}${plain ? "; not encrypted on the way" : ""}`,
      advice: "set kafka.tls (docs/guide/kafka-log.md)",
    };
  } catch (e) {
    if (!(e instanceof VedetteError)) throw e;
    return { name, ok: false, detail: e.message, advice: "mend what it names (docs/guide/kafka-log.md)" };
  }
}
