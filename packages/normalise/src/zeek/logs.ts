/** What each Zeek log is about in ECS terms, and what follows from several of its columns together. Knows no encoding. */
import type { JsonObject } from "@vedette/kit";
import type { Fields, FieldValue } from "@vedette/model";
import { setUrl } from "../web/url.ts";
import { nanoseconds } from "./values.ts";

/** The constant part of a log's events. `finish` derives fields from the ones the columns gave. */
export interface LogKind {
  readonly kind: "event" | "alert" | "metric" | "state";
  readonly category: FieldValue;
  readonly type: FieldValue;
  readonly protocol?: string;
  readonly finish?: (fields: Fields) => void;
}

const protocolLog = (protocol: string, finish?: (fields: Fields) => void): LogKind => ({
  kind: "event",
  category: "network",
  type: ["connection", "protocol"],
  protocol,
  ...(finish === undefined ? {} : { finish }),
});
const login = (protocol: string, finish: (fields: Fields) => void): LogKind => ({
  kind: "event",
  category: ["network", "authentication"],
  type: ["connection", "start"],
  protocol,
  finish,
});
const state: LogKind = { kind: "state", category: "host", type: "info" };
const metric: LogKind = { kind: "metric", category: "host", type: "info" };
/** What Zeek says about itself. */
const own: LogKind = { kind: "event", category: "host", type: "info" };
/** What it had the network do. */
const reaction: LogKind = { kind: "event", category: ["network", "configuration"], type: "change" };
const other: LogKind = { kind: "event", category: "network", type: "info" };

const outcomeFrom = (field: string) => (fields: Fields) => {
  const success = fields[field];
  if (typeof success === "boolean") fields["event.outcome"] = success ? "success" : "failure";
};
const duration = (fields: Fields) => {
  const seconds = fields["event.duration"];
  if (typeof seconds === "number") fields["event.duration"] = nanoseconds(seconds);
};

/** `user/REALM` of a Kerberos principal. */
function kerberosClient(fields: Fields): void {
  outcomeFrom("zeek.kerberos.success")(fields);
  const client = fields["zeek.kerberos.client"];
  if (typeof client !== "string") return;
  const slash = client.lastIndexOf("/");
  const name = slash < 0 ? client : client.slice(0, slash);
  if (name !== "") fields["user.name"] = name;
  if (slash >= 0 && slash < client.length - 1) fields["user.domain"] = client.slice(slash + 1);
}

function sshOutcome(fields: Fields): void {
  const success = fields["zeek.ssh.auth_success"];
  if (typeof success !== "boolean") {
    // Zeek could not tell whether anyone logged in: a scan or a tunnel, not an authentication.
    fields["event.category"] = "network";
    fields["event.type"] = ["connection", "protocol"];
    return;
  }
  fields["event.action"] = "ssh_login";
  fields["event.outcome"] = success ? "success" : "failure";
}

function connProtocol(fields: Fields): void {
  duration(fields);
  const service = fields["network.protocol"];
  if (typeof service === "string" && service.includes(",")) fields["network.protocol"] = service.split(",");
}

function httpUrl(fields: Fields): void {
  const uri = fields["url.original"];
  const status = fields["http.response.status_code"];
  if (typeof status === "number") fields["event.outcome"] = status < 400 ? "success" : "failure";
  if (typeof uri !== "string") return;
  const host = fields["url.domain"];
  setUrl(fields, uri);
  // The Host header is what Zeek's column says; a proxy request's own authority must not hide it.
  if (host !== undefined) fields["url.domain"] = host;
}

function tlsVersion(fields: Fields): void {
  const told = fields["zeek.ssl.version"];
  if (typeof told === "string") {
    const protocol = told.startsWith("DTLS") ? "dtls" : told.startsWith("SSL") ? "ssl" : told.startsWith("TLS") ? "tls" : undefined;
    const number = protocol === undefined ? "" : told.slice(told.lastIndexOf("v") + 1);
    if (protocol !== undefined && number.length >= 1 && number.length <= 2) {
      fields["tls.version_protocol"] = protocol;
      fields["tls.version"] = `${number[0]}.${number[1] ?? "0"}`;
    }
  }
  const established = fields["tls.established"];
  if (typeof established === "boolean") fields["event.outcome"] = established ? "success" : "failure";
}

