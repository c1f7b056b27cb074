/** The house's own routines, which look like much that is bad: Ansible, upgrades, vulnerability scans, backups, mirrors, health checks. Knows no person. */
import type { Chance } from "@vedette/kit";
import type { Host } from "../host.ts";
import { accepted, closedUnknown, disconnected, invalidUser, logLine, sessionClosed, sessionOpened } from "../records/auth.ts";
import { bpfLoad, execLine, exitLine, fileWrite, moduleLoad } from "../records/tetragon.ts";
import { connValues, sshValues, zeekUid } from "../records/zeek.ts";
import { serviceNamed } from "../site.ts";
import { day, hour, minute, second } from "../stamps.ts";
import type { Actor, World } from "../world.ts";
import { talk } from "./network.ts";
import { weekday } from "./queue.ts";
import { command } from "./sessions.ts";

/** Waits for an hour of the day, again and again. */
function* daily(world: World, at: number, work: () => Actor): Actor {
  for (let next = Math.floor(world.now / day) * day + at; ; next += day) {
    if (next <= world.now) continue;
    yield next;
    yield* work();
  }
}

/** Each begins by itself. */
export function beginHouse(world: World): void {
  const { site } = world;
  const all = [...site.compute, ...site.gpu, ...site.logins];
  world.begin(daily(world, 2.5 * hour, () => ansible(world, all)));
  world.begin(daily(world, 3.5 * hour, () => upgrade(world, all)));
  world.begin(daily(world, 22 * hour, () => vulnerabilityScan(world, all)));
  world.begin(daily(world, 1 * hour, () => backup(world)));
  world.begin(daily(world, 4 * hour, () => mirror(world)));
  for (const host of all) world.begin(system(world, host));
}
const robot = { name: "ansible", uid: 991, key: "SHA256:0aSc3nB8oM2v9hQk5sYw1uTzR7eXj4pLdGfVbNq6WtI", keyType: "ED25519" };

/** One play over all machines, twenty at a time. */
function* ansible(world: World, hosts: readonly Host[]): Actor {
  const chance = world.chanceOf(`ansible ${world.now}`);
  const control = world.site.house.management;
  for (let i = 0; i < hosts.length; i += 20) {
    for (const host of hosts.slice(i, i + 20)) world.begin(play(world, host, control.address, chance.fork(host.name)));
    yield world.now + Math.round(chance.between(15, 25) * second);
  }
}

function* play(world: World, host: Host, from: string, chance: Chance): Actor {
  yield world.now + Math.round(chance.between(0, 8) * second);
  const session = host.daemon("/usr/sbin/sshd", "-D").child({ binary: "/usr/sbin/sshd", args: "-D -R", start: world.now, auid: robot.uid });
  const peer = { address: from, port: host.port() };
  const say = (program: string, pid: number | undefined, message: string) =>
    world.emit("auth", logLine(host, world.now, program, pid, message));
  say("sshd", session.pid, accepted(robot.name, peer, robot.keyType, robot.key));
  say("sshd", session.pid, sessionOpened("sshd", robot.name, robot.uid));
  const shell = session.child({
    binary: "/bin/sh",
    args: "-c /bin/sh -c 'echo ~ansible && sleep 0'",
    start: world.now,
    uid: robot.uid,
    cwd: "/home/ansible",
  });
  world.emit("tetragon", execLine(shell, world.now));
  for (const module of ["setup", "package", "template", "service"]) {
    yield world.now + Math.round(chance.between(1, 4) * second);
    const folder = `/home/ansible/.ansible/tmp/ansible-tmp-${Math.floor(world.now / second)}.${chance.whole(10, 99)}-${chance.whole(1_000, 9_999)}`;
    const python = shell.child({ binary: "/usr/bin/python3.11", args: `${folder}/AnsiballZ_${module}.py`, start: world.now, uid: 0 });
    world.emit("tetragon", execLine(python, world.now));
    if (module === "setup")
      for (const [binary, args] of [
        ["/usr/sbin/dmidecode", ""],
        ["/usr/bin/lsblk", "--list --noheadings --paths --output NAME,UUID --exclude 2"],
        ["/usr/bin/findmnt", "--list --noheadings --notruncate"],
        ["/usr/bin/getent", "passwd root"],
        ["/usr/sbin/ip", "-4 route get 8.8.8.8"],
      ] as const)
        command(world, python, binary, args);
    if (module === "template" && chance.happens(0.05)) world.emit("tetragon", fileWrite(python, world.now, "/etc/slurm/slurm.conf"));
    world.emit("tetragon", exitLine(python, world.now));
  }
  world.emit("tetragon", exitLine(shell, world.now));
  say("sshd", session.pid, disconnected(robot.name, peer));
  say("sshd", session.pid, sessionClosed("sshd", robot.name));
}

