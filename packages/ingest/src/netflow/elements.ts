/** The fields of NetFlow and IPFIX by number: IANA's names of IPFIX information elements, and how their bytes read. Knows no message. */

/** How bytes read: unsigned number, address, MAC address, text, float, NTP time, or bytes that only their maker understands. */
type Kind = "number" | "address" | "mac" | "text" | "float" | "ntp" | "bytes";

export interface Element {
  /** IANA's name; `PEN.number` for what is not known here. */
  readonly name: string;
  readonly known: boolean;
  readonly read: (bytes: Buffer, at: number, length: number) => string | number;
}

/** Bytes kept of a field that is not known here. */
const maxOpaqueBytes = 64;
const maxTextBytes = 1_024;

/**
 * IANA's registry of IPFIX information elements (RFC 7012) as far as exporters of flows use it. NetFlow 9's field types (RFC 3954) are the same
 * numbers, and its own few are named as there.
 */
const registry: { readonly [K in Kind]: string } = {
  number: `1 octetDeltaCount 2 packetDeltaCount 3 deltaFlowCount 4 protocolIdentifier 5 ipClassOfService 6 tcpControlBits 7 sourceTransportPort 9 sourceIPv4PrefixLength
    10 ingressInterface 11 destinationTransportPort 13 destinationIPv4PrefixLength 14 egressInterface 16 bgpSourceAsNumber 17 bgpDestinationAsNumber
    19 postMCastPacketDeltaCount 20 postMCastOctetDeltaCount 21 flowEndSysUpTime 22 flowStartSysUpTime 23 postOctetDeltaCount 24 postPacketDeltaCount
    25 minimumIpTotalLength 26 maximumIpTotalLength 29 sourceIPv6PrefixLength 30 destinationIPv6PrefixLength 31 flowLabelIPv6 32 icmpTypeCodeIPv4 33 igmpType
    34 samplingInterval 35 samplingAlgorithm 36 flowActiveTimeout 37 flowIdleTimeout 38 engineType 39 engineId 40 exportedOctetTotalCount 41 exportedMessageTotalCount
    42 exportedFlowRecordTotalCount 46 mplsTopLabelType 48 samplerId 49 samplerMode 50 samplerRandomInterval 52 minimumTTL 53 maximumTTL 54 fragmentIdentification
    55 postIpClassOfService 58 vlanId 59 postVlanId 60 ipVersion 61 flowDirection 64 ipv6ExtensionHeaders 85 octetTotalCount 86 packetTotalCount
    87 flagsAndSamplerId 88 fragmentOffset 89 forwardingStatus 98 postIpDiffServCodePoint 99 multicastReplicationFactor 128 bgpNextAdjacentAsNumber
    129 bgpPrevAdjacentAsNumber 132 droppedOctetDeltaCount 133 droppedPacketDeltaCount 134 droppedOctetTotalCount 135 droppedPacketTotalCount 136 flowEndReason
    137 commonPropertiesId 138 observationPointId 139 icmpTypeCodeIPv6 141 lineCardId 142 portId 143 meteringProcessId 144 exportingProcessId 145 templateId
    146 wlanChannelId 148 flowId 149 observationDomainId 150 flowStartSeconds 151 flowEndSeconds 152 flowStartMilliseconds 153 flowEndMilliseconds
    158 flowStartDeltaMicroseconds 159 flowEndDeltaMicroseconds 160 systemInitTimeMilliseconds 161 flowDurationMilliseconds 162 flowDurationMicroseconds
    163 observedFlowTotalCount 164 ignoredPacketTotalCount 165 ignoredOctetTotalCount 166 notSentFlowTotalCount 167 notSentPacketTotalCount
    168 notSentOctetTotalCount 171 postOctetTotalCount 172 postPacketTotalCount 176 icmpTypeIPv4 177 icmpCodeIPv4 178 icmpTypeIPv6 179 icmpCodeIPv6
    180 udpSourcePort 181 udpDestinationPort 182 tcpSourcePort 183 tcpDestinationPort 184 tcpSequenceNumber 189 ipHeaderLength 192 ipTTL
    195 ipDiffServCodePoint 196 ipPrecedence 197 fragmentFlags 224 ipTotalLength 227 postNAPTSourceTransportPort 228 postNAPTDestinationTransportPort
    229 natOriginatingAddressRealm 230 natEvent 231 initiatorOctets 232 responderOctets 233 firewallEvent 234 ingressVRFID 235 egressVRFID 239 biflowDirection
    243 dot1qVlanId 244 dot1qPriority 245 dot1qCustomerVlanId 252 ingressPhysicalInterface 253 egressPhysicalInterface 254 postDot1qVlanId 256 ethernetType
    298 initiatorPackets 299 responderPackets 302 selectorId 304 selectorAlgorithm 305 samplingPacketInterval 306 samplingPacketSpace 309 samplingSize
    310 samplingPopulation 322 observationTimeSeconds 323 observationTimeMilliseconds 361 portRangeStart 362 portRangeEnd`,
  address: `8 sourceIPv4Address 12 destinationIPv4Address 15 ipNextHopIPv4Address 18 bgpNextHopIPv4Address 27 sourceIPv6Address 28 destinationIPv6Address
    44 sourceIPv4Prefix 45 destinationIPv4Prefix 47 mplsTopLabelIPv4Address 62 ipNextHopIPv6Address 63 bgpNextHopIPv6Address 130 exporterIPv4Address
    131 exporterIPv6Address 140 mplsTopLabelIPv6Address 169 destinationIPv6Prefix 170 sourceIPv6Prefix 211 collectorIPv4Address 212 collectorIPv6Address
    225 postNATSourceIPv4Address 226 postNATDestinationIPv4Address 281 postNATSourceIPv6Address 282 postNATDestinationIPv6Address`,
  mac: "56 sourceMacAddress 57 postDestinationMacAddress 80 destinationMacAddress 81 postSourceMacAddress",
  text: "82 interfaceName 83 interfaceDescription 84 samplerName 94 applicationDescription 96 applicationName 147 wlanSSID 236 VRFname 335 selectorName 371 userName",
  float: "311 samplingProbability",
  ntp: "154 flowStartMicroseconds 155 flowEndMicroseconds 156 flowStartNanoseconds 157 flowEndNanoseconds 324 observationTimeMicroseconds 325 observationTimeNanoseconds",
  bytes: "90 mplsVpnRouteDistinguisher 95 applicationId",
};

