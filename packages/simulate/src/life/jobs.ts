/** A job from its submission to its accounting: nodes taken, programs started on each, meters moved, services spoken with. Knows no kind of work. */
import type { Chance } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { Host, Process } from "../host.ts";
import type { Load, Resident } from "../load.ts";
import { type Ended, type JobAccount, jobcompLine, sacctLine } from "../records/slurm.ts";
import { execLine, exitLine } from "../records/tetragon.ts";
import { serviceNamed, type User } from "../site.ts";
import { hour, minute, second } from "../stamps.ts";
import type { Incident, JobTruth } from "../truth.ts";
import type { Actor, World } from "../world.ts";
import { talk } from "./network.ts";
import type { Egress, Profile, Program, Request } from "./profile.ts";

/** What is submitted. */
export interface Plan {
  readonly user: User;
  readonly name: string;
  readonly profile: string;
  readonly lookalike: boolean;
  readonly gpu: boolean;
  readonly request: Request;
  readonly mpi?: true;
  readonly program: Program;
  /** Where it works; the user's scratch folder when absent. */
  readonly folder?: string;
  readonly script?: string;
  readonly churn?: Profile["churn"];
  readonly egress?: readonly Egress[];
  readonly load: (seconds: number, done: number, chance: Chance, request: Request) => Load;
  readonly incident?: Incident;
  /** Called when it has begun: what else goes on in it. */
  readonly also?: (job: Job) => Actor;
}

/** A job that runs. */
export interface Job {
  readonly plan: Plan;
  readonly account: JobAccount;
  readonly hosts: readonly Host[];
  readonly batch: Process;
  /** One process of each node, the first's first. */
  readonly leaders: readonly Process[];
  readonly ends: Micros;
  readonly chance: Chance;
}

/** Submits a plan: one job, or the tasks of an array. */
export function submit(world: World, plan: Plan): void {
  const { tasks } = plan.request;
  const first = world.jobId();
  for (let task = 0; task < tasks; task++) {
    const id = task === 0 ? first : world.jobId();
    world.begin(life(world, plan, id, tasks > 1 ? { id: first, task } : undefined));
  }
}

/** How often a waiting job is looked at, and for how long it waits before its user gives up. */
const look = 2 * minute;
const patience = 48 * hour;

function* life(world: World, plan: Plan, id: number, array: JobAccount["array"]): Actor {
  const chance = world.chanceOf(`job ${id}`);
  const submitted = world.now;
  yield submitted + Math.round(chance.between(0.5, 4) * second);
  let hosts = allocate(world, plan, chance);
  while (hosts === undefined) {
    if (world.now - submitted > patience) return;
    yield world.now + Math.round(look * chance.between(0.8, 1.2));
    hosts = allocate(world, plan, chance);
  }
  const account = accountOf(world, plan, id, array, hosts, submitted);
  const gpus = hosts.map((host) => host.freeGpus.splice(0, plan.request.gpus));
  world.begun.push(account);
  const { incident, request } = plan;
  incident?.jobs.push(id);
  for (const host of incident === undefined ? [] : hosts) incident!.nodes.add(host.name);
  const job = start(world, plan, account, hosts, chance);
  world.running.set(id, () => jobTruth(job, world.options.end, true));
  for (const [i, host] of hosts.entries()) host.residents.set(id, residentOf(job, gpus[i]!, world.now));
  for (const [i, host] of hosts.entries()) world.begin(launch(world, job, host, job.leaders[i]!));
  if (plan.churn !== undefined) for (const leader of job.leaders) world.begin(churning(world, job, leader));
  for (const egress of plan.egress ?? []) world.begin(speaking(world, job, egress));
  if (plan.also !== undefined) world.begin(plan.also(job));
  yield job.ends;
  for (const [i, host] of hosts.entries()) {
    host.residents.delete(id);
    host.freeCores += request.cores;
    host.freeGpus.push(...gpus[i]!);
  }
  finish(world, job);
}