const packages = ["libssl3", "openssh-server", "linux-image-6.1.0-31-amd64", "sudo", "glibc", "slurm-client"];

/** On Tuesdays, rolling, over two hours: packages, initramfs, modules, restarted services. */
function* upgrade(world: World, hosts: readonly Host[]): Actor {
  if (weekday(world.now) !== 2) return;
  const chance = world.chanceOf(`upgrade ${world.now}`);
  for (const host of hosts) world.begin(upgradeOf(world, host, chance.fork(host.name)));
  yield world.now + second;
}

function* upgradeOf(world: World, host: Host, chance: Chance): Actor {
  yield world.now + Math.round(chance.between(0, 2 * hour));
  const apt = host
    .daemon("/usr/lib/apt/apt.systemd.daily", "install")
    .child({ binary: "/usr/bin/apt-get", args: "-y dist-upgrade", start: world.now });
  world.emit("tetragon", execLine(apt, world.now));
  for (const name of packages) {
    yield world.now + Math.round(chance.between(1, 6) * second);
    const dpkg = command(world, apt, "/usr/bin/dpkg", `--unpack /var/cache/apt/archives/${name}.deb`);
    command(world, dpkg, "/bin/sh", `/var/lib/dpkg/info/${name}.postinst configure`);
  }
  command(world, apt, "/usr/sbin/ldconfig");
  command(world, apt, "/usr/sbin/update-initramfs", "-u");
  command(world, apt, "/usr/bin/chmod", "4755 /usr/bin/sudo");
  command(world, apt, "/usr/bin/systemctl", "try-restart ssh.service");
  world.emit("tetragon", fileWrite(apt, world.now, "/etc/passwd"));
  const modprobe = command(world, apt, "/usr/sbin/modprobe", "lustre");
  world.emit("tetragon", moduleLoad(modprobe, world.now, "lustre", true));
  world.emit("tetragon", exitLine(apt, world.now));
}

const ports = [
  21, 22, 23, 25, 53, 80, 110, 111, 135, 139, 143, 443, 445, 631, 993, 2049, 3306, 3389, 5432, 5900, 6379, 6818, 8080, 9100, 9400, 27017,
];

/** On Saturdays the house's scanner asks every machine about common ports; sshd and the sensor see it. */
function* vulnerabilityScan(world: World, hosts: readonly Host[]): Actor {
  if (weekday(world.now) !== 6) return;
  const chance = world.chanceOf(`scan ${world.now}`);
  const { scanner } = world.site.house;
  for (const host of hosts) {
    for (const port of ports) {
      yield world.now + chance.whole(2_000, 60_000);
      const open = port === 22 || port === 9100 || (port === 6818 && host.kind !== "login");
      const flow = { from: scanner.address, fromPort: scanner.port(), to: host.address, port };
      const uid = zeekUid(chance);
      const service = port === 22 ? { service: "ssh" } : {};
      world.zeek(
        "conn",
        world.now,
        connValues(
          open
            ? { ...flow, ...service, uid, proto: "tcp", duration: 0.4, sent: 900, received: 1_400 }
            : { ...flow, uid, proto: "tcp", sent: 0, received: 0, state: "REJ" },
        ),
      );
      if (port !== 22) continue;
      world.zeek("ssh", world.now, sshValues(uid, flow, undefined, 0, "SSH-2.0-OpenSSH_Scanner"));
      const peer = { address: scanner.address, port: flow.fromPort };
      const say = (message: string) => world.emit("auth", logLine(host, world.now, "sshd", host.pid(), message));
      say(chance.happens(0.5) ? closedUnknown(peer) : invalidUser("scanprobe", peer));
    }
  }
}

