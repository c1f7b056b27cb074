/** People's jobs: who submits what and when, and squeue asked each minute. Knows no job's inside. */
import type { Chance } from "@vedette/kit";
import { squeueLine } from "../records/slurm.ts";
import type { User } from "../site.ts";
import { day, hour, minute, second } from "../stamps.ts";
import type { Actor, World } from "../world.ts";
import { type Plan, submit } from "./jobs.ts";
import type { Profile } from "./profile.ts";
import { profiles } from "./profiles.ts";

/** Submissions per node and day: with these profiles a queue stays short and nodes are mostly busy. */
const perNodeAndDay = 2.2;

/** How busy people are, by the hour of the day; weekends have a third. */
const byHour = [3, 2, 2, 2, 2, 3, 5, 9, 14, 17, 18, 16, 13, 16, 18, 18, 16, 13, 9, 7, 6, 5, 4, 4];
const busiest = Math.max(...byHour);

/** 0 is Sunday. */
export const weekday = (time: number): number => new Date(time / 1_000).getUTCDay();
export const isWeekend = (time: number): boolean => weekday(time) === 0 || weekday(time) === 6;
const busyness = (time: number): number => (byHour[Math.floor((time % day) / hour)]! / busiest) * (isWeekend(time) ? 0.33 : 1);

/** Honest people submit honest work. */
export function* submissions(world: World): Actor {
  const chance = world.chanceOf("submissions");
  const { site } = world;
  const mean = (day / (site.compute.length + site.gpu.length) / perNodeAndDay) * 0.5;
  // who computes much computes much more than the others
  const people = site.users.map((user) => ({ user, weight: chance.exponential(1) ** 2 }));
  // what was left from the days before
  for (let i = 0; i < site.compute.length * 0.4; i++) {
    yield world.now + Math.round(chance.exponential(2 * second));
    submit(world, planOf(chance.weighted(people).user, chance));
  }
  for (;;) {
    yield world.now + Math.round(chance.exponential(mean));
    if (chance.happens(busyness(world.now))) submit(world, planOf(chance.weighted(people).user, chance));
  }
}

const cpu = profiles.filter((p) => !p.gpu);
const gpu = profiles.filter((p) => p.gpu);

/** A plan of somebody's: GPU work where the project has it. */
export function planOf(
  user: User,
  chance: Chance,
  of: Profile = chance.weighted(chance.happens(user.project.gpu * 0.5) ? gpu : cpu),
): Plan {
  return {
    user,
    name: `${of.name.split("_")[0]}_${chance.text(4, "abcdefghijkmnpqrstuvwxyz23456789")}`,
    profile: of.name,
    lookalike: of.lookalike,
    gpu: of.gpu,
    request: of.request(chance),
    ...(of.mpi ? { mpi: true } : {}),
    program: of.program(user, chance),
    ...(of.churn === undefined ? {} : { churn: of.churn }),
    ...(of.egress === undefined ? {} : { egress: of.egress }),
    load: of.load,
  };
}

/** Jobs in one answer of squeue; a busy minute has several. */
const answer = 100;

/** A collector asks squeue each minute and hands on the jobs that are new. */
export function* squeue(world: World): Actor {
  for (;;) {
    yield world.now + minute;
    while (world.begun.length > 0) world.emit("slurm/squeue", squeueLine(world.begun.splice(0, answer)));
  }
}
