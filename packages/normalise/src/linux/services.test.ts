/** Servers' logins through the syslog format: who, from where, how it ended, whatever the client calls itself. */
import type { Decoded } from "@vedette/kit";
import { expect, test } from "vitest";
import { formats } from "../registry.ts";

const syslog = (await formats()).get("syslog")!;
const decode = syslog.decoder(syslog.config.parse({}));
const context = { preamble: undefined, received: Date.UTC(2024, 5, 1) * 1_000, peer: undefined, source: "test", stream: "test" };
const read = (message: string) => {
  const { fields } = decode(`May  1 10:00:00 host ${message}`, context) as Decoded;
  return [fields["event.dataset"], fields["event.action"], fields["event.outcome"], fields["user.name"], fields["source.ip"]];
};

test.each([
  [
    "dovecot: imap-login: Login: user=<ada>, method=PLAIN, rip=192.0.2.7, lip=10.0.0.1, session=<x>",
    "dovecot.log",
    "mail_login",
    "success",
    "ada",
    "192.0.2.7",
  ],
  [
    "dovecot: imap-login: Disconnected (auth failed, 1 attempts): user=<x, rip=1.2.3.4>, method=PLAIN, rip=192.0.2.7, lip=10.0.0.1",
    "dovecot.log",
    "mail_login",
    "failure",
    "x, rip=1.2.3.4",
    "192.0.2.7",
  ],
  ["dovecot: auth-worker(7): sql(bob,192.0.2.7,<a,b>): Password mismatch", "dovecot.log", "mail_password", "failure", "bob", "192.0.2.7"],
  [
    "dovecot: pop3-login: Disconnected (no auth attempts in 0 secs): user=<>, rip=192.0.2.7, lip=10.0.0.1",
    "dovecot.log",
    "mail_disconnect",
    undefined,
    undefined,
    "192.0.2.7",
  ],
  [
    "postfix/smtpd[7]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: x, sasl_username=bob",
    "postfix.log",
    "mail_login",
    "failure",
    "bob",
    "192.0.2.7",
  ],
  [
    "postfix/smtpd[7]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: Connection lost to authentication server",
    "postfix.log",
    "mail_authentication_unavailable",
    undefined,
    undefined,
    "192.0.2.7",
  ],
  [
    "postfix/smtpd[7]: NOQUEUE: reject: RCPT from mx.example[192.0.2.7]: 554 5.7.1 Relay access denied; from=<a@b> to=<c@d> proto=SMTP helo=<[1.2.3.4]>",
    "postfix.log",
    "mail_rejected",
    "failure",
    undefined,
    "192.0.2.7",
  ],
  [
    "postfix/submission/smtpd[7]: AB12CD34EF: client=mx.example[192.0.2.7], sasl_method=PLAIN, sasl_username=ada",
    "postfix.log",
    "mail_login",
    "success",
    "ada",
    "192.0.2.7",
  ],
  [
    "proftpd[7]: host (evil[192.0.2.7]) - USER x (evil[1.2.3.4]): no such user found from evil [192.0.2.7] to 10.0.0.1:21",
    "proftpd.log",
    "ftp_login",
    "failure",
    "x",
    "192.0.2.7",
  ],
  ["pure-ftpd: (?@192.0.2.7) [WARNING] Authentication failed for user [root]", "pureftpd.log", "ftp_login", "failure", "root", "192.0.2.7"],
  ['vsftpd[7]: [ada] OK LOGIN: Client "192.0.2.7"', "vsftpd.log", "ftp_login", "success", "ada", "192.0.2.7"],
  [
    "named[7]: client @0x7f65 192.0.2.7#3076 (example.com): zone transfer 'example.com/AXFR/IN' denied",
    "bind.log",
    "dns_zone_transfer",
    "failure",
    undefined,
    "192.0.2.7",
  ],
  [
    "pvedaemon[7]: authentication failure; rhost=192.0.2.7 user=root@pam msg=no such user",
    "linux.auth",
    "web_login",
    "failure",
    "root@pam",
    "192.0.2.7",
  ],
  ["doas: bob ran command /bin/ksh as root from /home/bob", "linux.auth", "doas_command", "success", "bob", undefined],
  [
    'postgres[7]: [5-1] eve@app FATAL:  password authentication failed for user "eve"',
    "postgresql.log",
    "database_login",
    "failure",
    "eve",
    undefined,
  ],
  ["systemd[1]: nginx.service: Failed with result 'exit-code'.", "linux.syslog", "unit_failed", "failure", undefined, undefined],
  [
    "kernel: [869507.505196] su[1433535]: segfault at 7f ip 7f sp 7f error 6 in ld.so[7f+25000]",
    "linux.syslog",
    "process_segfault",
    undefined,
    undefined,
    undefined,
  ],
  ["kernel: device eth0 entered promiscuous mode", "linux.syslog", "promiscuous_mode", undefined, undefined, undefined],
  [
    'kernel: audit: type=1400 audit(1.2:3): apparmor="DENIED" operation="open" profile="evince" name="/etc/x" pid=7 comm="evince"',
    "linux.syslog",
    "apparmor_access",
    "failure",
    undefined,
    undefined,
  ],
])("%s", (message, ...wanted) => expect(read(message)).toEqual(wanted));

test("a line that only quotes another format's is not taken for it", () => {
  for (const quoted of [
    "%ASA-6-113005: AAA user authentication Rejected",
    "CEF:0|a|b|c|d|e|5|src=1.2.3.4",
    "LEEF:1.0|a|b|c|d|src=1.2.3.4",
  ]) {
    expect(read(`sshd[7]: Failed password for invalid user ${quoted} from 192.0.2.7 port 1 ssh2`).slice(0, 3)).toEqual([
      "linux.auth",
      "ssh_login",
      "failure",
    ]);
  }
});
