/** A batch job opens a socket to a public address. Knows no malware, and no job but what the node's records tell. */
import { defineDetector, z } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { day, type Episode, extend, hour, list, minute, second, span, textField, windowOf } from "../episode.ts";
import { internal, isGroup, neighbourhood, network, within } from "../networks.ts";
import { entitiesOfJob, type Identity, identify, type NodeJobs, named, noJobs, toldAt, withJob, withProcesses } from "../node_jobs.ts";
import {
  type Activity,
  activityFields,
  activityOf,
  activityQuery,
  isSocket,
  isStray,
  mergeActivity,
  nodesConcerned,
  type Socket,
} from "../sockets.ts";

interface Call extends Episode {
  /** Whose, and into which network: what makes one finding an hour. */
  readonly who: string;
  readonly group: string;
  readonly first: Socket;
  readonly identity: Identity;
  readonly to: readonly string[];
  /** What makes it worse. */
  readonly signs: readonly string[];
}
interface State extends NodeJobs {
  readonly since: Micros;
  readonly last: Micros;
  readonly calls: readonly Call[];
  /** Of jobs that nobody has told of yet: they may be told a little later. */
  readonly waiting: readonly Socket[];
  /** Networks that jobs of the node reached, when last, and of which users. */
  readonly networks: readonly (readonly [network: string, last: Micros, users: readonly string[]])[];
  /** Ends that a process of no job reached: what a sensor sees of them is no job's. */
  readonly others: readonly (readonly [end: string, last: Micros])[];
}

/** One finding per job and network in this time (reference: one alert an hour). */
const quiet = hour;
const bucket = 10 * second;
/** Of one node; each is some hundred bytes of state. */
const maxCalls = 24;
const maxWaiting = 16;
const maxOthers = 64;
const maxNetworks = 128;
const maxUsers = 5;
const maxEvents = 32;
const maxEnds = 8;
/** How long after a socket its job may be told: schedulers are polled every minute or so. */
const patience = 10 * minute;
/** A process that young has just been put there (reference: 60 s). */
const young = 60 * second;
/** Ports that mining pools offer: weak evidence, which alone finds nothing. */
const poolPorts = new Set([3333, 4444, 5555, 7777, 14433, 14444]);

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
    "Whose they are is told by up to four ways: `cgroup`, `ancestry` (descent from a process that slurmstepd started), `schedule` (node, user and time of the scheduler's records) and `environment`; where they disagree the finding says what the others said, and an environment that names somebody else's job is not believed. On a node with several jobs, what only a sensor saw is said to be of one of them and is low. A finding is one job and one network of 256 addresses (IPv6: /48) in an hour; alerts are one a job. " +
    "High where the network is new to a node known for long enough, the program is younger than a minute and lies where anybody may write, or the port is one of mining pools.",
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
        "A network that jobs of so many users reached from the node before is usual, and found only with a sign against it; 0: none is.",
      ),
    learning_days: z.number().min(0).max(90).default(7).describe("Days for which a node is known before a network counts as new to it."),
    memory_days: z.number().min(1).max(90).default(30).describe("A network unused for so many days is new again."),
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

  fold(input, state: State | undefined, config) {
    const { start, value } = input.tally!;
    const { jobs, started, sockets } = value as Activity;
    const skew = config.skew_s * second;
    let node: NodeJobs = withProcesses(state ?? noJobs, started);
    for (const one of jobs) node = withJob(node, one);
    const told = new Set(jobs.map(({ id }) => id));
    const before = (state?.calls ?? []).filter(({ end }) => start - end <= quiet);
    // what the scheduler tells of a job whose sockets are known is one way more
    const calls = before.map((call) =>
      told.has(call.identity.job ?? "") ? { ...call, identity: identify(node, call.first.doer, call.first.time, skew) } : call,
    );
    const corroborated = calls.filter((call, n) => call.identity.by.length > before[n]!.identity.by.length);
    const next: State = {
      jobs: node.jobs,
      processes: node.processes,
      since: state?.since ?? start,
      last: Math.max(state?.last ?? start, start),
      calls,
      waiting: [],
      networks: (state?.networks ?? []).filter(([, last]) => last >= start - config.memory_days * day),
      others: (state?.others ?? []).filter(([, last]) => last >= start - quiet),
    };
    const waited = (state?.waiting ?? []).filter(({ time }) => time >= start - patience);
    const step = [...waited, ...sockets].reduce((all, one) => withSocket(all, one, config, skew), { state: next, touched: corroborated });
    const claims = step.touched.filter((call) => step.state.calls.includes(call));
    return { state: step.state, claims: claims.map((call) => claimOf(call, input.key)) };
  },

  expires: (state, { memory_days }) =>
    state.last + (state.networks.length > 0 ? memory_days * day : state.jobs.length > 0 ? 8 * day : hour),
});

