/** Names the zone that each end of a connection is in, and which way it goes. Knows only addresses. */
import { type Network, parseNetwork, privateNetworks } from "@vedette/condition";
import { defineEnricher, z } from "@vedette/kit";
import type { Fields, FieldValue } from "@vedette/model";
import { remembered } from "../bounded_cache.ts";
import { give } from "../give.ts";
import { NetworkTrie } from "../network_trie.ts";

interface Zone {
  readonly name: string;
  readonly internal: boolean;
}
const outside: Zone = { name: "external", internal: false };
/** Multicast, broadcast and unspecified addresses (RFC 5771, RFC 4291, RFC 919): nobody in particular is there. */
const nobody = ["224.0.0.0/4", "255.255.255.255/32", "0.0.0.0/32", "ff00::/8", "::/128"];

const network = z.string().refine((text) => parseNetwork(text) !== undefined, {
  error: (issue) => `"${String(issue.input)}" is not a network; expected for example "10.0.0.0/8" or "2001:db8::/32"`,
});

/** ECS `network.direction`, as seen from outside the networks. */
const directionOf = (from: Zone, to: Zone): string =>
  from.internal ? (to.internal ? "internal" : "outbound") : to.internal ? "inbound" : "external";

export default defineEnricher({
  name: "network_zones",
  summary: "Names the network zone of each end of a connection, and says which way it goes.",
  description:
    "Sets `vedette.source.zone`, `vedette.destination.zone` (and of client and server) where the address is known, and `network.direction` (internal, outbound, inbound, external) where the log does not tell it. The longest network wins. Networks that no zone names are `internal` when they are private (RFC 1918, 6598, 4193, loopback, link-local), else `external`.",
  stability: "beta",
  config: z.strictObject({
    zones: z
      .record(
        z.string().regex(/^[\w.-]{1,64}$/),
        z.strictObject({
          networks: z.array(network).min(1).max(10_000).describe("Networks of the zone."),
          internal: z
            .boolean()
            .default(true)
            .describe("Whether the zone is ours: a partner's or a cloud's may be named and still be external."),
        }),
      )
      .default({})
      .describe("NAME: {networks: [CIDR], internal}."),
  }),
  examples: [
    {
      title: "A connection from the compute nodes out",
      config: { zones: { compute: { networks: ["10.1.0.0/16"] } } },
      fields: { "source.ip": "10.1.2.3", "destination.ip": "203.0.113.9" },
      adds: { "vedette.source.zone": "compute", "vedette.destination.zone": "external", "network.direction": "outbound" },
    },
    {
      title: "The longest network wins; public addresses may be ours",
      config: { zones: { campus: { networks: ["192.0.2.0/24"] }, login: { networks: ["192.0.2.16/28", "2001:db8:1::/48"] } } },
      fields: { "source.ip": "2001:db8:1::7", "destination.ip": "192.0.2.17" },
      adds: { "vedette.source.zone": "login", "vedette.destination.zone": "login", "network.direction": "internal" },
    },
    {
      title: "What the log says of the direction stays",
      fields: { "source.ip": "198.51.100.1", "destination.ip": "10.0.0.1", "network.direction": "ingress" },
      adds: { "vedette.source.zone": "external", "vedette.destination.zone": "internal" },
    },
    {
      title: "Multicast is nobody's zone",
      fields: { "source.ip": "10.0.0.1", "destination.ip": "224.0.0.251" },
      adds: { "vedette.source.zone": "internal" },
    },
  ],
  enricher({ zones }) {
    const trie = new NetworkTrie<Zone | "nobody">();
    for (const [name, { networks, internal }] of Object.entries(zones))
      for (const text of networks) trie.add(parseNetwork(text) as Network, { name, internal });
    for (const text of privateNetworks) trie.add(parseNetwork(text) as Network, { name: "internal", internal: true });
    for (const text of nobody) trie.add(parseNetwork(text) as Network, "nobody");
    const zoneOf = remembered((text): Zone | undefined => {
      const found = trie.find(text);
      if (found !== undefined) return found === "nobody" ? undefined : found;
      return parseNetwork(text) === undefined ? undefined : outside;
    });
    const zoneAt = (value: FieldValue | undefined): Zone | undefined => {
      if (typeof value === "string") return zoneOf(value);
      const first = Array.isArray(value) ? value[0] : undefined;
      return typeof first === "string" ? zoneOf(first) : undefined;
    };
    // names written out are read several times faster than names from a list, and every connection comes by here
    return (fields: Fields) => {
      const source = zoneAt(fields["source.ip"]);
      const destination = zoneAt(fields["destination.ip"]);
      const client = zoneAt(fields["client.ip"]);
      const server = zoneAt(fields["server.ip"]);
      if (source !== undefined) give(fields, "vedette.source.zone", source.name);
      if (destination !== undefined) give(fields, "vedette.destination.zone", destination.name);
      if (client !== undefined) give(fields, "vedette.client.zone", client.name);
      if (server !== undefined) give(fields, "vedette.server.zone", server.name);
      const from = source ?? client;
      const to = destination ?? server;
      if (from !== undefined && to !== undefined) give(fields, "network.direction", directionOf(from, to));
    };
  },
});
