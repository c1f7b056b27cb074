/**
 * Whose job something on a compute node is, by four ways that do not depend on each other: what the record itself tells (control group or
 * environment), descent from a job's first process, and the node, user and time for which the scheduler placed a job there. Where they disagree it
 * says so. Knows no detector.
 */
import type { Fields, Micros } from "@vedette/model";
import { hash32 } from "./distinct.ts";
import { day, numberField, textField } from "./episode.ts";

/** A job as the scheduler told of it. */
export interface KnownJob {
  readonly id: string;
  readonly cluster?: string;
  readonly uid?: string;
  readonly user?: string;
  readonly account?: string;
  readonly partition?: string;
  readonly start?: Micros;
  readonly end?: Micros;
  /** Nodes it runs on, where the scheduler told. */
  readonly nodes?: number;
  readonly cores?: number;
  /** The array that it is a task of. */
  readonly array?: string;
  /** When the scheduler last told of it. */
  readonly told: Micros;
}
/** What is remembered of a node. */
export interface NodeJobs {
  readonly jobs: readonly KnownJob[];
  /** Marks of processes' ids with their jobs, the longest unused first. */
  readonly processes: readonly (readonly [mark: number, job: string])[];
}
export const noJobs: NodeJobs = { jobs: [], processes: [] };

/** Jobs of one node remembered: nodes have some hundred cores, and few of their jobs are so small. */
const maxJobs = 64;
/** Processes of one node remembered, of which the longest unused goes: what still starts others is used. */
const maxProcesses = 512;
/** A job whose end nobody told is taken to run for so long: sites limit jobs to a week or less. */
const longest = 7 * day;
/** For so long after its end a job may still be asked for: what was seen of it may come late. */
const afterEnd: Micros = 3_600_000_000;
/** Texts in a state. */
const maxText = 64;

const short = (text: string | undefined): string | undefined => text?.slice(0, maxText);
const given = <T extends object>(record: T): T => {
  for (const name of Object.keys(record) as (keyof T)[]) if (record[name] === undefined) delete record[name];
  return record;
};
const micros = (text: string | undefined): Micros | undefined => {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isFinite(ms) ? ms * 1_000 : undefined;
};

/** A node's name as all who tell of it write it: small, without the domain. Undefined for no name. */
export function nodeName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const dot = text.indexOf(".");
  // the first part of an address names nobody
  const name = dot > 0 && !/^[\d.]+$/.test(text) ? text.slice(0, dot) : text;
  return name.slice(0, maxText).toLowerCase();
}
/** The node that an event is about: by the inventory, else the host that wrote it. What a sensor on the network saw is its host's own in no case. */
export const nodeOf = (fields: Fields): string | undefined =>
  nodeName(textField(fields, "hpc.node") ?? (fields["event.module"] === "zeek" ? undefined : textField(fields, "host.name")));

/** A step begins and ends within its job. */
const isStep = (fields: Fields): boolean => fields["event.dataset"] === "slurm.step";

/** Nodes of a scheduler's record of a job that has some; empty for any other event. */
export function nodesOfJob(fields: Fields): readonly string[] {
  if (fields["event.module"] !== "slurm" || fields["slurm.job.id"] === undefined || isStep(fields)) return [];
  const nodes = fields["slurm.job.nodes"];
  if (Array.isArray(nodes)) return nodes.flatMap((one) => nodeName(String(one)) ?? []);
  const action = fields["event.action"];
  // slurmd tells of its own node; what the controller tells without nodes is about none
  const own = action === "slurm_task_launched" || action === "slurm_batch_launched" ? nodeOf(fields) : undefined;
  return own === undefined ? [] : [own];
}

