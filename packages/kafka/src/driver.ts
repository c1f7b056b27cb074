/** The one place that imports the Kafka driver, at the first use. Knows no topic and no message. */
import type { Admin, Consumer, Producer } from "@platformatic/kafka";

export type { Admin as KafkaAdmin, Producer as KafkaProducer } from "@platformatic/kafka";
/** Keys, values and headers are bytes to us. */
export type KafkaConsumer = Consumer<Buffer, Buffer, Buffer, Buffer>;

/** How the brokers are reached; made of settings by `connectionOf`. */
export interface KafkaConnection {
  /** Each as HOST:PORT. */
  readonly brokers: readonly string[];
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
  readonly sasl:
    | { readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512"; readonly username: string; readonly password: string }
    | undefined;
}

export interface KafkaPatience {
  /** How often the driver itself tries again, `retry_ms` apart. */
  readonly retries: number;
  readonly retry_ms?: number;
  /** A request that is not answered by then fails, and its connection is closed. */
  readonly request_ms?: number;
}

/** Reaching a broker at all: well above a round trip over continents, well below what somebody waits for. */
const connect_ms = 5_000;

const load = () => import("@platformatic/kafka");

function base({ brokers, tls, sasl }: KafkaConnection, { retries, retry_ms = 1_000, request_ms = 30_000 }: KafkaPatience) {
  return {
    clientId: "vedette",
    bootstrapBrokers: [...brokers],
    connectTimeout: connect_ms,
    requestTimeout: request_ms,
    retries,
    retryDelay: retry_ms,
    ...(tls && { tls: { ...tls } }),
    ...(sasl && { sasl: { ...sasl } }),
  };
}

/** Asks one broker after the other until one answers. Nothing is sent before the first call. */
export async function kafkaAdmin(connection: KafkaConnection, patience: KafkaPatience): Promise<Admin> {
  const { Admin } = await load();
  return new Admin(base(connection, patience));
}

/** Waits for all replicas in sync, and what it repeats the broker recognises. */
export async function kafkaProducer(connection: KafkaConnection, patience: KafkaPatience): Promise<Producer> {
  const { Producer } = await load();
  // the driver takes up to one try for none given
  return new Producer({ ...base(connection, patience), retries: Math.max(2, patience.retries), idempotent: true });
}

export interface ConsumerSettings {
  readonly group: string;
  /** A member that was killed is waited for so long before its partitions go to another, itself included. */
  readonly session_ms?: number;
}

export async function kafkaConsumer(
  connection: KafkaConnection,
  patience: KafkaPatience,
  settings: ConsumerSettings,
): Promise<KafkaConsumer> {
  const { Consumer } = await load();
  const { group, session_ms = 10_000 } = settings;
  return new Consumer({ ...base(connection, patience), groupId: group, sessionTimeout: session_ms, heartbeatInterval: session_ms * 0.3 });
}

/** Where a group begins that has read nothing yet, or where it was. */
export async function consumeModes() {
  const { MessagesStreamFallbackModes, MessagesStreamModes } = await load();
  return { MessagesStreamFallbackModes, MessagesStreamModes };
}