function allocate(world: World, { request, gpu }: Plan, chance: Chance): Host[] | undefined {
  const all = gpu ? world.site.gpu : world.site.compute;
  const nodes = Math.min(request.nodes, all.length);
  const found: Host[] = [];
  const from = chance.whole(0, all.length - 1);
  for (let i = 0; i < all.length && found.length < nodes; i++) {
    const host = all[(from + i) % all.length]!;
    if (host.freeCores >= request.cores && host.freeGpus.length >= request.gpus) found.push(host);
  }
  if (found.length < nodes) return undefined;
  for (const host of found) host.freeCores -= request.cores;
  return found;
}

function accountOf(
  world: World,
  plan: Plan,
  id: number,
  array: JobAccount["array"],
  hosts: readonly Host[],
  submitted: Micros,
): JobAccount {
  const { user, request, name } = plan;
  const folder = plan.folder ?? `/scratch/${user.name}/${name}`;
  return {
    id,
    ...(array === undefined ? {} : { array }),
    name,
    user: user.name,
    uid: user.uid,
    group: user.project.group,
    gid: user.project.gid,
    account: user.project.account,
    partition: plan.gpu ? "gpu" : "batch",
    cluster: world.site.cluster,
    folder,
    script:
      plan.script ??
      `#!/bin/bash\n#SBATCH --nodes=${request.nodes}\n#SBATCH --job-name=${name}\nsrun ${plan.program.binary} ${plan.program.args}\n`,
    nodes: hosts.map((h) => h.name).sort(),
    cores: request.cores * hosts.length,
    memory_gb: request.memory_gb * hosts.length,
    gpus: request.gpus * hosts.length,
    limit: Math.ceil((request.lasts * 1.5) / hour) * hour,
    submitted,
    started: world.now,
  };
}

/** The batch script on the first node, and a step's first process on each. */
function start(world: World, plan: Plan, account: JobAccount, hosts: readonly Host[], chance: Chance): Job {
  const { user, incident, program, request } = plan;
  const [first] = hosts as [Host, ...Host[]];
  const stepd = (host: Host) =>
    host.daemon("/usr/sbin/slurmd", "-D -s").child({ binary: "/usr/sbin/slurmstepd", start: world.now, uid: 0, cwd: "/" });
  const batchStep = stepd(first);
  world.emit("tetragon", execLine(batchStep, world.now), incident);
  const batch = batchStep.child({
    binary: "/bin/bash",
    args: `/var/spool/slurmd/job${String(account.id).padStart(5, "0")}/slurm_script`,
    start: world.now,
    uid: user.uid,
    cwd: account.folder,
    job: account.id,
    step: "batch",
  });
  world.emit("tetragon", execLine(batch, world.now), incident);
  const leaders = hosts.map((host) => {
    const step = host === first && request.nodes === 1 && !plan.mpi ? batch : stepd(host);
    return step.child({
      ...program,
      start: world.now,
      uid: user.uid,
      cwd: account.folder,
      job: account.id,
      ...(step === batch ? {} : { step: "0" }),
    });
  });
  return { plan, account, hosts, batch, leaders, ends: world.now + request.lasts, chance };
}

const ranksOf = ({ plan }: Job, activity: number): number => (plan.mpi ? Math.max(1, Math.round(plan.request.cores * activity)) : 1);

/** All ranks of a node start within ten seconds, as large MPI jobs do, and end together. */
function* launch(world: World, job: Job, host: Host, leader: Process): Actor {
  const { plan, chance } = job;
  const ranks = ranksOf(job, world.options.activity);
  const offset = plan.mpi ? chance.between(0.2, 10) * second : chance.between(0.05, 0.3) * second;
  yield world.now + Math.round(offset);
  const processes = [leader];
  if (leader.parent !== undefined && leader.parent !== job.batch) world.emit("tetragon", execLine(leader.parent, world.now), plan.incident);
  world.emit("tetragon", execLine(leader, world.now), plan.incident);
  for (let rank = 1; rank < ranks; rank++) {
    yield world.now + chance.whole(500, 4_000);
    const process = leader.parent!.child({
      ...plan.program,
      start: world.now,
      uid: leader.uid,
      cwd: leader.cwd,
      job: job.account.id,
      step: "0",
    });
    processes.push(process);
    world.emit("tetragon", execLine(process, world.now), plan.incident);
  }
  // the step's processes are gone before the job is
  yield Math.max(world.now, job.ends - Math.round(chance.between(0.1, 2) * second));
  for (const process of processes) world.emit("tetragon", exitLine(process, world.now), plan.incident);
  if (host === job.hosts[0]) world.emit("tetragon", exitLine(job.batch, world.now), plan.incident);
}

