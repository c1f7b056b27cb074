/** Where each column of each Zeek log goes in ECS, and what columns are called in Zeek's own spelling. Knows no encoding. */

/** Columns that mean the same in every log. */
const everywhere: { readonly [column: string]: string } = {
  uid: "zeek.uid",
  "id.orig_h": "source.ip",
  "id.orig_p": "source.port",
  "id.resp_h": "destination.ip",
  "id.resp_p": "destination.port",
  proto: "network.transport",
  community_id: "network.community_id",
  _system_name: "observer.name",
  _node_name: "zeek.node",
};

/** Of a connection that has ended (conn) or goes on (conn_long). */
const connection = {
  service: "network.protocol",
  duration: "event.duration",
  orig_bytes: "source.bytes",
  resp_bytes: "destination.bytes",
  orig_pkts: "source.packets",
  resp_pkts: "destination.packets",
  orig_l2_addr: "source.mac",
  resp_l2_addr: "destination.mac",
  vlan: "network.vlan.id",
  inner_vlan: "network.inner.vlan.id",
  // of a site's own script: after the flow was shunted the sensor did not see its bytes
  shunted: "zeek.shunted",
};
/** A flow as NetControl writes it. */
const flow = { "f.src_h": "source.ip", "f.src_p": "source.port", "f.dst_h": "destination.ip", "f.dst_p": "destination.port" };

/** Columns with an ECS home, by log; every other column is `zeek.<log>.<column>`. */
const byLog: { readonly [log: string]: { readonly [column: string]: string } } = {
  arp: { orig_h: "source.ip", resp_h: "destination.ip", src_mac: "source.mac", dst_mac: "destination.mac", operation: "event.action" },
  conn: connection,
  conn_long: connection,
  dhcp: { mac: "source.mac", client_addr: "source.ip", server_addr: "destination.ip", duration: "event.duration" },
  dns: {
    query: "dns.question.name",
    qtype_name: "dns.question.type",
    qclass_name: "dns.question.class",
    answers: "dns.answers.data",
    TTLs: "dns.answers.ttl",
    rcode_name: "dns.response_code",
    trans_id: "dns.id",
  },
  files: {
    md5: "file.hash.md5",
    sha1: "file.hash.sha1",
    sha256: "file.hash.sha256",
    mime_type: "file.mime_type",
    filename: "file.name",
    total_bytes: "file.size",
    duration: "event.duration",
  },
  ftp: { user: "user.name", mime_type: "file.mime_type", file_size: "file.size" },
  http: {
    method: "http.request.method",
    host: "url.domain",
    uri: "url.original",
    referrer: "http.request.referrer",
    version: "http.version",
    user_agent: "user_agent.original",
    request_body_len: "http.request.body.bytes",
    response_body_len: "http.response.body.bytes",
    status_code: "http.response.status_code",
    username: "user.name",
    orig_mime_types: "http.request.mime_type",
    resp_mime_types: "http.response.mime_type",
  },
  intel: { "seen.indicator": "threat.indicator.name", sources: "threat.indicator.provider", file_mime_type: "file.mime_type" },
  irc: { user: "user.name" },
  kerberos: {},
  known_certs: { host: "host.ip", subject: "file.x509.subject.distinguished_name", serial: "file.x509.serial_number" },
  known_hosts: { host: "host.ip" },
  known_services: { host: "host.ip" },
  netcontrol_shunt: flow,
  notice: { note: "rule.name", msg: "message", file_mime_type: "file.mime_type" },
  ntlm: { username: "user.name", domainname: "user.domain" },
  quic: { server_name: "tls.client.server_name" },
  radius: { username: "user.name", mac: "source.mac" },
  reporter: { level: "log.level", message: "message" },
  signatures: {
    src_addr: "source.ip",
    src_port: "source.port",
    dst_addr: "destination.ip",
    dst_port: "destination.port",
    sig_id: "rule.id",
    note: "rule.name",
    event_msg: "message",
  },
  sip: { user_agent: "user_agent.original" },
  smb_files: { size: "file.size" },
  smtp: {
    mailfrom: "email.sender.address",
    from: "email.from.address",
    to: "email.to.address",
    cc: "email.cc.address",
    reply_to: "email.reply_to.address",
    msg_id: "email.message_id",
    subject: "email.subject",
    user_agent: "email.x_mailer",
  },
  snmp: { duration: "event.duration" },
  socks: { user: "user.name" },
  software: { host: "host.ip", name: "package.name", unparsed_version: "package.version" },
  ssl: {
    cipher: "tls.cipher",
    curve: "tls.curve",
    server_name: "tls.client.server_name",
    resumed: "tls.resumed",
    established: "tls.established",
    next_protocol: "tls.next_protocol",
    ja3: "tls.client.ja3",
    ja3s: "tls.server.ja3s",
    ja4: "tls.client.ja4",
    ja4s: "tls.server.ja4s",
    subject: "tls.server.subject",
    issuer: "tls.server.issuer",
    client_subject: "tls.client.subject",
    client_issuer: "tls.client.issuer",
  },
  syslog: { facility: "log.syslog.facility.name", severity: "log.syslog.severity.name", message: "message" },
  x509: {
    fingerprint: "file.hash.sha256",
    "certificate.serial": "file.x509.serial_number",
    "certificate.subject": "file.x509.subject.distinguished_name",
    "certificate.issuer": "file.x509.issuer.distinguished_name",
    "certificate.not_valid_before": "file.x509.not_before",
    "certificate.not_valid_after": "file.x509.not_after",
    "certificate.key_alg": "file.x509.public_key_algorithm",
    "certificate.key_length": "file.x509.public_key_size",
    "certificate.sig_alg": "file.x509.signature_algorithm",
    "certificate.version": "file.x509.version_number",
    "san.dns": "file.x509.alternative_names",
  },
};

