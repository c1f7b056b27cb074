/** Suricata's EVE log to ECS: alerts and the records of its protocol parsers. Knows no signature. */
import { type JsonObject, type JsonValue, z } from "@vedette/kit";
import type { Fields, FieldValue, Flaw } from "@vedette/model";
import { type Mapper, type Mapping, putField } from "../ecs/mapping.ts";
import { relate } from "../ecs/related.ts";
import { defineDocuments, documentReader, textOf } from "../json/documents.ts";
import { isObject } from "../json/parse.ts";
import { parseRfc3339 } from "../time/parse.ts";
import { setUrl } from "../web/url.ts";

const unknownShape: Flaw = { code: "unknown_shape", expected: "an EVE record: {timestamp, event_type, …}" };

const read = documentReader({
  module: "suricata",
  dataset: "suricata.eve",
  prefix: "suricata.eve.",
  time: ["timestamp"],
  map: {
    "source.ip": "src_ip",
    "source.port": "src_port",
    "destination.ip": "dest_ip",
    "destination.port": "dest_port",
    "network.community_id": "community_id",
    "observer.name": ["host", "sensor_name"],
    "observer.ingress.interface.name": "in_iface",
    "network.vlan.id": "vlan",
    "event.action": "event_type",
  },
});

/** What a record of one `event_type` is about. */
interface Kind {
  readonly kind?: "alert" | "metric";
  readonly category: FieldValue;
  readonly type: FieldValue;
  readonly protocol?: string;
  readonly map?: Mapping;
}
const protocol = (name: string, map: Mapping = {}): Kind => ({
  category: "network",
  type: ["connection", "protocol"],
  protocol: name,
  map,
});

const flowMap: Mapping = {
  "source.bytes": ["flow.bytes_toserver", "netflow.bytes"],
  "destination.bytes": "flow.bytes_toclient",
  "source.packets": ["flow.pkts_toserver", "netflow.pkts"],
  "destination.packets": "flow.pkts_toclient",
  "event.reason": "flow.reason",
};
const httpMap: Mapping = {
  "http.request.method": "http.http_method",
  "http.request.referrer": "http.http_refer",
  "http.response.status_code": "http.status",
  "http.response.body.bytes": "http.length",
  "http.response.mime_type": "http.http_content_type",
  "user_agent.original": "http.http_user_agent",
  "url.domain": "http.hostname",
};
const tlsMap: Mapping = {
  "tls.client.server_name": "tls.sni",
  "tls.server.subject": "tls.subject",
  "tls.server.issuer": "tls.issuerdn",
  "tls.server.hash.sha1": "tls.fingerprint",
  "tls.client.ja3": "tls.ja3.hash",
  "tls.server.ja3s": "tls.ja3s.hash",
  "tls.client.ja4": "tls.ja4",
};
const fileMap: Mapping = {
  "file.path": "fileinfo.filename",
  "file.size": "fileinfo.size",
  "file.hash.md5": "fileinfo.md5",
  "file.hash.sha1": "fileinfo.sha1",
  "file.hash.sha256": "fileinfo.sha256",
  "file.mime_type": "fileinfo.mimetype",
};
const dnsMap: Mapping = {
  "dns.question.name": ["dns.rrname", "dns.query.0.rrname", "dns.queries.0.rrname"],
  "dns.question.type": ["dns.rrtype", "dns.query.0.rrtype", "dns.queries.0.rrtype"],
  "dns.answers.data": ["dns.answers.rdata", "dns.rdata"],
  "dns.answers.ttl": "dns.answers.ttl",
  "dns.response_code": "dns.rcode",
  "dns.id": ["dns.id", "dns.query.0.id"],
  "dns.type": "dns.type",
};
const mailMap: Mapping = {
  "email.from.address": ["smtp.mail_from", "email.from"],
  "email.to.address": ["smtp.rcpt_to", "email.to"],
  "email.subject": "email.subject",
};

