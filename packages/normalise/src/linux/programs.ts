/** Which reader understands which program's messages. */
import type { Fields } from "@vedette/model";
import { readAccounts } from "./accounts.ts";
import { readPam } from "./pam.ts";
import { readSu, readSudo } from "./privilege.ts";
import { readSshd } from "./sshd.ts";
import { readCron, readKernel, readLogind } from "./system.ts";

/** Sets what a message tells; false where it tells nothing we know. */
type Reader = (message: string, fields: Fields) => boolean;

interface Program {
  /** `auth`: what auth.log and secure hold. */
  readonly dataset: "linux.auth" | "linux.syslog";
  readonly read?: Reader;
}

const auth = (read?: Reader): Program => ({ dataset: "linux.auth", ...(read === undefined ? {} : { read }) });
const programs = new Map<string, Program>([
  ["sshd", auth(readSshd)],
  ["sshd-session", auth(readSshd)],
  ["sshd-auth", auth(readSshd)],
  ["sudo", auth(readSudo)],
  ["su", auth(readSu)],
  ["login", auth()],
  ["polkitd", auth()],
  ["systemd-logind", auth(readLogind)],
  ["systemd-user", auth()],
  ["CRON", { dataset: "linux.syslog", read: readCron }],
  ["cron", { dataset: "linux.syslog", read: readCron }],
  ["crond", { dataset: "linux.syslog", read: readCron }],
  ["crontab", { dataset: "linux.syslog", read: readCron }],
  ["anacron", { dataset: "linux.syslog" }],
  ["kernel", { dataset: "linux.syslog", read: readKernel }],
]);
for (const name of "useradd usermod userdel groupadd groupmod groupdel gpasswd passwd chage chpasswd adduser deluser".split(" ")) {
  programs.set(name, auth(readAccounts));
}
const unknown: Program = { dataset: "linux.syslog" };

/** Reads one program's message into ECS and says what it is about. */
export function readMessage(program: string, message: string, fields: Fields): void {
  const module = program.indexOf("(");
  const bare = module > 0 ? program.slice(0, module) : program;
  const known = programs.get(bare) ?? unknown;
  fields["event.dataset"] = known.dataset;
  if (known.read?.(message, fields)) return;
  const fromPam = readPam(message, program, fields);
  if (fromPam) fields["event.dataset"] = "linux.auth";
}
