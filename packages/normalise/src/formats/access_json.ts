/** Access logs that web servers and proxies write as JSON: nginx by its own variables, Apache httpd, Caddy, Traefik. Knows no other log of theirs. */
import { type JsonObject, z } from "@vedette/kit";
import type { Fields, Flaw } from "@vedette/model";
import { relate } from "../ecs/related.ts";
import { type DocumentReader, defineDocuments, documentReader, textOf } from "../json/documents.ts";
import { isObject } from "../json/parse.ts";
import { clfDate } from "../time/stamps.ts";
import { setRequest } from "../web/access.ts";
import { setAuthority, setUrl } from "../web/url.ts";

const unknownShape: Flaw = {
  code: "unknown_shape",
  expected: "an access log's document: nginx's variables (remote_addr, status, request), or what Apache httpd, Caddy or Traefik write",
};

const reader = (module: string, time: readonly string[], map: Parameters<typeof documentReader>[0]["map"]) =>
  documentReader({ module, dataset: `${module}.access`, prefix: `${module}.access.`, time, map });

/** nginx has no fixed names: these are its variables, by which people name the members. */
const nginx = reader("nginx", ["time_iso8601", "@timestamp", "timestamp", "msec", "time"], {
  "source.ip": ["realip_remote_addr", "remote_addr", "remote_ip", "client_ip", "clientip"],
  "source.port": "remote_port",
  "user.name": "remote_user",
  "http.request.method": ["request_method", "method"],
  "http.response.status_code": ["status", "response_code"],
  "http.response.body.bytes": ["body_bytes_sent", "bytes_sent"],
  "http.request.referrer": ["http_referer", "http_referrer", "referer", "referrer"],
  "user_agent.original": ["http_user_agent", "user_agent", "agent"],
  "destination.address": "upstream_addr",
  "tls.cipher": "ssl_cipher",
});
const apache = reader("apache", ["@timestamp", "time", "timestamp"], {
  "source.ip": ["remoteIP", "clientip", "client"],
  "user.name": ["remoteUser", "user", "auth"],
  "http.request.method": ["method", "verb"],
  "http.response.status_code": "status",
  "http.response.body.bytes": ["bytes", "size", "bytesSent"],
  "http.request.referrer": ["referer", "referrer"],
  "user_agent.original": ["userAgent", "agent", "useragent"],
});
const caddy = reader("caddy", ["ts"], {
  "source.ip": ["request.client_ip", "request.remote_ip", "request.remote_addr"],
  "source.port": "request.remote_port",
  "user.name": "user_id",
  "http.request.method": "request.method",
  "http.response.status_code": "status",
  "http.response.body.bytes": "size",
  "http.request.referrer": "request.headers.Referer",
  "user_agent.original": "request.headers.User-Agent",
  "tls.client.server_name": "request.tls.server_name",
});
const traefik = reader("traefik", ["StartUTC", "time"], {
  "source.ip": ["ClientHost", "ClientAddr"],
  "source.port": "ClientPort",
  "user.name": "ClientUsername",
  "http.request.method": "RequestMethod",
  "http.response.status_code": "DownstreamStatus",
  "http.response.body.bytes": "DownstreamContentSize",
  "http.request.referrer": "request_Referer",
  "user_agent.original": "request_User-Agent",
  "rule.name": "RouterName",
  "service.name": "ServiceName",
});

/** Where a server's own names have what is asked for, a whole request line apart. */
interface Server {
  readonly read: DocumentReader;
  readonly url: readonly string[];
  readonly query?: string;
  readonly host: readonly string[];
}
const servers = {
  nginx: { read: nginx, url: ["request_uri", "uri", "path"], query: "args", host: ["http_host", "host", "server_name"] },
  apache: { read: apache, url: ["request", "path", "uri"], query: "query", host: ["host", "vhost"] },
  caddy: { read: caddy, url: [], host: [] },
  traefik: { read: traefik, url: ["RequestPath"], host: ["RequestHost", "RequestAddr"] },
} as const satisfies { readonly [name: string]: Server };

const isStatus = (value: unknown): boolean => Number(value) >= 100 && Number(value) <= 999 && value !== true;

function serverOf(object: JsonObject): keyof typeof servers | undefined {
  if (isStatus(object["DownstreamStatus"]) && object["RequestMethod"] !== undefined) return "traefik";
  const { request, status } = object;
  if (!isStatus(status) && !isStatus(object["response_code"])) return undefined;
  if (isObject(request)) return request["uri"] !== undefined && request["method"] !== undefined ? "caddy" : undefined;
  const asked = typeof request === "string" || object["request_uri"] !== undefined || object["uri"] !== undefined;
  if (
    asked &&
    (typeof object["remote_addr"] === "string" || object["http_user_agent"] !== undefined || object["body_bytes_sent"] !== undefined)
  )
    return "nginx";
  return asked && (typeof object["remoteIP"] === "string" || typeof object["clientip"] === "string") ? "apache" : undefined;
}

