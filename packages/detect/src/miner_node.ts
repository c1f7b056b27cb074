/** The work that one node does, job by job, while minutes are folded in: what is measured and known of each, and what that comes to. Knows no settings. */
import type { Claim } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { day, type Episode, extend, hour, minute, ongoing, windowOf } from "./episode.ts";
import { type Counters, type Meter, type Minute, minuteOf } from "./job_meters.ts";
import type { Facts } from "./miner_facts.ts";
import { type Circumstances, type Course, type Courses, matchesOf, type Score, scoreOf, shownOf } from "./miner_score.ts";
import { neighbourhood } from "./networks.ts";
import { type Doer, entitiesOfJob, type Identity, identify, type NodeJobs, named, noJobs, runningAt, withJob } from "./node_jobs.ts";

/** A job, or all tasks of an array: short tasks are one work. */
interface Unit {
  readonly identity: Identity;
  readonly last: Micros;
  readonly courses: Courses;
  /** Seconds of thin contact by network, and when it was last. */
  readonly contacts: readonly (readonly [end: string, seconds: number, last: Micros])[];
  /** Tasks of the array that ran here, at most twenty. */
  readonly tasks: readonly string[];
  readonly socket?: string;
  readonly pool?: string;
  readonly program?: string;
  readonly own?: string;
  readonly episode?: Episode | undefined;
}
export interface MinerNode extends NodeJobs {
  readonly counters: Counters;
  readonly units: { readonly [job: string]: Unit };
  /** Meters of the node itself. */
  readonly node: Courses;
  readonly last: Micros;
}

/** An hour of minutes is kept of each meter; the factors look at the last half. */
const maxMinutes = 60;
const lookBack = 30;
/** Jobs of one node that are scored: those heard of last. */
const maxUnits = 24;
const maxContacts = 16;
const maxTasks = 20;
/** Contact of so long ago is another matter. */
const contactMemory = 3 * hour;
/** A node whose meters fall silent for so long is forgotten. */
const quiet = 6 * hour;
/** A job that many tasks of an array fill the gaps with: each is over before anybody looks. */
const manyTasks = 8;
/** Three tasks of ten minutes are half an hour of one work. */
const fewTasks = 3;

export interface MinerBounds {
  /** Least score of a finding. */
  readonly alert: number;
  readonly numa_nodes: number;
  /** How far the node's clock may be off. */
  readonly skew: Micros;
}

/** Folds a minute in and scores the jobs that it tells something of. */
export function foldMinute(
  state: MinerNode | undefined,
  facts: Facts,
  bucket: Bucket,
  name: string,
  { alert, numa_nodes, skew }: MinerBounds,
): { readonly state: MinerNode; readonly claims: readonly Claim[] } {
  const { start } = bucket;
  let known: NodeJobs = { jobs: state?.jobs ?? noJobs.jobs, processes: [] };
  for (const one of facts.jobs) known = withJob(known, one);
  const { minute: measures, counters } = minuteOf(facts.readings, state?.counters ?? {});
  const at = Math.floor(start / minute);
  const work = new Work(known, state?.units ?? {}, start, skew);
  work.measure(measures, at);
  for (const one of facts.sockets) work.add(one.doer, one.time, { socket: `${one.to}:${one.port}` });
  for (const { doer, time, kind, why } of facts.oddities) work.add(doer, time, { [kind]: why });
  for (const end in facts.contacts) work.contact(end, facts.contacts[end]!);
  const node = extended(state?.node, measures.get(""), at);
  const claims = work.score(node, numa_nodes, alert, bucket, name);
  return { state: { ...known, counters: kept(state?.counters, counters), units: work.units(), node, last: start }, claims };
}

export const minerNodeExpires = ({ last, jobs }: MinerNode): Micros => last + Math.max(quiet, jobs.length > 0 ? 8 * day : 0);

