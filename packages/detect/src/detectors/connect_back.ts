/** A batch job opens a socket to a public address. Knows no malware, and no job but what the nodes' records tell. */
import { defineDetector, z } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { second, textField } from "../episode.ts";
import { callFields, callsExpire, foldCalls, type NodeCalls, networkTold } from "../job_calls.ts";
import { internal, isGroup, neighbourhood, network, within } from "../networks.ts";
import { toldAt } from "../node_jobs.ts";
import { type Activity, activityFields, activityOf, activityQuery, isSocket, isStray, mergeActivity, nodesConcerned } from "../sockets.ts";
import { foldUsual, maxUsers, type Reached, usualExpire } from "../usual_calls.ts";

const bucket = 10 * second;

const at = (s: number, fields: Fields) => ({ time: s * second, fields });
const job = (s: number, id: string, user: string, uid: string, node = "cn1", more: Fields = {}) =>
  at(s, {
    "event.module": "slurm",
    "event.dataset": "slurm.job",
    "event.type": "start",
    "slurm.job.id": id,
    "slurm.job.nodes": [node],
    "slurm.job.account": "physics",
    "user.name": user,
    "user.id": uid,
    ...more,
  });
const socket = (s: number, more: Fields = {}) =>
  at(s, {
    "event.module": "tetragon",
    "event.dataset": "tetragon",
    "event.category": ["network"],
    "event.type": ["connection", "start"],
    "host.name": "cn1",
    "source.ip": "10.1.0.1",
    "destination.ip": "203.0.113.9",
    "destination.port": 443,
    "network.transport": "tcp",
    "user.id": "1000",
    "process.entity_id": "p9",
    "process.executable": "/home/ada/solve",
    ...more,
  });
const exec = (s: number, id: string, parent: string, more: Fields = {}) =>
  at(s, {
    "event.module": "tetragon",
    "event.dataset": "tetragon",
    "tetragon.type": "process_exec",
    "event.category": ["process"],
    "host.name": "cn1",
    "user.id": "1000",
    "process.entity_id": id,
    "process.parent.entity_id": parent,
    ...more,
  });
const wire = (s: number, more: Fields = {}) =>
  at(s, {
    "event.module": "zeek",
    "event.dataset": "zeek.conn",
    "hpc.node": "cn1",
    "source.ip": "10.1.0.1",
    "destination.ip": "203.0.113.9",
    "destination.port": 443,
    "network.transport": "tcp",
    ...more,
  });

