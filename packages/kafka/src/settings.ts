/** Settings of a connection to Kafka as users write them, wherever they do. Knows no topic. */
import { readFile } from "node:fs/promises";
import { ConfigError, z } from "@vedette/kit";
import type { KafkaConnection } from "./driver.ts";

export const kafkaBroker = z.string().regex(/^[\w.[\]:-]{1,255}:\d{1,5}$/, "expected HOST:PORT, such as kafka1.example.org:9092");
export const kafkaTopic = z.string().regex(/^[\w.-]{1,249}$/, "expected a topic's name: letters, digits, dots, dashes and underscores");

export const kafkaTls = z
  .strictObject({
    ca_file: z.string().min(1).optional().describe("PEM file with the certificates to trust; without it those of the system."),
    cert_file: z.string().min(1).optional().describe("PEM file with this program's own certificate, where the brokers ask for one."),
    key_file: z.string().min(1).optional().describe("PEM file with the key of that certificate."),
  })
  .optional()
  .describe("Speaks TLS to the brokers.");

export const kafkaSasl = z
  .strictObject({
    mechanism: z.enum(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]).describe("How the password is proved."),
    username: z.string().min(1).describe("Name of the user."),
    password_file: z.string().min(1).describe("File whose first line is the password."),
  })
  .optional()
  .describe("Logs in to the brokers.");

export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly tls?: z.output<typeof kafkaTls>;
  readonly sasl?: z.output<typeof kafkaSasl>;
}

/** Reads the files that the settings name. @throws ConfigError `config_unreadable` where one cannot be read */
export async function connectionOf({ brokers, tls, sasl }: KafkaSettings): Promise<KafkaConnection> {
  return {
    brokers,
    tls: tls && {
      ...(tls.ca_file !== undefined && { ca: await read(tls.ca_file) }),
      ...(tls.cert_file !== undefined && { cert: await read(tls.cert_file) }),
      ...(tls.key_file !== undefined && { key: await read(tls.key_file) }),
    },
    sasl: sasl && {
      mechanism: sasl.mechanism,
      username: sasl.username,
      password: (await read(sasl.password_file)).split("\n", 1)[0]!.trim(),
    },
  };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new ConfigError("config_unreadable", (cause as Error).message, { cause });
  }
}