/** Counters of series that come again; those of jobs that are over go with the oldest. */
const maxCounters = 384;
function kept(before: Counters | undefined, now: Counters): Counters {
  const all = { ...before, ...now };
  const names = Object.keys(all);
  if (names.length <= maxCounters) return all;
  return Object.fromEntries(
    names
      .sort((a, b) => all[b]![0] - all[a]![0] || (a < b ? -1 : 1))
      .slice(0, maxCounters)
      .map((name) => [name, all[name]!]),
  );
}

function extended(courses: Courses | undefined, values: ReadonlyMap<Meter, number> | undefined, at: number): Courses {
  const all: { [M in Meter]?: Course } = { ...courses };
  for (const [meter, value] of values ?? []) {
    const course = (all[meter] ?? []).filter(([minute]) => minute > at - maxMinutes && minute < at);
    all[meter] = [...course, [at, value]];
  }
  return all;
}
/** What the factors look at. */
function recent(courses: Courses, at: number): Courses {
  const all: { [M in Meter]?: Course } = {};
  for (const meter in courses) {
    const course = courses[meter as Meter]!.filter(([minute]) => minute > at - lookBack - 1);
    if (course.length > 0) all[meter as Meter] = course;
  }
  return all;
}

type Found = Partial<Pick<Unit, "socket" | "pool" | "program" | "own">>;
interface Bucket {
  readonly time: Micros;
  readonly start: Micros;
  readonly events: readonly string[];
  readonly count: number;
}

/** The units of one node while a minute is folded. */
class Work {
  readonly #node: NodeJobs;
  readonly #units: Map<string, Unit>;
  readonly #touched = new Set<string>();
  readonly #start: Micros;
  readonly #skew: Micros;

  constructor(node: NodeJobs, units: { readonly [job: string]: Unit }, start: Micros, skew: Micros) {
    this.#node = node;
    this.#units = new Map(Object.entries(units).filter(([, unit]) => start - unit.last < quiet));
    this.#start = start;
    this.#skew = skew;
  }

