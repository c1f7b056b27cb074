/** A batch job that looks like mining by what is measured of it and what else is known. Knows no pool list: the rules have it. */
import { defineDetector, z } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { minute, second } from "../episode.ts";
import { countsAt, type Facts, factsOf, factsQuery, mergeFacts, nodesOfFacts } from "../miner_facts.ts";
import { foldMinute, type MinerNode, minerNodeExpires } from "../miner_node.ts";
import { internal, isGroup, network, within } from "../networks.ts";
import { isSocket } from "../sockets.ts";

const systemTrees = [
  "/usr/",
  "/bin/",
  "/sbin/",
  "/lib",
  "/opt/",
  "/apps/",
  "/sw/",
  "/software/",
  "/cm/",
  "/cvmfs/",
  "/nix/store/",
  "/gnu/store/",
  "/modules/",
  "/easybuild/",
  "/spack/",
];

const base: Fields = { "event.dataset": "vedette.metric", "metric.kind": "gauge", "host.name": "cn1", "labels.slurmjobid": "4711" };
const sample = (at_min: number, name: string, value: number, more: Fields = {}) => ({
  time: at_min * minute,
  fields: { ...base, "metric.name": name, "metric.value": value, ...more },
});
const placed = {
  time: 0,
  fields: {
    "event.module": "slurm",
    "event.type": "start",
    "slurm.job.id": "4711",
    "slurm.job.nodes": ["cn1"],
    "slurm.job.account": "physics",
    "user.name": "ada",
    "user.id": "1000",
  } as Fields,
};
/** A minute of a job: busy share of 64 cores, resident gigabytes, bytes a second of files. */
const measured = (at_min: number, busy: number, rss: number, io: number) => [
  sample(at_min, "slurm_job_core_usage_total", at_min * 60e9 * 64 * busy, { "metric.kind": "counter" }),
  sample(at_min, "slurm_job_cores", 64),
  sample(at_min, "slurm_job_memory_rss", rss * 1e9),
  sample(at_min, "slurm_job_memory_limit", 200e9),
  sample(at_min, "slurm_job_io_bytes_per_second", io),
];
const minutes = (n: number, of: (at: number) => ReturnType<typeof measured>) => Array.from({ length: n }, (_, i) => of(i)).flat();
const connection = (at_min: number, lasted_min: number, bytes: number) => ({
  time: at_min * minute,
  fields: {
    "event.module": "zeek",
    "event.dataset": "zeek.conn",
    "hpc.node": "cn1",
    "network.transport": "tcp",
    "destination.ip": "203.0.113.9",
    "destination.port": 443,
    "event.duration": lasted_min * 60e9,
    "source.bytes": bytes / 3,
    "destination.bytes": (bytes / 3) * 2,
  } as Fields,
});
const started = (executable: string) => ({
  time: second,
  fields: {
    "event.module": "tetragon",
    "event.dataset": "tetragon",
    "tetragon.type": "process_exec",
    "host.name": "cn1",
    "hpc.job.id": "4711",
    "hpc.job.by": ["environment"],
    "user.id": "1000",
    "process.executable": executable,
  } as Fields,
});

