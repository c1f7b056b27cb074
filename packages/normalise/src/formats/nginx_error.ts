/** nginx error logs. */
import { type Decoded, defineFormat, newFields, z } from "@vedette/kit";
import type { Fields, Flaw } from "@vedette/model";
import { share } from "../detect.ts";
import { plainIp } from "../linux/peer.ts";
import { nginxErrorDate } from "../time/stamps.ts";
import { decodeAccess, setRequest } from "../web/access.ts";
import { setAuthority } from "../web/url.ts";

/** Levels that report no error. */
const quiet = new Set(["notice", "info", "debug"]);
const notError: Flaw = { code: "bad_error_log", expected: "an nginx error log line: 2016/10/25 14:49:34 [error] 54053#0: *1 …" };
const details = ", client: ";

/** Where nginx's own `, client: …` details begin: the first outside quotes, because paths and names in the message stand in quotes. */
function detailsAt(message: string): number {
  // A user's name may hold quotes; a request, which comes after, no blanks.
  if (message.startsWith('user "')) return message.lastIndexOf(details);
  let from = 0;
  for (let quoted = false; ; quoted = !quoted) {
    const quote = message.indexOf('"', from);
    const end = quote < 0 ? message.length : quote;
    const at = quoted ? -1 : message.slice(from, end).indexOf(details);
    if (at >= 0) return from + at;
    if (quote < 0) return message.indexOf(details);
    from = quote + 1;
  }
}

/** `, client: A, server: B, request: "…", upstream: "…", host: "…", referrer: "…"`, each where it follows the last. */
function setDetails(fields: Fields, text: string): void {
  const value = (name: string, from: number): string | undefined => {
    const at = text.indexOf(`, ${name}: "`, from);
    if (at < 0) return undefined;
    const start = at + name.length + 5;
    const end = text.indexOf('"', start);
    return end < 0 ? undefined : text.slice(start, end);
  };
  const clientEnd = text.indexOf(",", details.length);
  const client = text.slice(details.length, clientEnd < 0 ? undefined : clientEnd);
  const address = plainIp(client);
  if (address !== undefined) fields["source.ip"] = address;
  const request = value("request", 0);
  if (request !== undefined) setRequest(fields, request);
  const after = Math.max(0, request === undefined ? 0 : text.indexOf(request) + request.length);
  const host = value("host", after);
  if (host !== undefined) setAuthority(fields, host);
  const referrer = value("referrer", after);
  if (referrer !== undefined) fields["http.request.referrer"] = referrer;
}

/** `user "x": password mismatch`, `user "x" was not found in "…"`. */
function setLogin(fields: Fields, message: string): void {
  if (!message.startsWith('user "')) return;
  const mismatch = message.lastIndexOf('": password mismatch');
  const end = mismatch > 0 ? mismatch : message.lastIndexOf('" was not found in "');
  if (end < 6) return;
  fields["user.name"] = message.slice(6, end);
  fields["event.category"] = ["web", "authentication"];
  fields["event.action"] = "http_login";
  fields["event.outcome"] = "failure";
}

/** One line of the error log, without trailing blanks. */
export function decodeNginxError(line: string): Decoded | Flaw {
  const time = nginxErrorDate(line);
  const close = line.indexOf("] ", 20);
  if (time === undefined || !line.startsWith(" [", 19) || close < 0 || close > 32) return notError;
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.category"] = "web";
  fields["event.type"] = "error";
  fields["event.dataset"] = "nginx.error";
  fields["event.module"] = "nginx";
  fields["log.level"] = line.slice(21, close);
  if (quiet.has(line.slice(21, close))) fields["event.type"] = "info";
  const process = /^(\d{1,10})#(\d{1,10}): (?:\*(\d{1,19}) )?/.exec(line.slice(close + 2, close + 66));
  let message = line.slice(close + 2);
  if (process !== null) {
    fields["process.pid"] = Number(process[1]);
    fields["process.thread.id"] = Number(process[2]);
    if (process[3] !== undefined) fields["nginx.error.connection_id"] = Number(process[3]);
    message = message.slice(process[0].length);
  }
  fields["message"] = message;
  setLogin(fields, message);
  const at = detailsAt(message);
  if (at >= 0) setDetails(fields, message.slice(at));
  return { time, fields };
}

export default defineFormat({
  name: "nginx_error",
  summary: "nginx error logs, with client, request and failed basic logins.",
  description: "The stamps name no zone and count as UTC.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.9 * share(sample, (line) => nginxErrorDate(line) !== undefined && line.startsWith(" [", 19)),
  decoder: () => (text) => {
    const line = text.trimEnd();
    if (line === "") return { skip: "blank" };
    const event = decodeNginxError(line);
    if (!("code" in event)) return event;
    // Some write both logs to one file.
    const access = decodeAccess(line, "nginx");
    return "code" in access ? event : access;
  },
  examples: [
    {
      title: "a wrong password",
      input:
        '2016/10/25 14:49:34 [error] 54053#0: *1 user "bob": password mismatch, client: 192.0.2.7, server: localhost, request: "GET /admin HTTP/1.1", host: "example.com:8080"',
      expect: [
        {
          "@timestamp": "2016-10-25T14:49:34.000000Z",
          "event.kind": "event",
          "event.category": ["web", "authentication"],
          "event.type": "error",
          "event.action": "http_login",
          "event.outcome": "failure",
          "event.dataset": "nginx.error",
          "event.module": "nginx",
          "log.level": "error",
          "process.pid": 54053,
          "process.thread.id": 0,
          "nginx.error.connection_id": 1,
          "user.name": "bob",
          "source.ip": "192.0.2.7",
          "http.request.method": "GET",
          "http.version": "1.1",
          "url.original": "/admin",
          "url.path": "/admin",
          "url.domain": "example.com",
          "url.port": 8080,
          message:
            'user "bob": password mismatch, client: 192.0.2.7, server: localhost, request: "GET /admin HTTP/1.1", host: "example.com:8080"',
        },
      ],
    },
    { title: "another log", input: "hello", expect: { flaw: "bad_error_log" } },
  ],
});
