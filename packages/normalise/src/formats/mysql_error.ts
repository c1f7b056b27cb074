/** Error logs of MySQL, Percona and MariaDB to ECS: refused logins, blocked hosts, connections that broke off. Knows no query. */
import { defineFormat, newFields, z } from "@vedette/kit";
import type { Fields, Flaw, Micros } from "@vedette/model";
import { share } from "../detect.ts";
import { relate } from "../ecs/related.ts";
import { setAuthentication, setSource } from "../linux/peer.ts";
import { minutesOf, utcOffset } from "../time/offset.ts";
import { civil, parseAnyTime } from "../time/parse.ts";

const notMysql: Flaw = { code: "bad_mysql_log", expected: "STAMP [THREAD] [Note|Warning|ERROR|System] [[MY-010926] [Server]] MESSAGE" };

/** `2023-11-14T10:00:01.123456Z 12 `, `2023-11-14 10:00:01 139 `, `231114 10:00:01 `, then the level and, since 8.0, code and subsystem. */
const line =
  /^(?:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))|(\d{4})-(\d\d)-(\d\d) {1,2}(\d{1,2}):(\d\d):(\d\d)|(\d\d)(\d\d)(\d\d) {1,2}(\d{1,2}):(\d\d):(\d\d)) (?:(\d{1,20}|0x[0-9a-f]{1,16}) )?\[(Note|Warning|ERROR|Error|System)\] (?:\[(MY-\d{6})\] \[(\w{1,32})\] )?/;
const levels = new Map([
  ["Note", "informational"],
  ["Warning", "warning"],
  ["ERROR", "error"],
  ["Error", "error"],
  ["System", "notice"],
]);

function timeOf(m: RegExpExecArray, offset: Micros): Micros | undefined {
  if (m[1] !== undefined) return parseAnyTime(m[1]);
  const at = m[2] === undefined ? 8 : 2;
  const [year, month, day, hour, minute, second] = m.slice(at, at + 6).map(Number) as [number, number, number, number, number, number];
  const local = civil(at === 8 ? 2_000 + year : year, month, day, hour, minute, second);
  return local === undefined ? undefined : local - offset;
}

/** What of the message ECS has names for. */
function readMessage(text: string, fields: Fields): void {
  const denied = /^Access denied for user '(.{0,255}?)'@'([^']{1,255})'/.exec(text);
  const blocked =
    denied === null ? /^Host '([^']{1,255})' is (?:blocked because of many connection errors|not allowed to connect)/.exec(text) : null;
  const aborted =
    denied === null && blocked === null
      ? /^Aborted connection \d{1,20} to db: '([^']{0,255})' user: '(.{0,255}?)' host: '([^']{1,255})'/.exec(text)
      : null;
  if (denied !== null) {
    setAuthentication(fields, "database_login", "failure");
    if (denied[1] !== "") fields["user.name"] = denied[1]!;
    setSource(fields, denied[2]!);
  } else if (blocked !== null) {
    fields["event.category"] = ["database", "network"];
    fields["event.type"] = ["connection", "denied"];
    fields["event.action"] = "host_blocked";
    setSource(fields, blocked[1]!);
  } else if (aborted !== null) {
    fields["event.type"] = ["connection", "end"];
    fields["event.action"] = "connection_aborted";
    if (aborted[1] !== "" && aborted[1] !== "unconnected") fields["mysql.error.database"] = aborted[1]!;
    if (aborted[2] !== "" && aborted[2] !== "unauthenticated") fields["user.name"] = aborted[2]!;
    setSource(fields, aborted[3]!);
  }
}

export default defineFormat({
  name: "mysql_error",
  summary: "Error logs of MySQL, Percona Server and MariaDB.",
  description:
    "Refused logins are there with log_error_verbosity = 3 (MySQL) or log_warnings = 2 (MariaDB). Stamps without a zone are in `utc_offset`.",
  stability: "beta",
  config: z.strictObject({ utc_offset: utcOffset.describe("Zone of stamps that name none, as +hh:mm or -hh:mm.") }),
  detect: (sample) => 0.9 * share(sample, (one) => line.test(one.slice(0, 256))),
  decoder(config) {
    const offset = minutesOf(config.utc_offset) * 60_000_000;
    return (text) => {
      const whole = text.trimEnd();
      if (whole === "") return { skip: "blank" };
      const head = line.exec(whole.slice(0, 256));
      if (head === null) return notMysql;
      const fields = newFields();
      fields["event.kind"] = "event";
      fields["event.category"] = "database";
      fields["event.type"] = head[15] === "ERROR" || head[15] === "Error" ? "error" : "info";
      fields["event.module"] = "mysql";
      fields["event.dataset"] = "mysql.error";
      fields["log.level"] = levels.get(head[15]!)!;
      if (head[14] !== undefined) fields["mysql.thread_id"] = head[14];
      if (head[16] !== undefined) fields["event.code"] = head[16];
      if (head[17] !== undefined) fields["mysql.error.subsystem"] = head[17];
      const message = whole.slice(head[0].length);
      fields["message"] = message;
      readMessage(message.slice(0, 2_048), fields);
      relate(fields);
      return { time: timeOf(head, offset), fields };
    };
  },
  examples: [
    {
      title: "a refused login, MySQL 8",
      input: "2024-05-01T10:00:00.123456Z 12 [Note] [MY-010926] [Server] Access denied for user 'root'@'203.0.113.9' (using password: YES)",
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123456Z",
          "event.kind": "event",
          "event.category": "authentication",
          "event.type": "info",
          "event.action": "database_login",
          "event.outcome": "failure",
          "event.module": "mysql",
          "event.dataset": "mysql.error",
          "event.code": "MY-010926",
          "log.level": "informational",
          "mysql.thread_id": "12",
          "mysql.error.subsystem": "Server",
          "source.ip": "203.0.113.9",
          "user.name": "root",
          "related.ip": ["203.0.113.9"],
          "related.user": ["root"],
          message: "Access denied for user 'root'@'203.0.113.9' (using password: YES)",
        },
      ],
    },
    {
      title: "a blocked host, MariaDB, an hour east of UTC",
      config: { utc_offset: "+01:00" },
      input:
        "2024-05-01 11:00:00 139 [Warning] Host '203.0.113.9' is blocked because of many connection errors; unblock with 'mariadb-admin flush-hosts'",
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "event",
          "event.category": ["database", "network"],
          "event.type": ["connection", "denied"],
          "event.action": "host_blocked",
          "event.module": "mysql",
          "event.dataset": "mysql.error",
          "log.level": "warning",
          "mysql.thread_id": "139",
          "source.ip": "203.0.113.9",
          "related.ip": ["203.0.113.9"],
          message: "Host '203.0.113.9' is blocked because of many connection errors; unblock with 'mariadb-admin flush-hosts'",
        },
      ],
    },
    { title: "another line", input: "hello", expect: { flaw: "bad_mysql_log" } },
  ],
});
