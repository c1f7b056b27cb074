/** The `syslog` source: messages by UDP, TCP and TLS. What a message says (RFC 3164, RFC 5424) is the normaliser's business. */
import { defineSource, z } from "@vedette/kit";
import { parseAddress } from "../address.ts";
import { syslogDatagrams } from "../syslog/datagrams.ts";
import { listenTcp } from "../syslog/tcp.ts";
import { addressConfig as address, onLoopback, tlsConfig } from "../tcp.ts";
import { listenUdp } from "../udp.ts";

const config = z
  .strictObject({
    udp: address.optional().describe("Address to listen on for datagrams, as HOST:PORT."),
    tcp: address.optional().describe("Address to listen on for connections, as HOST:PORT."),
    tls: tlsConfig
      .extend({ listen: address.describe("Address to listen on for connections by TLS (RFC 5425), as HOST:PORT.") })
      .optional()
      .describe("Listens by TLS, with a certificate and its key; beside `tcp`, or instead of it."),
    allow_remote: z
      .boolean()
      .default(false)
      .describe(
        "Listen on other than loopback addresses by UDP or TCP: there syslog is neither encrypted nor authenticated, so anyone who reaches the port can write events.",
      ),
    max_message_bytes: z
      .int()
      .min(480)
      .max(1024 * 1024)
      .default(65_536)
      .describe("Longest message in bytes (TCP, TLS); of a longer one the first 64 KiB and its SHA-256 go to the dead letters."),
    max_connections: z.int().min(1).max(65_535).default(1_024).describe("Most TCP connections at once; further ones are closed."),
    idle_s: z.int().min(1).max(604_800).default(3_600).describe("A TCP connection that says nothing for this long is closed, in seconds."),
    udp_queue_bytes: z
      .int()
      .min(65_536)
      .max(1024 ** 3)
      .default(16 * 1024 * 1024)
      .describe("Datagrams that may wait to be made durable, in bytes; those beyond are dropped and counted."),
  })
  .refine((c) => c.udp !== undefined || c.tcp !== undefined || c.tls !== undefined, "expected udp, tcp or tls")
  .refine((c) => c.allow_remote || (onLoopback(c.udp) && onLoopback(c.tcp)), "expected a loopback address, tls, or allow_remote: true");

export default defineSource({
  name: "syslog",
  summary: "Listens for syslog messages over UDP, TCP and TLS.",
  description:
    "On TCP, messages with a byte count in front (RFC 5425, RFC 6587) and messages ended by a line feed may be mixed. A connection is not read further until its messages are durable. " +
    "UDP cannot be slowed down: what does not fit into the queue is dropped, counted and reported.",
  stability: "beta",
  config,
  examples: [
    { title: "Both transports on loopback", config: { udp: "127.0.0.1:5514", tcp: "127.0.0.1:5514" } },
    { title: "From the cluster's own network", config: { tcp: "10.0.0.1:5514", allow_remote: true } },
    {
      title: "By TLS",
      config: { tls: { listen: "10.0.0.1:6514", cert_file: "/etc/vedette/server.pem", key_file: "/etc/vedette/server.key" } },
    },
  ],
  async run(context) {
    const { config: c } = context;
    const udp = c.udp === undefined ? undefined : parseAddress(c.udp);
    const limits = { maxMessageBytes: c.max_message_bytes, maxConnections: c.max_connections, idle_ms: c.idle_s * 1_000 };
    const streams = [
      ...(c.tcp === undefined ? [] : [{ name: "syslog TCP", address: parseAddress(c.tcp)!, ...limits }]),
      ...(c.tls === undefined ? [] : [{ name: "syslog TLS", address: parseAddress(c.tls.listen)!, tls: c.tls, ...limits }]),
    ];
    // One that cannot listen takes the others with it, so that the restart finds the ports free.
    const failed = new AbortController();
    const signal = AbortSignal.any([context.signal, failed.signal]);
    const all = [
      ...streams.map((options) => listenTcp(options, { ...context, signal })),
      ...(udp === undefined
        ? []
        : [
            listenUdp(
              { name: "syslog UDP", address: udp, queueBytes: c.udp_queue_bytes, reader: syslogDatagrams(context.clock) },
              { ...context, signal },
            ),
          ]),
    ];
    const ends = await Promise.allSettled(all.map((listener) => listener.catch((error: unknown) => stopAll(error, failed))));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  },
});

function stopAll(error: unknown, failed: AbortController): never {
  failed.abort();
  throw error;
}
