/** Networks that jobs of the whole cluster reach: what several people's jobs speak with is usual, and what one person's do day after day is for that person. Knows no node's state and no socket. */
import type { Claim } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { day, type Episode, extend, list, ongoing, windowOf } from "./episode.ts";
import { manyNetworks, type ToldCall, toldCall } from "./job_calls.ts";
import { entitiesOfJob, type Identity, named } from "./node_jobs.ts";

/** What is one finding while it goes on: all of a user's jobs, for a sweep is many; a job's alone where something speaks against it. */
interface Run extends Episode {
  readonly who: string;
  /** The first job's. */
  readonly identity: Identity;
  readonly jobs: readonly string[];
  readonly nodes: readonly string[];
  readonly to: readonly string[];
  readonly transport: string;
  readonly signs: readonly string[];
}
export interface Reached {
  readonly last: Micros;
  /** Whose jobs reached it with nothing against them, the first of them. */
  readonly users: readonly string[];
  /** On how many days each did, while that makes it usual for nobody else; the newest last. */
  readonly habits?: readonly Habit[];
  readonly runs: readonly Run[];
}
type Habit = readonly [user: string, days: number, newest: number];
export interface UsualBounds {
  readonly usual_users: number;
  readonly usual_days: number;
  readonly learning_days: number;
  readonly memory_days: number;
}

export const maxUsers = 10;
/** Jobs at once, of one network: beyond them the longest quiet begin anew. */
const maxRuns = 32;
const maxNodes = 16;
/** Jobs that a finding lists. */
const maxJobs = 16;
const maxEnds = 8;
const maxEvents = 32;
/** A call that goes on is told once an hour; work that is done each day goes on, an hour earlier or later. */
const over: Micros = 1.5 * day;
const maxHabits = 32;

export function foldUsual(
  state: Reached | undefined,
  time: Micros,
  fields: Fields,
  { usual_users, usual_days, learning_days, memory_days }: UsualBounds,
): { readonly state: Reached; readonly claims: readonly Claim[] } {
  const told = toldCall(fields);
  const { identity, network } = told;
  const known = state !== undefined && time - state.last <= memory_days * day ? state : undefined;
  const runs = (known?.runs ?? []).filter((run) => ongoing(run, time, over));
  const user = identity.uid ?? identity.user ?? identity.job;
  const users = known?.users ?? [];
  // an attacker with several accounts must not make his own network usual
  const vouches = user !== undefined && told.signs.length === 0;
  const habits = known?.habits ?? [];
  const next: Reached = {
    last: Math.max(known?.last ?? time, time),
    users: vouches && !users.includes(user) ? [...users, user].slice(0, maxUsers) : users,
    habits: vouches ? withDay(habits, user, Math.floor(time / day)) : habits,
    runs,
  };
  const byMany = usual_users > 0 && users.length >= usual_users;
  const byHabit = usual_days > 0 && habits.some(([one, days]) => one === user && days >= usual_days);
  const usual = (byMany || byHabit) && network !== manyNetworks;
  const fresh = known === undefined && network !== manyNetworks && time - told.known >= learning_days * day;
  const against = [...(fresh ? [`${network} is new to the cluster`] : []), ...told.signs];
  const job = identity.job === undefined ? `${told.who} ${told.node}` : told.who;
  const plain = identity.job !== undefined && against.length === 0 && identity.conflict.length === 0;
  const find = (who: string) => runs.find((run) => run.who === who && sameCluster(run.identity, identity));
  const who = plain && !find(job) ? `user ${user}` : job;
  const before = find(who);
  const signs = [...new Set([...(before?.signs ?? []), ...against])];
  if (usual && !before && signs.length === 0 && identity.conflict.length === 0) return { state: next, claims: [] };
  const run = runOf(before, { ...told, who }, time, signs, runs);
  return {
    state: { ...next, runs: [...runs.filter((other) => other !== before), run].slice(-maxRuns) },
    claims: [claimOf(run)],
  };
}

