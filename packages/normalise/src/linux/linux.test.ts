/** Linux messages: what hostile names can and cannot do, and the truth that others wrote down about real lines. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { Decoded, DecodeResult } from "@vedette/kit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formats } from "../index.ts";

const syslog = (await formats()).get("syslog")!;
const decode = syslog.decoder(syslog.config.parse({}));
const context = { preamble: undefined, received: Date.UTC(2005, 11, 1) * 1000, peer: undefined, source: "t", stream: "auth.log" };
const read = (line: string): DecodeResult => decode(line, context);
const fields = (message: string) => ({ ...(read(`Mar  5 14:07:59 h ${message}`) as Decoded).fields });

describe("sshd", () => {
  test("no user name moves the address: sshd's own comes last", () => {
    const hostile = fc.oneof(
      fc.constantFrom(
        "x from 1.2.3.4 port 22 ssh2",
        "x from 1.2.3.4 port 22 ssh2: RSA SHA256:abc",
        " from ",
        "a for b from 9.9.9.9",
        "root",
        "",
      ),
      fc.string({ maxLength: 60 }).map((name) => name.replace(/[\r\n]/g, "")),
    );
    fc.assert(
      fc.property(hostile, fc.constantFrom("password", "publickey", "keyboard-interactive/pam"), (name, method) => {
        const key = method === "publickey" ? ": ED25519 SHA256:AAAA" : "";
        const failed = fields(`sshd[1]: Failed ${method} for invalid user ${name} from 203.0.113.9 port 4022 ssh2${key}`);
        expect(failed).toMatchObject({
          "source.ip": "203.0.113.9",
          "source.port": 4022,
          "event.outcome": "failure",
          "event.action": "ssh_login",
        });
        expect(failed["user.name"] ?? "").toBe(name);
        expect(failed["linux.auth.ssh.key_fingerprint"]).toBe(method === "publickey" ? "SHA256:AAAA" : undefined);
        for (const message of [
          `Invalid user ${name} from 203.0.113.9 port 4022`,
          `Connection closed by invalid user ${name} 203.0.113.9 port 4022 [preauth]`,
          `error: maximum authentication attempts exceeded for invalid user ${name} from 203.0.113.9 port 4022 ssh2 [preauth]`,
          `Disconnected from authenticating user ${name} 203.0.113.9 port 4022 [preauth]`,
        ]) {
          expect(fields(`sshd[1]: ${message}`)).toMatchObject({ "source.ip": "203.0.113.9", "source.port": 4022 });
        }
      }),
    );
  });
  test("what the client says after its address is not read as one", () => {
    expect(fields("sshd[1]: Received disconnect from 203.0.113.9 port 4022:11: from 1.2.3.4 port 1 [preauth]")["source.ip"]).toBe(
      "203.0.113.9",
    );
    expect(
      fields(
        'sshd[1]: Failed hostbased for dan from 203.0.113.9 port 4022 ssh2: RSA aa, client user "x from 1.2.3.4 port 1 ssh2", client host "y"',
      )["source.ip"],
    ).toBe("203.0.113.9");
    expect(fields("sshd[1]: Bad protocol version identification 'x from 1.2.3.4 port 5' from 203.0.113.9 port 4022")["source.ip"]).toBe(
      "203.0.113.9",
    );
  });
  test.each([
    [
      "Accepted publickey for bob from ::ffff:192.0.2.1 port 22 ssh2: RSA x",
      { "event.outcome": "success", "source.ip": "192.0.2.1", "user.name": "bob" },
    ],
    ["Failed password for bob from fe80::1%eth0 port 22 ssh2", { "source.ip": "fe80::1" }],
    [
      "fatal: Access denied for user ada by PAM account configuration [preauth]",
      { "event.action": "ssh_login_denied", "event.outcome": "failure", "user.name": "ada" },
    ],
    ["User root from 192.0.2.1 not allowed because not listed in AllowUsers", { "event.action": "ssh_login_denied", "user.name": "root" }],
    [
      "error: PAM: Authentication failure for james from host.example.com via 192.0.2.1",
      { "source.domain": "host.example.com", "user.name": "james" },
    ],
    [
      "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root",
      { "event.action": "pam_authentication", "user.name": "root" },
    ],
    ["reverse mapping checking getaddrinfo for a.b [192.0.2.1] failed - POSSIBLE BREAK-IN ATTEMPT!", { "source.ip": "192.0.2.1" }],
    [
      "pam_unix(sshd:session): session opened for user bob(uid=1000) by (uid=0)",
      { "event.action": "session_opened", "user.name": "bob", "event.dataset": "linux.auth" },
    ],
  ])("%s", (message, expected) => expect(fields(`sshd[1]: ${message}`)).toMatchObject(expected));
});

test.each([
  [
    "sudo: alice : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/su -",
    { "event.outcome": "failure", "event.category": "authentication", "process.command_line": "/bin/su -" },
  ],
  [
    "sudo:   tsg : user NOT in sudoers ; TTY=pts/1 ; PWD=/home ; USER=root ; COMMAND=/bin/ls",
    { "event.action": "sudo_denied", "user.name": "tsg", "event.reason": "user NOT in sudoers" },
  ],
  [
    "sudo: bob : TTY=unknown ; PWD=/ ; USER=root ; GROUP=adm ; COMMAND=/bin/sh -c echo ; COMMAND=x",
    { "process.command_line": "/bin/sh -c echo ; COMMAND=x", "group.name": "adm" },
  ],
  ["su[1]: FAILED SU (to root) alice on pts/1", { "event.outcome": "failure", "user.name": "alice", "user.effective.name": "root" }],
  ["su: dcid to root on /dev/ttyp1", { "event.outcome": "success", "user.name": "dcid", "user.effective.name": "root" }],
  ["su[1]: + pts/0 alice:root", { "event.outcome": "success", "user.name": "alice" }],
  [
    "useradd[6995]: new user: name=apache, UID=48, GID=48, home=/usr/share/httpd, shell=/sbin/nologin",
    { "event.action": "user_added", "user.name": "apache", "user.id": "48" },
  ],
  ["usermod[1]: add 'bob' to group 'sudo'", { "event.action": "user_added_to_group", "user.name": "bob", "group.name": "sudo" }],
  ["userdel[1]: delete user 'bob'", { "event.action": "user_removed", "user.name": "bob" }],
  ["passwd[1]: pam_unix(passwd:chauthtok): password changed for bob", { "event.action": "password_changed", "user.name": "bob" }],
  [
    "CRON[1]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)",
    { "process.command_line": "cd / && run-parts --report /etc/cron.hourly", "user.name": "root" },
  ],
  ["systemd-logind[1]: New session 12 of user root.", { "event.action": "session_opened", "user.name": "root" }],
  [
    "kernel: [ 203.842973] [UFW BLOCK] IN=eth0 OUT= MAC=00 SRC=192.0.2.7 DST=192.0.2.8 LEN=40 TTL=245 PROTO=TCP SPT=8080 DPT=22 SYN",
    { "source.ip": "192.0.2.7", "destination.port": 22, "network.transport": "tcp", "event.action": "denied", "rule.name": "UFW BLOCK" },
  ],
])("%s", (message, expected) => expect(fields(message)).toMatchObject(expected));

test("nginx and audit lines within syslog are theirs", () => {
  expect(fields('nginx: 192.0.2.7 - - [05/Mar/2024:14:07:59 +0000] "GET / HTTP/1.1" 200 1')).toMatchObject({
    "event.dataset": "nginx.access",
    "host.name": "h",
  });
  expect(fields('audispd: node=x type=EXECVE msg=audit(1364481363.243:24287): argc=1 a0="id"')).toMatchObject({
    "process.command_line": "id",
  });
});

const shared = process.env["VEDETTE_SHARED"] ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));
const data = join(shared, "data");

interface Case {
  readonly filter: string;
  readonly line: string;
  readonly expected: { readonly match: boolean; readonly host?: string };
}

test.skipIf(!existsSync(join(data, "fail2ban")))("fail2ban's sshd lines: the address is found, failures are failures", () => {
  const cases = gunzipSync(readFileSync(join(data, "fail2ban/cases.jsonl.gz")))
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Case);
  let found = 0;
  const missed: string[] = [];
  const wrong: string[] = [];
  for (const { line, expected } of cases.filter((one) => ["sshd", "sshd-journal", "pam-generic"].includes(one.filter))) {
    const result = read(line);
    const got = "fields" in result ? (result.fields["source.ip"] ?? result.fields["source.domain"]) : undefined;
    if (expected.match && got === expected.host) found++;
    else if (expected.match) missed.push(`${got} ${line.slice(line.indexOf("]: ") + 3, line.indexOf("]: ") + 60)}`);
    else if (
      "fields" in result &&
      result.fields["event.outcome"] === "failure" &&
      got !== undefined &&
      result.fields["event.action"] === "ssh_login"
    )
      wrong.push(line);
  }
  expect(wrong).toEqual([]);
  expect(found).toBe(89);
  // Lines whose address is in another line of the same process, and one whose user name a current sshd would have written otherwise.
  expect(new Set(missed).size).toBe(9);
});

test.skipIf(!existsSync(join(data, "loghub")))("loghub Linux: 490 failed logins, 40 hosts with five and more", () => {
  const folder = mkdtempSync(join(tmpdir(), "loghub-"));
  try {
    execFileSync("tar", ["xJf", join(data, "loghub/Linux.tar.xz"), "-C", folder]);
    const results = readFileSync(join(folder, "Linux/Linux_2k.log"), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map(read);
    expect(results.filter((one) => !("fields" in one))).toEqual([]);
    const failures = results.filter((one) => "fields" in one && one.fields["event.outcome"] === "failure") as Decoded[];
    const counts = new Map<string, number>();
    for (const one of failures) {
      const host = String(one.fields["source.ip"] ?? one.fields["source.domain"]);
      counts.set(host, (counts.get(host) ?? 0) + 1);
    }
    expect(failures).toHaveLength(490);
    expect([...counts.values()].filter((count) => count >= 5)).toHaveLength(40);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  "2022-04-05 14:40:34,644 1 INFO odoo odoo.addons.base: Login failed",
  "2022-06-20T09:52:17.637Z [warn][API]: Failed sign-in attempt",
  "2024-03-12T04:31:44Z [AUTH] WARN: Incorrect username",
  "2022-02-14 18:01:07.092 Warn Server: AUTH-ERROR",
])("an application's own line is no syslog line: %s", (line) => expect(read(line)).toMatchObject({ code: "bad_syslog" }));

test.each([
  ["2024-05-01T10:00:00.5+02:00 web1 sshd[1]: Connection closed by 192.0.2.1", { "host.name": "web1", "process.pid": 1 }],
  ["2020-03-23 06:47:42.801612-0700  localhost sshd[3186]: x", { "host.name": "localhost", "process.name": "sshd" }],
  ['2025-12-31T17:40:00.000000100+01:00 stdout F {"hello":"world"}', { "event.dataset": "json", hello: "world" }],
  ["srv sshd[22708]: Invalid user ftp from 192.0.2.1", { "host.name": "srv", "source.ip": "192.0.2.1" }],
  ["Mar  3 00:17:22 [sshd]: User root from 192.0.2.1 not allowed because x", { "process.name": "sshd", "source.ip": "192.0.2.1" }],
  ["<13>just text", { message: "just text", "log.level": "notice" }],
  ["\tat java.lang.Thread", { "event.dataset": "linux.syslog" }],
])("%s", (line, expected) => expect((read(line) as Decoded).fields).toMatchObject(expected));

test("a stamp without a zone is in the configured one, a stamp with one is not moved", () => {
  const west = syslog.decoder(syslog.config.parse({ utc_offset: "-07:00" }));
  const time = (line: string) => (west(line, context) as Decoded).time;
  expect(time("Mar  5 14:07:59 h a: b")).toBe(Date.UTC(2005, 2, 5, 21, 7, 59) * 1000);
  expect(time("2005-03-05T14:07:59Z h a: b")).toBe(Date.UTC(2005, 2, 5, 14, 7, 59) * 1000);
});