/** Short programs, as compilers and pipelines start them. */
function* churning(world: World, job: Job, leader: Process): Actor {
  const { per_minute, programs } = job.plan.churn!;
  const mean = minute / Math.max(0.05, per_minute * Math.min(1, world.options.activity * 10));
  for (;;) {
    yield world.now + Math.round(job.chance.exponential(mean));
    if (world.now >= job.ends) return;
    const process = leader.child({ ...job.chance.pick(programs), start: world.now });
    world.emit("tetragon", execLine(process, world.now), job.plan.incident);
    yield world.now + Math.round(job.chance.exponential(2 * second));
    world.emit("tetragon", exitLine(process, world.now), job.plan.incident);
  }
}

function* speaking(world: World, job: Job, { service, client, every, lasts, sent, received }: Egress): Actor {
  const { chance, leaders, plan } = job;
  const to = serviceNamed(service);
  yield world.now + Math.round(chance.between(1, 60) * second);
  while (world.now < job.ends) {
    const process = leaders[0]!;
    const some = chance.between(0.5, 1.6);
    const seconds = Math.min(lasts * chance.between(0.7, 1.3), (job.ends - world.now) / second);
    talk(world, chance, {
      from: process.host,
      process,
      to,
      port: 443,
      lasts: seconds,
      sent: sent * some,
      received: received * some,
      client,
      incident: plan.incident,
    });
    yield world.now + Math.round(every * chance.between(0.8, 1.2));
  }
}

function residentOf(job: Job, gpus: readonly number[], begun: Micros): Resident {
  const { plan, account, chance, ends } = job;
  const { request } = plan;
  return {
    job: account.id,
    user: account.user,
    account: account.account,
    cores: request.cores,
    memory_gb: request.memory_gb,
    gpus,
    processes: plan.mpi ? request.cores : 3,
    load: (time) => plan.load((time - begun) / second, Math.min(1, (time - begun) / Math.max(1, ends - begun)), chance, request),
    used_ns: 0,
  };
}

/** How jobs end; attackers' jobs run until they are over or found. */
function endOf(job: Job, time: Micros): Ended {
  const drawn = job.plan.incident === undefined ? job.chance.next() : 0;
  if (drawn < 0.86) return { time, state: "COMPLETED", exit: 0, signal: 0 };
  if (drawn < 0.94) return { time, state: "FAILED", exit: 1, signal: 0 };
  if (drawn < 0.97) return { time, state: "CANCELLED", exit: 0, signal: 15 };
  return drawn < 0.99 ? { time, state: "TIMEOUT", exit: 0, signal: 1 } : { time, state: "OUT_OF_MEMORY", exit: 0, signal: 9 };
}

function finish(world: World, job: Job): void {
  const end = endOf(job, world.now);
  const { account, plan } = job;
  if (world.options.accounting === "jobcomp") world.emit("slurm/jobcomp", jobcompLine(account, end), plan.incident);
  else world.emit("slurm/sacct", sacctLine(account, end), plan.incident);
  world.running.delete(account.id);
  world.jobTruths.push(jobTruth(job, world.now));
}

function jobTruth({ account, plan }: Job, end: Micros, unfinished?: true): JobTruth {
  return {
    kind: "job",
    simulated: true,
    job: account.id,
    user: account.user,
    account: account.account,
    profile: plan.profile,
    lookalike: plan.lookalike,
    ...(plan.incident === undefined ? {} : { incident: plan.incident.id }),
    start: new Date(account.started / 1_000).toISOString(),
    end: new Date(end / 1_000).toISOString(),
    nodes: account.nodes,
    ...(unfinished ? { unfinished } : {}),
  };
}
