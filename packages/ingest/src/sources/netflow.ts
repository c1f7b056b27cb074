/** The `netflow` source: flows by NetFlow 5, NetFlow 9 and IPFIX over UDP. What a flow means is the format's business. */
import { defineSource, z } from "@vedette/kit";
import { parseAddress } from "../address.ts";
import { FlowReader } from "../netflow/reader.ts";
import { addressConfig, onLoopback } from "../tcp.ts";
import { listenUdp } from "../udp.ts";

const MiB = 1024 ** 2;

const config = z
  .strictObject({
    udp: addressConfig.default("127.0.0.1:2055").describe("Address to listen on, as HOST:PORT."),
    allow_remote: z
      .boolean()
      .default(false)
      .describe(
        "Listen on other than loopback addresses: nothing tells a router's datagrams from anyone else's, so anyone who reaches the port can write flows.",
      ),
    queue_bytes: z
      .int()
      .min(65_536)
      .max(1024 * MiB)
      .default(32 * MiB)
      .describe("Datagrams that may wait to be read, in bytes; those beyond are dropped and counted."),
    waiting_bytes: z
      .int()
      .min(65_536)
      .max(256 * MiB)
      .default(4 * MiB)
      .describe("Records that may wait for a template that has not come yet, in bytes; those beyond go to the dead letters."),
    waiting_s: z
      .int()
      .min(1)
      .max(86_400)
      // routers announce their templates every 10 to 30 minutes
      .default(1_800)
      .describe("How long records wait for their template, in seconds."),
  })
  .refine((c) => c.allow_remote || onLoopback(c.udp), "expected a loopback address, or allow_remote: true");

export default defineSource({
  name: "netflow",
  summary: "Listens for flows by NetFlow 5, NetFlow 9 and IPFIX.",
  description:
    "The version is told by each datagram. Templates are kept by exporter and observation domain, also over a restart; records that come before their template wait for it. Sampling rates are taken from the head (version 5) or from options and told with each flow; " +
    "counts of bytes and packets are left as they were sent. Numbers missing in an exporter's count are in the loss ledger as `lost_flows` (version 5, IPFIX) or `lost_datagrams` (version 9).",
  stability: "beta",
  config,
  examples: [
    { title: "On loopback", config: {} },
    { title: "From routers", config: { udp: "10.0.0.1:2055", allow_remote: true } },
  ],
  async run({ config: c, positions, ...context }) {
    const { clock, warn } = context;
    const reader = new FlowReader({ clock, warn, positions, waitingBytes: c.waiting_bytes, waiting_us: c.waiting_s * 1_000_000 });
    await listenUdp({ name: "NetFlow UDP", address: parseAddress(c.udp)!, queueBytes: c.queue_bytes, reader }, context);
  },
});