export default defineDetector({
  name: "connect_back",
  title: "Batch job connects to a public address",
  summary: "Finds sockets of batch jobs to public addresses, TCP and UDP, and says of which job, user and node they are.",
  description:
    "Computing rarely needs the outside: data come by the file system or by transfer nodes, and licence servers, package mirrors and experiment trackers are few and known (`allow`, `allow_domains`). Sockets are told by Tetragon (policy P1 of the deployment) and, for nodes that the `assets` inventory names, by Zeek. " +
    "Whose they are is told by up to four ways: `cgroup`, `ancestry` (descent from a process that slurmstepd started), `schedule` (node, user and time of the scheduler's records) and `environment`; where they disagree the finding says what the others said, and an environment that names somebody else's job is not believed. On a node with several jobs, what only a sensor saw is said to be of one of them and is low. A finding is one job and one network of 256 addresses (IPv6: /48; an autonomous system where an enricher told it) while it goes on; a user's other jobs that reach the same network are listed in it, unless something speaks against one: that has a finding of its own. " +
    "What is usual is a matter of the whole cluster: a network that jobs of several users reached, from whatever node, is found no more unless something else speaks against it, nor is, for a user's own jobs, one that they reached on several days. Whoever makes a network usual has been found doing so. " +
    "High where no job ever reached the network from a node known for long enough, the program is younger than a minute and lies where anybody may write, or the port is one of mining pools.",
  response: [
    "Ask the job's owner what it speaks with; look at the process and command line in the evidence, and at the same user's other jobs.",
    "A licence server, mirror or tracker that is needed: name it under allow or allow_domains. Nothing that the owner knows: hold the job and keep its files.",
  ],
  stability: "beta",
  where: activityQuery,
  unstored: true,
  fields: activityFields,
  fan: 256,
  at: toldAt,
  config: z.strictObject({
    internal,
    allow: z
      .array(network)
      .max(1_000)
      .default([])
      .describe("Public networks that jobs may reach: licence servers, package mirrors, experiment trackers, Globus endpoints."),
    allow_domains: z
      .array(z.string().min(1).max(253))
      .max(1_000)
      .default([])
      .describe("Domains that jobs may reach, with all below them, where the log names the destination: pypi.org, conda.anaconda.org."),
    allow_ports: z
      .array(z.int().min(0).max(65_535))
      .max(100)
      .default([53, 123])
      .describe(
        "Destination ports that count for no ordinary program: name service (dns_tunnel looks at the names) and time service. A program that lies where anybody may write has no business there either.",
      ),
    usual_users: z
      .int()
      .min(0)
      .max(maxUsers)
      .default(3)
      .describe(
        "A network that jobs of so many users reached from anywhere in the cluster is usual, and found only with a sign against it; 0: none is.",
      ),
    usual_days: z
      .int()
      .min(0)
      .max(30)
      .default(3)
      .describe("A network that a user's jobs reached on so many days is usual for that user's jobs alone, likewise; 0: none is."),
    learning_days: z
      .number()
      .min(0)
      .max(90)
      .default(7)
      .describe("Days for which a node is known before a network that it reaches and no job ever did counts as new to the cluster."),
    memory_days: z
      .number()
      .min(1)
      .max(90)
      .default(30)
      .describe("A network unused for so many days is new again; one that few people's jobs reached, after `learning_days` already."),
    skew_s: z
      .int()
      .min(0)
      .max(3_600)
      .default(60)
      .describe("How far a node's clock may be off for its processes still to be those of the jobs placed on it, seconds."),
  }),
  examples: [
    {
      title: "By environment and schedule",
      events: [job(0, "4711", "ada", "1000"), socket(60, { "hpc.job.id": "4711", "hpc.job.by": ["environment"] })],
      finds: ["job 4711 (ada, physics) on cn1 opened a tcp socket to 203.0.113.9:443; its job by schedule, environment"],
    },
    {
      title: "UDP of a process without an environment, by descent; it is young, and lies in /tmp",
      events: [
        exec(0, "p1", "stepd", { "hpc.job.id": "4711", "hpc.job.by": ["environment"], "process.parent.name": "slurmstepd" }),
        exec(10, "p2", "p1"),
        exec(20, "p9", "p2"),
        socket(30, { "network.transport": "udp", "process.executable": "/tmp/x", "process.start": "1970-01-01T00:00:20Z" }),
      ],
      finds: [
        "job 4711 (user 1000) on cn1 opened a udp socket to 203.0.113.9:443; its job by ancestry; /tmp/x was 10 s old and lies where anybody may write",
      ],
    },
    {
      title: "A process that claims to be of somebody else's job",
      events: [
        job(0, "4711", "ada", "1000"),
        job(1, "4712", "bob", "1001"),
        socket(60, { "hpc.job.id": "4712", "hpc.job.by": ["environment"] }),
      ],
      finds: ["job 4711 (ada, physics) on cn1 opened a tcp socket to 203.0.113.9:443; its job by schedule; but environment 4712"],
    },
    {
      title: "A sensor on the network, and the one job of the node",
      events: [job(0, "4711", "ada", "1000"), wire(60)],
      finds: ["job 4711 (ada, physics) on cn1 opened a tcp socket to 203.0.113.9:443; its job by schedule"],
    },
    {
      title: "A sensor on the network, and a node of several jobs",
      events: [job(0, "4711", "ada", "1000"), job(0, "4712", "bob", "1001"), wire(60)],
      finds: ["one of the jobs 4711, 4712 on cn1 opened a tcp socket to 203.0.113.9:443; which of them nothing tells"],
    },
    {
      title: "The system's own connections, seen by both, and an allowed network",
      config: { allow: ["198.51.100.0/24"] },
      events: [
        job(0, "4711", "ada", "1000"),
        socket(60, { "user.id": "0" }),
        wire(60),
        socket(70, { "hpc.job.id": "4711", "hpc.job.by": ["environment"], "destination.ip": "198.51.100.7" }),
        socket(80, { "hpc.job.id": "4711", "hpc.job.by": ["environment"], "destination.ip": "10.2.0.7" }),
      ],
      finds: [],
    },
    { title: "A person on a log-in node, where no job is", events: [socket(60, { "host.name": "login1" })], finds: [] },
  ],

  key(fields, { internal, allow, allow_domains, allow_ports }) {
    return nodesConcerned(fields, (ip, port) => {
      if (isGroup(ip) || within(ip, internal) || within(ip, allow)) return false;
      if (allow_ports.includes(port) && !isStray(textField(fields, "process.executable") ?? "")) return false;
      if (neighbourhood(ip) === undefined || ip.startsWith("127.") || ip === "::1") return false;
      const domain = allow_domains.length === 0 ? undefined : textField(fields, "destination.domain")?.toLowerCase();
      return domain === undefined || !allow_domains.some((one) => domain === one || domain.endsWith(`.${one}`));
    });
  },

  tally: {
    bucket: () => bucket,
    of: (fields, time, _config, event) => activityOf(fields, time, event),
    merge: mergeActivity,
    stands: isSocket,
  },

  fold(input, state: NodeCalls | undefined, { skew_s }) {
    const { start, value } = input.tally!;
    return foldCalls(state, start, value as Activity, skew_s * second, input.key);
  },
  expires: callsExpire,

  // a node knows whose a socket is; only the cluster knows what is usual
  second: {
    fields: callFields,
    key: networkTold,
    fold: (input, state: Reached | undefined, config) => foldUsual(state, input.time, input.fields, config),
    expires: usualExpire,
  },
});
