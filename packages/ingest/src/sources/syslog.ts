/** The `syslog` source: messages by UDP and TCP. What a message says (RFC 3164, RFC 5424) is the normaliser's business. */
import { defineSource, z } from "@vedette/kit";
import { isLoopback, parseAddress } from "../syslog/address.ts";
import { listenTcp } from "../syslog/tcp.ts";
import { listenUdp } from "../syslog/udp.ts";

const address = z.string().refine((text) => parseAddress(text) !== undefined, "expected HOST:PORT, such as 127.0.0.1:5514 or [::1]:5514");

const config = z
  .strictObject({
    udp: address.optional().describe("Address to listen on for datagrams, as HOST:PORT."),
    tcp: address.optional().describe("Address to listen on for connections, as HOST:PORT."),
    allow_remote: z
      .boolean()
      .default(false)
      .describe(
        "Listen on other than loopback addresses: syslog is neither encrypted nor authenticated, so anyone who reaches the port can write events.",
      ),
    max_message_bytes: z
      .int()
      .min(480)
      .max(1024 * 1024)
      .default(65_536)
      .describe("Longest message in bytes (TCP); of a longer one the first 64 KiB and its SHA-256 go to the dead letters."),
    max_connections: z.int().min(1).max(65_535).default(1_024).describe("Most TCP connections at once; further ones are closed."),
    idle_s: z.int().min(1).max(604_800).default(3_600).describe("A TCP connection that says nothing for this long is closed, in seconds."),
    udp_queue_bytes: z
      .int()
      .min(65_536)
      .max(1024 ** 3)
      .default(16 * 1024 * 1024)
      .describe("Datagrams that may wait to be made durable, in bytes; those beyond are dropped and counted."),
  })
  .refine((c) => c.udp !== undefined || c.tcp !== undefined, "expected udp or tcp, or both")
  .refine(
    (c) => c.allow_remote || [c.udp, c.tcp].every((text) => text === undefined || isLoopback(parseAddress(text)?.host ?? "")),
    "expected a loopback address, or allow_remote: true",
  );

export default defineSource({
  name: "syslog",
  summary: "Listens for syslog messages over UDP and TCP.",
  description:
    "On TCP, messages with a byte count in front (RFC 5425, RFC 6587) and messages ended by a line feed may be mixed. A connection is not read further until its messages are durable. " +
    "UDP cannot be slowed down: what does not fit into the queue is dropped, counted and reported.",
  stability: "beta",
  config,
  examples: [
    { title: "Both transports on loopback", config: { udp: "127.0.0.1:5514", tcp: "127.0.0.1:5514" } },
    { title: "From the cluster's own network", config: { tcp: "10.0.0.1:5514", allow_remote: true } },
  ],
  async run(context) {
    const { config: c } = context;
    const tcp = c.tcp === undefined ? undefined : parseAddress(c.tcp);
    const udp = c.udp === undefined ? undefined : parseAddress(c.udp);
    const limits = { maxMessageBytes: c.max_message_bytes, maxConnections: c.max_connections, idle_ms: c.idle_s * 1_000 };
    // One that cannot listen takes the other with it, so that the restart finds the ports free.
    const failed = new AbortController();
    const signal = AbortSignal.any([context.signal, failed.signal]);
    const both = [
      tcp === undefined ? undefined : listenTcp({ address: tcp, ...limits }, { ...context, signal }),
      udp === undefined ? undefined : listenUdp({ address: udp, queueBytes: c.udp_queue_bytes }, { ...context, signal }),
    ];
    const ends = await Promise.allSettled(both.map((listener) => listener?.catch((error: unknown) => stopBoth(error, failed))));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  },
});

function stopBoth(error: unknown, failed: AbortController): never {
  failed.abort();
  throw error;
}
