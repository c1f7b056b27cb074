/** People at work on the log-in nodes: sessions by their habits, what they type, mistyped passwords, hops to their jobs' nodes. Knows no attack. */
import type { Chance } from "@vedette/kit";
import {
  authenticationFailure,
  closedBefore,
  failedPassword,
  invalidUser,
  logLine,
  sessionClosed,
  sessionOpened,
  sudoCommand,
} from "../records/auth.ts";
import { becameRoot, execLine, exitLine, ptraceCall } from "../records/tetragon.ts";
import { attackerAddress, services, type User } from "../site.ts";
import { day, hour, minute, second } from "../stamps.ts";
import type { Actor, World } from "../world.ts";
import { type Client, talk } from "./network.ts";
import { isWeekend } from "./queue.ts";
import { command, home, type Login, logIn, logOut } from "./sessions.ts";

/** What is typed on a log-in node, with how often. */
const typed: readonly { readonly binary: string; readonly args: readonly string[]; readonly weight: number }[] = [
  { binary: "/usr/bin/ls", args: ["-l --color=auto", "--color=auto", "-lrt --color=auto results"], weight: 20 },
  { binary: "/usr/bin/squeue", args: ["--me", "-u $USER -o %i %T %M"], weight: 12 },
  { binary: "/usr/bin/vim", args: ["run.sh", "input.nml", "analyse.py"], weight: 8 },
  { binary: "/usr/bin/less", args: ["slurm-4211.out", "log.txt"], weight: 8 },
  { binary: "/usr/bin/tail", args: ["-n 40 slurm-4211.out", "-f log.txt"], weight: 8 },
  { binary: "/usr/bin/sbatch", args: ["run.sh", "--array=1-20 sweep.sh"], weight: 6 },
  { binary: "/usr/bin/grep", args: ["-rn error log.txt", "-c converged out.log"], weight: 6 },
  { binary: "/usr/bin/python3", args: ["plot.py results.csv", "-m json.tool out.json"], weight: 6 },
  { binary: "/usr/bin/git", args: ["status", "diff --stat", "log --oneline"], weight: 6 },
  { binary: "/usr/bin/cp", args: ["-r case01 case02"], weight: 4 },
  { binary: "/usr/bin/du", args: ["-sh /scratch/mine"], weight: 3 },
  { binary: "/usr/bin/sacct", args: ["-S today"], weight: 3 },
  { binary: "/usr/bin/scancel", args: ["4230011"], weight: 1 },
  { binary: "/usr/bin/sinfo", args: ["-s"], weight: 2 },
  { binary: "/usr/bin/find", args: [". -name *.out -mtime +7"], weight: 2 },
  { binary: "/usr/bin/tar", args: ["czf results.tar.gz results"], weight: 2 },
  { binary: "/usr/bin/make", args: ["-j4"], weight: 2 },
  { binary: "/usr/bin/id", args: [""], weight: 0.5 },
  { binary: "/usr/bin/who", args: [""], weight: 0.5 },
];
/** What fetches something from outside. */
const fetching: readonly {
  readonly binary: string;
  readonly args: string;
  readonly client: Client;
  readonly of: readonly string[];
  readonly mb: number;
}[] = [
  { binary: "/usr/bin/git", args: "pull", client: "git", of: ["git.forge.example"], mb: 2 },
  {
    binary: "/usr/bin/python3",
    args: "-m pip install numpy scipy",
    client: "python",
    of: ["pypi.python.example", "files.pythonhosted.example"],
    mb: 40,
  },
  { binary: "/usr/bin/curl", args: "-LO https://data.climate.example/era5.nc", client: "curl", of: ["data.climate.example"], mb: 900 },
  { binary: "/usr/bin/wget", args: "https://ftp.ncbi.example/genomes/all.tar.gz", client: "curl", of: ["ftp.ncbi.example"], mb: 2_000 },
  { binary: "/opt/conda/bin/conda", args: "install -y pytorch", client: "conda", of: ["conda.anaconda.example"], mb: 900 },
  {
    binary: "/usr/bin/apptainer",
    args: "pull docker://registry.containers.example/lab/solver:2.1",
    client: "go",
    of: ["registry.containers.example"],
    mb: 600,
  },
];

/** One person's days. */
export function* person(world: World, user: User): Actor {
  const chance = world.chanceOf(`person ${user.name}`);
  let today = Math.floor(world.now / day) * day;
  for (;;) {
    const works = !isWeekend(today) || user.weekends;
    if (works) {
      const count = Math.round(chance.exponential(user.sessions));
      const times = Array.from({ length: count }, () => today + Math.round(chance.between(user.hours.from, user.hours.to))).sort(
        (a, b) => a - b,
      );
      for (const time of times) {
        if (time <= world.now) continue;
        yield time;
        yield* session(world, user, chance);
      }
    }
    today += day;
    if (today > world.now) yield today;
  }
}

