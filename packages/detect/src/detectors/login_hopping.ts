/** A user goes from host to host, each log-in coming from the host before. Knows no network map but what log-ins and settings tell. */
import { defineDetector, z } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { type Episode, extend, minute, ongoing, second, span, textField, windowOf } from "../episode.ts";
import { jobTold, toldAt } from "../node_jobs.ts";

interface Login {
  readonly time: Micros;
  readonly event: string;
  readonly from: string;
  readonly host: string;
  /** Known by the event or the settings, or guessed by where the user next came from. */
  readonly address?: string;
  /** The log-ins that led here, this one included: host names, the outermost source first. */
  readonly path: readonly string[];
  readonly events: readonly string[];
}
interface Hops extends Episode {
  readonly path: readonly string[];
  /** Batch jobs that the user began since, the first hundred. */
  readonly jobs: readonly string[];
}
interface State {
  readonly logins: readonly Login[];
  readonly episode?: Hops | undefined;
}

/** Log-ins of a user remembered within the window: an administrator's loop over all nodes must not grow it. */
const maxLogins = 128;
const maxPath = 20;
/** Jobs listed: an array may have thousands of tasks. */
const maxJobs = 100;

const login = (time: Micros, from: string, host: string, address?: string) => ({
  time,
  fields: {
    "event.category": "authentication",
    "event.outcome": "success",
    "user.name": "ada",
    "source.ip": from,
    "host.name": host,
    ...(address === undefined ? {} : { "host.ip": address }),
  },
});

const job = (time: Micros, id: string, user = "ada") => ({
  time,
  fields: { "event.module": "slurm", "event.type": "start", "slurm.job.id": id, "user.name": user },
});
const chain = [
  login(0, "203.0.113.9", "gate", "10.0.0.1"),
  login(minute, "10.0.0.1", "login1", "10.0.0.11"),
  login(2 * minute, "10.0.0.11", "node7", "10.0.1.7"),
  login(3 * minute, "10.0.1.7", "node8", "10.0.1.8"),
];

export default defineDetector({
  name: "login_hopping",
  title: "Log-ins hopping from host to host",
  summary: "Finds a user whose log-ins form a chain, each coming from the host reached by the one before.",
  description:
    "Links each successful log-in to an earlier one of the same user by address: the host's own (host.ip, the destination of a Zeek ssh event, or `hosts`), else by the first log-in after it that comes from an address not seen before. Many hosts from one place, as Ansible or pdsh reach them, are a fan, not a chain, however many they are. In a cluster outside → login node → compute node is every day's work; one more is worth a look. Batch jobs that the user begins afterwards, while hops would still belong to it, are listed with it.",
  response: [
    "Ask the user whether these were they; look at what was run on each host of the chain and at jobs that were begun afterwards.",
    "Not they: close the account on every host, change its keys and find where the first one was stolen: the first host of the chain.",
  ],
  stability: "beta",
  where:
    "user.name:* and (event.category:authentication and event.outcome:success and source.ip:* and (host.name:* or destination.ip:*) or event.module:slurm and event.type:start and slurm.job.id:*)",
  fields: ["user.name", "source.ip", "host.name", "host.ip", "destination.ip", "event.module", "event.type", "event.start", "slurm.job.id"],
  by: ["user.name"],
  at: toldAt,
  // the queue is listed each minute, with the starts of what began since
  lateness: () => 2 * minute,
  config: z.strictObject({
    hops: z
      .int()
      .min(2)
      .max(maxPath)
      .default(4)
      .describe(
        "Log-ins in a row that make a finding: one more than jump host, login node and compute node, the longest way a cluster's own design needs.",
      ),
    window_s: z
      .int()
      .min(60)
      .max(86_400)
      .default(1_800)
      .describe("Longest time from one hop to the next, in seconds; half an hour is a person at work on the same thing."),
    hosts: z
      .record(z.string(), z.string())
      .default({})
      .describe("Addresses of hosts by name, where their log-ins do not tell: {login1: 10.0.0.11}."),
    ignore_users: z
      .array(z.string())
      .max(1_000)
      .default([])
      .describe("Accounts that hop by design, such as monitoring or configuration management."),
  }),
  examples: [
    {
      title: "Four log-ins in a row, by the hosts' own addresses",
      events: chain,
      finds: ["ada went through 4 hosts in 3 min: 203.0.113.9 → gate → login1 → node7 → node8"],
    },
    {
      title: "Jobs that follow are listed; those from before, somebody else's, and what comes hours later are not",
      events: [
        job(0, "4710"),
        ...chain,
        job(5 * minute, "4711"),
        job(5 * minute, "4712"),
        job(6 * minute, "5", "bob"),
        job(90 * minute, "4713"),
      ],
      finds: [
        "ada went through 4 hosts in 3 min: 203.0.113.9 → gate → login1 → node7 → node8",
        "ada went through 4 hosts in 3 min: 203.0.113.9 → gate → login1 → node7 → node8; then began job 4711",
        "ada went through 4 hosts in 3 min: 203.0.113.9 → gate → login1 → node7 → node8; then began 2 jobs, 4711 to 4712",
      ],
    },
    {
      title: "The same where hosts do not tell their addresses",
      config: { hops: 3 },
      events: [login(0, "203.0.113.9", "login1"), login(minute, "10.0.0.11", "node7"), login(2 * minute, "10.0.1.7", "node8")],
      finds: ["ada went through 3 hosts in 2 min: 203.0.113.9 → login1 → node7 → node8"],
    },
    {
      title: "A loop over the nodes from the login node",
      config: { hops: 3 },
      events: [login(0, "203.0.113.9", "login1"), ...[1, 2, 3, 4, 5, 6].map((n) => login(n * second, "10.0.0.11", `node${n}`))],
      finds: [],
    },
    {
      title: "Hops with a day's work between them",
      config: { hops: 3, window_s: 600 },
      events: [login(0, "203.0.113.9", "login1"), login(20 * minute, "10.0.0.11", "node7"), login(40 * minute, "10.0.1.7", "node8")],
      finds: [],
    },
  ],

  key: (fields, { ignore_users }) => {
    const user = textField(fields, "user.name");
    const told = textField(fields, "source.ip") !== undefined || fields["event.module"] === "slurm";
    return user === undefined || !told || ignore_users.includes(user) ? undefined : user;
  },

  fold(input, state: State | undefined, config) {
    const { time, event, fields } = input;
    const window = config.window_s * second;
    const begun = jobTold(fields, time);
    if (begun) return withJob(state, begun, time, event, window, input.key);
    const from = textField(fields, "source.ip")!;
    const address = textField(fields, "host.ip") ?? textField(fields, "destination.ip");
    const host = hostOf(fields, address);
    const known = address ?? (Object.hasOwn(config.hosts, host) ? config.hosts[host] : undefined);
    let logins = (state?.logins ?? []).filter((l) => l.time >= time - window);
    let before = logins.findLast((l) => l.address === from);
    if (!before && !logins.some((l) => l.from === from)) {
      // nobody knows this address: the newest log-in whose host's address nobody knows either is the likeliest to be it
      const guess = logins.findLast((l) => l.address === undefined && l.host !== host);
      if (guess) {
        before = { ...guess, address: from };
        logins = logins.map((l) => (l === guess ? before! : l));
      }
    }
    const path = before && !before.path.includes(host) ? [...before.path, host].slice(-maxPath) : [from, host];
    const one: Login = {
      time,
      event,
      from,
      host,
      ...(known === undefined ? {} : { address: known }),
      path,
      events: path.length > 2 ? [...before!.events, event].slice(-maxPath) : [event],
    };
    const open = ongoing(state?.episode, time, window);
    const next: State = { logins: [...logins, one].slice(-maxLogins), episode: open };
    if (path.length - 1 < config.hops || path.length <= (open?.path.length ?? 0)) return { state: next };
    const first = logins.find((l) => l.event === one.events[0])?.time ?? time;
    const grown = open
      ? extend(open, window, { time, events: [event] })
      : extend(undefined, window, { time, start: first, events: one.events });
    const episode = { ...grown, path, jobs: open?.jobs ?? [] };
    return { state: { ...next, episode }, claims: [claim(episode, input.key)] };
  },

  expires: (state, { window_s }) => (state.logins.at(-1)?.time ?? 0) + window_s * second,
});