/** Nightly to an object store outside: the largest upload of the day. */
function* backup(world: World): Actor {
  const chance = world.chanceOf(`backup ${world.now}`);
  const host = world.site.house.backup;
  const process = host
    .daemon("/usr/sbin/cron", "-f")
    .child({ binary: "/usr/bin/restic", args: "backup --tag nightly /home", start: world.now });
  world.emit("tetragon", execLine(process, world.now));
  for (let i = 0; i < 12; i++) {
    talk(world, chance, {
      from: host,
      process,
      to: serviceNamed("vault.objects.example"),
      port: 443,
      lasts: 580,
      sent: 4e9 * chance.between(0.5, 1.5),
      received: 3e6,
      client: "go",
    });
    yield world.now + 10 * minute;
  }
  world.emit("tetragon", exitLine(process, world.now));
}

/** The package mirror follows its upstream. */
function* mirror(world: World): Actor {
  const chance = world.chanceOf(`mirror ${world.now}`);
  const host = world.site.house.mirror;
  const process = host
    .daemon("/usr/sbin/cron", "-f")
    .child({ binary: "/usr/bin/rsync", args: "-a --delete rsync.debian.example::debian /srv/mirror", start: world.now });
  world.emit("tetragon", execLine(process, world.now));
  talk(world, chance, {
    from: host,
    process,
    to: serviceNamed("rsync.debian.example"),
    port: 873,
    lasts: 1_500,
    sent: 8e6,
    received: 6e9,
    service: "rsync",
  });
  yield world.now + 1_500 * second;
  world.emit("tetragon", exitLine(process, world.now));
}

/** What a machine does for itself: health checks, cron, monitoring; one program a second at full activity (the model of docs/guide/simulator.md). */
const routine: readonly (readonly [daemon: string, binary: string, args: string])[] = [
  ["/usr/sbin/slurmd", "/usr/sbin/nhc", "-t 60"],
  ["/usr/sbin/nhc", "/usr/bin/df", "-P /scratch"],
  ["/usr/sbin/nhc", "/usr/bin/awk", "/MemFree/{print $2}"],
  ["/usr/sbin/cron", "/usr/sbin/logrotate", "/etc/logrotate.conf"],
  ["/usr/bin/node_exporter", "/usr/sbin/smartctl", "--scan"],
  ["/usr/bin/node_exporter", "/usr/bin/lsblk", "-J"],
  ["/usr/sbin/cron", "/usr/bin/find", "/tmp -mtime +14 -delete"],
  ["/usr/lib/systemd/systemd-logind", "/usr/bin/systemd-tmpfiles", "--clean"],
  ["/usr/sbin/sssd", "/usr/libexec/sssd/sssd_be", "--domain hpc"],
];
const perSecond = { compute: 1, gpu: 1, login: 50, service: 0.5 } as const;

function* system(world: World, host: Host): Actor {
  const chance = world.chanceOf(`system ${host.name}`);
  const mean = second / (perSecond[host.kind] * world.options.activity);
  for (;;) {
    yield world.now + Math.round(chance.exponential(mean));
    const [daemon, binary, args] = chance.pick(routine);
    const process = command(world, host.daemon(daemon), binary, args);
    if (chance.happens(2e-5)) world.emit("tetragon", bpfLoad(process, world.now, "sys_enter"));
  }
}