const noticed = [
  ["source.ip", "zeek.notice.src"],
  ["destination.ip", "zeek.notice.dst"],
  ["destination.port", "zeek.notice.p"],
] as const;
function noticePeers(fields: Fields): void {
  for (const [field, told] of noticed) {
    const value = fields[told];
    if (value !== undefined) fields[field] ??= value;
  }
}

function rdpUser(fields: Fields): void {
  // The cookie is `mstshash=USER` as the client sent it, without the prefix.
  if (typeof fields["zeek.rdp.cookie"] === "string") fields["user.name"] = fields["zeek.rdp.cookie"];
}

function smbFile(fields: Fields): void {
  const name = fields["zeek.smb_files.name"];
  const share = fields["zeek.smb_files.path"];
  if (typeof name === "string") fields["file.path"] = typeof share === "string" ? `${share}\\${name}` : name;
}

function filePeers(fields: Fields): void {
  duration(fields);
  const peers = [fields["zeek.files.tx_hosts"], fields["zeek.files.rx_hosts"]].flatMap((hosts) => (Array.isArray(hosts) ? hosts : []));
  if (peers.length > 0) fields["related.ip"] = peers;
}

const kinds = new Map<string, LogKind>([
  ["arp", other],
  ["analyzer", other],
  ["broker", own],
  ["capture_loss", metric],
  ["cluster", own],
  ["config", { kind: "event", category: "configuration", type: "change" }],
  ["conn", { kind: "event", category: "network", type: "connection", finish: connProtocol }],
  // of deploy/zeek and Corelight: connections that are still open, told from time to time
  ["conn_long", { kind: "event", category: "network", type: ["connection", "info"], finish: connProtocol }],
  ["dce_rpc", protocolLog("dce_rpc")],
  ["dhcp", protocolLog("dhcp", duration)],
  ["dnp3", protocolLog("dnp3")],
  ["dns", protocolLog("dns")],
  ["dpd", other],
  ["files", { kind: "event", category: ["network", "file"], type: "info", finish: filePeers }],
  ["ftp", protocolLog("ftp")],
  ["http", { kind: "event", category: ["network", "web"], type: ["connection", "protocol"], protocol: "http", finish: httpUrl }],
  ["intel", { kind: "alert", category: "threat", type: "indicator" }],
  ["irc", protocolLog("irc")],
  ["kerberos", login("kerberos", kerberosClient)],
  ["known_certs", state],
  ["known_modbus", state],
  ["known_hosts", state],
  ["known_services", state],
  ["ldap", protocolLog("ldap")],
  ["ldap_search", protocolLog("ldap")],
  ["loaded_scripts", own],
  ["modbus", protocolLog("modbus")],
  ["mysql", protocolLog("mysql", outcomeFrom("zeek.mysql.success"))],
  ["netcontrol", reaction],
  ["netcontrol_catch_release", reaction],
  ["netcontrol_drop", { ...reaction, type: ["connection", "denied"] }],
  ["netcontrol_shunt", reaction],
  ["notice", { kind: "alert", category: "intrusion_detection", type: "info", finish: noticePeers }],
  ["ntlm", login("ntlm", outcomeFrom("zeek.ntlm.success"))],
  ["ntp", protocolLog("ntp")],
  ["ntp_control", protocolLog("ntp")],
  ["ntp_private", protocolLog("ntp")],
  ["ocsp", { kind: "event", category: "network", type: "info" }],
  ["packet_filter", own],
  ["pe", { kind: "event", category: "file", type: "info" }],
  ["postgresql", protocolLog("postgresql")],
  ["quic", protocolLog("quic")],
  [
    "radius",
    login("radius", (fields) => {
      const result = fields["zeek.radius.result"];
      if (result === "success") fields["event.outcome"] = "success";
      else if (result === "failed") fields["event.outcome"] = "failure";
    }),
  ],
  ["rdp", protocolLog("rdp", rdpUser)],
  ["redis", protocolLog("redis")],
  ["reporter", { kind: "event", category: "host", type: "info" }],
  ["rfb", protocolLog("rfb")],
  ["signatures", { kind: "alert", category: "intrusion_detection", type: "info" }],
  ["sip", protocolLog("sip")],
  ["smb_cmd", protocolLog("smb")],
  ["smb_files", { kind: "event", category: ["network", "file"], type: "info", protocol: "smb", finish: smbFile }],
  ["smb_mapping", protocolLog("smb")],
  ["smtp", protocolLog("smtp")],
  ["snmp", protocolLog("snmp", duration)],
  ["socks", protocolLog("socks")],
  ["software", state],
  ["ssh", login("ssh", sshOutcome)],
  ["ssl", protocolLog("tls", tlsVersion)],
  ["stats", metric],
  // of deploy/zeek and of captures: what was said of mining in the clear
  ["stratum", protocolLog("stratum")],
  ["syslog", protocolLog("syslog")],
  ["telemetry", metric],
  ["traceroute", other],
  ["tunnel", { kind: "event", category: "network", type: "connection" }],
  ["unknown_protocols", other],
  ["websocket", protocolLog("websocket")],
  ["weird", other],
  ["weird_stats", metric],
  ["x509", { kind: "event", category: ["network", "file"], type: "info" }],
]);

