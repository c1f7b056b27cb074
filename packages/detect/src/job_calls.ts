/** Calls of a node's jobs to outside: whose each is by all that is known of the node, told again when more of that is. Knows not what is usual. */
import type { Claim } from "@vedette/kit";
import type { Fields, FieldValue, Micros } from "@vedette/model";
import { carriedEvents } from "./claims.ts";
import { day, hour, minute, second, span, textField } from "./episode.ts";
import { neighbourhood } from "./networks.ts";
import { entitiesOfJob, type Identity, identify, type NodeJobs, named, noJobs, withJob, withProcesses } from "./node_jobs.ts";
import type { Activity, Socket } from "./sockets.ts";

/** What one job, or one person's process, has to do with one network. */
interface Call {
  readonly who: string;
  readonly network: string;
  readonly last: Micros;
  readonly first: Socket;
  readonly identity: Identity;
  readonly to: readonly string[];
  /** What makes it worse. */
  readonly signs: readonly string[];
  /** Since it was last told: sockets, their events, and when that was. */
  readonly count: number;
  readonly events: readonly string[];
  readonly told?: Micros;
}
export interface NodeCalls extends NodeJobs {
  /** Since when anything is known of the node. */
  readonly since: Micros;
  readonly last: Micros;
  readonly calls: readonly Call[];
  /** Of jobs that nobody has told of yet: they may be told a little later. */
  readonly waiting: readonly Socket[];
  /** Ends that a process of no job reached: what a sensor sees of them is no job's. */
  readonly others: readonly (readonly [end: string, last: Micros])[];
  /** The newest claim's start: claims are told apart by it. */
  readonly newest?: Micros;
}

/** A call that goes on is told once in this time (reference: one alert an hour). */
export const quiet: Micros = hour;
/** Of one node; each is some hundred bytes of state. What a node's jobs reach beyond is one call to many networks. */
const maxCalls = 16;
const maxWaiting = 16;
const maxOthers = 64;
const maxEvents = 32;
const maxEnds = 8;
export const manyNetworks = "many networks";
/** How long after a socket its job may be told: schedulers are polled every minute or so. */
const patience = 10 * minute;
/** A process that young has just been put there (reference: 60 s). */
const young = 60 * second;
/** Ports that mining pools offer: weak evidence, which alone finds nothing. */
const poolPorts = new Set([3333, 4444, 5555, 7777, 14433, 14444]);

/** @param skew how far the node's clock may be off */
export function foldCalls(
  state: NodeCalls | undefined,
  start: Micros,
  { jobs, started, sockets }: Activity,
  skew: Micros,
  name: string,
): { readonly state: NodeCalls; readonly claims: readonly Claim[] } {
  let node: NodeJobs = withProcesses(state ?? noJobs, started);
  for (const one of jobs) node = withJob(node, one);
  const told = new Set(jobs.map(({ id }) => id));
  const next: NodeCalls = {
    jobs: node.jobs,
    processes: node.processes,
    since: state?.since ?? start,
    last: Math.max(state?.last ?? start, start),
    // what the scheduler tells of a job whose sockets are known is one way more
    calls: (state?.calls ?? [])
      .filter(({ last }) => start - last <= quiet)
      .map((call) => (told.has(call.identity.job ?? "") ? identified(call, identify(node, call.first.doer, call.first.time, skew)) : call)),
    waiting: [],
    others: (state?.others ?? []).filter(([, last]) => last >= start - quiet),
    ...(state?.newest !== undefined && { newest: state.newest }),
  };
  const waited = (state?.waiting ?? []).filter(({ time }) => time >= start - patience);
  return telling(
    [...waited, ...sockets].reduce((all, one) => withSocket(all, one, skew), next),
    start,
    name,
  );
}

/** A node that has been heard of for a while is known for a week and a day after it falls silent, jobs and all. */
export const callsExpire = ({ last, since, jobs }: NodeCalls): Micros => last + (jobs.length > 0 || last - since > hour ? 8 * day : hour);

/** One more way, or none; then it is to be told again. */
const identified = (call: Call, identity: Identity): Call =>
  identity.by.length > call.identity.by.length ? untold({ ...call, identity }) : call;
const untold = ({ told: _, ...call }: Call): Call => call;

function withSocket(state: NodeCalls, one: Socket, skew: Micros): NodeCalls {
  const end = `${one.to}:${one.port}`;
  const identity = identify(state, one.doer, one.time, skew);
  const unknown = identity.job === undefined && identity.candidates.length === 0 && identity.conflict.length === 0;
  const group = neighbourhood(one.to)!;
  const network = one.as === undefined ? group : `AS${one.as}`;
  if (one.wire) {
    // a process told of it already: this is the same once more
    if (state.others.some(([other]) => other === end)) return state;
    const seen = (call: Call) => !call.first.wire && (call.network === network || neighbourhood(call.first.to) === group);
    if (identity.job === undefined && state.calls.some(seen)) return state;
  } else if (unknown && isService(one)) {
    const others = [...state.others.filter(([other]) => other !== end), [end, one.time] as const];
    return { ...state, others: others.slice(-maxOthers) };
  }
  if (unknown) return { ...state, waiting: [...state.waiting, one].slice(-maxWaiting) };
  const who = identity.job ?? (one.wire ? "?" : `${identity.uid ?? identity.user ?? "?"}`);
  const find = (name: string) => state.calls.find((call) => call.who === who && call.network === name);
  const name = find(network) || state.calls.length < maxCalls ? network : manyNetworks;
  const known = find(name);
  const signs = [...new Set([...(known?.signs ?? []), ...signsOf(one)])];
  const call: Call = {
    who,
    network: name,
    last: Math.max(known?.last ?? one.time, one.time),
    first: known?.first ?? one,
    identity: known?.identity ?? identity,
    to: [...new Set([...(known?.to ?? []), end])].slice(0, maxEnds),
    signs,
    count: (known?.count ?? 0) + one.count,
    events: [...(known?.events ?? []), one.event].slice(0, maxEvents),
    ...(known?.told !== undefined && signs.length === known.signs.length && { told: known.told }),
  };
  const better = known === undefined ? call : identified(call, identity);
  // one call to many networks is one more than the bound
  return { ...state, calls: [...state.calls.filter((other) => other !== known), better].slice(-maxCalls - 1) };
}

