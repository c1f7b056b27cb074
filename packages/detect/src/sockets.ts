/** What a node's processes and sensors tell within a bucket: jobs placed on it, processes started, sockets to the outside. Bounded, whatever comes. Knows no detector. */
import type { Fields, Micros } from "@vedette/model";
import { numberField, textField } from "./episode.ts";
import { type Doer, doerOf, jobTold, type KnownJob, nodeOf, nodesOfJob, type Started, startedProcess } from "./node_jobs.ts";

/** A connection that left the node, or datagrams that did. */
export interface Socket {
  readonly time: Micros;
  readonly event: string;
  /** Seen on the wire by a sensor, which knows no process. */
  readonly wire: boolean;
  readonly to: string;
  readonly port: number;
  readonly transport: string;
  /** Autonomous system of the other end, where an enricher told. */
  readonly as?: number;
  readonly program?: string;
  /** The program's file lies where anybody may write, or nowhere any more. */
  readonly stray: boolean;
  /** Age of the process when it opened it, µs; where the record told. */
  readonly age?: Micros;
  /** How many of the same within the bucket. */
  readonly count: number;
  readonly doer: Doer;
}
export interface Activity {
  readonly jobs: readonly KnownJob[];
  readonly started: readonly Started[];
  readonly sockets: readonly Socket[];
}

/** Of a bucket of ten seconds: an MPI job starts a process a core, and what opens more different sockets has long been found. */
const maxStarted = 256;
const maxSockets = 64;
const maxJobs = 64;

/** Which events tell of it. */
export const activityQuery =
  "(event.module:slurm and slurm.job.id:*) or (event.dataset:tetragon and (tetragon.type:process_exec or (event.category:network and destination.ip:* and not event.type:end))) or (event.dataset:zeek.conn and hpc.node:* and destination.ip:*)";
export const activityFields = [
  "destination.ip",
  "hpc.job.id",
  "hpc.job.by",
  "hpc.job.conflict",
  "hpc.node",
  "host.name",
  "user.name",
  "user.id",
  "process.executable",
  "process.command_line",
  "process.parent.executable",
  "source.ip",
  "source.port",
  "destination.port",
  "network.transport",
  "slurm.job.id",
  "slurm.job.state",
];

export const isExec = (fields: Fields): boolean => fields["tetragon.type"] === "process_exec";
/** Neither a scheduler's record nor the start of a process. */
export const isSocket = (fields: Fields): boolean =>
  fields["event.module"] !== "slurm" && !isExec(fields) && textField(fields, "destination.ip") !== undefined;

/**
 * The nodes concerned.
 * @param outside whether an address is one that counts
 */
export function nodesConcerned(fields: Fields, outside: (ip: string, port: number) => boolean): string | readonly string[] | undefined {
  if (fields["event.module"] === "slurm") return nodesOfJob(fields);
  if (isExec(fields)) return isPersons(fields) ? nodeOf(fields) : undefined;
  const to = textField(fields, "destination.ip");
  return to !== undefined && outside(to, numberField(fields, "destination.port")) ? nodeOf(fields) : undefined;
}

/** A process that can be a job's: one that says so, or of a user that is no service. */
export const isPersons = (fields: Fields): boolean => fields["hpc.job.id"] !== undefined || Number(fields["user.id"] ?? 0) >= 1_000;

/** `/tmp` and the like, where any user may write, and files without a name (memfd_create(2)) or whose name is gone. */
const strayPlaces = ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/", "memfd:", "/memfd:"];
export const isStray = (program: string): boolean =>
  strayPlaces.some((place) => program.startsWith(place)) || program.endsWith(" (deleted)");

export function activityOf(fields: Fields, time: Micros, event: string): Activity {
  if (fields["event.module"] === "slurm") {
    const job = jobTold(fields, time);
    return { jobs: job === undefined ? [] : [job], started: [], sockets: [] };
  }
  if (isSocket(fields)) return { jobs: [], started: [], sockets: [socketOf(fields, time, event)] };
  const one = startedProcess(fields, time);
  return { jobs: [], started: one === undefined ? [] : [one], sockets: [] };
}

export function socketOf(fields: Fields, time: Micros, event: string): Socket {
  const program = textField(fields, "process.executable")?.slice(0, 128);
  const since = Date.parse(textField(fields, "process.start") ?? "") * 1_000;
  const as = fields["destination.as.number"];
  return {
    time,
    event,
    wire: fields["event.module"] === "zeek",
    to: textField(fields, "destination.ip")!.slice(0, 64),
    port: numberField(fields, "destination.port"),
    transport: (textField(fields, "network.transport") ?? "ip").slice(0, 8),
    ...(typeof as === "number" ? { as } : {}),
    ...(program === undefined ? {} : { program }),
    stray: program !== undefined && isStray(program),
    ...(Number.isFinite(since) && time >= since ? { age: time - since } : {}),
    count: 1,
    doer: doerOf(fields),
  };
}

/** Of one bucket the same: who, where to, and by whom seen. */
const sameSocket = (s: Socket): string =>
  `${s.wire} ${s.doer.told[0]?.[1] ?? ""} ${s.doer.uid ?? ""} ${s.doer.mark} ${s.to} ${s.port} ${s.transport}`;

/** Commutative and associative: of equal ones the earliest stays, of too many the earliest. */
export function mergeActivity(into: Activity, more: Activity): Activity {
  return {
    jobs: firstOf(
      into.jobs,
      more.jobs,
      (one) => `${one.id} ${one.cluster ?? ""} ${one.end ?? ""}`,
      (one) => one.told,
      keepOne,
      maxJobs,
    ),
    started: firstOf(
      into.started,
      more.started,
      (one) => String(one.mark),
      (one) => one.time,
      keepOne,
      maxStarted,
    ),
    sockets: firstOf(into.sockets, more.sockets, sameSocket, (one) => one.time, counted, maxSockets),
  };
}
export const keepOne = <T>(first: T): T => first;
const counted = (first: Socket, other: Socket): Socket => ({ ...first, count: first.count + other.count });

/** Union of two lists, by id; of equal ones what `join` makes of them in their order, of too many the earliest. */
export function firstOf<T>(
  a: readonly T[],
  b: readonly T[],
  id: (one: T) => string,
  time: (one: T) => Micros,
  join: (first: T, other: T) => T,
  most: number,
): readonly T[] {
  if (b.length === 0) return a;
  const all = new Map(a.map((one) => [id(one), one]));
  for (const one of b) {
    const name = id(one);
    const known = all.get(name);
    if (known === undefined) all.set(name, one);
    else all.set(name, before(time, known, one) ? join(known, one) : join(one, known));
  }
  return [...all.values()].sort((x, y) => time(x) - time(y) || (id(x) < id(y) ? -1 : 1)).slice(0, most);
}
/** Of two of one time the smaller text, so that the order of merging decides nothing. */
const before = <T>(time: (one: T) => Micros, a: T, b: T): boolean =>
  time(a) !== time(b) ? time(a) < time(b) : JSON.stringify(a) <= JSON.stringify(b);
