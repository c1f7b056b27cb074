/** Wordings of older, newer and rarer versions than the recorded sets hold: who, from where, and what came of it. */
import { expect, test } from "vitest";
import { formats } from "../index.ts";

const known = await formats();
const decoders = new Map([...known].map(([name, spec]) => [name, spec.decoder(spec.config.parse(Object.create(null) as object))]));
const context = { preamble: undefined, received: 1_714_600_000_000_000, peer: undefined, source: "s", stream: "x" };
/** `action outcome user address`, a dash for what is not told. */
function told(format: string, line: string): string {
  const decoded = decoders.get(format)!(line, context);
  if ("code" in decoded) return decoded.code;
  const { fields } = (Array.isArray(decoded) ? decoded[0] : decoded) as { fields: { [name: string]: unknown } };
  return ["event.action", "event.outcome", "user.name", "source.ip"].map((name) => fields[name] ?? "-").join(" ");
}

test.each([
  ["sshd[1]: drop connection #10 from [192.0.2.7]:4022 on [10.0.0.1]:22 past MaxStartups", "ssh_probe - - 192.0.2.7"],
  ["sshd[1]: drop connection #0 from [2001:db8::7]:4022 on [2001:db8::1]:22 penalty: failed authentication", "ssh_probe - - 2001:db8::7"],
  ["sshd[1]: ssh_dispatch_run_fatal: Connection from 192.0.2.7 port 4022: Broken pipe [preauth]", "ssh_probe - - 192.0.2.7"],
  ["sshd-session[1]: Close session: user a b from 192.0.2.7 port 4022 id 0", "ssh_disconnect - a b 192.0.2.7"],
  ["sshd[1]: Timeout, client not responding from user alice 192.0.2.7 port 4022", "ssh_disconnect - alice 192.0.2.7"],
  [
    "sshd[1]: Postponed keyboard-interactive for invalid user bob from 192.0.2.7 port 4022 ssh2 [preauth]",
    "ssh_login_postponed - bob 192.0.2.7",
  ],
  ["sshd[1]: input_userauth_request: invalid user oracle [preauth]", "ssh_user_unknown - oracle -"],
  [
    "sshd[1]: Accepted publickey for alice from 2001:db8::17 port 5 ssh2: ED25519-CERT SHA256:a ID x from 6.6.6.6 port 1 ssh2 (serial 7) CA RSA SHA256:b",
    "ssh_login success alice 2001:db8::17",
  ],
  ["sudo:      bob : HOST=h1 ; TTY=pts/1 ; CHROOT=/mnt ; PWD=/ ; USER=root ; COMMAND=/bin/ls", "sudo_command success bob -"],
  ["sudo:      bob : command not allowed ; HOST=h1 ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/ls", "sudo_denied failure bob -"],
  ["sshd[1]: pam_faillock(sshd:auth): Consecutive login failures for user alice account temporarily locked", "pam_locked failure alice -"],
  ["sshd[1]: pam_tally2(sshd:auth): user root (0) tally 5, deny 3", "pam_locked failure root -"],
  [
    "sshd[1]: pam_access(sshd:account): access denied for user `x' from `6.6.6.6' from `192.0.2.7'",
    "pam_access_denied failure x' from `6.6.6.6 192.0.2.7",
  ],
  ["login[9]: FAILED LOGIN (1) on '/dev/tty1' FOR 'root', Authentication failure", "console_login failure root -"],
  ["login[9]: FAILED LOGIN 2 FROM 192.0.2.7 FOR bob, Authentication failure", "console_login failure bob 192.0.2.7"],
  ["login[9]: ROOT LOGIN ON tty1", "console_login success root -"],
  ["login[9]: LOGIN ON pts/0 BY alice FROM 192.0.2.7", "console_login success alice 192.0.2.7"],
  [
    "gdm-password][77]: pam_unix(gdm-password:auth): authentication failure; logname= uid=0 euid=0 tty=/dev/tty1 ruser= rhost=  user=alice",
    "pam_authentication failure alice -",
  ],
  [
    "pkexec[5]: alice: Executing command [USER=root] [TTY=unknown] [CWD=/home/alice] [COMMAND=/usr/bin/id]",
    "pkexec_command success alice -",
  ],
  [
    "pkexec[5]: alice: Error executing command as another user: Not authorized [USER=root] [TTY=/dev/pts/0] [CWD=/] [COMMAND=/bin/sh]",
    "pkexec_denied failure alice -",
  ],
  [
    "sshd[1]: srclimit_penalise: ipv4: new 192.0.2.7/32 deferred penalty of 5 seconds for penalty: failed authentication",
    "ssh_probe - - 192.0.2.7",
  ],
  ["sshd-session[1]: Timeout before authentication for connection from 192.0.2.7 to 10.0.0.1, pid = 42", "ssh_probe - - 192.0.2.7"],
  ["groupadd[1]: group added to /etc/group: name=docker, GID=999", "group_added success - -"],
  ["groupadd[1]: new group added - group=g, gid=1002, by=0", "group_added success - -"],
  ["useradd[1]: new account added - account=eve, uid=1001, gid=100, home=/home/eve, shell=/bin/bash, by=0", "user_added success eve -"],
  ["gpasswd[1]: user eve added by root to group docker", "user_added_to_group success eve -"],
  ["passwd: password for eve changed by root", "password_changed success eve -"],
  ["chage[1]: changed password expiry for eve", "user_changed success eve -"],
  ["login[1]: root login on 'tty1'", "console_login success root -"],
  ["login[1]: invalid password for 'root' on 'pts/0' from '192.0.2.7:51011'", "console_login failure root -"],
  ["login[1]: invalid password for 'UNKNOWN' on 'tty1'", "console_login failure - -"],
  ["crond[12]: USER root pid  44 cmd run-parts /etc/periodic/15min", "cron_command - root -"],
  ["CROND[12]: (root) CMD (run-parts /etc/cron.hourly)", "cron_command - root -"],
  ["su: 'su root' failed for eve on /dev/pts/8", "su failure eve -"],
  [
    "polkitd[88]: Operator of unix-session:2 successfully authenticated as unix-user:root to gain TEMPORARY authorization for action org.freedesktop.systemd1.manage-units for system-bus-name::1.99 [bash] (owned by unix-user:ada)",
    "polkit_authorization success ada -",
  ],
  [
    "polkitd(authority=local)[88]: Operator of unix-session:2 FAILED to authenticate to gain authorization for action org.freedesktop.policykit.exec for unix-process:1:5 [bash -i] (owned by unix-user:ada)",
    "polkit_authorization failure ada -",
  ],
  ["systemd[1]: Failed to start nginx.service - A high performance web server.", "unit_failed failure - -"],
])("%s", (message, expected) => expect(told("syslog", `May  1 10:00:00 node1 ${message}`)).toBe(expected));

