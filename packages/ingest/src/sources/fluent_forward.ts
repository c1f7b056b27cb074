/** The `fluent_forward` source: Fluentd's and Fluent Bit's own protocol over TCP. What a record means is the normaliser's business. */
import { defineSource, z } from "@vedette/kit";
import { parseAddress } from "../address.ts";
import { recordBytes } from "../endpoint_config.ts";
import { listenForward } from "../forward/tcp.ts";
import { secretOf } from "../secret.ts";
import { addressConfig, onLoopback, tlsConfig } from "../tcp.ts";

const config = z
  .strictObject({
    tcp: addressConfig.default("127.0.0.1:24224").describe("Address to listen on, as HOST:PORT."),
    shared_key_file: z
      .string()
      .min(1)
      .optional()
      .describe("File whose first line is the key that senders must know; without it everyone may send."),
    tls: tlsConfig.optional().describe("Certificate and key; with them only TLS is spoken."),
    allow_remote: z
      .boolean()
      .default(false)
      .describe("Listen on other than loopback addresses without TLS: everyone on the way can read the events."),
    max_message_bytes: z
      .int()
      .min(1_024)
      .max(256 * 1024 ** 2)
      // Fluentd's chunks are 8 MB by default, Fluent Bit's 2 MB.
      .default(16 * 1024 ** 2)
      .describe(
        "Largest message in bytes, as it is sent; a larger one goes to the dead letters by its first 64 KiB and its connection is closed.",
      ),
    max_record_bytes: recordBytes("record in bytes, as JSON"),
    max_connections: z.int().min(1).max(65_535).default(1_024).describe("Most connections at once; further ones are closed."),
    idle_s: z.int().min(1).max(604_800).default(3_600).describe("A connection that says nothing for this long is closed, in seconds."),
  })
  .refine((c) => c.allow_remote || c.tls !== undefined || onLoopback(c.tcp), "expected a loopback address, or tls, or allow_remote: true");

export default defineSource({
  name: "fluent_forward",
  summary: "Listens for Fluentd and Fluent Bit by their forward protocol.",
  description:
    "All four modes (Message, Forward, PackedForward, gzip or zstd), the handshake by a shared key, and TLS. A chunk is acknowledged when it is durable and is known again when it is sent again (`require_ack_response`, " +
    "`Require_ack_response`). While too much is waiting a connection is not read. Users and passwords are not asked for.",
  stability: "beta",
  config,
  examples: [
    { title: "On loopback", config: {} },
    {
      title: "From a cluster, by key and TLS",
      config: {
        tcp: "10.0.0.1:24224",
        shared_key_file: "/etc/vedette/forward.key",
        tls: { cert_file: "/etc/vedette/server.pem", key_file: "/etc/vedette/server.key" },
      },
    },
  ],
  async run(context) {
    const { config: c } = context;
    const key = c.shared_key_file === undefined ? undefined : await secretOf(c.shared_key_file, "shared_key_file");
    const options = {
      name: "forward",
      address: parseAddress(c.tcp)!,
      tls: c.tls,
      key,
      maxConnections: c.max_connections,
      idle_ms: c.idle_s * 1_000,
      maxMessageBytes: c.max_message_bytes,
      maxRecordBytes: c.max_record_bytes,
    };
    await listenForward(options, context);
  },
});
