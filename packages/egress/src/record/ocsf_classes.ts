/** Which ECS fields make which attributes of which OCSF 1.3 class: data alone; `ocsf.ts` reads it. */
import type { Fields } from "@vedette/model";

/** Attribute path, ECS fields of which the first present is taken, and how the value is written. */
export type Row = readonly [path: string, from: string | readonly string[], as?: "integer" | "time" | "text"];

export interface EventClass {
  readonly uid: number;
  readonly category: number;
  readonly name: string;
  readonly rows: readonly Row[];
  /** Attributes without which an event is not of this class: then the next class is tried. */
  readonly needs: readonly string[];
  /** Of these at least one must be there too. */
  readonly oneOf?: readonly string[];
  concerns(is: (category: string) => boolean, fields: Fields): boolean;
  activity(type: (type: string) => boolean, fields: Fields): number;
}

const source: readonly Row[] = [
  ["src_endpoint.ip", ["source.ip", "client.ip"]],
  ["src_endpoint.port", ["source.port", "client.port"], "integer"],
  ["src_endpoint.hostname", ["source.domain", "client.domain"]],
  ["src_endpoint.mac", "source.mac"],
];
const destination: readonly Row[] = [
  ["dst_endpoint.ip", ["destination.ip", "server.ip"]],
  ["dst_endpoint.port", ["destination.port", "server.port"], "integer"],
  ["dst_endpoint.hostname", ["destination.domain", "server.domain"]],
  ["dst_endpoint.mac", "destination.mac"],
];
const connection: readonly Row[] = [
  ["connection_info.protocol_name", "network.transport"],
  ["connection_info.protocol_num", "network.iana_number", "integer"],
  ["connection_info.uid", ["network.community_id", "zeek.session_id"]],
  ["traffic.bytes", "network.bytes", "integer"],
  ["traffic.packets", "network.packets", "integer"],
  ["traffic.bytes_out", "source.bytes", "integer"],
  ["traffic.bytes_in", "destination.bytes", "integer"],
  ["traffic.packets_out", "source.packets", "integer"],
  ["traffic.packets_in", "destination.packets", "integer"],
  ["app_name", "network.protocol"],
];
const device: readonly Row[] = [
  ["device.hostname", ["host.name", "host.hostname", "observer.name"]],
  ["device.ip", "host.ip"],
  ["device.uid", "host.id"],
  ["device.os.name", "host.os.name"],
];
const process: readonly Row[] = [
  ["process.name", "process.name"],
  ["process.pid", "process.pid", "integer"],
  ["process.uid", "process.entity_id"],
  ["process.cmd_line", "process.command_line"],
  ["process.file.path", "process.executable"],
  ["process.user.name", "user.name"],
  ["process.user.uid", "user.id"],
  ["process.parent_process.name", "process.parent.name"],
  ["process.parent_process.pid", "process.parent.pid", "integer"],
  ["process.parent_process.cmd_line", "process.parent.command_line"],
];
const subject: readonly Row[] = [
  ["user.name", ["user.target.name", "user.name"]],
  ["user.uid", ["user.target.id", "user.id"]],
  ["user.domain", "user.domain"],
];
const actingProcess: readonly Row[] = [
  ["actor.process.name", "process.name"],
  ["actor.process.pid", "process.pid", "integer"],
  ["actor.process.cmd_line", "process.command_line"],
  ["actor.process.file.path", "process.executable"],
  ["actor.user.name", "user.name"],
  ["actor.user.uid", "user.id"],
];
/** Who starts a process is its parent. */
const parentProcess: readonly Row[] = [
  ["actor.process.name", "process.parent.name"],
  ["actor.process.pid", "process.parent.pid", "integer"],
  ["actor.process.cmd_line", "process.parent.command_line"],
  ["actor.process.file.path", "process.parent.executable"],
  ["actor.user.name", "user.name"],
  ["actor.user.uid", "user.id"],
];
const request: readonly Row[] = [
  ["http_request.http_method", "http.request.method"],
  ["http_request.url.url_string", ["url.full", "url.original"]],
  ["http_request.url.path", "url.path"],
  ["http_request.url.query_string", "url.query"],
  ["http_request.url.hostname", "url.domain"],
  ["http_request.user_agent", "user_agent.original"],
  ["http_request.referrer", "http.request.referrer"],
  ["http_request.version", "http.version"],
  ["http_response.code", "http.response.status_code", "integer"],
  ["http_response.length", ["http.response.body.bytes", "http.response.bytes"], "integer"],
];