const firstText = (object: JsonObject, names: readonly string[]): string | undefined => {
  for (const name of names) {
    const value = textOf(object[name]);
    if (value !== undefined && value !== "-") return value;
  }
  return undefined;
};

function setAsked(fields: Fields, object: JsonObject, { url, query, host }: Server): void {
  const { request } = object;
  const told = isObject(request) ? request : object;
  const authority = isObject(request) ? textOf(request["host"]) : firstText(object, host);
  const method = fields["http.request.method"];
  // A whole request line tells most; Apache's `request` may be the path alone.
  if (typeof request === "string" && request.includes(" ")) setRequest(fields, request);
  else {
    const path = isObject(request) ? textOf(told["uri"]) : firstText(object, url);
    const args = query === undefined ? undefined : firstText(object, [query]);
    const search = args === undefined || path?.includes("?") ? "" : args.startsWith("?") ? args : `?${args}`;
    if (path !== undefined) setUrl(fields, path + search);
  }
  if (method !== undefined) fields["http.request.method"] = method;
  if (authority !== undefined) setAuthority(fields, authority);
}

export default defineDocuments({
  name: "access_json",
  summary: "Access logs as JSON of nginx (its variables as names), Apache httpd, Caddy and Traefik.",
  description:
    "Recognised by nginx's variables (remote_addr, request or request_uri, status), Traefik's and Caddy's own names, or remoteIP and clientip with a status. Every value is kept as <server>.access.<name>.",
  stability: "beta",
  config: z.strictObject({}),
  anyOf: ["DownstreamStatus", "status", "response_code"],
  claims: (object) => (serverOf(object) === undefined ? 0 : 0.8),
  decode(object) {
    const name = serverOf(object);
    if (name === undefined) return unknownShape;
    const { time, fields } = servers[name].read(object);
    fields["event.category"] = "web";
    fields["event.type"] = "access";
    const status = fields["http.response.status_code"];
    if (typeof status === "number") fields["event.outcome"] = status < 400 ? "success" : "failure";
    setAsked(fields, object, servers[name]);
    relate(fields);
    const local = firstText(object, ["time_local", "time"]);
    return { time: time ?? (local === undefined ? undefined : clfDate(local, 0, local.length)), fields };
  },
  examples: [
    {
      title: "nginx with its variables as names",
      input:
        '{"time_local":"01/May/2024:12:00:00 +0200","remote_addr":"192.0.2.7","remote_user":"","request":"GET /a?b=c HTTP/1.1","status":"404","body_bytes_sent":"153","http_user_agent":"curl/8","host":"www.example.com"}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "event",
          "event.module": "nginx",
          "event.dataset": "nginx.access",
          "event.category": "web",
          "event.type": "access",
          "event.outcome": "failure",
          "nginx.access.time_local": "01/May/2024:12:00:00 +0200",
          "nginx.access.remote_addr": "192.0.2.7",
          "nginx.access.remote_user": "",
          "nginx.access.request": "GET /a?b=c HTTP/1.1",
          "nginx.access.status": "404",
          "nginx.access.body_bytes_sent": "153",
          "nginx.access.http_user_agent": "curl/8",
          "nginx.access.host": "www.example.com",
          "source.ip": "192.0.2.7",
          "http.request.method": "GET",
          "http.version": "1.1",
          "http.response.status_code": 404,
          "http.response.body.bytes": 153,
          "user_agent.original": "curl/8",
          "url.original": "/a?b=c",
          "url.path": "/a",
          "url.query": "b=c",
          "url.domain": "www.example.com",
          "related.ip": ["192.0.2.7"],
        },
      ],
    },
    {
      title: "Caddy",
      input:
        '{"level":"info","ts":1714557600.5,"logger":"http.log.access","request":{"remote_ip":"2001:db8::7","remote_port":"4022","method":"GET","host":"h.example:8443","uri":"/x","headers":{"User-Agent":["curl/8"]}},"status":200,"size":12}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.500000Z",
          "event.kind": "event",
          "event.module": "caddy",
          "event.dataset": "caddy.access",
          "event.category": "web",
          "event.type": "access",
          "event.outcome": "success",
          "caddy.access.level": "info",
          "caddy.access.ts": 1714557600.5,
          "caddy.access.logger": "http.log.access",
          "caddy.access.request.remote_ip": "2001:db8::7",
          "caddy.access.request.remote_port": "4022",
          "caddy.access.request.method": "GET",
          "caddy.access.request.host": "h.example:8443",
          "caddy.access.request.uri": "/x",
          "caddy.access.request.headers.User-Agent": ["curl/8"],
          "caddy.access.status": 200,
          "caddy.access.size": 12,
          "source.ip": "2001:db8::7",
          "source.port": 4022,
          "http.request.method": "GET",
          "http.response.status_code": 200,
          "http.response.body.bytes": 12,
          "user_agent.original": "curl/8",
          "url.original": "/x",
          "url.path": "/x",
          "url.domain": "h.example",
          "url.port": 8443,
          "related.ip": ["2001:db8::7"],
        },
      ],
    },
    { title: "another document", input: '{"status":"up"}', expect: { flaw: "unknown_shape" } },
  ],
});
