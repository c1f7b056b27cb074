/** Lines of auth.log: sshd, PAM, sudo, cron, systemd-logind, with rsyslog's header. Knows no person. */
import type { Micros } from "@vedette/model";
import type { Host } from "../host.ts";
import { syslogStamp } from "../stamps.ts";

export const logLine = (host: Host, time: Micros, program: string, pid: number | undefined, message: string): string =>
  `${syslogStamp(time + host.skew)} ${host.name} ${program}${pid === undefined ? "" : `[${pid}]`}: ${message}`;

export interface From {
  readonly address: string;
  readonly port: number;
}
const peer = ({ address, port }: From): string => `from ${address} port ${port} ssh2`;

export const accepted = (user: string, from: From, keyType: string, key: string): string =>
  `Accepted publickey for ${user} ${peer(from)}: ${keyType} ${key}`;
export const acceptedPassword = (user: string, from: From): string => `Accepted password for ${user} ${peer(from)}`;
export const failedPassword = (user: string, from: From, known: boolean): string =>
  `Failed password for ${known ? "" : "invalid user "}${user} ${peer(from)}`;
export const invalidUser = (user: string, { address, port }: From): string => `Invalid user ${user} from ${address} port ${port}`;
export const closedBefore = (user: string, { address, port }: From): string =>
  `Connection closed by authenticating user ${user} ${address} port ${port} [preauth]`;
export const closedUnknown = ({ address, port }: From): string => `Connection closed by ${address} port ${port} [preauth]`;
export const disconnected = (user: string, { address, port }: From): string => `Disconnected from user ${user} ${address} port ${port}`;
export const sessionOpened = (service: string, user: string, uid: number): string =>
  `pam_unix(${service}:session): session opened for user ${user}(uid=${uid}) by (uid=0)`;
export const sessionClosed = (service: string, user: string): string => `pam_unix(${service}:session): session closed for user ${user}`;
export const authenticationFailure = (service: string, from: string, user: string): string =>
  `pam_unix(${service}:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=${from}  user=${user}`;
export const sudoCommand = (user: string, tty: string, folder: string, command: string): string =>
  `${user.padStart(8)} : TTY=${tty} ; PWD=${folder} ; USER=root ; COMMAND=${command}`;