function* session(world: World, user: User, chance: Chance): Actor {
  const host = chance.pick(world.site.logins);
  // the office on most days, home on others; elsewhere once in a while
  const network = chance.happens(0.02)
    ? `198.18.${chance.whole(0, 255)}`
    : (user.networks[chance.happens(0.7) ? 0 : 1] ?? user.networks[0]!);
  const from = { address: `${network}.${10 + (user.uid % 200)}`, port: host.port() };
  if (chance.happens(0.04)) yield* mistyped(world, user, from, chance);
  const login = logIn(world, user, host, from);
  const lasts = Math.round(Math.exp(chance.between(Math.log(4 * minute), Math.log(5 * hour))));
  const over = world.now + lasts;
  while (world.now < over) {
    yield world.now + Math.round(chance.exponential(3 * minute));
    if (world.now >= over) break;
    const kind = chance.next();
    if (kind < 0.05) fetch(world, login, chance);
    else if (kind < 0.065) yield* hop(world, login, chance);
    else if (kind < 0.067) debug(world, login);
    else if (kind < 0.1 && user.administrator) sudo(world, login, chance);
    else {
      const one = chance.weighted(typed);
      command(world, login.shell, one.binary, chance.pick(one.args));
    }
  }
  logOut(world, chance, login, { sent: lasts / 20_000, received: lasts / 4_000 });
}

/** A password asked for where a key was expected, and typed wrong. */
function* mistyped(world: World, user: User, from: { readonly address: string; readonly port: number }, chance: Chance): Actor {
  const host = chance.pick(world.site.logins);
  const pid = host.pid();
  for (let i = chance.whole(1, 2); i > 0; i--) {
    world.emit("auth", logLine(host, world.now, "sshd", pid, authenticationFailure("sshd", from.address, user.name)));
    world.emit("auth", logLine(host, world.now, "sshd", pid, failedPassword(user.name, from, true)));
    yield world.now + Math.round(chance.between(3, 12) * second);
  }
  world.emit("auth", logLine(host, world.now, "sshd", pid, closedBefore(user.name, from)));
  yield world.now + Math.round(chance.between(10, 60) * second);
}

function fetch(world: World, login: Login, chance: Chance): void {
  const what = chance.pick(fetching);
  const process = command(world, login.shell, what.binary, what.args);
  for (const name of what.of) {
    const to = services.find((one) => one.name === name)!;
    talk(world, chance, {
      from: login.host,
      process,
      to,
      port: 443,
      lasts: chance.between(1, 60),
      sent: 20_000,
      received: what.mb * 1e6 * chance.between(0.3, 1.5),
      client: what.client,
    });
  }
}

/** A debugger attached to a program of one's own. */
function debug(world: World, { shell, host }: Login): void {
  const target = host.pid();
  const gdb = command(world, shell, "/usr/bin/gdb", `-p ${target}`);
  world.emit("tetragon", ptraceCall(gdb, world.now, target));
}

/** Into a node on which a job of theirs runs, to look. */
function* hop(world: World, login: Login, chance: Chance): Actor {
  const { user, host } = login;
  const node = world.site.compute.find((one) => [...one.residents.values()].some((r) => r.user === user.name));
  if (node === undefined) return;
  const ssh = login.shell.child({ binary: "/usr/bin/ssh", args: node.name, start: world.now });
  world.emit("tetragon", execLine(ssh, world.now));
  yield world.now + Math.round(chance.between(0.3, 1) * second);
  const inner = logIn(world, user, node, { address: host.address, port: host.port() });
  for (let i = chance.whole(1, 4); i > 0; i--) {
    yield world.now + Math.round(chance.exponential(20 * second));
    command(world, inner.shell, chance.pick(["/usr/bin/top", "/usr/bin/htop", "/usr/bin/nvidia-smi", "/usr/bin/ps"]));
  }
  logOut(world, chance, inner, { sent: 0, received: 0 });
  world.emit("tetragon", exitLine(ssh, world.now));
}

const administration = [
  "/usr/bin/systemctl restart slurmd",
  "/usr/bin/journalctl -u slurmctld -n 200",
  "/usr/bin/scontrol update nodename=cn0004 state=resume",
  "/usr/bin/tail -n 50 /var/log/slurm/slurmctld.log",
  "/usr/bin/sacctmgr show assoc",
  "/usr/bin/dmesg -T",
];

function sudo(world: World, { user, host, shell }: Login, chance: Chance): void {
  const line = chance.pick(administration);
  const at = line.indexOf(" ");
  const [binary, args] = [line.slice(0, at), line.slice(at + 1)];
  const process = shell.child({ binary: "/usr/bin/sudo", args: line, start: world.now, uid: 0 });
  world.emit("tetragon", execLine(process, world.now));
  world.emit("auth", logLine(host, world.now, "sudo", undefined, sudoCommand(user.name, "pts/3", home(user), line)));
  world.emit("auth", logLine(host, world.now, "sudo", undefined, sessionOpened("sudo", "root", 0)));
  world.emit("tetragon", becameRoot(process, world.now));
  command(world, process, binary, args);
  world.emit("tetragon", exitLine(process, world.now));
  world.emit("auth", logLine(host, world.now, "sudo", undefined, sessionClosed("sudo", "root")));
}

/** The internet's everlasting knocking: a few guesses an hour, each address a few times at most. */
export function* knocking(world: World): Actor {
  const chance = world.chanceOf("knocking");
  const names = ["root", "admin", "ubuntu", "oracle", "test", "git", "postgres", "user"];
  for (;;) {
    yield world.now + Math.round(chance.exponential(12 * minute));
    const host = chance.pick(world.site.logins);
    const from = { address: attackerAddress(chance), port: host.port() };
    for (let i = chance.whole(1, 3); i > 0; i--) {
      const name = chance.pick(names);
      const pid = host.pid();
      if (name !== "root") world.emit("auth", logLine(host, world.now, "sshd", pid, invalidUser(name, from)));
      world.emit("auth", logLine(host, world.now, "sshd", pid, failedPassword(name, from, name === "root")));
      yield world.now + Math.round(chance.between(2, 20) * second);
    }
  }
}