/** Job numbers are each scheduler's own; not every way of telling a job tells its cluster. */
const sameCluster = (a: Identity, b: Identity): boolean => a.cluster === undefined || b.cluster === undefined || a.cluster === b.cluster;

function withDay(habits: readonly Habit[], user: string, today: number): readonly Habit[] {
  const known = habits.find(([one]) => one === user);
  if (known !== undefined && known[2] >= today) return habits;
  return [...habits.filter((one) => one !== known), [user, (known?.[1] ?? 0) + 1, today] as const].slice(-maxHabits);
}

/** One that few people's jobs reached, and once, is forgotten as soon as it would be new again; of a usual one that is what memory is for. */
export function usualExpire({ last, users, habits = [] }: Reached, { usual_users, learning_days, memory_days }: UsualBounds): Micros {
  const again = users.length >= usual_users || habits.some(([, days]) => days > 1);
  return last + Math.max(over, (again ? memory_days : Math.min(memory_days, Math.max(1, learning_days))) * day);
}

function runOf(before: Run | undefined, told: ToldCall, time: Micros, signs: readonly string[], runs: readonly Run[]): Run {
  const { who, identity, node, to, transport, from, events, count } = told;
  const episode = extend(before, over, { time: Math.max(time, from), start: freeStart(runs, from), events, count });
  const union = (a: readonly string[] | undefined, b: readonly string[], most: number) => [...new Set([...(a ?? []), ...b])].slice(0, most);
  return {
    ...episode,
    events: episode.events.slice(0, maxEvents),
    who,
    identity: before && !better(identity, before.identity) ? before.identity : identity,
    jobs: union(before?.jobs, identity.job === undefined ? [] : [identity.job], maxJobs),
    nodes: union(before?.nodes, [node], maxNodes),
    to: union(before?.to, to, maxEnds),
    transport: before?.transport ?? transport,
    signs,
  };
}

/** The same job by more ways. */
const better = (now: Identity, before: Identity): boolean => now.job === before.job && now.by.length > before.by.length;

/** Claims are told apart by their start: of two that begin at one moment the other begins a microsecond later. */
function freeStart(runs: readonly Run[], start: Micros): Micros {
  let free = start;
  while (runs.some((run) => run.start === free)) free++;
  return free;
}

function claimOf(run: Run): Claim {
  const { identity, jobs, nodes, to, transport, signs } = run;
  const sure = identity.job !== undefined;
  const how = !sure
    ? identity.conflict.length > 0
      ? `nothing but its ${identity.conflict[0]!.replace(" ", " says ")}, which the schedule denies`
      : "which of them nothing tells"
    : `its job by ${identity.by.join(", ")}${identity.conflict.length === 0 ? "" : `; but ${identity.conflict.join(", ")}`}`;
  const ip = to[0]!.slice(0, to[0]!.lastIndexOf(":"));
  return {
    window: windowOf(run),
    severity: !sure ? "low" : signs.length > 0 ? "high" : "medium",
    summary: `${named(identity)}${jobs.length > 1 ? ` and ${jobs.length - 1}${jobs.length < maxJobs ? "" : " or more"} other jobs of the user` : ""} on ${list(nodes, 3)} opened a ${transport} socket to ${list(to, 3)}; ${[how, ...signs].join("; ")}`,
    events: run.events,
    count: run.count,
    entities: [
      ...entitiesOfJob(identity, nodes[0]!),
      { type: "destination.ip", id: ip },
      ...jobs.flatMap((id) => (id === identity.job ? [] : [{ type: "hpc.job.id", id }])),
    ],
    attack: signs.some((one) => one.startsWith("port")) ? ["T1071", "T1496"] : ["T1071"],
    fields: { ...(sure && { "hpc.job.id": identity.job! }), "hpc.job.by": [...identity.by] },
  };
}
