/** HAProxy's logs to ECS: HTTP, TCP and connection errors, as sent to syslog without its header. Knows no custom log-format. */
import { type Decoded, defineFormat, newFields, z } from "@vedette/kit";
import type { Fields, Flaw } from "@vedette/model";
import { share } from "../detect.ts";
import { relate } from "../ecs/related.ts";
import { plainIp, setSourcePort } from "../linux/peer.ts";
import { haproxyDate } from "../time/stamps.ts";
import { setRequest } from "../web/access.ts";

const notHaproxy: Flaw = {
  code: "bad_haproxy",
  expected: "HAProxy's option httplog or tcplog: 192.0.2.1:4242 [06/Feb/2009:12:14:14.655] frontend backend/server timers …",
};

/** `CLIENT:PORT [STAMP] REST`. */
export function decodeHaproxy(line: string): Decoded | Flaw {
  const open = line.indexOf(" [");
  const close = open < 0 || open > 64 ? -1 : line.indexOf("] ", open);
  const colon = close < 0 ? -1 : line.lastIndexOf(":", open);
  const time = close < 0 ? undefined : haproxyDate(line, open + 2, close);
  if (time === undefined || colon <= 0) return notHaproxy;
  const client = plainIp(line.slice(0, colon));
  if (client === undefined && line.slice(0, colon) !== "unix") return notHaproxy;
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.module"] = "haproxy";
  fields["event.dataset"] = "haproxy.log";
  if (client !== undefined) fields["source.ip"] = client;
  setSourcePort(fields, line.slice(colon + 1, open));
  const words = line.slice(close + 2).split(" ", 16);
  const isConnection = words[0]?.endsWith(":") ?? false;
  if (isConnection) setError(fields, line.slice(close + 2));
  else if (!setTraffic(fields, words, line)) return notHaproxy;
  relate(fields);
  return { time, fields };
}

/** `FRONTEND/LISTENER: MESSAGE`. */
function setError(fields: Fields, rest: string): void {
  const colon = rest.indexOf(": ");
  const slash = rest.indexOf("/");
  fields["haproxy.frontend_name"] = rest.slice(0, slash > 0 && slash < colon ? slash : colon);
  fields["message"] = rest.slice(colon + 2);
  fields["event.category"] = "network";
  fields["event.type"] = ["connection", "error"];
  fields["event.outcome"] = "failure";
}

/** `FRONTEND BACKEND/SERVER TIMERS …`: HTTP's have five timers and a status, TCP's three. */
function setTraffic(fields: Fields, words: readonly string[], line: string): boolean {
  const [frontend = "", backend = "", timers = ""] = words;
  const parts = timers.split("/");
  const slash = backend.indexOf("/");
  if (slash < 0 || !parts.every((part) => /^[+-]?\d{1,10}$/.test(part))) return false;
  fields["haproxy.frontend_name"] = frontend.endsWith("~") ? frontend.slice(0, -1) : frontend;
  fields["haproxy.backend_name"] = backend.slice(0, slash);
  fields["haproxy.server_name"] = backend.slice(slash + 1);
  const total = Number(parts.at(-1)!.replace("+", ""));
  if (total >= 0) fields["event.duration"] = total * 1_000_000;
  const isHttp = parts.length >= 5;
  const bytes = Number(words[isHttp ? 4 : 3]?.replace("+", ""));
  if (Number.isFinite(bytes)) fields[isHttp ? "http.response.bytes" : "destination.bytes"] = bytes;
  fields["haproxy.termination_state"] = words[isHttp ? 7 : 4] ?? "";
  if (!isHttp) {
    fields["event.category"] = "network";
    fields["event.type"] = ["connection", "end"];
    return true;
  }
  fields["event.category"] = "web";
  fields["event.type"] = "access";
  const status = Number(words[3]);
  if (status >= 100 && status <= 999) {
    fields["http.response.status_code"] = status;
    fields["event.outcome"] = status < 400 ? "success" : "failure";
  } else fields["event.outcome"] = "failure";
  const quote = line.indexOf(' "');
  if (quote > 0) {
    const end = line.lastIndexOf('"');
    const request = line.slice(quote + 2, end > quote + 1 ? end : undefined);
    if (request !== "<BADREQ>") setRequest(fields, request);
    else fields["url.original"] = request;
  }
  setCaptured(fields, line, quote);
  return true;
}

