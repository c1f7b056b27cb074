import { BadInputError } from "@vedette/kit";
import { expect, test } from "vitest";
import { isUnreadable, kafkaCode, kafkaError, reasonOf } from "./refusal.ts";

const plain = { brokers: ["k1:9092", "k2:9092"], tls: undefined, sasl: undefined };
const named = { ...plain, sasl: { mechanism: "PLAIN", username: "vedette", password: "secret" } } as const;
const coded = (message: string, more: object, cause?: unknown) => Object.assign(new Error(message, { cause }), more);

test.each([
  [
    "a wrong password",
    coded("SASL authentication failed.", { code: "PLT_KFK_AUTHENTICATION" }),
    named,
    /kafka_refused .*user vedette.*kafka\.sasl/,
  ],
  ["missing rights", coded("x", { apiId: "TOPIC_AUTHORIZATION_FAILED" }), named, /kafka_refused .*user vedette.*DescribeConfigs/],
  ["missing rights of nobody", coded("x", { apiId: "CLUSTER_AUTHORIZATION_FAILED" }), plain, /kafka_refused .*without a name/],
  ["an old broker", coded("Unsupported API Produce.", { code: "PLT_KFK_UNSUPPORTED_API" }), plain, /kafka_refused .*too old/],
  ["a port for TLS", coded("Broker requires TLS.", {}), plain, /kafka_refused .*set kafka\.tls/],
  ["a port without TLS", coded("TLS handshake failed. Please verify", {}), { ...plain, tls: {} }, /kafka_refused .*speaks no TLS/],
  [
    "a strange certificate",
    coded("self-signed", { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }),
    { ...plain, tls: {} },
    /kafka_refused .*not trusted/,
  ],
  ["nobody there", coded("connect ECONNREFUSED", { code: "ECONNREFUSED" }), plain, /kafka_unavailable .*k1:9092, k2:9092.*kafka\.server/],
  ["one that hangs up", coded("Connection closed", {}), plain, /kafka_unavailable .*kafka\.tls and kafka\.sasl/],
])("%s", (_, error, connection, expected) => {
  // as the driver nests what a broker said
  const nested = new AggregateError(
    [coded("Connection to k1:9092 failed.", { code: "PLT_KFK_NETWORK" }, error)],
    "metadata failed 3 times.",
  );
  const { code, message, permanent } = kafkaError(nested, connection, "kafka");
  expect(`${code} ${message}`).toMatch(expected);
  expect(permanent).toBe(code === "kafka_refused");
  expect(message).not.toContain("secret");
});

test("our own errors stay, and circles of causes end", () => {
  const own = new BadInputError("too_large", "x");
  expect(kafkaError(own, plain, "kafka")).toBe(own);
  const circle = new Error("a");
  circle.cause = new Error("b", { cause: circle });
  expect(reasonOf(circle)).toBe("a: b");
  expect(kafkaCode(circle)).toBeUndefined();
  expect(reasonOf("text")).toBe("");
});

test.each([
  [true, new RangeError("out of range")],
  [true, coded("Out of bounds.", { code: "PLT_KFK_OUT_OF_BOUNDS" })],
  [true, coded("Received response with error", { code: "PLT_KFK_RESPONSE" }, coded("x", { apiId: "CORRUPT_MESSAGE" }))],
  [false, coded("Connection closed", { code: "PLT_KFK_NETWORK" })],
  [false, coded("Request timed out", { code: "PLT_KFK_TIMEOUT" })],
  [false, coded("Received response with error", { code: "PLT_KFK_RESPONSE" }, coded("x", { apiId: "NOT_LEADER_OR_FOLLOWER" }))],
  [false, new AggregateError([coded("connect", { code: "ECONNREFUSED" })], "many")],
])("unreadable: %s, %s", (expected, error) => expect(isUnreadable(error)).toBe(expected));
