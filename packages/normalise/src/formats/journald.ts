/** The systemd journal to ECS: JSON of `journalctl -o json`, and entries of the export format as text. Knows no program. */
import { type DecodeContext, type DecodeResult, defineFormat, type JsonObject, z } from "@vedette/kit";
import type { Flaw } from "@vedette/model";
import { share } from "../detect.ts";
import { decodeJournal, isJournal } from "../journal/entry.ts";
import { isFlaw, looksLikeObject, parseObject } from "../json/parse.ts";
import { embeddedDecoder } from "../syslog/embedded.ts";

const notJournal: Flaw = {
  code: "bad_journal",
  expected: "a journal entry: a JSON object with MESSAGE and __REALTIME_TIMESTAMP, or KEY=value lines of the export format",
};

/** Entries have some 40 fields; further lines are left to the original. */
const maxLines = 512;

/** `KEY=value` lines as an object; undefined where the text is no entry. Of a field that comes twice the last value counts. */
function exported(text: string): JsonObject | undefined {
  if (!text.startsWith("__CURSOR=") && !text.startsWith("__REALTIME_TIMESTAMP=")) return undefined;
  const entry: { [key: string]: string } = Object.create(null) as { [key: string]: string };
  for (const line of text.split("\n", maxLines)) {
    const equals = line.indexOf("=");
    if (equals > 0 && equals <= 64) entry[line.slice(0, equals)] = line.slice(equals + 1);
  }
  return entry;
}

function isEntry(object: JsonObject): number {
  if (!isJournal(object)) return 0;
  return object["__REALTIME_TIMESTAMP"] !== undefined || object["__CURSOR"] !== undefined ? 1 : 0.95;
}

/** One per stream. Audit records and the lines of web servers within the journal are decoded by their own formats. */
function entryDecoder(): (object: JsonObject, context: DecodeContext) => DecodeResult {
  const embedded = embeddedDecoder();
  return (object, context) =>
    isJournal(object) ? decodeJournal(object, (program, message) => embedded(program, message, context)) : notJournal;
}

const decodeDocument = entryDecoder();

export default defineFormat({
  name: "journald",
  summary: "The systemd journal: journalctl -o json, its entries as Fluent Bit sends them, and the export format.",
  description:
    "Messages are read as in syslog, by the program that wrote them. The journal's trusted fields (_PID, _UID, _EXE, _SYSTEMD_UNIT) are kept.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) =>
    0.95 *
    share(sample, (line) => {
      const parsed = looksLikeObject(line) && line.length <= 65_536 ? parseObject(line) : undefined;
      return parsed === undefined ? exported(line.slice(0, 65_536)) !== undefined : !isFlaw(parsed) && isEntry(parsed) >= 0.5;
    }),
  decoder() {
    const decode = entryDecoder();
    return (text, context) => {
      if (text.trim() === "") return { skip: "blank" };
      const parsed = looksLikeObject(text) ? parseObject(text) : (exported(text) ?? notJournal);
      if (parsed === notJournal) return notJournal;
      return isFlaw(parsed as JsonObject) ? (parsed as Flaw) : decode(parsed as JsonObject, context);
    };
  },
  json: { anyOf: ["MESSAGE"], claims: isEntry, decode: (object, _text, context) => decodeDocument(object, context) },
  examples: [
    {
      title: "a failed SSH login, journalctl -o json",
      input:
        '{"__REALTIME_TIMESTAMP":"1714557600123456","_HOSTNAME":"login1","SYSLOG_IDENTIFIER":"sshd","_PID":"4711","_UID":"0","_EXE":"/usr/sbin/sshd","_SYSTEMD_UNIT":"ssh.service","PRIORITY":"6",' +
        '"_TRANSPORT":"syslog","MESSAGE":"Failed password for root from 192.0.2.7 port 22 ssh2"}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123456Z",
          "event.kind": "event",
          "event.module": "linux",
          "host.name": "login1",
          "systemd.unit": "ssh.service",
          "process.executable": "/usr/sbin/sshd",
          "log.syslog.transport": "syslog",
          "process.name": "sshd",
          "process.user.id": "0",
          "process.pid": 4711,
          "log.syslog.severity.code": 6,
          "host.hostname": "login1",
          message: "Failed password for root from 192.0.2.7 port 22 ssh2",
          "event.dataset": "linux.auth",
          "source.ip": "192.0.2.7",
          "source.port": 22,
          "event.category": "authentication",
          "event.type": "info",
          "event.action": "ssh_login",
          "event.outcome": "failure",
          "linux.auth.ssh.method": "password",
          "user.name": "root",
          "related.ip": ["192.0.2.7"],
          "related.user": ["root"],
        },
      ],
    },
    {
      title: "the export format",
      input:
        "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1714557601000000\n_HOSTNAME=login1\nSYSLOG_IDENTIFIER=sudo\n_PID=12\nMESSAGE=ada : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/id",
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:01.000000Z",
          "event.kind": "event",
          "event.module": "linux",
          "host.name": "login1",
          "process.name": "sudo",
          "process.pid": 12,
          "host.hostname": "login1",
          message: "ada : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/id",
          "event.dataset": "linux.auth",
          "event.category": "process",
          "event.type": "start",
          "event.action": "sudo_command",
          "user.name": "ada",
          "linux.auth.sudo.tty": "pts/0",
          "process.working_directory": "/",
          "user.effective.name": "root",
          "process.command_line": "/bin/id",
          "process.executable": "/bin/id",
          "related.user": ["ada", "root"],
          "event.outcome": "success",
        },
      ],
    },
    {
      title: "another document",
      input: '{"MESSAGE":"x"}',
      expect: {
        flaw: "bad_journal",
      },
    },
  ],
});