/** What a log is about; an unknown one is about the network. */
export const logKind = (log: string): LogKind => kinds.get(log) ?? other;

/** Logs that Zeek ships: a stream or document that is named so can be believed. */
export const knownLogs: ReadonlySet<string> = new Set([...kinds.keys(), "conn_summary", "print", "xmpp"]);

/** The log's name as a path or stream name tells it: `…/conn.20180324-10:00.log.gz` → `conn`. */
export function logOfStream(stream: string): string | undefined {
  const base = stream.slice(Math.max(stream.lastIndexOf("/"), stream.lastIndexOf("\\")) + 1);
  const end = base.search(/[.\-:]/);
  const name = end < 0 ? base : base.slice(0, end);
  return knownLogs.has(name) ? name : undefined;
}

/** Columns that only one log has, first match wins; every list is complete by itself. Zeek's own spelling. */
const signs: readonly (readonly [log: string, ...columns: string[]])[] = [
  ["stratum", "methods", "signs"],
  ["conn", "conn_state"],
  ["dns", "trans_id", "qclass"],
  ["dns", "trans_id", "rcode"],
  ["dns", "trans_id", "query"],
  ["smtp", "trans_depth", "last_reply"],
  ["smtp", "trans_depth", "helo"],
  ["sip", "request_from"],
  ["http", "trans_depth"],
  ["ssl", "established"],
  ["ssl", "ssl_history"],
  ["ssh", "auth_attempts"],
  ["ssh", "host_key_alg"],
  ["files", "fuid", "seen_bytes"],
  ["x509", "certificate.serial"],
  ["notice", "note", "msg"],
  ["ntlm", "server_dns_computer_name"],
  ["ntlm", "domainname"],
  ["kerberos", "request_type"],
  ["rdp", "security_protocol"],
  ["rdp", "cookie", "result"],
  ["smb_files", "action", "times.modified"],
  ["smb_files", "action", "name", "path"],
  ["smb_mapping", "share_type"],
  ["dce_rpc", "endpoint", "operation"],
  ["dhcp", "msg_types"],
  ["tunnel", "tunnel_type"],
  ["software", "software_type"],
  ["ocsp", "certStatus"],
  ["known_services", "port_proto"],
  ["known_certs", "issuer_subject"],
  ["snmp", "community"],
  ["ftp", "command", "reply_code"],
  ["ntp", "stratum"],
  ["capture_loss", "percent_lost"],
  ["stats", "pkts_proc"],
  ["arp", "operation", "src_mac"],
  ["intel", "seen.indicator"],
  ["weird", "name", "peer"],
  ["reporter", "level", "location"],
];

/** The log's name by its columns, where they tell. */
export function logOfColumns(has: (column: string) => boolean): string | undefined {
  return signs.find(([, ...columns]) => columns.every(has))?.[0];
}

/** Whether a document has a column in any of the spellings that exporters use. */
export function documentHas(object: JsonObject, column: string): boolean {
  if (object[column] !== undefined) return true;
  const point = column.indexOf(".");
  if (point < 0) return false;
  if (object[`${column.slice(0, point)}_${column.slice(point + 1)}`] !== undefined) return true;
  const record = object[column.slice(0, point)];
  return (
    typeof record === "object" && record !== null && !Array.isArray(record) && (record as JsonObject)[column.slice(point + 1)] !== undefined
  );
}