/** What a scheduler's record tells of its job. */
export function jobTold(fields: Fields, time: Micros): KnownJob | undefined {
  const id = textField(fields, "slurm.job.id");
  if (id === undefined || fields["event.module"] !== "slurm" || isStep(fields)) return undefined;
  const started = fields["event.type"] === "start" || fields["slurm.job.state"] === "RUNNING";
  const nodes = fields["slurm.job.nodes"];
  return given({
    id: id.slice(0, maxText),
    cluster: short(textField(fields, "slurm.cluster")),
    uid: short(textField(fields, "user.id")),
    user: short(textField(fields, "user.name")),
    account: short(textField(fields, "slurm.job.account")),
    partition: short(textField(fields, "slurm.job.partition")),
    start: micros(textField(fields, "event.start")) ?? (started ? time : undefined),
    end: micros(textField(fields, "event.end")),
    nodes: Array.isArray(nodes) ? Math.max(nodes.length, numberField(fields, "slurm.job.node_count")) : undefined,
    cores: numberField(fields, "slurm.job.cpus") || undefined,
    array: short(textField(fields, "slurm.job.array.id")),
    told: time,
  } as KnownJob);
}

/**
 * A job that is listed as running is news of when it was listed: the start, which is its record's time, may be hours back. One listed more than
 * a month after is of an old file, which tells no more than its own time.
 */
export function toldAt(fields: Fields, time: Micros, received: Micros): Micros | undefined {
  return fields["event.module"] === "slurm" && fields["event.type"] === "start" && received - time < 31 * day ? received : undefined;
}

/** Two records of one job; the order of telling is no matter. */
function joined(a: KnownJob, b: KnownJob): KnownJob {
  const [old, fresh] = a.told < b.told ? [a, b] : [b, a];
  const earliest = [a.start, b.start].filter((one) => one !== undefined);
  return given({ ...old, ...fresh, start: earliest.length === 0 ? undefined : Math.min(...earliest) } as KnownJob);
}

/** Adds what a scheduler told. A number that comes again after its job had ended, or in another cluster, is another job. */
export function withJob(node: NodeJobs, job: KnownJob): NodeJobs {
  const before = node.jobs.find(({ id }) => id === job.id);
  const another =
    before !== undefined &&
    ((before.cluster !== undefined && job.cluster !== undefined && before.cluster !== job.cluster) ||
      (before.end !== undefined && job.start !== undefined && job.start >= before.end));
  const one = before === undefined || another ? job : joined(before, job);
  const kept = node.jobs.filter(
    (each) => each.id !== job.id && (each.end === undefined ? job.told - each.told < longest : job.told - each.end < afterEnd),
  );
  const jobs = [...kept, one];
  // those that are over go first, then those of which was told least lately
  if (jobs.length > maxJobs)
    jobs.sort((a, b) => Number(a.end === undefined) - Number(b.end === undefined) || a.told - b.told).splice(0, jobs.length - maxJobs);
  return { ...node, jobs };
}

/** A process as it starts, for what descends from it. */
export interface Started {
  readonly time: Micros;
  readonly mark: number;
  readonly parent: number;
  /** The job it says it is of, and whether its control group says so. */
  readonly job: string;
  readonly sure: boolean;
  /** Whether slurmstepd started it. */
  readonly first: boolean;
}
export const markOfProcess = (entity: string | undefined): number => (entity === undefined ? 0 : hash32(entity));

export function startedProcess(fields: Fields, time: Micros): Started | undefined {
  const entity = textField(fields, "process.entity_id");
  if (entity === undefined) return undefined;
  const by = fields["hpc.job.by"];
  return {
    time,
    mark: markOfProcess(entity),
    parent: markOfProcess(textField(fields, "process.parent.entity_id")),
    job: short(textField(fields, "hpc.job.id")) ?? "",
    sure: Array.isArray(by) && (by.includes("cgroup") || by.includes("ancestry")),
    first: fields["process.parent.name"] === "slurmstepd",
  };
}

