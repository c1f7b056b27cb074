/** PostgreSQL's server log to ECS: stderr with the usual prefixes, csvlog and jsonlog. Knows no statement. */
import { type DecodeResult, defineFormat, type JsonObject, newFields, z } from "@vedette/kit";
import type { Fields, Flaw, Micros } from "@vedette/model";
import { share } from "../detect.ts";
import { compileMapping } from "../ecs/mapping.ts";
import { relate } from "../ecs/related.ts";
import { isFlaw, looksLikeObject, parseObject } from "../json/parse.ts";
import { plainIp } from "../linux/peer.ts";
import { readPostgresMessage } from "../postgresql/message.ts";
import { splitCsv } from "../text/csv.ts";
import { rfc3339At, stampEnd } from "../time/parse.ts";

const notPostgres: Flaw = {
  code: "bad_postgresql",
  expected:
    "a line of PostgreSQL's log: a prefix with a stamp, LOG, ERROR, FATAL or another severity with a colon, and the message; or its csvlog or jsonlog",
};

/** csvlog's columns, of version 9.6 on; later ones are added at the end. Source: PostgreSQL documentation, 19.8.4. */
const columns =
  `timestamp user dbname pid remote session_id line_num ps session_start vxid txid error_severity state_code message detail hint internal_query
  internal_position context statement cursor_position func_name application_name backend_type leader_pid query_id`.split(/\s+/);

const map = compileMapping({
  "user.name": "user",
  "source.ip": "remote_host",
  "source.port": "remote_port",
  "process.pid": "pid",
  "log.level": "error_severity",
  message: "message",
  "event.code": "state_code",
  "postgresql.log.database": "dbname",
  "postgresql.log.application_name": "application_name",
  "postgresql.log.backend_type": "backend_type",
  "postgresql.log.command_tag": "ps",
  "postgresql.log.query": ["statement", "internal_query"],
  "postgresql.log.detail": "detail",
  "postgresql.log.hint": "hint",
  "postgresql.log.session_id": "session_id",
});

function event(fields: Fields, time: Micros | undefined): DecodeResult {
  readPostgresMessage(String(fields["log.level"] ?? ""), String(fields["message"] ?? ""), fields);
  relate(fields);
  return { time, fields };
}

function start(): Fields {
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.module"] = "postgresql";
  fields["event.dataset"] = "postgresql.log";
  return fields;
}

/** The severity that ends the prefix. */
const severity = /(?:^|[ :\]])(DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|STATEMENT|CONTEXT|QUERY): {2}/;

function isoAt(prefix: string): number {
  const at = prefix.search(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/);
  return at >= 0 && at <= 256 ? at : -1;
}

/** The prefix is `log_line_prefix`, which every site writes its own way: its parts are told by their looks. */
function decodeStderr(line: string): DecodeResult {
  const found = severity.exec(line.slice(0, 1_024));
  const at = found === null ? -1 : isoAt(line.slice(0, found.index + 1));
  if (found === null || at < 0) return notPostgres;
  const prefix = line.slice(0, found.index + 1);
  // A zone stands as a name, which is the server's affair: only its offset would tell.
  const time = rfc3339At(prefix, at);
  if (time === undefined) return notPostgres;
  const end = stampEnd();
  const fields = start();
  fields["log.level"] = found[1]!;
  fields["message"] = line.slice(found.index + found[0].length);
  setPrefix(fields, `${prefix.slice(0, at)} ${prefix.slice(end)}`);
  return event(fields, time);
}