/** Written for the log itself and its transport, not for what was seen; twins of one log differ in them. */
const unkept = new Set(["_path", "_write_ts", "_stream"]);

/**
 * The event field that a column of a Zeek log is kept in, e.g. `("dns", "query")` → `dns.question.name`, `("conn", "history")` → `zeek.conn.history`;
 * undefined for the time and for columns about the log file itself. Rules that speak Zeek's own column names are translated by it.
 */
export function zeekField(log: string, column: string): string | undefined {
  const name = zeekColumn(log, column);
  if (name === "ts" || unkept.has(name)) return undefined;
  const own = Object.hasOwn(byLog, log) ? byLog[log]! : {};
  if (Object.hasOwn(own, name)) return own[name];
  return Object.hasOwn(everywhere, name) ? everywhere[name] : `zeek.${log}.${name}`;
}

/** Columns of nested records, which `Log::default_scope_sep` or an exporter may write with an underscore. */
const nested =
  `id.orig_h id.orig_p id.resp_h id.resp_p certificate.version certificate.serial certificate.subject certificate.issuer certificate.not_valid_before
  certificate.not_valid_after certificate.key_alg certificate.sig_alg certificate.key_type certificate.key_length certificate.exponent certificate.curve
  certificate.tbs_sig_alg san.dns san.uri san.email san.ip basic_constraints.ca basic_constraints.path_len remote_location.country_code
  remote_location.region remote_location.city remote_location.latitude remote_location.longitude times.modified times.accessed times.created
  times.changed seen.indicator seen.indicator_type seen.where seen.node version.major version.minor version.minor2 version.minor3 version.addl
  data_channel.passive data_channel.orig_h data_channel.resp_h data_channel.resp_p request.host request.name bound.host bound.name`.split(
    /\s+/,
  );
const aliases = new Map<string, string>(nested.map((name) => [name.replace(".", "_"), name]));
for (const [from, to] of [
  ["@system", "_system_name"],
  ["@stream", "_path"],
  ["@proc", "_node_name"],
  // The renaming that the Zeek manual shows for `Log::default_field_name_map`.
  ["src_ip", "id.orig_h"],
  ["src_port", "id.orig_p"],
  ["dst_ip", "id.resp_h"],
  ["dst_port", "id.resp_p"],
] as const) {
  aliases.set(from, to);
}

/** A column in Zeek's own spelling: underscored, renamed and exporter-specific names translated. */
export function zeekColumn(log: string, column: string): string {
  if (log === "signatures") return column;
  if (log === "conn" && (column === "src" || column === "dst")) return column === "src" ? "id.orig_h" : "id.resp_h";
  return aliases.get(column) ?? column;
}

const timeColumns = new Set(
  `ts certificate.not_valid_before certificate.not_valid_after times.modified times.accessed times.created times.changed thisUpdate nextUpdate
  revoketime org_time rec_time ref_time xmt_time up_since blocked_until watched_until compile_ts`.split(/\s+/),
);

/** Whether a column holds a point in time: JSON may give it as a plain number. */
export const isTimeColumn = (log: string, column: string): boolean =>
  timeColumns.has(column) || (log === "kerberos" && (column === "from" || column === "till"));
