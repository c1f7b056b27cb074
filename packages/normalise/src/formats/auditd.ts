/** Records of the Linux audit daemon: those of one event, which sources put together, are one event; as lines, and as laurel and go-audit write them. */
import { type Decoded, type DecodeResult, defineFormat, type JsonObject, z } from "@vedette/kit";
import { auditDocument, isAuditDocument } from "../auditd/documents.ts";
import { AuditEvent } from "../auditd/event.ts";
import { eachPair, typeName } from "../auditd/record.ts";
import { share } from "../detect.ts";
import { isFlaw, looksLikeObject, parseObject } from "../json/parse.ts";
import { parseEpochSeconds } from "../time/parse.ts";

const notAudit = { code: "bad_audit", expected: "an audit record: [node=HOST ]type=TYPE msg=audit(SECONDS.MS:SEQUENCE): key=value …" };

/** Where `type=` stands: at the start, after `node=HOST `, or after the kernel's `audit: `. */
function typeAt(line: string): number {
  if (line.startsWith("type=")) return 0;
  if (line.startsWith("audit: type=")) return 7;
  if (!line.startsWith("node=")) return -1;
  const at = line.indexOf(" type=");
  return at > 0 && at < 300 ? at + 1 : -1;
}

/** A syslog header is at most so long. */
const maxHeader = 512;

/** As `typeAt`, for the further records of an event, before which a syslog header may stand. */
function nextTypeAt(line: string): number {
  const at = typeAt(line);
  if (at >= 0) return at;
  const mark = line.slice(0, maxHeader).indexOf(" msg=audit(");
  return mark < 0 ? -1 : line.lastIndexOf("type=", mark);
}

interface Stamp {
  readonly type: string;
  readonly seconds: string;
  readonly sequence: string;
  /** Where the pairs begin. */
  readonly pairs: number;
}

function stampOf(line: string, start: number): Stamp | undefined {
  const open = start < 0 ? -1 : line.indexOf("audit(", start);
  const close = open < 0 ? -1 : line.indexOf(")", open);
  const colon = close < 0 ? -1 : line.lastIndexOf(":", close);
  if (open < 0 || close < 0 || colon < open || open - start > 128) return undefined;
  const type = typeName(line.slice(start + 5, line.indexOf(" ", start)));
  return { type, seconds: line.slice(open + 6, colon), sequence: line.slice(colon + 1, close), pairs: close + 2 };
}

function addRecord(event: AuditEvent, line: string, { type, pairs }: Stamp): void {
  if (type === "EOE") return;
  event.record(type);
  eachPair(line, pairs, type === "EXECVE", (key, value) => event.pair(key, value));
}

function decodeLines(text: string): DecodeResult {
  const [line, ...others] = text.split("\n") as [string, ...string[]];
  const start = typeAt(line);
  const stamp = stampOf(line, start);
  if (stamp === undefined) return notAudit;
  const event = new AuditEvent();
  addRecord(event, line, stamp);
  for (const other of others) {
    const next = stampOf(other, nextTypeAt(other));
    if (next !== undefined) addRecord(event, other, next);
  }
  const fields = event.finish();
  if (fields === undefined) return { skip: "end_of_event" };
  if (start > 5 && line.startsWith("node=")) fields["host.name"] = line.slice(5, start - 1);
  fields["auditd.sequence"] = stamp.sequence;
  return { time: parseEpochSeconds(stamp.seconds), fields } satisfies Decoded;
}

function decodeDocument(object: JsonObject): DecodeResult {
  return auditDocument(object) ?? notAudit;
}