/** Adds processes in the order in which they started: a job's are its first process's descendants, whatever their environment says. */
export function withProcesses(node: NodeJobs, started: readonly Started[]): NodeJobs {
  if (started.length === 0) return node;
  const known = new Map(node.processes);
  const use = (mark: number, job: string) => {
    known.delete(mark);
    known.set(mark, job);
  };
  for (const { mark, parent, job, sure, first } of started) {
    const inherited = known.get(parent);
    // slurmstepd sets the environment of what it starts, so that its first child tells whose it is
    if (inherited === undefined && first && job !== "" && parent !== 0) use(parent, job);
    else if (inherited !== undefined) use(parent, inherited);
    const own = sure ? job : (inherited ?? (first ? job : ""));
    if (own !== "") use(mark, own);
  }
  return { ...node, processes: [...known].slice(-maxProcesses) };
}

/** What is known of who did something. */
export interface Doer {
  readonly uid?: string;
  readonly user?: string;
  /** Mark of the process, and of the one that started it; 0 where nobody told. */
  readonly mark: number;
  readonly parent: number;
  /** `[way, job]`: what the record itself tells, the most trusted first. */
  readonly told: readonly (readonly [by: string, job: string])[];
  readonly step?: string;
  readonly cluster?: string;
  readonly account?: string;
  readonly partition?: string;
}

export function doerOf(fields: Fields): Doer {
  const job = short(textField(fields, "hpc.job.id"));
  const by = fields["hpc.job.by"];
  const conflict = fields["hpc.job.conflict"];
  const told = [
    ...(job === undefined ? [] : (Array.isArray(by) ? by : ["record"]).slice(0, 4).map((way) => [String(way).slice(0, 16), job] as const)),
    ...(Array.isArray(conflict) ? conflict.slice(0, 4) : []).flatMap((one) => {
      const [way, other] = String(one).slice(0, maxText).split(" ", 2);
      return other === undefined ? [] : [[way!, other] as const];
    }),
  ];
  return given({
    uid: short(textField(fields, "user.id")),
    user: short(textField(fields, "user.name")),
    mark: markOfProcess(textField(fields, "process.entity_id")),
    parent: markOfProcess(textField(fields, "process.parent.entity_id")),
    told,
    step: short(textField(fields, "hpc.step.id")),
    cluster: short(textField(fields, "hpc.cluster")),
    account: short(textField(fields, "hpc.account")),
    partition: short(textField(fields, "hpc.partition")),
  } as Doer);
}

export interface Identity {
  /** Undefined where no way tells, or none that can be believed. */
  readonly job: string | undefined;
  readonly cluster?: string;
  readonly step?: string;
  readonly uid?: string;
  readonly user?: string;
  readonly account?: string;
  readonly partition?: string;
  /** The ways that agree: cgroup, ancestry, schedule, environment. */
  readonly by: readonly string[];
  /** What other ways said: `environment 4712`. */
  readonly conflict: readonly string[];
  /** Jobs that it may be of, where the node has several and nothing tells them apart. */
  readonly candidates: readonly string[];
}

/** Who can lie: a control group is root's to choose, descent the kernel's, the schedule the controller's; an environment is anybody's. */
const trust = ["cgroup", "ancestry", "schedule", "record", "environment"];
const rank = (way: string): number => (trust.includes(way) ? trust.indexOf(way) : trust.length);

/** Whether a job was on the node at a time, by a clock that may be so far off. */
const running = ({ start, end, told }: KnownJob, time: Micros, skew: Micros): boolean =>
  (start === undefined || start - skew <= time) && time <= (end ?? Math.max(told, start ?? told) + longest) + skew;

const fits = (job: KnownJob, { uid, user }: Doer): boolean =>
  uid !== undefined && job.uid !== undefined ? uid === job.uid : user === undefined || job.user === undefined || user === job.user;

/** Numbers of accounts that run no job of a person's: UID_MIN of login.defs(5). Root's processes on a node are the system's. */
const isSystem = ({ uid }: Doer): boolean => uid !== undefined && Number(uid) < 1_000;