/** Bytes that only fill up. */
export const paddingElement = 210;
/** RFC 5103: the same elements, of the other direction. */
const reversePen = 29_305;

const readers: { readonly [K in Kind]: Element["read"] } = {
  number: unsigned,
  address: (bytes, at, length) =>
    length === 4
      ? `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`
      : length === 16
        ? ipv6(bytes, at)
        : opaque(bytes, at, length),
  mac: (bytes, at, length) =>
    length === 6
      ? bytes
          .toString("hex", at, at + 6)
          .toUpperCase()
          .replace(/..\B/g, "$&-")
      : opaque(bytes, at, length),
  text: (bytes, at, length) => {
    const text = bytes.toString("utf8", at, at + Math.min(length, maxTextBytes));
    const end = text.indexOf("\0");
    return end < 0 ? text : text.slice(0, end);
  },
  float: (bytes, at, length) => {
    const value = length === 4 ? bytes.readFloatBE(at) : length === 8 ? bytes.readDoubleBE(at) : Number.NaN;
    return Number.isFinite(value) ? value : opaque(bytes, at, length);
  },
  ntp: (bytes, at, length) => (length === 8 ? ntpMicros(bytes, at) : opaque(bytes, at, length)),
  bytes: opaque,
};

const known = new Map<number, Element>();
for (const kind of Object.keys(registry) as Kind[]) {
  const words = registry[kind].trim().split(/\s+/);
  for (let i = 0; i < words.length; i += 2) known.set(Number(words[i]), { name: words[i + 1]!, known: true, read: readers[kind] });
}

/** @param pen IANA's number of the enterprise whose element it is; 0 for IANA's own */
export function elementOf(pen: number, id: number): Element {
  const own = pen === 0 || pen === reversePen ? known.get(id) : undefined;
  if (own === undefined) return { name: `${pen}.${id}`, known: false, read: opaque };
  return pen === 0 ? own : { ...own, name: `reverse${own.name[0]!.toUpperCase()}${own.name.slice(1)}` };
}

/** NetFlow 9's scopes of options (RFC 3954, 6.1) are numbered for themselves. */
export function scopeOf(type: number): Element {
  const name = ["", "scopeSystem", "scopeInterface", "scopeLineCard", "scopeCache", "scopeTemplate"][type];
  return name ? { name, known: true, read: unsigned } : { name: `scope.${type}`, known: false, read: opaque };
}

function unsigned(bytes: Buffer, at: number, length: number): string | number {
  if (length <= 0 || length > 8) return opaque(bytes, at, length);
  if (length <= 6) return bytes.readUIntBE(at, length);
  let value = 0n;
  for (let i = 0; i < length; i++) value = (value << 8n) | BigInt(bytes[at + i]!);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
}

function opaque(bytes: Buffer, at: number, length: number): string {
  return bytes.toString("hex", at, at + Math.min(length, maxOpaqueBytes));
}

/** Seconds from 1900 to 1970. */
const ntpEpoch = 2_208_988_800;
const ntpMicros = (bytes: Buffer, at: number): number =>
  (bytes.readUInt32BE(at) - ntpEpoch) * 1_000_000 + Math.round((bytes.readUInt32BE(at + 4) / 2 ** 32) * 1_000_000);

/** RFC 5952. */
function ipv6(bytes: Buffer, at: number): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(bytes.readUInt16BE(at + i).toString(16));
  let [best, length] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === "0") end++;
    if (end - i > length) [best, length] = [i, end - i];
    i = Math.max(i, end - 1);
  }
  if (best < 0) return groups.join(":");
  return `${groups.slice(0, best).join(":")}::${groups.slice(best + length).join(":")}`;
}