  units(): { readonly [job: string]: Unit } {
    const all = [...this.#units].sort((a, b) => b[1].last - a[1].last || (a[0] < b[0] ? -1 : 1)).slice(0, maxUnits);
    return Object.fromEntries(all);
  }

  measure(measures: Minute, at: number): void {
    for (const [job, values] of measures) {
      if (job === "") continue;
      const identity = identify(this.#node, { mark: 0, parent: 0, told: [["cgroup", job]] }, this.#start, this.#skew);
      const [id, unit] = this.#unit(identity);
      this.#put(id, { ...unit, courses: extended(unit.courses, values, at) });
    }
  }

  add(doer: Doer, time: Micros, found: Found): void {
    const identity = identify(this.#node, doer, time, this.#skew);
    if (identity.job === undefined) return;
    const [id, unit] = this.#unit(identity);
    this.#put(id, { ...unit, ...found });
  }

  /** A sensor knows the node alone: it is the contact of the one job there, or of one that opened a socket to that network. */
  contact(end: string, seconds: number): void {
    const here = new Set(runningAt(this.#node, this.#start, this.#skew).map((job) => job.array ?? job.id));
    const opened = [...this.#units].filter(([, { socket }]) => socket !== undefined && sameNetwork(socket, end)).map(([id]) => id);
    const id = here.size === 1 ? [...here][0]! : opened.length === 1 ? opened[0]! : undefined;
    const job = id === undefined ? undefined : (this.#node.jobs.find((one) => (one.array ?? one.id) === id)?.id ?? id);
    if (job === undefined) return;
    const identity = identify(this.#node, { mark: 0, parent: 0, told: [["schedule", job]] }, this.#start, this.#skew);
    const [name, unit] = this.#unit(identity);
    const before = unit.contacts.filter(([other, , last]) => other !== end && this.#start - last < contactMemory);
    const known = unit.contacts.find(([other, , last]) => other === end && this.#start - last < contactMemory);
    this.#put(name, { ...unit, contacts: [...before, [end, (known?.[1] ?? 0) + seconds, this.#start] as const].slice(-maxContacts) });
  }

  score(node: Courses, numa: number, alert: number, bucket: Bucket, name: string) {
    const at = Math.floor(this.#start / minute);
    const running = runningAt(this.#node, this.#start, this.#skew);
    const here = new Set(running.length > 0 ? running.map((job) => job.array ?? job.id) : this.#units.keys());
    const claims = [];
    for (const id of [...this.#touched].sort()) {
      const unit = this.#units.get(id)!;
      const alone = here.size === 1 && here.has(id);
      const courses = recent({ ...(alone ? node : {}), ...unit.courses }, at);
      const score = scoreOf(courses, this.#circumstances(id, unit, alone), numa);
      const before = ongoing(unit.episode, this.#start, quiet);
      const found = score.total >= alert && score.evidence;
      const episode = found ? extend(before, quiet, bucket) : before;
      this.#units.set(id, { ...unit, episode: episode && { ...episode, events: episode.events.slice(0, 20) } });
      if (found) claims.push(claimOf(unit.identity, score, episode!, name));
    }
    return claims;
  }

  #circumstances(id: string, unit: Unit, alone: boolean): Circumstances {
    const nodes = this.#node.jobs.find((job) => (job.array ?? job.id) === id)?.nodes ?? 1;
    const [end, seconds] = [...unit.contacts].sort((a, b) => b[1] - a[1])[0] ?? [undefined, 0];
    const many =
      unit.tasks.length >= manyTasks
        ? `${unit.tasks.length >= maxTasks ? `${maxTasks} and more` : unit.tasks.length} tasks of an array here`
        : undefined;
    return {
      nodes,
      alone,
      short: unit.tasks.length >= fewTasks,
      contact_min: seconds / 60,
      ...(end !== undefined && { contact: end }),
      ...(unit.socket !== undefined && { socket: unit.socket }),
      ...(unit.pool !== undefined && { pool: unit.pool }),
      ...(unit.program !== undefined && { program: unit.program }),
      ...(unit.own !== undefined && { own: unit.own }),
      ...(many !== undefined && { account: many }),
    };
  }

  #unit(identity: Identity): readonly [id: string, unit: Unit] {
    const job = identity.job!;
    const id = this.#node.jobs.find((one) => one.id === job)?.array ?? job;
    const before = this.#units.get(id);
    // a number that comes again is another job
    const other = before?.identity.user !== undefined && identity.user !== undefined && before.identity.user !== identity.user;
    const unit = before && !other ? before : { identity, last: 0, courses: {}, contacts: [], tasks: [] };
    const tasks = unit.tasks.includes(job) || unit.tasks.length >= maxTasks ? unit.tasks : [...unit.tasks, job];
    return [id, { ...unit, identity: { ...unit.identity, ...identity, job: id }, tasks: id === job ? [] : tasks }];
  }

  #put(id: string, unit: Unit): void {
    this.#units.set(id, { ...unit, last: this.#start });
    this.#touched.add(id);
  }
}

/** `203.0.113.9:443` and `203.0.113.0/24 port 443`. */
function sameNetwork(socket: string, end: string): boolean {
  const at = socket.lastIndexOf(":");
  return end === `${neighbourhood(socket.slice(0, at))} port ${socket.slice(at + 1)}`;
}

function claimOf(identity: Identity, score: Score, episode: Episode, node: string) {
  const pool = score.factors.some(({ name, points }) => name === "pool" && points > 0);
  return {
    window: windowOf(episode),
    severity: pool || score.total >= 85 ? ("high" as const) : ("medium" as const),
    summary: `${named(identity)} on ${node} looks like mining, ${score.total} of 100: ${shownOf(score)}`,
    events: episode.events,
    count: episode.count,
    entities: entitiesOfJob(identity, node),
    attack: ["T1496"],
    fields: { "hpc.job.id": identity.job, "hpc.miner.score": score.total },
    matches: matchesOf(score),
  };
}
