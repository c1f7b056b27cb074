/** Syslog lines, from the network or from /var/log: takes the header off and hands the message to who understands the program. */
import { type DecodeContext, type Decoded, type DecodeResult, defineFormat, newFields, z } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { share } from "../detect.ts";
import { relate } from "../ecs/related.ts";
import { type JsonDispatch, jsonDispatch } from "../json/dispatch.ts";
import { isFlaw, looksLikeObject, parseObject } from "../json/parse.ts";
import { readMessage } from "../linux/programs.ts";
import { type EmbeddedDecode, embeddedDecoder, type NamedDecode, namedDecoder } from "../syslog/embedded.ts";
import { type Header, parseHeader } from "../syslog/header.ts";
import { maxPrefix } from "../syslog/prefix.ts";
import { minutesOf, utcOffset } from "../time/offset.ts";

const severities = ["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"];
const notSyslog = {
  code: "bad_syslog",
  expected: "a syslog line: <priority>, `Mmm dd hh:mm:ss host program[pid]: message`, RFC 5424, or an RFC 3339 stamp in front",
};

/** Streams of the `syslog` source, which anyone who reaches the port may write into: noise must not turn what others send into plain text. */
const listener = /^(?:udp$|tcp )/;
const listenerCertainty = 0.95;

function base(header: Header): Fields {
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.module"] = "linux";
  fields["event.dataset"] = "linux.syslog";
  if (header.host !== undefined) {
    fields["host.name"] = header.host;
    fields["host.hostname"] = header.host;
  }
  if (header.program !== undefined) {
    const module = header.program.indexOf("(");
    fields["process.name"] = module > 0 ? header.program.slice(0, module) : header.program;
  }
  if (header.pid >= 0) fields["process.pid"] = header.pid;
  if (header.priority >= 0) {
    fields["log.syslog.facility.code"] = header.priority >> 3;
    fields["log.syslog.severity.code"] = header.priority & 7;
    fields["log.level"] = severities[header.priority & 7]!;
  }
  if (header.messageId !== undefined) fields["log.syslog.msgid"] = header.messageId;
  if (header.structured !== undefined) fields["log.syslog.structured_data"] = header.structured;
  fields["message"] = header.message;
  return fields;
}

/** A JSON document or another format's line within syslog: the relay's host is told where the inner event names none. */
function relayed(result: DecodeResult, host: string | undefined, time: number | undefined): DecodeResult {
  if ("code" in result || "skip" in result) return result;
  for (const one of (Array.isArray(result) ? result : [result]) as Decoded[]) {
    one.time ??= time;
    if (host === undefined) continue;
    if (one.fields["event.module"] === "zeek") one.fields["observer.name"] ??= host;
    else one.fields["host.name"] ??= host;
  }
  return result;
}

function decodeEmbedded(
  header: Header,
  time: number | undefined,
  context: DecodeContext,
  dispatch: JsonDispatch,
  embedded: EmbeddedDecode,
): DecodeResult | undefined {
  let message = header.message;
  // A document may hold a syslog line itself, whose reading would overwrite the header.
  const host = header.host;
  if (message.startsWith("@cee:")) message = message.slice(5).trimStart();
  if (looksLikeObject(message)) {
    const parsed = parseObject(message);
    if (isFlaw(parsed)) return undefined;
    return relayed(dispatch(parsed, message, context), host, time);
  }
  const inner = embedded(header.program, message, context);
  return inner === undefined ? undefined : relayed(inner, host, time);
}

/** Messages that say themselves what they are; where one is only quoted, its own format refuses the line. */
const selfDescribing: readonly (readonly [mark: RegExp, format: string])[] = [
  [/%(?:ASA|FTD|PIX|FWSM)-/, "cisco_asa"],
  [/CEF:/, "cef"],
  [/LEEF:/, "leef"],
];
const anyDescribing = /%(?:ASA|FTD|PIX|FWSM)-|(?:CEF|LEEF):/;

function decodeSelfDescribing(line: string, context: DecodeContext, decode: NamedDecode): DecodeResult | undefined {
  const head = line.slice(0, maxPrefix);
  if (!anyDescribing.test(head)) return undefined;
  const format = selfDescribing.find(([mark]) => mark.test(head))?.[1];
  return format === undefined ? undefined : decode([format], line, context);
}

/** A container runtime's log (CRI): `STAMP stdout F LINE`; the stream is no host. */
function unwrapContainer(header: Header): void {
  header.host = undefined;
  if (header.message.startsWith("F ") || header.message.startsWith("P ")) header.message = header.message.slice(2);
}

/** A line that starts with a blank goes on from the one before it (a stack trace): it is kept, at the time it was received. */
function continued(line: string): Decoded | undefined {
  if (line.charCodeAt(0) !== 0x20 && line.charCodeAt(0) !== 0x09) return undefined;
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.module"] = "linux";
  fields["event.dataset"] = "linux.syslog";
  fields["message"] = line;
  return { time: undefined, fields };
}