/** What a device tells of a packet: `type from -> to transport`. */
function packet(line: string): string {
  const decoded = decoders.get("syslog")!(line, context) as { fields: { [name: string]: unknown } };
  const f = decoded.fields;
  return `${f["event.dataset"]} ${f["event.type"]} ${f["source.ip"]} ${f["source.port"] ?? "-"} ${f["destination.ip"]} ${f["destination.port"] ?? "-"} ${f["network.transport"]}`;
}

test.each([
  [
    "<134>1 2023-11-14T10:00:01.123+00:00 fw.local filterlog 12345 - - 5,,,1000000103,igb0,match,block,in,4,0x0,,64,12345,0,DF,6,tcp,60,192.0.2.7,10.0.0.9,4022,22,0,S,123,,64240,,mss",
    "pfsense.log connection,denied 192.0.2.7 4022 10.0.0.9 22 tcp",
  ],
  [
    "Nov 14 10:00:01 fw filterlog[123]: 7,,,02f4,igb0,match,pass,out,6,0x00,0x0,64,UDP,17,20,2001:db8::7,2001:db8::9,4022,53,20",
    "pfsense.log connection,allowed 2001:db8::7 4022 2001:db8::9 53 udp",
  ],
  [
    "<30>Nov 14 10:00:01 router firewall,info drop input: in:ether1 out:(unknown 0), connection-state:new src-mac 00:11:22:33:44:55, proto TCP (SYN), 192.0.2.7:4022->10.0.0.9:22, len 60",
    "mikrotik.log connection 192.0.2.7 4022 10.0.0.9 22 tcp",
  ],
  [
    "<189>124: *Nov 14 10:00:01.123: %SEC-6-IPACCESSLOGP: list 101 denied tcp 192.0.2.7(4022) -> 10.0.0.9(22), 1 packet",
    "cisco.ios connection,denied 192.0.2.7 4022 10.0.0.9 22 tcp",
  ],
])("%s", (line, expected) => expect(packet(line)).toBe(expected));

test.each([
  [
    "syslog",
    "<30>Nov 14 10:00:01 router system,error,critical login failure for user root from 192.0.2.7 via ssh",
    "device_login failure root 192.0.2.7",
  ],
  [
    "syslog",
    "<30>Nov 14 10:00:01 router system,info,account user ada logged in from 192.0.2.4 via winbox",
    "device_login success ada 192.0.2.4",
  ],
  [
    "syslog",
    "<189>123: Nov 14 10:00:01.123: %SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: root] [Source: 192.0.2.7] [localport: 22] [Reason: Login Authentication Failed] at 10:00:01 UTC Tue Nov 14 2023",
    "device_login failure root 192.0.2.7",
  ],
  [
    "syslog",
    "<189>125: Nov 14 10:00:01: %SYS-5-CONFIG_I: Configured from console by ada on vty0 (192.0.2.4)",
    "device_configured - ada 192.0.2.4",
  ],
  ["syslog", "<86>sshd[1]: Failed password for root from 192.0.2.7 port 4022 ssh2", "ssh_login failure root 192.0.2.7"],
  ["syslog", "<86>no tag: just [1] text", "- - - -"],
  [
    "json",
    '{"@timestamp":"2024-05-01T10:00:00+00:00","remote_addr":"192.0.2.7","remote_user":"bob","request_method":"GET","request_uri":"/a","status":401}',
    "- failure bob 192.0.2.7",
  ],
  [
    "json",
    '{"time":"[01/May/2024:10:00:00 +0000]","remoteIP":"192.0.2.7","request":"/a","query":"?b=c","method":"GET","status":"200"}',
    "- success - 192.0.2.7",
  ],
  [
    "json",
    '{"ClientHost":"192.0.2.7","ClientUsername":"-","RequestMethod":"GET","RequestPath":"/a","DownstreamStatus":502,"StartUTC":"2024-05-01T10:00:00Z"}',
    "- failure - 192.0.2.7",
  ],
  ["json", '{"status":200,"request":"rotate keys","user":"alice"}', "- - - -"],
])("%s: %s", (format, line, expected) => expect(told(format, line)).toBe(expected));