type Config = { readonly learning_days: number; readonly usual_users: number };

/** The state with one socket more, and the calls that it opened or made longer. */
function withSocket(
  { state, touched }: { readonly state: State; readonly touched: Call[] },
  one: Socket,
  { learning_days, usual_users }: Config,
  skew: Micros,
): { readonly state: State; readonly touched: Call[] } {
  const end = `${one.to}:${one.port}`;
  const group = neighbourhood(one.to)!;
  const identity = identify(state, one.doer, one.time, skew);
  const unknown = identity.job === undefined && identity.candidates.length === 0 && identity.conflict.length === 0;
  if (one.wire) {
    // a process told of it already: this is the same once more
    if (state.others.some(([other]) => other === end)) return { state, touched };
    if (identity.job === undefined && state.calls.some((call) => call.group === group && !call.first.wire)) return { state, touched };
  } else if (unknown && isService(one)) {
    return {
      state: { ...state, others: [...state.others.filter(([other]) => other !== end), [end, one.time] as const].slice(-maxOthers) },
      touched,
    };
  }
  if (unknown) return { state: { ...state, waiting: [...state.waiting, one].slice(-maxWaiting) }, touched };
  const who = identity.job ?? (one.wire ? "?" : `${identity.uid ?? identity.user ?? "?"}`);
  const known = state.calls.find((call) => call.who === who && call.group === group);
  const name = one.as === undefined ? group : `AS${one.as}`;
  const reached = state.networks.find(([other]) => other === name);
  const fresh = one.time - state.since >= learning_days * day && !reached;
  const signs = [...new Set([...(known?.signs ?? []), ...signsOf(one, fresh ? name : undefined)])];
  const users = [...new Set([...(reached?.[2] ?? []), identity.user ?? identity.uid ?? who])].slice(0, maxUsers);
  const networks = [[name, one.time, users] as const, ...state.networks.filter((other) => other !== reached)].slice(0, maxNetworks);
  const usual = usual_users > 0 && (reached?.[2].length ?? 0) >= usual_users;
  if (usual && !known && signs.length === 0 && identity.conflict.length === 0) return { state: { ...state, networks }, touched };
  const run = extend(known, quiet, { time: one.time, events: [one.event], count: one.count });
  const call: Call = {
    ...run,
    start: known?.start ?? freeStart(state.calls, run.start),
    events: run.events.slice(0, maxEvents),
    who,
    group,
    first: known?.first ?? one,
    identity: known && known.identity.by.length >= identity.by.length ? known.identity : identity,
    to: [...new Set([...(known?.to ?? []), end])].slice(0, maxEnds),
    signs,
  };
  return {
    state: {
      ...state,
      calls: [...state.calls.filter((other) => other !== known), call].slice(-maxCalls),
      networks,
    },
    touched: [...touched.filter((other) => other !== known), call],
  };
}

/** Whether it is known to be of nobody who could have a job. */
const isService = ({ doer }: Socket): boolean => doer.uid !== undefined && Number(doer.uid) < 1_000;

/** Claims are told apart by their start: of two that begin at one moment the other begins a microsecond later. */
function freeStart(calls: readonly Call[], start: Micros): Micros {
  let free = start;
  while (calls.some((call) => call.start === free)) free++;
  return free;
}

function signsOf({ program, stray, age, port }: Socket, fresh: string | undefined): readonly string[] {
  return [
    ...(fresh === undefined ? [] : [`${fresh} is new to the node`]),
    ...(stray && age !== undefined && age <= young ? [`${program} was ${span(age)} old and lies where anybody may write`] : []),
    ...(poolPorts.has(port) ? [`port ${port} is one of mining pools`] : []),
  ];
}

function claimOf(call: Call, node: string) {
  const { identity, first, to, signs } = call;
  const sure = identity.job !== undefined;
  const how = !sure
    ? identity.conflict.length > 0
      ? `nothing but its ${identity.conflict[0]!.replace(" ", " says ")}, which the schedule denies`
      : "which of them nothing tells"
    : `its job by ${identity.by.join(", ")}${identity.conflict.length === 0 ? "" : `; but ${identity.conflict.join(", ")}`}`;
  const [ip] = to[0]!.split(/:(?=\d+$)/);
  return {
    window: windowOf(call),
    severity: !sure ? ("low" as const) : signs.length > 0 ? ("high" as const) : ("medium" as const),
    summary: `${named(identity)} on ${node} opened a ${first.transport} socket to ${list(to, 3)}; ${[how, ...signs].join("; ")}`,
    events: call.events,
    count: call.count,
    entities: [...entitiesOfJob(identity, node), { type: "destination.ip", id: ip! }],
    attack: signs.some((one) => one.startsWith("port")) ? ["T1071", "T1496"] : ["T1071"],
    fields: { "hpc.job.id": identity.job, "hpc.job.by": [...identity.by] },
  };
}
