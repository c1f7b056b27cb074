/** How the access logs of nginx and Apache httpd are declared: they differ in name, and in whose error log may be mixed in. */
import { type Decoded, defineFormat, type FormatSpec, z } from "@vedette/kit";
import type { Flaw } from "@vedette/model";
import { share } from "../detect.ts";
import { decodeAccess, looksLikeAccess } from "./access.ts";

interface Server {
  readonly name: "nginx_access" | "apache_access";
  readonly module: "nginx" | "apache";
  readonly title: string;
  /** How its files and streams are called. */
  readonly streams: RegExp;
  /** Some write both logs to one file. */
  readonly decodeError: (line: string) => Decoded | Flaw;
}

export function defineAccessLog({ name, module, title, streams, decodeError }: Server): FormatSpec {
  const constant = {
    "event.kind": "event",
    "event.category": "web",
    "event.type": "access",
    "event.dataset": `${module}.access`,
    "event.module": module,
    "event.outcome": "failure",
  };
  return defineFormat({
    name,
    summary: `${title} access logs: common, combined, with a virtual host or forwarded addresses in front.`,
    description:
      "Of a list of forwarded addresses the last public one is source.ip: earlier ones are the client's claim. Requests that are no HTTP are kept in url.original as the server wrote them.",
    stability: "beta",
    config: z.strictObject({}),
    detect: (sample, _preamble, stream) => (streams.test(stream) ? 0.85 : 0.75) * share(sample, looksLikeAccess),
    decoder: () => (text) => {
      const line = text.trimEnd();
      if (line === "") return { skip: "blank" };
      const event = decodeAccess(line, module);
      if (!("code" in event)) return event;
      const error = decodeError(line);
      return "code" in error ? event : error;
    },
    examples: [
      {
        title: "the combined form",
        input:
          '192.0.2.7 - frank [10/Oct/2000:13:55:36 -0700] "GET /a/b.php?id=1%27 HTTP/1.1" 404 2326 "http://example.com/start" "Mozilla/5.0 (X11)"',
        expect: [
          {
            ...constant,
            "@timestamp": "2000-10-10T20:55:36.000000Z",
            "source.ip": "192.0.2.7",
            "user.name": "frank",
            "http.request.method": "GET",
            "http.version": "1.1",
            "url.original": "/a/b.php?id=1%27",
            "url.path": "/a/b.php",
            "url.query": "id=1%27",
            "url.decoded": "/a/b.php?id=1'",
            "http.response.status_code": 404,
            "http.response.body.bytes": 2326,
            "http.request.referrer": "http://example.com/start",
            "user_agent.original": "Mozilla/5.0 (X11)",
          },
        ],
      },
      {
        title: "a TLS handshake on a plain port",
        input: '2001:db8::1 - - [10/Oct/2000:13:55:36 +0000] "\\x16\\x03\\x01" 400 157 "-" "-"',
        expect: [
          {
            ...constant,
            "@timestamp": "2000-10-10T13:55:36.000000Z",
            "source.ip": "2001:db8::1",
            "url.original": "\\x16\\x03\\x01",
            "http.response.status_code": 400,
            "http.response.body.bytes": 157,
          },
        ],
      },
      { title: "not an access log", input: "hello", expect: { flaw: "bad_access_log" } },
    ],
  });
}
