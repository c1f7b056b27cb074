/** Flows as the `netflow` source words them (NetFlow 5, NetFlow 9, IPFIX) to ECS. Knows no datagram. */
import { type DecodeContext, type DecodeResult, defineFormat, type JsonObject, newFields, z } from "@vedette/kit";
import type { Fields, Flaw, Micros } from "@vedette/model";
import { share } from "../detect.ts";
import { compileMapping } from "../ecs/mapping.ts";
import { relate } from "../ecs/related.ts";
import { flattenValue } from "../json/flatten.ts";
import { isFlaw, isObject, looksLikeObject, parseObject } from "../json/parse.ts";
import { formatTime } from "../time/parse.ts";

const notFlow: Flaw = { code: "bad_flow", expected: 'a flow: {"netflow": 5, 9 or 10, "flow": {…} or "options": {…}}' };

/** By IANA's names of IPFIX information elements. The first that a flow has counts. */
const mapped = {
  "source.ip": ["sourceIPv4Address", "sourceIPv6Address"],
  "source.port": ["sourceTransportPort", "tcpSourcePort", "udpSourcePort"],
  "source.bytes": ["octetDeltaCount", "initiatorOctets", "octetTotalCount"],
  "source.packets": ["packetDeltaCount", "initiatorPackets", "packetTotalCount"],
  "source.mac": "sourceMacAddress",
  "source.as.number": "bgpSourceAsNumber",
  "source.nat.ip": ["postNATSourceIPv4Address", "postNATSourceIPv6Address"],
  "source.nat.port": "postNAPTSourceTransportPort",
  "destination.ip": ["destinationIPv4Address", "destinationIPv6Address"],
  "destination.port": ["destinationTransportPort", "tcpDestinationPort", "udpDestinationPort"],
  "destination.bytes": ["reverseOctetDeltaCount", "responderOctets", "reverseOctetTotalCount"],
  "destination.packets": ["reversePacketDeltaCount", "responderPackets", "reversePacketTotalCount"],
  "destination.mac": "destinationMacAddress",
  "destination.as.number": "bgpDestinationAsNumber",
  "destination.nat.ip": ["postNATDestinationIPv4Address", "postNATDestinationIPv6Address"],
  "destination.nat.port": "postNAPTDestinationTransportPort",
  "network.iana_number": "protocolIdentifier",
  "network.vlan.id": ["vlanId", "dot1qVlanId"],
  "network.application": "applicationName",
  "observer.ingress.interface.id": "ingressInterface",
  "observer.egress.interface.id": "egressInterface",
  "user.name": "userName",
} as const;
const map = compileMapping(mapped);
/** What is in a field of its own is not said twice. */
const told: ReadonlySet<string> = new Set([
  ...Object.values(mapped).flat(),
  ..."Milliseconds Seconds Microseconds Nanoseconds DeltaMicroseconds SysUpTime"
    .split(" ")
    .flatMap((unit) => [`flowStart${unit}`, `flowEnd${unit}`]),
]);

/** IANA's protocol numbers that have ports or are common. */
const transports = new Map<unknown, string>([
  [1, "icmp"],
  [2, "igmp"],
  [6, "tcp"],
  [17, "udp"],
  [47, "gre"],
  [50, "esp"],
  [51, "ah"],
  [58, "ipv6-icmp"],
  [89, "ospf"],
  [132, "sctp"],
]);
/** RFC 3954, field 61. */
const directions = new Map<unknown, string>([
  [0, "ingress"],
  [1, "egress"],
]);
/** IANA, firewallEvent: of these, 3 is a connection that was refused. */
const denied = 3;

const micros = (value: unknown): Micros | undefined => (typeof value === "number" && Number.isSafeInteger(value) ? value : undefined);