/** Of every event; what no row of an event's class reads goes to `unmapped`. */
export const commonRows: readonly Row[] = [
  ["message", "message"],
  ["raw_data", "event.original"],
  ["status_code", "event.code"],
  ["status_detail", "event.reason"],
  ["metadata.log_name", "event.dataset"],
  ["metadata.log_provider", ["event.provider", "event.module"]],
  ["metadata.event_code", "event.code"],
  ["start_time", "event.start", "time"],
  ["end_time", "event.end", "time"],
];

const methods = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "TRACE", "PATCH"];

/** In order: an event is of the first class that it concerns and fills. */
export const eventClasses: readonly EventClass[] = [
  {
    uid: 3002,
    category: 3,
    name: "Authentication",
    concerns: (is) => is("authentication"),
    rows: [
      ...subject,
      ...source,
      ...destination,
      ["dst_endpoint.hostname", ["destination.domain", "host.name"]],
      ["service.name", ["service.name", "process.name"]],
      ["session.uid", "session.id"],
      ["logon_type", "winlog.logon.type"],
      ...device,
    ],
    needs: ["user"],
    oneOf: ["service", "dst_endpoint"],
    activity: (type) => (type("end") ? 2 : 1),
  },
  {
    uid: 4003,
    category: 4,
    name: "DNS Activity",
    concerns: (_, fields) => fields["dns.question.name"] !== undefined || fields["dns.type"] !== undefined,
    rows: [
      ...source,
      ...destination,
      ...connection,
      ["query.hostname", "dns.question.name"],
      ["query.type", "dns.question.type"],
      ["query.class", "dns.question.class"],
      ["rcode", "dns.response_code"],
    ],
    needs: [],
    oneOf: ["dst_endpoint", "src_endpoint"],
    activity: (_, fields) => (fields["dns.response_code"] !== undefined || fields["dns.answers"] !== undefined ? 2 : 1),
  },
  {
    uid: 4002,
    category: 4,
    name: "HTTP Activity",
    concerns: (is, fields) => is("web") || fields["http.request.method"] !== undefined,
    rows: [
      ...source,
      ...destination,
      ["dst_endpoint.hostname", ["destination.domain", "url.domain", "host.name"]],
      ...connection,
      ...request,
    ],
    needs: ["http_request", "dst_endpoint"],
    activity: (_, fields) => methods.indexOf(String(fields["http.request.method"] ?? "").toUpperCase()) + 1,
  },
  {
    uid: 1001,
    category: 1,
    name: "File System Activity",
    concerns: (is) => is("file"),
    rows: [
      ["file.name", ["file.name", "file.path"]],
      ["file.path", "file.path"],
      ["file.size", "file.size", "integer"],
      ["file.owner.name", "file.owner"],
      ...actingProcess,
      ...device,
    ],
    needs: ["actor", "device", "file"],
    activity: (type) => (type("creation") ? 1 : type("deletion") ? 4 : type("change") ? 3 : type("access") ? 2 : 0),
  },
  {
    uid: 1007,
    category: 1,
    name: "Process Activity",
    concerns: (is) => is("process"),
    rows: [...process, ...parentProcess, ...device],
    needs: ["actor", "device", "process"],
    activity: (type) => (type("end") ? 2 : type("start") ? 1 : 0),
  },
  {
    uid: 4001,
    category: 4,
    name: "Network Activity",
    concerns: (is) => is("network"),
    rows: [...source, ...destination, ...connection],
    needs: ["dst_endpoint"],
    activity: (type) => (type("denied") ? 5 : type("end") ? 2 : type("start") ? 1 : 6),
  },
];