const ssh = {
  "@timestamp": "2024-03-05T14:07:59.000000Z",
  "event.kind": "event",
  "event.module": "linux",
  "event.dataset": "linux.auth",
  "host.name": "login1",
  "host.hostname": "login1",
  "process.name": "sshd",
  "process.pid": 4711,
};

export default defineFormat({
  name: "syslog",
  summary:
    "Syslog and Linux log files: RFC 3164, RFC 5424 and ISO-stamped lines, with sshd, sudo, su, PAM, accounts, cron, sessions and packet filter understood.",
  description:
    "A stamp without a year is of the year that puts it nearest to the time it was received, at most one day ahead; one without a zone is in `utc_offset`. " +
    "JSON documents, web server and audit lines in the message are decoded by their own formats. In sshd lines the address is the last one, as sshd writes it: " +
    "user names are the attacker's. event.action ssh_login marks each attempt once; pam_authentication marks PAM's line about the same attempt.",
  stability: "beta",
  config: z.strictObject({
    utc_offset: utcOffset.describe("Zone of stamps that name none, as +hh:mm or -hh:mm."),
  }),
  detect: (sample, _preamble, stream) =>
    listener.test(stream) ? listenerCertainty : 0.8 * share(sample, (line) => parseHeader(line, 0) !== undefined),
  decoder(config) {
    const offset = minutesOf(config.utc_offset) * 60_000_000;
    const dispatch = jsonDispatch();
    const named = namedDecoder();
    const embedded = embeddedDecoder();
    return (text, context) => {
      const line = text.charCodeAt(text.length - 1) <= 0x20 ? text.trimEnd() : text;
      if (line === "") return { skip: "blank" };
      const own = decodeSelfDescribing(line, context, named);
      if (own !== undefined) return own;
      const header = parseHeader(line, context.received + offset);
      if (header === undefined) return continued(line) ?? notSyslog;
      const time = header.time === undefined || header.zoned ? header.time : header.time - offset;
      if (header.host === "stdout" || header.host === "stderr") unwrapContainer(header);
      // Solaris: `[ID 800047 auth.info] message`.
      const id = header.message.startsWith("[ID ") ? header.message.indexOf("] ") : -1;
      if (id > 0) header.message = header.message.slice(id + 2);
      const inner = decodeEmbedded(header, time, context, dispatch, embedded);
      if (inner !== undefined) return inner;
      const fields = base(header);
      readMessage(header.program ?? "", header.message, fields);
      relate(fields);
      return { time, fields };
    };
  },
  examples: [
    {
      title: "a failed SSH login with a name that tries to frame another address",
      input: "Mar  5 14:07:59 login1 sshd[4711]: Failed password for invalid user x from 1.2.3.4 port 22 ssh2 from 6.6.6.6 port 1 ssh2",
      expect: [
        {
          ...ssh,
          "event.category": "authentication",
          "event.type": "info",
          "event.action": "ssh_login",
          "event.outcome": "failure",
          "source.ip": "6.6.6.6",
          "source.port": 1,
          "user.name": "x from 1.2.3.4 port 22 ssh2",
          "related.ip": ["6.6.6.6"],
          "related.user": ["x from 1.2.3.4 port 22 ssh2"],
          "linux.auth.ssh.invalid_user": true,
          "linux.auth.ssh.method": "password",
          message: "Failed password for invalid user x from 1.2.3.4 port 22 ssh2 from 6.6.6.6 port 1 ssh2",
        },
      ],
    },
    {
      title: "sudo, RFC 5424",
      input: "<86>1 2024-03-05T14:07:59.25+01:00 login1 sudo - - - alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/ls -l",
      expect: [
        {
          "@timestamp": "2024-03-05T13:07:59.250000Z",
          "event.kind": "event",
          "event.module": "linux",
          "event.dataset": "linux.auth",
          "event.category": "process",
          "event.type": "start",
          "event.action": "sudo_command",
          "event.outcome": "success",
          "host.name": "login1",
          "host.hostname": "login1",
          "process.name": "sudo",
          "process.command_line": "/bin/ls -l",
          "process.executable": "/bin/ls",
          "process.working_directory": "/home/alice",
          "linux.auth.sudo.tty": "pts/0",
          "user.name": "alice",
          "user.effective.name": "root",
          "related.user": ["alice", "root"],
          "log.syslog.facility.code": 10,
          "log.syslog.severity.code": 6,
          "log.level": "informational",
          message: "alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/ls -l",
        },
      ],
    },
    { title: "not a syslog line", input: "hello", expect: { flaw: "bad_syslog" } },
  ],
});