function setPrefix(fields: Fields, prefix: string): void {
  const pid = /\[(\d{1,10})(?:-\d{1,9})?\]/.exec(prefix);
  if (pid !== null) fields["process.pid"] = Number(pid[1]);
  const who = /(?:^|[\s:,(])(?:user=)?([^\s:@,=()[\]]{1,63})@([^\s:@,=()[\]]{1,63})/.exec(prefix);
  if (who !== null && who[1] !== "[unknown]") {
    fields["user.name"] = who[1]!;
    fields["postgresql.log.database"] = who[2]!;
  } else {
    const user = /\buser=([^\s,]{1,63})/.exec(prefix);
    const database = /\b(?:db|database)=([^\s,]{1,63})/.exec(prefix);
    if (user !== null) fields["user.name"] = user[1]!;
    if (database !== null) fields["postgresql.log.database"] = database[1]!;
  }
  for (const word of prefix.split(/[\s,=]+|:(?=\d{1,3}\.\d)/, 32)) {
    const peer = /^([0-9a-fA-F.:]{2,45}?)(?:\((\d{1,5})\))?:?$/.exec(word.replace(/:[^:@]{1,63}@.*$/, ""));
    const address = peer === null ? undefined : plainIp(peer[1]!);
    if (peer === null || address === undefined) continue;
    fields["source.ip"] = address;
    if (peer[2] !== undefined) fields["source.port"] = Number(peer[2]);
    break;
  }
}

/** A row or a document under jsonlog's names. */
function decodeNamed(row: JsonObject): DecodeResult {
  const fields = start();
  map(row, fields);
  const stamp = row["timestamp"];
  return event(fields, typeof stamp === "string" ? rfc3339At(stamp, 0) : undefined);
}

function rowOf(line: string): JsonObject | undefined {
  const values = splitCsv(line, ",");
  if (values === undefined || values.length < 23 || values.length > columns.length) return undefined;
  const row: { [column: string]: string } = {};
  for (let i = 0; i < values.length; i++) row[columns[i]!] = values[i]!;
  const [host = "", port] = (row["remote"] ?? "").split(/:(?=\d{1,5}$)/, 2);
  row["remote_host"] = host;
  if (port !== undefined) row["remote_port"] = port;
  return row;
}

const isCsv = (line: string): boolean => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \w{1,6},/.test(line) && rowOf(line) !== undefined;
const isDocument = (object: JsonObject): boolean =>
  typeof object["error_severity"] === "string" &&
  object["timestamp"] !== undefined &&
  (object["backend_type"] !== undefined || object["session_id"] !== undefined);

export default defineFormat({
  name: "postgresql",
  summary: "PostgreSQL's log: stderr with a log_line_prefix that holds %m or %t, csvlog, jsonlog.",
  description:
    "Failed and successful logins, ended sessions, role and grant statements are told by category. Stamps are read in UTC: set log_timezone to it.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.9 * share(sample, (line) => isCsv(line) || !("code" in decodeStderr(line))),
  decoder: () => (text) => {
    const line = text.trimEnd();
    if (line === "") return { skip: "blank" };
    if (looksLikeObject(line)) {
      const parsed = parseObject(line);
      return isFlaw(parsed) ? parsed : isDocument(parsed) ? decodeNamed(parsed) : notPostgres;
    }
    const row = isCsv(line) ? rowOf(line) : undefined;
    return row === undefined ? decodeStderr(line) : decodeNamed(row);
  },
  json: {
    anyOf: ["error_severity"],
    claims: (object) => (isDocument(object) ? 1 : 0),
    decode: (object) => (isDocument(object) ? decodeNamed(object) : notPostgres),
  },
  examples: [
    {
      title: "a failed login",
      input: '2024-05-01 10:00:00.536 UTC [147] 192.0.2.7 eve@postgres FATAL:  password authentication failed for user "eve"',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.536000Z",
          "event.kind": "event",
          "event.module": "postgresql",
          "event.dataset": "postgresql.log",
          "log.level": "FATAL",
          message: 'password authentication failed for user "eve"',
          "process.pid": 147,
          "user.name": "eve",
          "postgresql.log.database": "postgres",
          "source.ip": "192.0.2.7",
          "event.category": "authentication",
          "event.type": "info",
          "event.action": "database_login",
          "event.outcome": "failure",
          "related.ip": ["192.0.2.7"],
          "related.user": ["eve"],
        },
      ],
    },
    {
      title: "csvlog",
      input:
        '2024-05-01 10:00:01.536 UTC,"ada","app",4242,"192.0.2.8:51234",6091f6b2.1092,2,"GRANT",2024-05-01 09:59:00 UTC,3/1,0,LOG,00000,"statement: grant all on ""t"" to bob",,,,,,,,,"psql","client backend",,0',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:01.536000Z",
          "event.kind": "event",
          "event.module": "postgresql",
          "event.dataset": "postgresql.log",
          "user.name": "ada",
          "source.ip": "192.0.2.8",
          "source.port": 51234,
          "process.pid": 4242,
          "log.level": "LOG",
          message: 'statement: grant all on "t" to bob',
          "event.code": "00000",
          "postgresql.log.database": "app",
          "postgresql.log.application_name": "psql",
          "postgresql.log.backend_type": "client backend",
          "postgresql.log.command_tag": "GRANT",
          "postgresql.log.session_id": "6091f6b2.1092",
          "event.category": ["database", "iam"],
          "event.type": "change",
          "event.action": "database_grant_statement",
          "related.ip": ["192.0.2.8"],
          "related.user": ["ada"],
        },
      ],
    },
    {
      title: "jsonlog",
      input:
        '{"timestamp":"2024-05-01 10:00:02.536 UTC","user":"bob","dbname":"app","pid":4243,"remote_host":"2001:db8::7","remote_port":5151,"session_id":"s1","error_severity":"LOG","message":"connection authorized: user=bob database=app","backend_type":"client backend"}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:02.536000Z",
          "event.kind": "event",
          "event.module": "postgresql",
          "event.dataset": "postgresql.log",
          "user.name": "bob",
          "source.ip": "2001:db8::7",
          "source.port": 5151,
          "process.pid": 4243,
          "log.level": "LOG",
          message: "connection authorized: user=bob database=app",
          "postgresql.log.database": "app",
          "postgresql.log.backend_type": "client backend",
          "postgresql.log.session_id": "s1",
          "event.category": "authentication",
          "event.type": "start",
          "event.action": "database_login",
          "event.outcome": "success",
          "related.ip": ["2001:db8::7"],
          "related.user": ["bob"],
        },
      ],
    },
    {
      title: "another line",
      input: "ERROR: x",
      expect: {
        flaw: "bad_postgresql",
      },
    },
  ],
});
