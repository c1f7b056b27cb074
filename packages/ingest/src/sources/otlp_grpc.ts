/** The `otlp_grpc` source: OpenTelemetry's logs, metrics and spans over gRPC. What a record means is the format's business. */
import { defineSource, z } from "@vedette/kit";
import { parseAddress } from "../address.ts";
import { recordBytes } from "../endpoint_config.ts";
import { listenGrpc } from "../otlp/grpc.ts";
import { secretOf } from "../secret.ts";
import { addressConfig, onLoopback, tlsConfig } from "../tcp.ts";

const config = z
  .strictObject({
    tcp: addressConfig.default("127.0.0.1:4317").describe("Address to listen on, as HOST:PORT."),
    token_file: z
      .string()
      .min(1)
      .optional()
      .describe("File whose first line callers must bring as `authorization: Bearer …`; without it everyone may send."),
    tls: tlsConfig.optional().describe("Certificate and key; with them only TLS is spoken."),
    allow_remote: z
      .boolean()
      .default(false)
      .describe("Listen on other than loopback addresses without TLS: everyone on the way can read what is sent, and the token."),
    max_message_bytes: z
      .int()
      .min(1_024)
      .max(256 * 1024 ** 2)
      // gRPC's own receivers take 4 MB unless told otherwise.
      .default(16 * 1024 ** 2)
      .describe("Largest message in bytes, compressed and decompressed."),
    max_record_bytes: recordBytes("record in bytes, as JSON"),
    max_connections: z.int().min(1).max(65_535).default(1_024).describe("Most connections at once; further ones are closed."),
    idle_s: z.int().min(1).max(604_800).default(3_600).describe("A connection that says nothing for this long is closed, in seconds."),
  })
  .refine((c) => c.allow_remote || c.tls !== undefined || onLoopback(c.tcp), "expected a loopback address, or tls, or allow_remote: true");

export default defineSource({
  name: "otlp_grpc",
  summary: "Listens for OpenTelemetry's logs, metrics and spans over gRPC.",
  description:
    "A call is answered when everything is durable; records that are too large or no records are kept as dead letters and counted in `partial_success`. While too much is waiting the status is RESOURCE_EXHAUSTED, while the log cannot be written UNAVAILABLE, both with RetryInfo. " +
    "Messages may be compressed with gzip.",
  stability: "beta",
  config,
  examples: [
    { title: "On loopback", config: {} },
    {
      title: "From a cluster, by token and TLS",
      config: {
        tcp: "10.0.0.1:4317",
        token_file: "/etc/vedette/otlp.token",
        tls: { cert_file: "/etc/vedette/server.pem", key_file: "/etc/vedette/server.key" },
      },
    },
  ],
  async run(context) {
    const { config: c } = context;
    const options = {
      name: "OTLP gRPC",
      address: parseAddress(c.tcp)!,
      tls: c.tls,
      token: c.token_file === undefined ? undefined : await secretOf(c.token_file, "token_file"),
      maxConnections: c.max_connections,
      idle_ms: c.idle_s * 1_000,
      maxMessageBytes: c.max_message_bytes,
      maxRecordBytes: c.max_record_bytes,
    };
    await listenGrpc(options, context);
  },
});
