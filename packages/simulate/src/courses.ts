/** Jobs as their meters and calls tell of them, each on nodes of its own, without a site around and without a record: ten thousand for little. Knows no detector. */
import { Chance } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { Plan } from "./life/jobs.ts";
import { planOf } from "./life/queue.ts";
import type { Load } from "./load.ts";
import { kindsOfMiners, type Miner } from "./scenarios/miners.ts";
import { attackerAddress, makeSite, serviceNamed, type User } from "./site.ts";
import { day, hour, second } from "./stamps.ts";

export interface JobCourse {
  readonly job: number;
  readonly profile: string;
  readonly lookalike: boolean;
  readonly miner: boolean;
  readonly plan: Pick<Plan, "user" | "name" | "request" | "program">;
  readonly start: Micros;
  /** As long as it was played; each task of an array, one after the other on its node. */
  readonly seconds: number;
  readonly tasks: number;
  /** The load of a node, so many seconds after the start. */
  readonly load: (seconds: number) => Load;
  readonly calls: readonly JobCall[];
  /** What its user started on a log-in node, where the node itself speaks with nobody outside. */
  readonly forwarder?: { readonly binary: string; readonly args: string };
}
export interface JobCall {
  /** Seconds after the start. */
  readonly at: number;
  readonly lasts: number;
  readonly address: string;
  readonly port: number;
  readonly sent: number;
  readonly received: number;
}
export interface CoursesOptions {
  readonly seed: number;
  readonly jobs: number;
  /** Plays of each kind of miner. */
  readonly each: number;
  readonly start: Micros;
  /** Longer jobs are played so far. */
  readonly longest: Micros;
}

export function* jobCourses({ seed, jobs, each, start, longest }: CoursesOptions): Generator<JobCourse> {
  const all = new Chance(seed).fork("courses");
  const { users } = makeSite(seed, 200, start);
  let job = 5_000_000;
  const begun = (chance: Chance) => start + Math.round(chance.between(0, 6 * day));
  for (let i = 0; i < jobs; i++) {
    const chance = all.fork(`job ${i}`);
    const plan = planOf(chance.pick(users), chance);
    const seconds = Math.min(plan.request.lasts, longest) / second;
    const whole = plan.request.lasts / second;
    const calls = (plan.egress ?? []).flatMap(({ service, every, lasts, sent, received }) =>
      callsEvery(chance, seconds, { ...serviceNamed(service), port: 443, every: every / second, lasts, sent, received }),
    );
    const load = (s: number) => plan.load(s, Math.min(1, s / whole), chance, plan.request);
    const { profile, lookalike } = plan;
    const tasks = tasksOf(plan.request.tasks, seconds, longest);
    yield { job: ++job, profile, lookalike, miner: false, plan, start: begun(chance), seconds, tasks, load, calls };
  }
  for (const kind of kindsOfMiners)
    for (let i = 0; i < each; i++) yield mining(kind, ++job, all.fork(`${kind.name} ${i}`), users, begun, longest);
}

function mining(
  kind: Miner,
  job: number,
  chance: Chance,
  users: readonly User[],
  begun: (chance: Chance) => Micros,
  longest: Micros,
): JobCourse {
  const user = chance.pick(users);
  const { name, request, binary, args, load } = kind.job(user, chance);
  const address = attackerAddress(chance);
  // whoever sleeps by day is played until it has worked
  const seconds = Math.min(request.lasts, kind.awake === undefined ? Math.max(longest, 6 * hour) : day) / second;
  const start = begun(chance);
  const awake = (s: number) => kind.awake?.(start + s * second) ?? true;
  const { port, lasts } = kind.pool;
  const calls = callsEvery(chance, seconds, { address, port, every: lasts + 3, lasts, sent: 28 * lasts, received: 85 * lasts });
  return {
    job,
    profile: kind.name,
    lookalike: false,
    miner: true,
    plan: { user, name, request, program: { binary, args: args(kind.pool.name ?? address) } },
    start,
    seconds,
    tasks: tasksOf(request.tasks, seconds, longest),
    load: (s) => (awake(s) ? load(s, s / seconds, chance) : asleep),
    calls: kind.forwarder ? [] : calls.filter(({ at }) => awake(at)),
    ...(kind.forwarder && { forwarder: kind.forwarder(user, kind.pool.name ?? address) }),
  };
}
/** Of an array as many as there is time for. */
const tasksOf = (asked: number, seconds: number, longest: Micros): number =>
  Math.max(1, Math.min(asked, Math.floor(longest / second / Math.max(1, seconds))));
const asleep: Load = { cpu: 0.02, rss_gb: 0.3, read: 1e3, write: 1e3, lustre: 0, infiniband: 0 };

function callsEvery(
  chance: Chance,
  seconds: number,
  call: {
    readonly address: string;
    readonly port: number;
    readonly every: number;
    readonly lasts: number;
    readonly sent: number;
    readonly received: number;
  },
): readonly JobCall[] {
  const calls: JobCall[] = [];
  const { address, port, every } = call;
  for (let at = chance.between(1, 60); at < seconds; at += every * chance.between(0.9, 1.15)) {
    const lasts = Math.min(call.lasts * chance.between(0.75, 1.25), seconds - at);
    const share = lasts / call.lasts;
    calls.push({ at, lasts, address, port, sent: Math.round(call.sent * share), received: Math.round(call.received * share) });
  }
  return calls;
}
