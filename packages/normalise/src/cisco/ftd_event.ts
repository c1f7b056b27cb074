/** What Firepower Threat Defense says of connections, intrusions, files and malware (430001 to 430005): `Key: value` pairs to ECS. Knows no header. */
import type { Fields, FieldValue } from "@vedette/model";
import { compileMapping } from "../ecs/mapping.ts";
import { setUrl } from "../web/url.ts";

/** A name of Cisco's begins a pair; commas and colons within values (user agents, messages) do not. */
const pair = /(?:^|, )([A-Z][A-Za-z0-9_]{1,40}(?: [A-Z][A-Za-z0-9]{1,24}){0,2}): /g;
/** The widest connection event has about 60. */
const maxPairs = 128;
/** What stands for no user. */
const nobody = /^(?:No Authentication Required|Unknown|Special Identities.{0,64}|Not Found|)$/;

const mapped = compileMapping({
  "source.ip": "SrcIP",
  "source.port": "SrcPort",
  "source.packets": "InitiatorPackets",
  "source.bytes": "InitiatorBytes",
  "destination.ip": "DstIP",
  "destination.port": "DstPort",
  "destination.packets": "ResponderPackets",
  "destination.bytes": "ResponderBytes",
  "source.nat.ip": "NAT_InitiatorIP",
  "source.nat.port": "NAT_InitiatorPort",
  "destination.nat.ip": "NAT_ResponderIP",
  "destination.nat.port": "NAT_ResponderPort",
  "network.transport": "Protocol",
  "network.application": "WebApplication",
  "network.protocol": "ApplicationProtocol",
  "observer.ingress.interface.name": "IngressInterface",
  "observer.egress.interface.name": "EgressInterface",
  "observer.ingress.zone": "IngressZone",
  "observer.egress.zone": "EgressZone",
  "rule.name": "AccessControlRuleName",
  "rule.ruleset": ["ACPolicy", "FilePolicy"],
  "rule.id": "SID",
  "rule.version": "Revision",
  "rule.description": "Message",
  "rule.category": ["Classification", "URLCategory"],
  "event.reason": "AccessControlRuleReason",
  "dns.question.name": "DNSQuery",
  "dns.response_code": "DNSResponseType",
  "http.request.referrer": "HTTPReferer",
  "http.response.status_code": "HTTPResponse",
  "user_agent.original": "UserAgent",
  "url.domain": "ReferencedHost",
  "tls.version": "SSLVersion",
  "tls.cipher": "SSLCipherSuite",
  "tls.client.server_name": "SSLServerName",
  "file.name": "FileName",
  "file.size": "FileSize",
  "file.hash.sha256": "FileSHA256",
  "threat.software.name": "ThreatName",
});

interface Meaning {
  readonly kind: "event" | "alert";
  readonly action: string;
  readonly category: FieldValue;
  readonly type: readonly string[];
}
const meanings = new Map<string, Meaning>([
  ["430001", { kind: "alert", action: "intrusion-detected", category: ["network", "intrusion_detection"], type: [] }],
  ["430002", { kind: "event", action: "connection-started", category: "network", type: ["connection", "start"] }],
  ["430003", { kind: "event", action: "connection-finished", category: "network", type: ["connection", "end"] }],
  ["430004", { kind: "event", action: "file-detected", category: ["network", "file"], type: [] }],
  ["430005", { kind: "event", action: "malware-detected", category: ["network", "malware"], type: [] }],
]);

export const isFtdEvent = (code: string): boolean => meanings.has(code);

/** The pairs, each name's first: what a client chose (its user agent) comes after what the firewall says of the connection. */
function pairsOf(message: string): { [name: string]: string } {
  const pairs = Object.create(null) as { [name: string]: string };
  let name: string | undefined;
  let from = 0;
  let count = 0;
  const keep = (end: number) => {
    if (name !== undefined) pairs[name] ??= unquoted(message.slice(from, end));
  };
  for (const found of message.matchAll(pair)) {
    keep(found.index);
    name = found[1]!;
    from = found.index + found[0].length;
    if (++count === maxPairs) break;
  }
  keep(message.length);
  return pairs;
}

const unquoted = (text: string): string => (text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text);

/** Sets everything an event of these numbers tells. */
export function readFtdEvent(code: string, message: string, fields: Fields): void {
  const meaning = meanings.get(code)!;
  const pairs = pairsOf(message);
  for (const name in pairs) fields[`cisco.ftd.${name.replaceAll(" ", "_")}`] = pairs[name]!;
  mapped(pairs, fields);
  const isMalware = pairs["SHA_Disposition"] === "Malware";
  fields["event.kind"] = isMalware ? "alert" : meaning.kind;
  fields["event.action"] = meaning.action;
  fields["event.category"] = meaning.category;
  fields["event.type"] = typeOf(meaning, pairs["AccessControlRuleAction"] ?? pairs["InlineResult"] ?? pairs["FileAction"] ?? "");
  const user = pairs["User"];
  if (user !== undefined && !nobody.test(user)) fields["user.name"] = user;
  for (const name of ["network.transport", "network.protocol", "network.application"])
    if (fields[name] !== undefined) fields[name] = String(fields[name]).toLowerCase();
  const seconds = Number(pairs["ConnectionDuration"] ?? Number.NaN);
  if (seconds >= 0) fields["event.duration"] = seconds * 1_000_000_000;
  const url = pairs["URL"] ?? pairs["URI"];
  if (url !== undefined) setUrl(fields, url);
  const [initiator, responder] = [Number(pairs["InitiatorBytes"]), Number(pairs["ResponderBytes"])];
  if (initiator >= 0 && responder >= 0) fields["network.bytes"] = initiator + responder;
}

function typeOf({ type }: Meaning, verdict: string): FieldValue {
  if (/block|drop|reject/i.test(verdict)) return [...(type.length > 0 ? ["connection"] : ["info"]), "denied"];
  if (/^(?:allow|trust|monitor)/i.test(verdict)) return [...type, "allowed"];
  return type.length > 0 ? type : "info";
}