function decodeFlow(object: JsonObject, context: DecodeContext): DecodeResult {
  const { netflow: version, flow, options } = object;
  const body = isObject(flow) ? flow : isObject(options) ? options : undefined;
  if (typeof version !== "number" || body === undefined) return notFlow;
  const fields = newFields();
  fields["event.module"] = "netflow";
  fields["event.category"] = "network";
  fields["netflow.version"] = version;
  for (const name of ["domain", "sampling"]) if (typeof object[name] === "number") fields[`netflow.${name}`] = object[name];
  if (context.peer !== undefined) fields["observer.ip"] = context.peer;
  if (isObject(flow)) setFlow(flow, fields);
  else {
    fields["event.kind"] = "state";
    fields["event.dataset"] = "netflow.options";
    fields["event.type"] = "info";
  }
  for (const name in body) if (!isObject(flow) || !told.has(name)) flattenValue(body[name], fields, column(name));
  if (isObject(object["unknown"])) {
    const names = Object.keys(object["unknown"]);
    fields["netflow.unknown_fields"] = names.length;
    for (const name of names) flattenValue(object["unknown"][name], fields, `netflow.unknown.${name.replace(".", "_")}`);
  }
  const start = micros(object["start"]);
  const end = micros(object["end"]);
  if (start !== undefined) fields["event.start"] = formatTime(start);
  if (end !== undefined) fields["event.end"] = formatTime(end);
  if (start !== undefined && end !== undefined && end >= start) fields["event.duration"] = (end - start) * 1_000;
  relate(fields);
  return { time: end ?? start ?? micros(object["exported"]), fields };
}

function setFlow(flow: JsonObject, fields: Fields): void {
  fields["event.kind"] = "event";
  fields["event.dataset"] = "netflow.flow";
  fields["event.action"] = "network_flow";
  const refused = flow["firewallEvent"] === denied;
  fields["event.type"] = refused ? ["connection", "denied"] : "connection";
  if (refused) fields["event.outcome"] = "failure";
  map(flow, fields);
  const transport = transports.get(flow["protocolIdentifier"]);
  if (transport !== undefined) fields["network.transport"] = transport;
  const direction = directions.get(flow["flowDirection"]);
  if (direction !== undefined) fields["network.direction"] = direction;
  for (const unit of ["bytes", "packets"]) {
    const sent = fields[`source.${unit}`];
    const answered = fields[`destination.${unit}`];
    if (typeof sent === "number") fields[`network.${unit}`] = sent + (typeof answered === "number" ? answered : 0);
  }
}

const columns = new Map<string, string>();
/** More names than IANA has. */
const maxColumns = 1_024;

/** `flowEndReason` → `netflow.flow_end_reason`, `sourceIPv4PrefixLength` → `netflow.source_ipv4_prefix_length`. */
function column(name: string): string {
  let found = columns.get(name);
  if (found === undefined) {
    const words = name.slice(0, 64).replace(/([a-z])(IPv[46]|[A-Z])/g, "$1_$2");
    found = `netflow.${words.replace(/(v[46])([A-Z])/g, "$1_$2").toLowerCase()}`;
    if (columns.size < maxColumns) columns.set(name, found);
  }
  return found;
}

const isFlow = (object: JsonObject): boolean =>
  typeof object["netflow"] === "number" &&
  typeof object["exported"] === "number" &&
  (isObject(object["flow"]) || isObject(object["options"]));