/** Jobs that were on the node at a time. */
export const runningAt = (node: NodeJobs, time: Micros, skew: Micros): readonly KnownJob[] =>
  node.jobs.filter((job) => running(job, time, skew));

export function identify(node: NodeJobs, doer: Doer, time: Micros, skew: Micros): Identity {
  const here = runningAt(node, time, skew);
  const placed = isSystem(doer) ? [] : here.filter((job) => fits(job, doer)).map(({ id }) => id);
  const descent = ancestorJob(node, doer);
  const told = doer.told.filter(([way]) => way !== "ancestry" || descent === undefined);
  const ways: (readonly [way: string, job: string])[] = [...told, ...(descent === undefined ? [] : [["ancestry", descent] as const])];
  const named = new Set(ways.map(([, job]) => job));
  const both = placed.filter((id) => named.has(id));
  // the schedule confirms those that others tell; it comes a minute late, so one of the user's that it does not know yet is no contradiction to what
  // the kernel tells: it tells a job itself where nothing but an environment does, and it leaves one
  for (const id of both) ways.push(["schedule", id]);
  const sure = ways.some(([way]) => rank(way) < rank("schedule"));
  if (both.length === 0 && placed.length === 1 && !sure) ways.push(["schedule", placed[0]!]);
  ways.sort((a, b) => rank(a[0]) - rank(b[0]));
  const job = ways[0]?.[1];
  const nobody = { by: [], conflict: [], ...given({ uid: doer.uid, user: doer.user }) };
  if (job === undefined) return { job, ...nobody, candidates: placed };
  const by = ways.filter((way) => way[1] === job).map(([way]) => way);
  const conflict = ways.filter((way) => way[1] !== job).map(([way, other]) => `${way} ${other}`);
  const known = node.jobs.find(({ id }) => id === job);
  const only = by.every((way) => way === "environment");
  // an environment alone that names somebody else's job, or none of those that the user has here, is not believed
  if (only && ((known !== undefined && !fits(known, doer)) || placed.length > 0))
    return { job: undefined, ...nobody, conflict: [`environment ${job}`], candidates: placed };
  return given({
    job,
    cluster: doer.cluster ?? known?.cluster,
    step: doer.step,
    uid: doer.uid ?? known?.uid,
    user: doer.user ?? known?.user,
    account: doer.account ?? known?.account,
    partition: doer.partition ?? known?.partition,
    by: [...new Set(by)],
    conflict,
    candidates: [],
  });
}

function ancestorJob(node: NodeJobs, { mark, parent }: Doer): string | undefined {
  if (mark === 0 && parent === 0) return undefined;
  let inherited: string | undefined;
  for (const [known, job] of node.processes) {
    if (known === mark) return job;
    if (known === parent) inherited = job;
  }
  return inherited;
}

/** An alert's entities: the job first, where there is one; the node last, for it is shared. */
export function entitiesOfJob(identity: Identity, node: string): { readonly type: string; readonly id: string }[] {
  const { job, cluster, user, uid } = identity;
  const all: [type: string, id: string | undefined][] = [
    ["hpc.job.id", job],
    ["hpc.cluster", job === undefined ? undefined : cluster],
    ["user.name", user],
    ["user.id", user === undefined ? uid : undefined],
    ["host.name", node],
  ];
  return all.flatMap(([type, id]) => (id === undefined || id === "" ? [] : [{ type, id }]));
}

/** `job 4711 (ada, physics)`, `a process of ada`, `one of the jobs 4711, 4712`. */
export function named({ job, user, uid, account, candidates }: Identity): string {
  const who = [user ?? (uid === undefined ? undefined : `user ${uid}`), account].filter((one) => one !== undefined).join(", ");
  if (job !== undefined) return `job ${job}${who === "" ? "" : ` (${who})`}`;
  if (candidates.length > 0) return `one of the jobs ${candidates.slice(0, 5).join(", ")}${candidates.length > 5 ? " and others" : ""}`;
  return who === "" ? "a process of nobody known" : `a process of ${who}`;
}