const kinds = new Map<string, Kind>([
  [
    "alert",
    {
      kind: "alert",
      category: ["network", "intrusion_detection"],
      type: "info",
      // An alert carries what the parser knew of its packet too.
      map: {
        "rule.id": "alert.signature_id",
        "rule.name": "alert.signature",
        "rule.category": "alert.category",
        "rule.version": "alert.rev",
        "event.severity": "alert.severity",
        "threat.technique.id": "alert.metadata.mitre_technique_id",
        "threat.tactic.id": "alert.metadata.mitre_tactic_id",
        ...flowMap,
        ...httpMap,
        ...tlsMap,
        ...dnsMap,
        ...fileMap,
        ...mailMap,
      },
    },
  ],
  ["anomaly", { category: "network", type: "info", map: { "rule.name": "anomaly.event" } }],
  ["dns", protocol("dns", dnsMap)],
  ["http", { category: ["network", "web"], type: ["access", "protocol"], protocol: "http", map: httpMap }],
  ["http2", { category: ["network", "web"], type: ["access", "protocol"], protocol: "http2", map: httpMap }],
  ["tls", protocol("tls", tlsMap)],
  ["quic", protocol("quic", { "tls.client.server_name": "quic.sni" })],
  ["ssh", protocol("ssh", { "user_agent.original": "ssh.client.software_version" })],
  ["smtp", protocol("smtp", mailMap)],
  ["ftp", protocol("ftp")],
  ["ftp_data", protocol("ftp-data")],
  ["smb", protocol("smb", { "file.path": "smb.filename", "user.name": "smb.ntlmssp.user", "user.domain": "smb.ntlmssp.domain" })],
  ["nfs", protocol("nfs", { "file.path": "nfs.filename" })],
  ["rdp", protocol("rdp", { "user.name": "rdp.cookie" })],
  ["krb5", protocol("kerberos", { "user.name": "krb5.cname", "user.domain": "krb5.realm" })],
  ["dhcp", protocol("dhcp", { "source.mac": "dhcp.client_mac", "host.hostname": "dhcp.hostname" })],
  ["snmp", protocol("snmp")],
  ["sip", protocol("sip")],
  ["mqtt", protocol("mqtt")],
  ["modbus", protocol("modbus")],
  ["fileinfo", { category: ["network", "file"], type: "info", map: { ...fileMap, ...httpMap } }],
  ["flow", { category: "network", type: ["connection", "end"], map: flowMap }],
  ["netflow", { category: "network", type: "connection", map: flowMap }],
  [
    "drop",
    { category: "network", type: ["connection", "denied"], map: { "event.reason": "drop.reason", "rule.id": "alert.signature_id" } },
  ],
  ["stats", { kind: "metric", category: "host", type: "info" }],
  ["engine", { category: "host", type: "info" }],
]);
const unknownKind: Kind = { category: "network", type: "info" };
const mappers = new Map<Kind, Mapper>([...kinds.values()].map((kind) => [kind, read.also(kind.map ?? {})]));

function claims(object: JsonObject): number {
  if (typeof object["event_type"] !== "string" || typeof object["timestamp"] !== "string") return 0;
  if (object["flow_id"] !== undefined || isObject(object["stats"])) return 1;
  return object["src_ip"] !== undefined && object["dest_ip"] !== undefined ? 0.9 : 0;
}

function finish(fields: Fields, object: JsonObject, type: string): void {
  const alert = object["alert"];
  if (type === "alert" && isObject(alert)) fields["event.type"] = alert["action"] === "blocked" ? "denied" : "allowed";
  const transport = textOf(object["proto"]);
  if (transport !== undefined) fields["network.transport"] = transport.toLowerCase();
  const told = textOf(object["app_proto"]);
  if (told !== undefined && told !== "failed" && told !== "unknown") fields["network.protocol"] = told;
  const http = object["http"];
  if (isObject(http)) finishHttp(fields, http);
  const tls = object["tls"];
  if (isObject(tls)) setTlsVersion(fields, textOf(tls["version"]));
  const flow = object["flow"];
  if (isObject(flow)) setSpan(fields, flow["start"], flow["end"]);
}

function finishHttp(fields: Fields, http: JsonObject): void {
  const host = fields["url.domain"];
  const url = textOf(http["url"]);
  if (url !== undefined) setUrl(fields, url);
  if (host !== undefined) fields["url.domain"] = host;
  const version = textOf(http["protocol"]);
  if (version?.startsWith("HTTP/")) fields["http.version"] = version.slice(5);
  const status = http["status"];
  if (typeof status === "number") fields["event.outcome"] = status < 400 ? "success" : "failure";
}

