/** Web server logs: what clients send stays as told, and none of it moves a field. */
import type { Decoded } from "@vedette/kit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formats } from "../index.ts";

const known = await formats();
const context = { preamble: undefined, received: 0, peer: undefined, source: "t", stream: "access.log" };
const read = (format: string, line: string) => {
  const spec = known.get(format)!;
  return spec.decoder(spec.config.parse({}))(line, context);
};
const fields = (format: string, line: string) => ({ ...(read(format, line) as Decoded).fields });
const stamp = "[10/Oct/2000:13:55:36 -0700]";

test("no user name, request, referrer or agent moves another field", () => {
  // Both servers escape quotes and backslashes in what they were sent.
  const sent = fc.string({ maxLength: 60 }).map((text) => text.replace(/["\\\r\n]/g, (c) => (c === '"' ? '\\"' : "\\\\")));
  const hostile = fc.oneof(sent, fc.constantFrom(`x ${stamp} \\"GET / HTTP/1.1\\" 200 1`, "] ", " 200 5 "));
  fc.assert(
    fc.property(hostile, hostile, hostile, (user, request, agent) => {
      const got = fields("nginx_access", `203.0.113.9 - u${user} ${stamp} "GET /${request} HTTP/1.1" 418 77 "-" "a${agent}"`);
      expect(got).toMatchObject({
        "source.ip": "203.0.113.9",
        "http.request.method": "GET",
        "url.original": `/${request}`,
        "http.response.status_code": 418,
        "http.response.body.bytes": 77,
        "user_agent.original": `a${agent}`,
      });
    }),
  );
});

test.each([
  [
    `example.com:8443 192.0.2.1 - - ${stamp} "GET / HTTP/2.0" 200 5`,
    { "url.domain": "example.com", "url.port": 8443, "source.ip": "192.0.2.1" },
  ],
  [`10.0.0.2, 67.43.156.14, 10.0.0.1 - - ${stamp} "GET / HTTP/1.1" 200 5`, { "source.ip": "67.43.156.14" }],
  [`monitoring - - ${stamp} "GET / HTTP/1.1" 200 5`, { "source.domain": "monitoring" }],
  [
    `192.0.2.1 - - ${stamp} "CONNECT example.com:443 HTTP/1.1" 405 5`,
    { "http.request.method": "CONNECT", "url.original": "example.com:443" },
  ],
  [
    `192.0.2.1 - - ${stamp} "GET http://evil.example/a?b#c HTTP/1.1" 200 5`,
    { "url.domain": "evil.example", "url.path": "/a", "url.query": "b" },
  ],
  [
    `example.com 192.0.2.1 - req001 - ${stamp} "GET / HTTP/1.1" 200 5`,
    { "url.domain": "example.com", "source.ip": "192.0.2.1", "http.request.id": "req001" },
  ],
  [`192.0.2.1 - - ${stamp} "-" 408 -`, { "http.response.status_code": 408, "event.outcome": "failure" }],
  [
    '[10/Aug/2018:09:45:56 +0200] 172.30.0.119 TLSv1.2 ECDHE "GET /x HTTP/1.1" 1375',
    { "source.ip": "172.30.0.119", "tls.cipher": "ECDHE", "url.path": "/x" },
  ],
])("%s", (line, expected) => expect(fields("apache_access", line)).toMatchObject(expected));

test("paths in an nginx error cannot name another client", () => {
  const line =
    '2016/10/25 14:49:34 [error] 1#0: *1 open() "/x, client: 6.6.6.6, server: y" failed (2: No such file), client: 203.0.113.9, server: l, request: "GET / HTTP/1.1", host: "h"';
  expect(fields("nginx_error", line)).toMatchObject({ "source.ip": "203.0.113.9", "url.domain": "h" });
});

test.each([
  [
    '[Fri Dec 13 06:59:54 2013] [error] [client 192.0.2.7] user bob: authentication failure for "/x": Password Mismatch',
    { "user.name": "bob", "event.outcome": "failure", "source.ip": "192.0.2.7" },
  ],
  [
    "[Tue Sep 30 11:30:13.262255 2014] [core:error] [pid 1:tid 2] [client 2001:db8::1:34567] AH00037: x",
    { "source.ip": "2001:db8::1", "source.port": 34567, "process.thread.id": 2 },
  ],
  [
    "[error] [client 192.0.2.7] Client sent malformed Host header",
    { "source.ip": "192.0.2.7", message: "Client sent malformed Host header" },
  ],
  [`192.0.2.1 - - ${stamp} "GET / HTTP/1.1" 200 5`, { "event.dataset": "apache.access" }],
])("%s", (line, expected) => expect(fields("apache_error", line)).toMatchObject(expected));
