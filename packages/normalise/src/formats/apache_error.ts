/** Apache httpd error logs, 2.2 and 2.4. */
import { type Decoded, defineFormat, newFields, z } from "@vedette/kit";
import type { Fields, Flaw } from "@vedette/model";
import { share } from "../detect.ts";
import { plainIp } from "../linux/peer.ts";
import { apacheErrorDate } from "../time/stamps.ts";
import { decodeAccess } from "../web/access.ts";

/** Levels that report no error. */
const quiet = new Set(["notice", "info", "debug"]);
const notError: Flaw = {
  code: "bad_error_log",
  expected: "an Apache error log line: [Wed Oct 11 14:32:52.123456 2000] [core:error] [pid 1] [client 192.0.2.7:1234] …",
};

/** The stamp between the first brackets. */
function stampOf(line: string): number | undefined {
  const close = line.indexOf("]");
  return line.charCodeAt(0) === 0x5b && close > 0 && close < 48 ? apacheErrorDate(line.slice(1, close)) : undefined;
}

/** `ADDRESS:PORT` (2.4) or `ADDRESS` (2.2): an IPv6 address with a port reads like a longer address. */
function setClient(fields: Fields, text: string, withPort: boolean): void {
  const colon = text.lastIndexOf(":");
  const bare = colon > 0 ? plainIp(text.slice(0, colon)) : undefined;
  if (withPort && bare !== undefined) {
    fields["source.ip"] = bare;
    const port = Number(text.slice(colon + 1));
    if (port > 0 && port <= 65_535) fields["source.port"] = port;
    return;
  }
  const whole = plainIp(text) ?? bare;
  if (whole !== undefined) fields["source.ip"] = whole;
}

/** One bracket group after the stamp. */
function setGroup(fields: Fields, group: string): void {
  if (group.startsWith("client ") || group.startsWith("remote "))
    setClient(fields, group.slice(7), fields["apache.error.module"] !== undefined);
  else if (group.startsWith("pid ")) {
    const [pid, tid] = group.slice(4).split(":tid ");
    if (Number(pid) >= 0) fields["process.pid"] = Number(pid);
    if (tid !== undefined && Number(tid) >= 0) fields["process.thread.id"] = Number(tid);
  } else if (fields["log.level"] === undefined) {
    const colon = group.indexOf(":");
    if (colon >= 0) fields["apache.error.module"] = group.slice(0, colon);
    fields["log.level"] = group.slice(colon + 1);
  }
}

/** `AH01617: user bob: authentication failure for "/x": Password Mismatch`, `user bob not found: /x`. */
function setLogin(fields: Fields, message: string): void {
  const text = /^AH\d{5}: /.test(message) ? message.slice(9) : message;
  if (!text.startsWith("user ")) return;
  const failure = text.indexOf(": authentication failure for ");
  const end = failure > 0 ? failure : text.indexOf(" not found: ");
  if (end < 5) return;
  fields["user.name"] = text.slice(5, end);
  fields["event.category"] = ["web", "authentication"];
  fields["event.action"] = "http_login";
  fields["event.outcome"] = "failure";
}

/** One line of the error log, without trailing blanks. */
export function decodeApacheError(line: string): Decoded | Flaw {
  const time = stampOf(line);
  if (time === undefined && !/^\[(?:\w{0,32}:)?(?:emerg|alert|crit|error|warn|notice|info|debug|trace\d)\] /.test(line)) return notError;
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.category"] = "web";
  fields["event.type"] = "error";
  fields["event.dataset"] = "apache.error";
  fields["event.module"] = "apache";
  let at = time === undefined ? 0 : line.indexOf("]") + 2;
  // Level, process and client: the format has at most these and a few ids in brackets.
  for (let n = 0; n < 6 && line.charCodeAt(at) === 0x5b; n++) {
    const close = line.indexOf("]", at);
    if (close < 0 || close - at > 128) break;
    setGroup(fields, line.slice(at + 1, close));
    at = close + 1;
    while (line.charCodeAt(at) === 0x20) at++;
  }
  if (quiet.has(String(fields["log.level"]))) fields["event.type"] = "info";
  const message = line.slice(at);
  fields["message"] = message;
  const code = /^AH\d{5}(?=: )/.exec(message);
  if (code !== null) fields["error.code"] = code[0];
  setLogin(fields, message);
  const referer = message.lastIndexOf(", referer: ");
  if (referer >= 0) fields["http.request.referrer"] = message.slice(referer + 11);
  return { time, fields };
}

export default defineFormat({
  name: "apache_error",
  summary: "Apache httpd error logs, with client and failed basic logins.",
  description: "The stamps name no zone and count as UTC.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.9 * share(sample, (line) => stampOf(line) !== undefined),
  decoder: () => (text) => {
    const line = text.trimEnd();
    if (line === "") return { skip: "blank" };
    const event = decodeApacheError(line);
    if (!("code" in event)) return event;
    // Some write both logs to one file.
    const access = decodeAccess(line, "apache");
    return "code" in access ? event : access;
  },
  examples: [
    {
      title: "version 2.4",
      input:
        "[Tue Sep 30 14:25:44.895897 2014] [authz_core:error] [pid 31858] [client 192.0.2.7:38870] AH01630: client denied by server configuration: /var/www/",
      expect: [
        {
          "@timestamp": "2014-09-30T14:25:44.895897Z",
          "event.kind": "event",
          "event.category": "web",
          "event.type": "error",
          "event.dataset": "apache.error",
          "event.module": "apache",
          "log.level": "error",
          "apache.error.module": "authz_core",
          "process.pid": 31858,
          "source.ip": "192.0.2.7",
          "source.port": 38870,
          "error.code": "AH01630",
          message: "AH01630: client denied by server configuration: /var/www/",
        },
      ],
    },
    { title: "another log", input: "hello", expect: { flaw: "bad_error_log" } },
  ],
});