/** Whether it is known to be of nobody who could have a job. */
const isService = ({ doer }: Socket): boolean => doer.uid !== undefined && Number(doer.uid) < 1_000;

function signsOf({ program, stray, age, port }: Socket): readonly string[] {
  return [
    ...(stray && age !== undefined && age <= young ? [`${program} was ${span(age)} old and lies where anybody may write`] : []),
    ...(poolPorts.has(port) ? [`port ${port} is one of mining pools`] : []),
  ];
}

/** Tells of calls that were never told as they are now, and of those that go on. */
function telling(state: NodeCalls, time: Micros, node: string): { readonly state: NodeCalls; readonly claims: readonly Claim[] } {
  const claims: Claim[] = [];
  let newest = state.newest;
  const calls = state.calls.map((call): Call => {
    if (call.told !== undefined && (call.count === 0 || call.last - call.told < quiet)) return call;
    const at = Math.max(call.count > 0 ? call.last : time, call.first.time);
    newest = Math.max(at, (newest ?? at - 1) + 1);
    claims.push(claimOf(call, newest, state.since, node));
    return { ...call, told: call.last, count: 0, events: [] };
  });
  return { state: { ...state, calls, ...(newest !== undefined && { newest }) }, claims };
}

/** What a claim tells the second step. */
const field = {
  who: "hpc.job.caller",
  network: "destination.network",
  ends: "destination.address",
  from: "event.start",
  known: "hpc.node.known_since",
  reasons: "event.reason",
  count: "event.count",
  conflict: "hpc.job.conflict",
  candidates: "hpc.job.candidates",
} as const;

export const callFields: readonly string[] = [
  "destination.ip",
  "hpc.job.id",
  "hpc.job.by",
  "hpc.account",
  "hpc.cluster",
  "host.name",
  "user.name",
  "user.id",
  "process.executable",
  "network.transport",
  ...Object.values(field),
  carriedEvents,
];

function claimOf({ who, network, first, identity, to, signs, count, events }: Call, start: Micros, since: Micros, node: string): Claim {
  const ip = to[0]!.slice(0, to[0]!.lastIndexOf(":"));
  const told: { readonly [name: string]: FieldValue | undefined } = {
    [field.who]: who,
    [field.network]: network,
    [field.ends]: [...to],
    [field.from]: first.time,
    [field.known]: since,
    [field.reasons]: [...signs],
    [field.count]: count,
    [field.conflict]: [...identity.conflict],
    [field.candidates]: identity.candidates.slice(0, maxEnds),
    "hpc.job.by": [...identity.by],
    "hpc.account": identity.account,
    "user.id": identity.uid,
    "network.transport": first.transport,
    "process.executable": first.program,
    [carriedEvents]: [...(events.length > 0 ? events : [first.event])],
  };
  return {
    window: { start, end: start },
    severity: "informational",
    summary: `${named(identity)} on ${node} reaches ${network}`,
    events: events.length > 0 ? events : [first.event],
    count: Math.max(1, count),
    entities: [...entitiesOfJob(identity, node), { type: "destination.ip", id: ip }],
    fields: Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)) as Fields,
  };
}

/** A claim as the second step has it. */
export interface ToldCall {
  readonly who: string;
  readonly network: string;
  readonly identity: Identity;
  readonly node: string;
  readonly to: readonly string[];
  readonly transport: string;
  readonly from: Micros;
  readonly known: Micros;
  readonly signs: readonly string[];
  readonly count: number;
  readonly events: readonly string[];
}

export const networkTold = (fields: Fields): string | undefined => textField(fields, field.network);

export function toldCall(fields: Fields): ToldCall {
  const text = (name: string) => textField(fields, name);
  const texts = (name: string): readonly string[] => {
    const value = fields[name];
    return Array.isArray(value) ? value.map(String) : [];
  };
  const number = (name: string) => Number(fields[name]);
  const [job, cluster, uid, user, account] = ["hpc.job.id", "hpc.cluster", "user.id", "user.name", "hpc.account"].map(text);
  const identity: Identity = {
    job,
    ...(cluster !== undefined && { cluster }),
    ...(uid !== undefined && { uid }),
    ...(user !== undefined && { user }),
    ...(account !== undefined && { account }),
    by: texts("hpc.job.by"),
    conflict: texts(field.conflict),
    candidates: texts(field.candidates),
  };
  return {
    who: text(field.who)!,
    network: text(field.network)!,
    identity,
    node: text("host.name")!,
    to: texts(field.ends),
    transport: text("network.transport") ?? "ip",
    from: number(field.from),
    known: number(field.known),
    signs: texts(field.reasons),
    count: number(field.count),
    events: texts(carriedEvents),
  };
}