export default defineFormat({
  name: "auditd",
  summary: "Linux audit records as auditd writes them, with hex-encoded text decoded.",
  description:
    "Every key is auditd.<key>, and the usual ones go to ECS too. Command lines come from EXECVE (its arguments joined by blanks), USER_CMD or PROCTITLE. The records of one audit event " +
    "(SYSCALL, EXECVE, CWD, PATH, PROCTITLE …) are one event, with their types in auditd.type and all different values of a key in its list; a0, a1 … are EXECVE's, where there is one. " +
    "Where records come one by one (as documents of a shipper), each is an event, and those of one audit event share auditd.sequence.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.95 * share(sample, (line) => typeAt(line) >= 0 && line.includes("audit(")),
  decoder: () => (text) => {
    const line = text.trimEnd();
    if (line === "") return { skip: "blank" };
    if (!looksLikeObject(line)) return decodeLines(line);
    const object = parseObject(line);
    return isFlaw(object) ? object : decodeDocument(object);
  },
  json: { anyOf: ["SYSCALL", "EXECVE", "ID", "messages"], claims: isAuditDocument, decode: decodeDocument },
  examples: [
    {
      title: "arguments, one of them with a blank",
      input: 'node=web1 type=EXECVE msg=audit(1364481363.243:24287): argc=3 a0="bash" a1="-c" a2=6964202D61',
      expect: [
        {
          "@timestamp": "2013-03-28T14:36:03.243000Z",
          "event.kind": "event",
          "event.category": "process",
          "event.type": "start",
          "event.action": "execve",
          "event.dataset": "auditd.log",
          "event.module": "auditd",
          "host.name": "web1",
          "auditd.type": "EXECVE",
          "auditd.sequence": "24287",
          "auditd.argc": "3",
          "auditd.a0": "bash",
          "auditd.a1": "-c",
          "auditd.a2": "id -a",
          "process.args": ["bash", "-c", "id -a"],
          "process.command_line": "bash -c id -a",
        },
      ],
    },
    {
      title: "a failed login",
      input:
        'type=USER_LOGIN msg=audit(1364481363.243:7): pid=812 uid=0 auid=4294967295 ses=4294967295 msg=\'op=login acct="bob" exe="/usr/sbin/sshd" hostname=? addr=192.0.2.7 terminal=ssh res=failed\'',
      expect: [
        {
          "@timestamp": "2013-03-28T14:36:03.243000Z",
          "event.kind": "event",
          "event.category": "authentication",
          "event.type": "info",
          "event.action": "user_login",
          "event.outcome": "failure",
          "event.dataset": "auditd.log",
          "event.module": "auditd",
          "auditd.type": "USER_LOGIN",
          "auditd.sequence": "7",
          "auditd.pid": "812",
          "auditd.uid": "0",
          "auditd.auid": "4294967295",
          "auditd.ses": "4294967295",
          "auditd.op": "login",
          "auditd.acct": "bob",
          "auditd.exe": "/usr/sbin/sshd",
          "auditd.addr": "192.0.2.7",
          "auditd.terminal": "ssh",
          "auditd.res": "failed",
          "process.pid": 812,
          "process.executable": "/usr/sbin/sshd",
          "user.id": "0",
          "user.audit.id": "4294967295",
          "user.name": "bob",
          "source.ip": "192.0.2.7",
          "related.ip": ["192.0.2.7"],
          "related.user": ["bob"],
        },
      ],
    },
    {
      title: "the records of one event",
      input:
        'type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=7f a2=241 items=2 ppid=2686 pid=3538 auid=1000 uid=0 euid=0 tty=pts0 comm="bash" exe="/usr/bin/bash" key="etc"\n' +
        'type=CWD msg=audit(1364481363.243:24287): cwd="/etc"\n' +
        'type=PATH msg=audit(1364481363.243:24287): item=0 name="/etc" nametype=PARENT\n' +
        'type=PATH msg=audit(1364481363.243:24287): item=1 name="ld.so.preload" nametype=CREATE\n' +
        "type=PROCTITLE msg=audit(1364481363.243:24287): proctitle=62617368002D69",
      expect: [
        {
          "@timestamp": "2013-03-28T14:36:03.243000Z",
          "event.kind": "event",
          "event.category": "file",
          "event.type": "creation",
          "event.action": "openat",
          "event.outcome": "success",
          "event.dataset": "auditd.log",
          "event.module": "auditd",
          "auditd.type": ["SYSCALL", "CWD", "PATH", "PROCTITLE"],
          "auditd.sequence": "24287",
          "auditd.arch": "c000003e",
          "auditd.syscall": "257",
          "auditd.SYSCALL": "openat",
          "auditd.success": "yes",
          "auditd.exit": "3",
          "auditd.a0": "ffffff9c",
          "auditd.a1": "7f",
          "auditd.a2": "241",
          "auditd.items": "2",
          "auditd.ppid": "2686",
          "auditd.pid": "3538",
          "auditd.auid": "1000",
          "auditd.uid": "0",
          "auditd.euid": "0",
          "auditd.tty": "pts0",
          "auditd.comm": "bash",
          "auditd.exe": "/usr/bin/bash",
          "auditd.key": "etc",
          "auditd.cwd": "/etc",
          "auditd.item": ["0", "1"],
          "auditd.name": ["/etc", "ld.so.preload", "/etc/ld.so.preload"],
          "auditd.nametype": ["PARENT", "CREATE"],
          "auditd.proctitle": "bash -i",
          "process.pid": 3538,
          "process.parent.pid": 2686,
          "process.executable": "/usr/bin/bash",
          "process.name": "bash",
          "process.command_line": "bash -i",
          "process.working_directory": "/etc",
          "user.id": "0",
          "user.effective.id": "0",
          "user.audit.id": "1000",
          "file.path": "/etc/ld.so.preload",
        },
      ],
    },
    {
      title: "an event as laurel writes it",
      input:
        '{"ID":"1364481363.243:24288","NODE":"web1","SYSCALL":{"arch":"0xc000003e","syscall":59,"success":"yes","ppid":100,"pid":101,"uid":33,"comm":"sh","exe":"/usr/bin/dash","SYSCALL":"execve","UID":"www-data"},' +
        '"EXECVE":{"argc":3,"ARGV":["sh","-c","id"]},"PARENT_INFO":{"ARGV":["apache2","-k","start"],"ppid":1}}',
      expect: [
        {
          "@timestamp": "2013-03-28T14:36:03.243000Z",
          "event.kind": "event",
          "event.category": "process",
          "event.type": "start",
          "event.action": "execve",
          "event.outcome": "success",
          "event.dataset": "auditd.log",
          "event.module": "auditd",
          "host.name": "web1",
          "auditd.type": ["SYSCALL", "EXECVE"],
          "auditd.sequence": "24288",
          "auditd.arch": "c000003e",
          "auditd.syscall": "59",
          "auditd.SYSCALL": "execve",
          "auditd.success": "yes",
          "auditd.ppid": "100",
          "auditd.pid": "101",
          "auditd.uid": "33",
          "auditd.comm": "sh",
          "auditd.exe": "/usr/bin/dash",
          "auditd.UID": "www-data",
          "auditd.argc": "3",
          "auditd.a0": "sh",
          "auditd.a1": "-c",
          "auditd.a2": "id",
          "process.pid": 101,
          "process.parent.pid": 100,
          "process.parent.args": ["apache2", "-k", "start"],
          "process.parent.command_line": "apache2 -k start",
          "process.executable": "/usr/bin/dash",
          "process.name": "sh",
          "process.args": ["sh", "-c", "id"],
          "process.command_line": "sh -c id",
          "user.id": "33",
          "user.name": "www-data",
          "related.user": ["www-data"],
        },
      ],
    },
    { title: "the end of an event by itself", input: "type=EOE msg=audit(1364481363.243:24287): ", expect: { skip: "end_of_event" } },
    { title: "another log", input: "type=x", expect: { flaw: "bad_audit" } },
  ],
});
