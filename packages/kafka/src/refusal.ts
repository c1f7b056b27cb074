/** What an error of the driver means to whoever set Kafka up. Repairs nothing. */
import { UnavailableError, VedetteError } from "@vedette/kit";
import type { KafkaConnection } from "./driver.ts";

/** Errors inside errors, at most: the driver nests a few. */
const depth = 12;

/** Every error inside, outermost first. */
function* chain(error: unknown): Generator<Error & { readonly code?: unknown; readonly apiId?: unknown }> {
  const open = [error];
  for (let left = depth; left > 0 && open.length > 0; left--) {
    const one = open.shift();
    if (!(one instanceof Error)) continue;
    yield one;
    if (one instanceof AggregateError) open.push(one.errors[0]);
    open.push(one.cause);
  }
}

/** The driver wraps what brokers said; the innermost tells most. */
export function reasonOf(error: unknown): string {
  const seen = new Set<string>();
  for (const { message } of chain(error)) seen.add(message);
  return [...seen].join(": ").slice(0, 500);
}

/** Kafka's own name of what went wrong, such as `TOPIC_ALREADY_EXISTS`. */
export function kafkaCode(error: unknown): string | undefined {
  for (const { apiId } of chain(error)) if (typeof apiId === "string") return apiId;
  return undefined;
}

/** Node's and OpenSSL's codes of certificates. */
const certificateTrouble = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|UNABLE_TO_|SELF_SIGNED)/;

/** Whether what came cannot be taken apart, rather than not come at all: asked again it would be the same. */
export function isUnreadable(error: unknown): boolean {
  if (kafkaCode(error) === "CORRUPT_MESSAGE") return true;
  return [...chain(error)].every(({ code }) => code === undefined || code === "PLT_KFK_OUT_OF_BOUNDS" || `${code}`.startsWith("ZSTD_"));
}

const has = (error: unknown, code: string) => [...chain(error)].some((one) => one.code === code);

/**
 * What went wrong in words that name the setting to look at. `settings` is where they stand, such as `kafka`.
 * @returns `kafka_refused` where trying again would not help, else `kafka_unavailable`
 */
export function kafkaError(error: unknown, { brokers, sasl }: KafkaConnection, settings: string): VedetteError {
  if (error instanceof VedetteError) return error;
  const where = `Kafka at ${brokers.join(", ")}`;
  const refuse = (what: string) =>
    new VedetteError("kafka_refused", true, `${where} ${what} (${reasonOf(error)})`.slice(0, 1_000), { cause: error });
  const code = kafkaCode(error);
  if (has(error, "PLT_KFK_AUTHENTICATION") || code === "SASL_AUTHENTICATION_FAILED")
    return refuse(`refuses the user ${sasl?.username ?? "without a name"}: look at ${settings}.sasl (mechanism, username, password_file).`);
  if (code?.endsWith("AUTHORIZATION_FAILED"))
    return refuse(
      `does not let ${sasl === undefined ? "a client without a name" : `the user ${sasl.username}`} do this: give it the rights Read, Write, Create, Delete, Describe, DescribeConfigs and AlterConfigs on topics of the prefix ${settings}.topic.`,
    );
  if (has(error, "PLT_KFK_UNSUPPORTED_API") || has(error, "PLT_KFK_UNSUPPORTED") || code === "UNSUPPORTED_VERSION")
    return refuse("lacks what this program asks of a broker: it is too old. Kafka 4.1 is what it is tested with.");
  const inside = [...chain(error)];
  if (inside.some(({ message }) => message.includes("requires TLS"))) return refuse(`speaks TLS: set ${settings}.tls.`);
  if (inside.some(({ message }) => message.startsWith("TLS handshake failed")))
    return refuse(`speaks no TLS at that port: name its TLS port, or take ${settings}.tls away.`);
  if (inside.some(({ code: own }) => typeof own === "string" && certificateTrouble.test(own)))
    return refuse(`has a certificate that is not trusted, or does not take ours: look at ${settings}.tls.`);
  // a port for TLS or for those who log in hangs up on everybody else
  const hungUp = inside.some(({ message }) => message === "Connection closed");
  return new UnavailableError(
    "kafka_unavailable",
    `${where} ${hungUp ? `hangs up: look at ${settings}.tls and ${settings}.sasl, and whether it goes on running` : `does not answer: look at ${settings}.server, and whether a broker runs there`} (${reasonOf(error)})`,
    { cause: error },
  );
}