/** The host that was logged in to. A sensor on the network is not it. */
function hostOf(fields: Fields, address: string | undefined): string {
  const name = fields["event.module"] === "zeek" ? undefined : textField(fields, "host.name");
  return name ?? address ?? "";
}

/** A job counts once, however often the queue lists it, and only if it began after the hops did. */
function withJob(
  state: State | undefined,
  { id, start }: { readonly id: string; readonly start?: Micros | undefined },
  time: Micros,
  event: string,
  window: Micros,
  user: string,
) {
  const open = ongoing(state?.episode, time, window);
  if (!state || !open || (start ?? time) < open.start || open.jobs.includes(id)) return { state };
  // beyond what is listed a job of which the queue tells again cannot be told from another
  if (open.jobs.length >= maxJobs) return { state };
  // the hops' window is theirs: who goes on computing does not go on hopping
  const episode = { ...open, jobs: [...open.jobs, id], events: [...open.events, event].slice(0, maxLogins) };
  return { state: { ...state, episode }, claims: [claim(episode, user)] };
}

function claim(episode: Hops, user: string) {
  const [from, ...hosts] = episode.path;
  const { jobs } = episode;
  return {
    window: windowOf(episode),
    severity: "medium" as const,
    summary: `${user} went through ${hosts.length} hosts in ${span(episode.end - episode.start)}: ${[from, ...hosts].join(" → ")}${begunTold(jobs)}`,
    events: episode.events,
    count: episode.count,
    entities: [
      { type: "user.name", id: user },
      { type: "source.ip", id: from! },
      ...hosts.slice(-4).map((id) => ({ type: "host.name", id })),
    ],
    attack: ["T1021.004", "T1078"],
    ...(jobs.length > 0 && { matches: jobs.map((id) => ({ clause: "began since", field: "slurm.job.id", value: id })) }),
  };
}

function begunTold(jobs: readonly string[]): string {
  if (jobs.length === 0) return "";
  if (jobs.length === 1) return `; then began job ${jobs[0]}`;
  const sorted = [...jobs].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  return `; then began ${jobs.length}${jobs.length < maxJobs ? "" : " or more"} jobs, ${sorted[0]} to ${sorted.at(-1)}`;
}