/** `TLS 1.2`, `TLSv1`, `SSLv3`. */
function setTlsVersion(fields: Fields, told: string | undefined): void {
  const found = told === undefined ? null : /^(TLS|SSL)v?\s?(\d(?:\.\d)?)$/.exec(told.slice(0, 16));
  if (found === null) return;
  fields["tls.version_protocol"] = found[1]!.toLowerCase();
  fields["tls.version"] = found[2]!.includes(".") ? found[2]! : `${found[2]!}.0`;
}

function setSpan(fields: Fields, start: JsonValue | undefined, end: JsonValue | undefined): void {
  const from = textOf(start);
  const to = textOf(end);
  putField(fields, "event.start", from);
  putField(fields, "event.end", to);
  const began = from === undefined ? undefined : parseRfc3339(from);
  const ended = to === undefined ? undefined : parseRfc3339(to);
  if (began !== undefined && ended !== undefined && ended >= began) fields["event.duration"] = (ended - began) * 1000;
}

export default defineDocuments({
  name: "suricata",
  summary: "Suricata's EVE JSON: alerts, flows, files and the records of its protocol parsers.",
  description:
    "Every value is kept as suricata.eve.<path>; alerts are event.kind alert with rule.id, rule.name and the packet's own protocol fields.",
  stability: "beta",
  config: z.strictObject({}),
  anyOf: ["event_type"],
  claims,
  decode(object) {
    const type = textOf(object["event_type"]);
    if (type === undefined || object["timestamp"] === undefined) return unknownShape;
    const { time, fields } = read(object);
    const kind = kinds.get(type) ?? unknownKind;
    fields["event.kind"] = kind.kind ?? "event";
    fields["event.category"] = kind.category;
    fields["event.type"] = kind.type;
    if (kind.protocol !== undefined) fields["network.protocol"] = kind.protocol;
    mappers.get(kind)?.(object, fields);
    finish(fields, object, type);
    relate(fields);
    return { time, fields };
  },
  examples: [
    {
      title: "an alert on an HTTP request",
      input:
        '{"timestamp":"2024-05-01T10:00:00.123456+0200","flow_id":1398609176796675,"in_iface":"eth0","event_type":"alert","src_ip":"192.0.2.7","src_port":33270,' +
        '"dest_ip":"198.51.100.2","dest_port":80,"proto":"TCP","alert":{"action":"blocked","gid":1,"signature_id":2034125,"rev":4,"signature":"Path traversal",' +
        '"category":"Attempted Administrator Privilege Gain","severity":1},"http":{"hostname":"www.example.com","url":"/cgi-bin/../../etc/passwd?a=1","http_user_agent":"curl/8.0",' +
        '"http_method":"GET","protocol":"HTTP/1.1","status":400,"length":226},"app_proto":"http","flow":{"pkts_toserver":4,"bytes_toserver":500,"start":"2024-05-01T09:59:59.123456+0200"}}',
      expect: [
        {
          "@timestamp": "2024-05-01T08:00:00.123456Z",
          "event.kind": "alert",
          "event.module": "suricata",
          "event.dataset": "suricata.eve",
          "suricata.eve.timestamp": "2024-05-01T10:00:00.123456+0200",
          "suricata.eve.flow_id": 1398609176796675,
          "suricata.eve.in_iface": "eth0",
          "suricata.eve.event_type": "alert",
          "suricata.eve.src_ip": "192.0.2.7",
          "suricata.eve.src_port": 33270,
          "suricata.eve.dest_ip": "198.51.100.2",
          "suricata.eve.dest_port": 80,
          "suricata.eve.proto": "TCP",
          "suricata.eve.alert.action": "blocked",
          "suricata.eve.alert.gid": 1,
          "suricata.eve.alert.signature_id": 2034125,
          "suricata.eve.alert.rev": 4,
          "suricata.eve.alert.signature": "Path traversal",
          "suricata.eve.alert.category": "Attempted Administrator Privilege Gain",
          "suricata.eve.alert.severity": 1,
          "suricata.eve.http.hostname": "www.example.com",
          "suricata.eve.http.url": "/cgi-bin/../../etc/passwd?a=1",
          "suricata.eve.http.http_user_agent": "curl/8.0",
          "suricata.eve.http.http_method": "GET",
          "suricata.eve.http.protocol": "HTTP/1.1",
          "suricata.eve.http.status": 400,
          "suricata.eve.http.length": 226,
          "suricata.eve.app_proto": "http",
          "suricata.eve.flow.pkts_toserver": 4,
          "suricata.eve.flow.bytes_toserver": 500,
          "suricata.eve.flow.start": "2024-05-01T09:59:59.123456+0200",
          "source.ip": "192.0.2.7",
          "source.port": 33270,
          "destination.ip": "198.51.100.2",
          "destination.port": 80,
          "observer.ingress.interface.name": "eth0",
          "event.action": "alert",
          "event.category": ["network", "intrusion_detection"],
          "event.type": "denied",
          "rule.id": "2034125",
          "rule.name": "Path traversal",
          "rule.category": "Attempted Administrator Privilege Gain",
          "rule.version": "4",
          "event.severity": 1,
          "source.bytes": 500,
          "source.packets": 4,
          "http.request.method": "GET",
          "http.response.status_code": 400,
          "http.response.body.bytes": 226,
          "user_agent.original": "curl/8.0",
          "url.domain": "www.example.com",
          "network.transport": "tcp",
          "network.protocol": "http",
          "url.original": "/cgi-bin/../../etc/passwd?a=1",
          "url.path": "/cgi-bin/../../etc/passwd",
          "url.query": "a=1",
          "http.version": "1.1",
          "event.outcome": "failure",
          "event.start": "2024-05-01T09:59:59.123456+0200",
          "related.ip": ["192.0.2.7", "198.51.100.2"],
        },
      ],
    },
    {
      title: "a DNS answer",
      input:
        '{"timestamp":"2024-05-01T10:00:00.5Z","flow_id":7,"event_type":"dns","src_ip":"192.0.2.7","src_port":5353,"dest_ip":"2001:db8::53","dest_port":53,"proto":"UDP",' +
        '"dns":{"version":2,"type":"answer","id":4711,"rrname":"example.com","rrtype":"A","rcode":"NOERROR","answers":[{"rrname":"example.com","rrtype":"A","ttl":60,"rdata":"203.0.113.9"}]}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.500000Z",
          "event.kind": "event",
          "event.module": "suricata",
          "event.dataset": "suricata.eve",
          "suricata.eve.timestamp": "2024-05-01T10:00:00.5Z",
          "suricata.eve.flow_id": 7,
          "suricata.eve.event_type": "dns",
          "suricata.eve.src_ip": "192.0.2.7",
          "suricata.eve.src_port": 5353,
          "suricata.eve.dest_ip": "2001:db8::53",
          "suricata.eve.dest_port": 53,
          "suricata.eve.proto": "UDP",
          "suricata.eve.dns.version": 2,
          "suricata.eve.dns.type": "answer",
          "suricata.eve.dns.id": 4711,
          "suricata.eve.dns.rrname": "example.com",
          "suricata.eve.dns.rrtype": "A",
          "suricata.eve.dns.rcode": "NOERROR",
          "suricata.eve.dns.answers.rrname": ["example.com"],
          "suricata.eve.dns.answers.rrtype": ["A"],
          "suricata.eve.dns.answers.ttl": [60],
          "suricata.eve.dns.answers.rdata": ["203.0.113.9"],
          "source.ip": "192.0.2.7",
          "source.port": 5353,
          "destination.ip": "2001:db8::53",
          "destination.port": 53,
          "event.action": "dns",
          "event.category": "network",
          "event.type": ["connection", "protocol"],
          "network.protocol": "dns",
          "dns.question.name": "example.com",
          "dns.question.type": "A",
          "dns.answers.data": "203.0.113.9",
          "dns.response_code": "NOERROR",
          "dns.id": "4711",
          "dns.type": "answer",
          "network.transport": "udp",
          "related.ip": ["192.0.2.7", "2001:db8::53"],
        },
      ],
    },
    { title: "another document", input: '{"event_type":"alert"}', expect: { flaw: "unknown_shape" } },
  ],
});