export default defineFormat({
  name: "netflow",
  summary: "Flows of NetFlow 5, NetFlow 9 and IPFIX, as the source of the same name words them.",
  description:
    "Elements without an ECS field are kept as netflow.<name>, those that are not known as netflow.unknown.<enterprise>_<number>, in hexadecimal. Bytes and packets are what the exporter counted; where it looked at one packet of many, netflow.sampling says of how many. " +
    "What exporters tell of themselves (options) has the dataset netflow.options.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) =>
    share(sample, (line) => {
      const parsed = looksLikeObject(line) && line.length <= 65_536 ? parseObject(line) : notFlow;
      return !isFlaw(parsed) && isFlow(parsed);
    }),
  decoder: () => (text, context) => {
    if (text.trim() === "") return { skip: "blank" };
    if (!looksLikeObject(text)) return notFlow;
    const parsed = parseObject(text);
    return isFlaw(parsed) ? parsed : decodeFlow(parsed, context);
  },
  json: {
    anyOf: ["netflow"],
    claims: (object) => (isFlow(object) ? 1 : 0),
    decode: (object, _text, context) => decodeFlow(object, context),
  },
  examples: [
    {
      title: "a sampled flow of IPv4",
      input:
        '{"netflow":5,"domain":0,"exported":1714557660000000,"start":1714557600000000,"end":1714557659000000,"sampling":100,"flow":{"sourceIPv4Address":"192.0.2.7",' +
        '"destinationIPv4Address":"198.51.100.9","ipNextHopIPv4Address":"192.0.2.1","ingressInterface":3,"egressInterface":4,"packetDeltaCount":20,"octetDeltaCount":4249,' +
        '"flowStartSysUpTime":1000,"flowEndSysUpTime":60000,"sourceTransportPort":49761,"destinationTransportPort":443,"tcpControlBits":27,"protocolIdentifier":6,"ipClassOfService":0,' +
        '"bgpSourceAsNumber":64496,"bgpDestinationAsNumber":64497}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:59.000000Z",
          "event.module": "netflow",
          "event.category": "network",
          "event.kind": "event",
          "event.dataset": "netflow.flow",
          "event.action": "network_flow",
          "event.type": "connection",
          "event.start": "2024-05-01T10:00:00.000000Z",
          "event.end": "2024-05-01T10:00:59.000000Z",
          "event.duration": 59_000_000_000,
          "netflow.version": 5,
          "netflow.domain": 0,
          "netflow.sampling": 100,
          "netflow.ip_next_hop_ipv4_address": "192.0.2.1",
          "netflow.tcp_control_bits": 27,
          "netflow.ip_class_of_service": 0,
          "source.ip": "192.0.2.7",
          "source.port": 49_761,
          "source.bytes": 4_249,
          "source.packets": 20,
          "source.as.number": 64_496,
          "destination.ip": "198.51.100.9",
          "destination.port": 443,
          "destination.as.number": 64_497,
          "network.iana_number": "6",
          "network.transport": "tcp",
          "network.bytes": 4_249,
          "network.packets": 20,
          "observer.ingress.interface.id": "3",
          "observer.egress.interface.id": "4",
          "related.ip": ["192.0.2.7", "198.51.100.9"],
        },
      ],
    },
    {
      title: "both directions of a refused connection, with a field of the maker's own",
      input:
        '{"netflow":10,"domain":7,"exported":1714557660000000,"start":1714557600000000,"end":1714557600250000,"flow":{"sourceIPv6Address":"2001:db8::1","destinationIPv6Address":"2001:db8::2",' +
        '"sourceTransportPort":5353,"destinationTransportPort":53,"protocolIdentifier":17,"octetDeltaCount":80,"reverseOctetDeltaCount":120,"firewallEvent":3,"flowDirection":1},"unknown":{"9.12235":"0a0b"}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.250000Z",
          "event.module": "netflow",
          "event.category": "network",
          "event.kind": "event",
          "event.dataset": "netflow.flow",
          "event.action": "network_flow",
          "event.type": ["connection", "denied"],
          "event.outcome": "failure",
          "event.start": "2024-05-01T10:00:00.000000Z",
          "event.end": "2024-05-01T10:00:00.250000Z",
          "event.duration": 250_000_000,
          "netflow.version": 10,
          "netflow.domain": 7,
          "netflow.firewall_event": 3,
          "netflow.flow_direction": 1,
          "netflow.unknown_fields": 1,
          "netflow.unknown.9_12235": "0a0b",
          "source.ip": "2001:db8::1",
          "source.port": 5_353,
          "source.bytes": 80,
          "destination.ip": "2001:db8::2",
          "destination.port": 53,
          "destination.bytes": 120,
          "network.iana_number": "17",
          "network.transport": "udp",
          "network.direction": "egress",
          "network.bytes": 200,
          "related.ip": ["2001:db8::1", "2001:db8::2"],
        },
      ],
    },
    {
      title: "what an exporter tells of itself",
      input: '{"netflow":9,"domain":1,"exported":1714557660000000,"options":{"scopeInterface":3,"interfaceName":"Gi0/3"}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:01:00.000000Z",
          "event.module": "netflow",
          "event.category": "network",
          "event.kind": "state",
          "event.dataset": "netflow.options",
          "event.type": "info",
          "netflow.version": 9,
          "netflow.domain": 1,
          "netflow.scope_interface": 3,
          "netflow.interface_name": "Gi0/3",
        },
      ],
    },
    { title: "another document", input: '{"netflow":9}', expect: { flaw: "bad_flow" } },
  ],
});
