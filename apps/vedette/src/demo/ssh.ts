/** The bastion's auth.log: people at work, and one address that guesses passwords until it gets in. */
import type { Micros } from "@vedette/model";
import { type Scene, syslogStamp } from "./scene.ts";

const stream = "demo/bastion/auth.log";
const label = "ssh_brute_force";
/** Documentation addresses (RFC 5737) stand for the outside, private ones for the inside. */
const attacker = "203.0.113.66";
const people = ["ada", "grace", "linus", "margaret", "dennis", "barbara", "ken", "frances"];
const guessed = [
  "admin",
  "test",
  "oracle",
  "ubuntu",
  "postgres",
  "git",
  "user",
  "ftpuser",
  "jenkins",
  "minecraft",
  "hadoop",
  "deploy",
  "pi",
  "support",
];
const existing = ["root", "backup", "daemon", "mail"];

const line = (program: string, message: string) => (time: Micros) => `${syslogStamp(time)} bastion ${program}: ${message}`;

/** Attempts of the attacker before and after the guess that succeeds. */
const attempts = 150;

/** The attack runs from 6 % to 45 % of the story. */
export function addSshAttack(scene: Scene): void {
  const { chance } = scene;
  const put = (at: number, program: string, message: string) => scene.add(stream, at, line(program, message), label);
  for (let i = 0; i < attempts; i++) {
    const at = 0.06 + (i / attempts) * 0.36;
    const known = chance.next() < 0.35;
    const user = known ? chance.pick(existing) : chance.pick(guessed);
    const pid = `sshd[${21_000 + i}]`;
    const from = `from ${attacker} port ${chance.whole(32_768, 60_999)}`;
    if (!known) put(at, pid, `Invalid user ${user} ${from}`);
    put(at, pid, `Failed password for ${known ? user : `invalid user ${user}`} ${from} ssh2`);
    put(at + 0.0004, pid, `Connection closed by ${known ? "authenticating" : "invalid"} user ${user} ${from.slice(5)} [preauth]`);
  }
  const entry = 0.43;
  const pid = "sshd[21988]";
  put(entry, pid, `Accepted password for backup from ${attacker} port 51514 ssh2`);
  put(entry, pid, "pam_unix(sshd:session): session opened for user backup(uid=34) by (uid=0)");
  put(entry, "systemd-logind[611]", "New session 4021 of user backup.");
  const sudo = (at: number, command: string) => put(at, "sudo", `  backup : TTY=pts/4 ; PWD=/var/backups ; USER=root ; COMMAND=${command}`);
  sudo(0.435, "/usr/bin/id");
  sudo(0.437, "/usr/bin/cat /etc/shadow");
  sudo(0.439, "/usr/sbin/useradd -o -u 0 -g 0 -M -d /root -s /bin/bash support");
  put(0.4395, "useradd[22017]", "new user: name=support, UID=0, GID=0, home=/root, shell=/bin/bash, from=/dev/pts/4");
  put(0.441, "passwd[22020]", "pam_unix(passwd:chauthtok): password changed for support");
  sudo(0.443, "/usr/bin/crontab -l -u root");
  put(0.45, pid, "pam_unix(sshd:session): session closed for user backup");
}

/** About `count` lines of ordinary days: keys, a mistyped password now and then, cron, sudo. */
export function addSshNoise(scene: Scene, count: number): void {
  for (let written = 0; written < count; ) written += addVisit(scene);
}

function addVisit(scene: Scene): number {
  const { chance } = scene;
  const at = chance.next() * 0.98;
  const put = (later: number, program: string, message: string) => scene.add(stream, at + later, line(program, message));
  const kind = chance.next();
  const user = chance.pick(people);
  const number = chance.whole(1_000, 9_999);
  if (kind < 0.45) {
    const pid = `sshd[${chance.whole(2_000, 19_999)}]`;
    const from = `from 10.20.1.${chance.whole(10, 60)} port ${chance.whole(32_768, 60_999)}`;
    // Rarely enough that nobody comes near six failures within five minutes.
    if (chance.next() < 0.01) put(0, pid, `Failed password for ${user} ${from} ssh2`);
    put(
      0.0002,
      pid,
      `Accepted publickey for ${user} ${from} ssh2: ED25519 SHA256:${chance.text(43, "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789")}`,
    );
    put(0.0003, pid, `pam_unix(sshd:session): session opened for user ${user}(uid=${1000 + people.indexOf(user)}) by (uid=0)`);
    put(0.0003, "systemd-logind[611]", `New session ${number} of user ${user}.`);
    put(0.01, pid, `pam_unix(sshd:session): session closed for user ${user}`);
    put(0.01, "systemd-logind[611]", `Session ${number} logged out. Waiting for processes to exit.`);
    return 5;
  }
  if (kind < 0.8) {
    const pid = `CRON[${chance.whole(2_000, 19_999)}]`;
    put(0, pid, "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)");
    put(0.0005, pid, "pam_unix(cron:session): session closed for user root");
    return 2;
  }
  const command = chance.pick([
    "/usr/bin/systemctl status slurmctld",
    "/usr/bin/journalctl -u nginx",
    "/usr/bin/apt-get update",
    "/usr/bin/scontrol show nodes",
  ]);
  put(0, "sudo", `     ${user} : TTY=pts/${chance.whole(0, 9)} ; PWD=/home/${user} ; USER=root ; COMMAND=${command}`);
  put(0.0001, "sudo", `pam_unix(sudo:session): session opened for user root(uid=0) by ${user}(uid=${1000 + people.indexOf(user)})`);
  put(0.0006, "sudo", "pam_unix(sudo:session): session closed for user root");
  return 3;
}