/** Captured headers stand in braces before the request; which they are is up to the configuration. */
function setCaptured(fields: Fields, line: string, quote: number): void {
  const open = line.indexOf(" {");
  if (open < 0 || (quote > 0 && open > quote)) return;
  const close = line.indexOf("}", open);
  if (close > 0) fields["haproxy.captured_request_headers"] = line.slice(open + 2, close).split("|", 16);
}

export default defineFormat({
  name: "haproxy",
  summary: "HAProxy logs in the formats of option httplog and option tcplog, and its connection errors.",
  description: "Lines in syslog from a program called haproxy are read the same way by the syslog format. Times are counted as UTC.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.95 * share(sample, (line) => !("code" in decodeHaproxy(line.slice(0, 1_024)))),
  decoder: () => (text) => {
    const line = text.trimEnd();
    return line === "" ? { skip: "blank" } : decodeHaproxy(line);
  },
  examples: [
    {
      title: "a request",
      input:
        '192.0.2.7:14853 [14/Jan/2024:12:48:57.127] https-in~ app/node1 170/0/0/3/173 403 739 - - --NN 1/1/0/0/0 0/0 {www.example.com|curl} "GET /admin?id=1 HTTP/1.1"',
      expect: [
        {
          "@timestamp": "2024-01-14T12:48:57.127000Z",
          "event.kind": "event",
          "event.module": "haproxy",
          "event.dataset": "haproxy.log",
          "source.ip": "192.0.2.7",
          "source.port": 14853,
          "haproxy.frontend_name": "https-in",
          "haproxy.backend_name": "app",
          "haproxy.server_name": "node1",
          "event.duration": 173000000,
          "http.response.bytes": 739,
          "haproxy.termination_state": "--NN",
          "event.category": "web",
          "event.type": "access",
          "http.response.status_code": 403,
          "event.outcome": "failure",
          "http.request.method": "GET",
          "http.version": "1.1",
          "url.original": "/admin?id=1",
          "url.path": "/admin",
          "url.query": "id=1",
          "haproxy.captured_request_headers": ["www.example.com", "curl"],
          "related.ip": ["192.0.2.7"],
        },
      ],
    },
    {
      title: "a TCP connection",
      input: "[2001:db8::7]:33317 [06/Feb/2024:12:12:51.443] ssh login/cn1 0/0/5007 212 -- 0/0/0/0/3 0/0",
      expect: [
        {
          "@timestamp": "2024-02-06T12:12:51.443000Z",
          "event.kind": "event",
          "event.module": "haproxy",
          "event.dataset": "haproxy.log",
          "source.ip": "2001:db8::7",
          "source.port": 33317,
          "haproxy.frontend_name": "ssh",
          "haproxy.backend_name": "login",
          "haproxy.server_name": "cn1",
          "event.duration": 5007000000,
          "destination.bytes": 212,
          "haproxy.termination_state": "--",
          "event.category": "network",
          "event.type": ["connection", "end"],
          "related.ip": ["2001:db8::7"],
        },
      ],
    },
    {
      title: "a failed handshake",
      input: "192.0.2.7:50033 [28/Feb/2024:02:43:10.123] front/back: SSL handshake failure",
      expect: [
        {
          "@timestamp": "2024-02-28T02:43:10.123000Z",
          "event.kind": "event",
          "event.module": "haproxy",
          "event.dataset": "haproxy.log",
          "source.ip": "192.0.2.7",
          "source.port": 50033,
          "haproxy.frontend_name": "front",
          message: "SSL handshake failure",
          "event.category": "network",
          "event.type": ["connection", "error"],
          "event.outcome": "failure",
          "related.ip": ["192.0.2.7"],
        },
      ],
    },
    {
      title: "another line",
      input: "Proxy front started.",
      expect: {
        flaw: "bad_haproxy",
      },
    },
  ],
});