export default defineDetector({
  name: "silent_miner",
  title: "Batch job that looks like mining",
  summary: "Scores every batch job by nine factors that tell mining from computing, and finds those whose score is too high.",
  description:
    "Five factors are measured: every core busy without a phase (15), memory flat and small while much was asked for (10), no files (15), no traffic between the nodes of a job on several (10), GPUs pinned with dead tensor and FP64 pipes (20); together they count at most 60, because physics looks like that too. Four are known from elsewhere: long thin contact with a network outside (30; 15 for a socket of which no more is known), words of a pool (60), a program that lies where none should (15; 8 for one of the user's own), an array of many short tasks (10). Nothing is found without one of these four. " +
    "Measurements are those of slurm-job-exporter, cgroup_exporter, CEEMS, cAdvisor, dcgm-exporter, node_exporter, lustre_exporter and Netdata, by the job in their labels; a node's own count where one job has the node. Programs and sockets are Tetragon's, connections Zeek's for nodes of the `assets` inventory. What is not measured gives no points, and the alert says so. The factors with their values stand in the alert's evidence.",
  response: [
    "The factors with their points are in the evidence: look at those that are not measured (contact, words, where the program lies). Ask the owner what the job computes.",
    "It mines: cancel the job, keep the program and the job script, lock the account until it is clear whose doing it is, and look at its other jobs.",
  ],
  stability: "experimental",
  where: factsQuery,
  unstored: true,
  fan: 256,
  at: countsAt,
  lateness: () => 5 * minute,
  fields: [
    "metric.name",
    "metric.value",
    "host.name",
    "hpc.node",
    "hpc.job.id",
    "user.name",
    "process.executable",
    "process.command_line",
    "destination.ip",
    "destination.port",
    "event.duration",
    "source.bytes",
    "destination.bytes",
    "labels.slurmjobid",
    "labels.jobid",
    "labels.hpc_job",
  ],
  config: z.strictObject({
    alert: z.number().min(40).max(100).default(70).describe("Least score of a finding, of 100."),
    numa_nodes: z
      .int()
      .min(1)
      .max(64)
      .default(2)
      .describe("NUMA nodes of a compute node: RandomX keeps its dataset once in each; two sockets are usual."),
    trees: z
      .array(z.string().startsWith("/"))
      .max(100)
      .default(systemTrees)
      .describe("Where the system and its modules lie; programs elsewhere are users' own."),
    internal,
    allow: z
      .array(network)
      .max(1_000)
      .default([])
      .describe("Public networks that jobs may be in long contact with: licence servers, experiment trackers."),
    skew_s: z.int().min(0).max(3_600).default(60).describe("How far a node's clock may be off, seconds."),
  }),
  examples: [
    {
      title: "Even load, nothing written, and half an hour of thin contact",
      events: [placed, started("/home/ada/solver"), ...minutes(31, (at) => measured(at, 0.98, 2.3, 30)), connection(3, 36, 36 * 60 * 100)],
      finds: ["job 4711 (ada, physics) on cn1 looks like mining, 78 of 100: network 30, cpu 15, files 15, memory 10, program 8"],
    },
    {
      title: "The same load alone: a calculation",
      events: [placed, ...minutes(40, (at) => measured(at, 0.98, 2.3, 30))],
      finds: [],
    },
    {
      title: "A simulation with checkpoints, in contact with a tracker",
      events: [
        placed,
        ...minutes(40, (at) => measured(at, at % 10 < 2 ? 0.5 : 0.95, 40 + at, at % 10 < 2 ? 4e8 : 2e4)),
        connection(3, 36, 36 * 60 * 100),
      ],
      finds: [],
    },
    {
      title: "A program that is told to speak Stratum, on the first minutes",
      events: [
        placed,
        {
          time: second,
          fields: { ...started("/dev/shm/x").fields, "process.command_line": "/dev/shm/x -o stratum+tcp://203.0.113.9:3333" },
        },
        ...minutes(2, (at) => measured(at + 1, 0.98, 2.3, 30)),
      ],
      finds: [],
    },
  ],

  key: (fields, config) => nodesOfFacts(fields, boundsOf(config)),

  tally: {
    bucket: () => minute,
    of: (fields, time, config, event) => factsOf(fields, time, event, boundsOf(config)),
    merge: mergeFacts,
    stands: (fields) => fields["metric.name"] === undefined && isSocket(fields),
  },

  fold(input, state: MinerNode | undefined, { alert, numa_nodes, skew_s }) {
    const { start, value, events, count } = input.tally!;
    const bucket = { time: input.time, start, events, count };
    return foldMinute(state, value as Facts, bucket, input.key, { alert, numa_nodes, skew: skew_s * second });
  },

  expires: minerNodeExpires,
});

type Config = { readonly internal: Networks; readonly allow: Networks; readonly trees: readonly string[] };
type Networks = readonly Parameters<typeof within>[1][number][];
const boundsOf = ({ internal, allow, trees }: Config) => ({
  trees,
  outside: (ip: string) => !isGroup(ip) && !within(ip, internal) && !within(ip, allow),
});
