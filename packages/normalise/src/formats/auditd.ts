/** Records of the Linux audit daemon, one event a record; the records of one audit event share auditd.sequence. */
import { defineFormat, newFields, z } from "@vedette/kit";
import type { Fields, FieldValue } from "@vedette/model";
import { eachPair, isArgument } from "../auditd/record.ts";
import { share } from "../detect.ts";
import { plainIp } from "../linux/peer.ts";
import { parseEpochSeconds } from "../time/parse.ts";

const notAudit = { code: "bad_audit", expected: "an audit record: [node=HOST ]type=TYPE msg=audit(SECONDS.MS:SEQUENCE): key=value …" };

const categories: readonly (readonly [category: FieldValue, types: string])[] = [
  ["process", "EXECVE SYSCALL PROCTITLE USER_CMD BPRM_FCAPS SECCOMP ANOM_ABEND"],
  ["authentication", "USER_LOGIN USER_AUTH USER_ERR USER_ACCT CRED_ACQ CRED_DISP CRED_REFR LOGIN ANOM_LOGIN_FAILURES"],
  ["session", "USER_START USER_END USER_LOGOUT"],
  ["iam", "ADD_USER DEL_USER ADD_GROUP DEL_GROUP USER_MGMT GRP_MGMT USER_CHAUTHTOK ACCT_LOCK ACCT_UNLOCK ROLE_ASSIGN"],
  [
    "configuration",
    "CONFIG_CHANGE DAEMON_CONFIG DAEMON_START DAEMON_END DAEMON_ABORT SERVICE_START SERVICE_STOP FEATURE_CHANGE MAC_CONFIG_CHANGE",
  ],
  ["file", "PATH CWD FS_RELABEL"],
  ["network", "SOCKADDR NETFILTER_CFG NETFILTER_PKT"],
  ["driver", "KERN_MODULE"],
];
const categoryOf = new Map(categories.flatMap(([category, types]) => types.split(" ").map((type) => [type, category] as const)));

/** Where a record's keys go in ECS; every key stays as auditd.<key> too, which is what rules name. */
const ecs = new Map<string, string>([
  ["pid", "process.pid"],
  ["ppid", "process.parent.pid"],
  ["exe", "process.executable"],
  ["comm", "process.name"],
  ["cwd", "process.working_directory"],
  ["proctitle", "process.command_line"],
  ["cmd", "process.command_line"],
  ["uid", "user.id"],
  ["euid", "user.effective.id"],
  ["auid", "user.audit.id"],
  ["gid", "group.id"],
  ["acct", "user.name"],
]);
const numeric = new Set(["pid", "ppid"]);

function setPair(fields: Fields, type: string, args: string[], key: string, value: string): void {
  if (key === "type" || value === "?" || value === "(null)" || value === "(none)") return;
  const name = `auditd.${key}`;
  if (fields[name] === undefined) fields[name] = value;
  if (type === "EXECVE" && isArgument(key)) args.push(value);
  const target = ecs.get(key);
  if (target !== undefined && value !== "") fields[target] = numeric.has(key) && Number(value) >= 0 ? Number(value) : value;
  else if (key === "success" || key === "res" || key === "result") setOutcome(fields, value);
  else if (key === "addr") {
    const address = plainIp(value);
    if (address !== undefined) fields["source.ip"] = address;
  } else if (key === "name" && type === "PATH") fields["file.path"] = value;
  else if (key === "UID" && fields["user.name"] === undefined) fields["user.name"] = value;
}

function setOutcome(fields: Fields, value: string): void {
  if (value === "yes" || value === "success" || value === "1") fields["event.outcome"] = "success";
  else if (value === "no" || value === "failed" || value === "0") fields["event.outcome"] = "failure";
}

/** Where `type=` stands: at the start, after `node=HOST `, or after the kernel's `audit: `. */
function typeAt(line: string): number {
  if (line.startsWith("type=")) return 0;
  if (line.startsWith("audit: type=")) return 7;
  if (!line.startsWith("node=")) return -1;
  const at = line.indexOf(" type=");
  return at > 0 && at < 300 ? at + 1 : -1;
}

export default defineFormat({
  name: "auditd",
  summary: "Linux audit records as auditd writes them, with hex-encoded text decoded.",
  description:
    "Every key is auditd.<key>, and the usual ones go to ECS too. Command lines come from EXECVE (its arguments joined by blanks), PROCTITLE and USER_CMD. One event a record: " +
    "records of one audit event share auditd.sequence.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.95 * share(sample, (line) => typeAt(line) >= 0 && line.includes("audit(")),
  decoder: () => (text) => {
    const line = text.trimEnd();
    if (line === "") return { skip: "blank" };
    const start = typeAt(line);
    const open = start < 0 ? -1 : line.indexOf("audit(", start);
    const close = open < 0 ? -1 : line.indexOf(")", open);
    const colon = close < 0 ? -1 : line.lastIndexOf(":", close);
    if (open < 0 || close < 0 || colon < open || open - start > 128) return notAudit;
    const type = line.slice(start + 5, line.indexOf(" ", start));
    const fields = newFields();
    fields["event.kind"] = "event";
    fields["event.category"] = categoryOf.get(type) ?? "host";
    fields["event.type"] = type === "EXECVE" ? "start" : "info";
    fields["event.action"] = type.toLowerCase();
    fields["event.dataset"] = "auditd.log";
    fields["event.module"] = "auditd";
    if (start > 5 && line.startsWith("node=")) fields["host.name"] = line.slice(5, start - 1);
    fields["auditd.type"] = type;
    fields["auditd.sequence"] = line.slice(colon + 1, close);
    const args: string[] = [];
    eachPair(line, close + 2, type === "EXECVE", (key, value) => setPair(fields, type, args, key, value));
    if (args.length > 0) {
      fields["process.args"] = args;
      fields["process.command_line"] = args.join(" ");
    }
    return { time: parseEpochSeconds(line.slice(open + 6, colon)), fields };
  },
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
        },
      ],
    },
    { title: "another log", input: "type=x", expect: { flaw: "bad_audit" } },
  ],
});
