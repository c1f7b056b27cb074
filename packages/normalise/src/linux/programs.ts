/** Which reader understands which program's messages. */
import type { Fields } from "@vedette/model";
import { readPostgresLine } from "../postgresql/message.ts";
import { readSlurmMessage } from "../slurm/message.ts";
import { readAccounts } from "./accounts.ts";
import { isRouterOs, readFilterlog, readIos, readRouterOs } from "./devices.ts";
import { readDhcpd, readDnsmasq, readDnsmasqDhcp, readKea } from "./dhcp.ts";
import { readKernel } from "./kernel.ts";
import { readDovecot, readDovecotPart, readPostfix } from "./mail.ts";
import { readPam } from "./pam.ts";
import { readLogin, readPkexec, readPolkit, readSu, readSudo } from "./privilege.ts";
import { readDoas, readNamed, readProftpd, readPureFtpd, readRhostFailure, readVsftpd } from "./services.ts";
import { readSshd } from "./sshd.ts";
import { readCron, readLogind, readSystemd } from "./system.ts";

/** Sets what a message tells; false where it tells nothing we know. */
type Reader = (message: string, fields: Fields) => boolean;

interface Program {
  /** `linux.auth` is what auth.log and secure hold; a program with a dataset of its own is a module too. */
  readonly dataset: string;
  readonly read?: Reader;
}

const auth = (read?: Reader): Program => ({ dataset: "linux.auth", ...(read === undefined ? {} : { read }) });
const bind: Program = { dataset: "bind.log", read: readNamed };
const programs = new Map<string, Program>([
  ["sshd", auth(readSshd)],
  ["sshd-session", auth(readSshd)],
  ["sshd-auth", auth(readSshd)],
  ["sudo", auth(readSudo)],
  ["su", auth(readSu)],
  ["login", auth(readLogin)],
  ["pkexec", auth(readPkexec)],
  ["polkitd", auth(readPolkit)],
  ["systemd-logind", auth(readLogind)],
  ["systemd-user", auth()],
  ["CRON", { dataset: "linux.syslog", read: readCron }],
  ["CROND", { dataset: "linux.syslog", read: readCron }],
  ["cron", { dataset: "linux.syslog", read: readCron }],
  ["crond", { dataset: "linux.syslog", read: readCron }],
  ["crontab", { dataset: "linux.syslog", read: readCron }],
  ["anacron", { dataset: "linux.syslog" }],
  ["kernel", { dataset: "linux.syslog", read: readKernel }],
  ["systemd", { dataset: "linux.syslog", read: readSystemd }],
  ["doas", auth(readDoas)],
  ["dovecot", { dataset: "dovecot.log", read: readDovecot }],
  ["named", bind],
  ["proftpd", { dataset: "proftpd.log", read: readProftpd }],
  ["pure-ftpd", { dataset: "pureftpd.log", read: readPureFtpd }],
  ["vsftpd", { dataset: "vsftpd.log", read: readVsftpd }],
  ["pvedaemon", auth(readRhostFailure)],
  ["pveproxy", auth(readRhostFailure)],
  ["proxmox-backup-proxy", auth(readRhostFailure)],
  ["proxmox-backup-api", auth(readRhostFailure)],
  ["dhcpd", { dataset: "dhcpd.log", read: readDhcpd }],
  ["kea-dhcp4", { dataset: "kea.log", read: readKea }],
  ["kea-dhcp6", { dataset: "kea.log", read: readKea }],
  ["dnsmasq", { dataset: "dnsmasq.log", read: readDnsmasq }],
  ["dnsmasq-dhcp", { dataset: "dnsmasq.log", read: readDnsmasqDhcp }],
  ["postgres", { dataset: "postgresql.log", read: readPostgresLine }],
  ["slurmctld", { dataset: "slurm.log", read: readSlurmMessage }],
  ["slurmd", { dataset: "slurm.log", read: readSlurmMessage }],
  ["slurmdbd", { dataset: "slurm.log", read: readSlurmMessage }],
  ["slurmstepd", { dataset: "slurm.log", read: readSlurmMessage }],
  ["slurmrestd", { dataset: "slurm.log", read: readSlurmMessage }],
]);
for (const name of ["imap-login", "pop3-login", "submission-login", "managesieve-login", "auth-worker", "auth"]) {
  programs.set(name, { dataset: "dovecot.log", read: readDovecotPart });
}
for (const name of "useradd usermod userdel groupadd groupmod groupdel gpasswd passwd chage chpasswd adduser deluser".split(" ")) {
  programs.set(name, auth(readAccounts));
}
programs.set("filterlog", { dataset: "pfsense.log", read: readFilterlog });
const routerOs: Program = { dataset: "mikrotik.log", read: readRouterOs };
const unknown: Program = { dataset: "linux.syslog" };
/** `postfix/smtpd`, `postfix/submission/smtpd`, `postfix-edge/smtpd`. */
const postfix: Program = { dataset: "postfix.log", read: readPostfix };

/** BIND's channels with `print-category`, where the category is taken for the program: `security: info: client …`. */
const bindLevel = /^(?:critical|error|warning|notice|info|debug \d{1,3}): client /;

function programOf(name: string, message: string): Program {
  const known = programs.get(name);
  if (known !== undefined) return known;
  if (name.startsWith("postfix") && name.includes("/")) return postfix;
  if (name.startsWith("%") && iosTag.test(name)) return { dataset: "cisco.ios", read: (text, fields) => readIos(name, text, fields) };
  return name === "" && isRouterOs(message) ? routerOs : unknown;
}

/** `%FACILITY-SEVERITY-MNEMONIC`. */
const iosTag = /^%[A-Z][A-Z0-9_]{1,31}-[0-7]-[A-Z][A-Z0-9_]{1,63}$/;

/** What syslog daemons write in place of lines that say the same (rsyslog's RepeatedMsgReduction, on by default in Ubuntu for long). */
const repeated = /^message repeated (\d{1,6}) times: \[ ?/;

/** Reads one program's message into ECS and says what it is about. */
export function readMessage(program: string, text: string, fields: Fields): void {
  const times = text.endsWith("]") ? repeated.exec(text) : null;
  if (times) fields["linux.repeated"] = Number(times[1]);
  const message = times ? text.slice(times[0].length, -1) : text;
  const module = program.indexOf("(");
  const bare = module > 0 ? program.slice(0, module) : program;
  const named = programOf(bare, message);
  const known = named === unknown && bindLevel.test(message) ? bind : named;
  fields["event.dataset"] = known.dataset;
  if (!known.dataset.startsWith("linux.")) fields["event.module"] = known.dataset.slice(0, -4);
  if (!(known.read?.(message, fields) ?? false) && readPam(message, program, fields)) fields["event.dataset"] = "linux.auth";
}
